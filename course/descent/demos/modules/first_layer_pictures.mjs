// @ts-check
// What the first layer of a small network looks for, drawn as pictures.

import { train } from "./network.mjs";
import { pencil } from "./page.mjs";
import { mulberry32 } from "./random.mjs";

/** @typedef {{ seed: number, rate: number, decay: number, scale: number }} Params */
/** @typedef {{ hidden: number, epochs: number, count: number }} Data */

const SIDE = 8;
/** @typedef {Record<"loss" | "accuracy" | "smooth", number[]>} Curves */
/** @typedef {Curves & { frames: number, filters: Float64Array[] }} Result */

/** @type {Map<string, Result>} */
const kept = new Map();

// Soft bars in four directions, at varied places, under noise.
/** @type {(seed: number, count: number) => import("./network.mjs").Examples} */
export function patterns(seed, count) {
  const uniform = mulberry32(seed);
  /** @type {((i: number, j: number) => number)[]} */
  const lines = [(i) => i, (i, j) => j, (i, j) => (i + j) / 1.4, (i, j) => (i - j) / 1.4];
  /** @type {number[]} */
  const x = [];
  /** @type {number[]} */
  const y = [];
  for (let n = 0; n < count; n++) {
    const label = n % 4;
    const centre = lines[label](1.5 + 4 * uniform(), 1.5 + 4 * uniform());
    for (let i = 0; i < SIDE; i++) {
      for (let j = 0; j < SIDE; j++) {
        x.push(Math.max(0, 1 - Math.abs(lines[label](i, j) - centre) / 1.6) - 0.25 + 0.4 * (uniform() - 0.5));
      }
    }
    y.push(label);
  }
  return { x, y, inputs: SIDE * SIDE, classes: 4 };
}

// One minus the squared difference of neighbouring pixels beside what independent pixels would
// show: about 0 for noise, near 1 for what is smooth.
/** @type {(w: Numbers, hidden: number, unit: number) => number} */
export function smoothness(w, hidden, unit) {
  let [mean, square, step, pairs] = [0, 0, 0, 0];
  const at = (/** @type {number} */ i, /** @type {number} */ j) => w[(i * SIDE + j) * hidden + unit];
  for (let i = 0; i < SIDE; i++) {
    for (let j = 0; j < SIDE; j++) {
      mean += at(i, j) / (SIDE * SIDE);
      for (const [k, l] of [
        [i + 1, j],
        [i, j + 1],
      ]) {
        if (k === SIDE || l === SIDE) continue;
        step += (at(k, l) - at(i, j)) * (at(k, l) - at(i, j));
        pairs += 1;
      }
    }
  }
  for (let i = 0; i < SIDE; i++)
    for (let j = 0; j < SIDE; j++) square += (at(i, j) - mean) * (at(i, j) - mean);
  return 1 - step / pairs / ((2 * square) / (SIDE * SIDE));
}

/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate(params, data) {
  const { hidden, epochs, count } = data;
  const key = JSON.stringify([params.seed, params.rate, params.decay, params.scale]);
  let result = kept.get(key);
  if (!result) {
    kept.clear();
    const run = train(patterns(params.seed, count), {
      hidden,
      epochs,
      batch: 8,
      rate: params.rate,
      seed: params.seed,
      scale: params.scale,
      decay: params.decay,
    });
    const units = Array.from({ length: hidden }, (_, k) => k);
    const smooth = run.nets.map(
      ({ w1 }) => units.reduce((sum, k) => sum + smoothness(w1, hidden, k), 0) / hidden,
    );
    const filters = run.nets.map(({ w1 }) => w1);
    result = { frames: epochs, loss: run.epochLoss, accuracy: run.accuracy, smooth, filters };
    kept.set(key, result);
  }
  return result;
}

/** @type {(stage: Stage, rect: Rect, w: Numbers, hidden: number) => void} */
function tiles(stage, rect, w, hidden) {
  const { ctx, palette } = stage;
  ctx.save();
  ctx.font = "14px " + stage.font;
  ctx.fillStyle = palette.ink;
  ctx.textBaseline = "middle";
  ctx.fillText(stage.text("tiles"), rect.x, rect.y + 10);
  const columns = 4;
  const rows = Math.ceil(hidden / columns);
  const gap = 8;
  const size =
    Math.floor(
      Math.min((rect.w - gap * (columns - 1)) / columns, (rect.h - 26 - gap * (rows - 1)) / rows) / SIDE,
    ) * SIDE;
  const [cool, paper, warm] = ["s0", "paper", "s1"].map((name) =>
    [1, 3, 5].map((i) => parseInt(palette[name].slice(i, i + 2), 16)),
  );
  const image = ctx.createImageData(SIDE, SIDE);
  const sheet = stage.picture("tile", SIDE / stage.ratio, SIDE / stage.ratio, () => {});
  ctx.imageSmoothingEnabled = false;
  ctx.strokeStyle = palette.line;
  for (let unit = 0; unit < hidden; unit++) {
    const [left, top] = [
      rect.x + (unit % columns) * (size + gap) + 1,
      rect.y + 26 + Math.floor(unit / columns) * (size + gap),
    ];
    let most = 1e-9;
    for (let p = 0; p < SIDE * SIDE; p++) most = Math.max(most, Math.abs(w[p * hidden + unit]));
    for (let p = 0; p < SIDE * SIDE; p++) {
      const value = w[p * hidden + unit] / most;
      const to = value > 0 ? warm : cool;
      for (let k = 0; k < 3; k++) image.data[4 * p + k] = paper[k] + (to[k] - paper[k]) * Math.abs(value);
      image.data[4 * p + 3] = 255;
    }
    pencil(sheet).putImageData(image, 0, 0);
    ctx.drawImage(sheet, left, top, size, size);
    ctx.strokeRect(left - 0.5, top - 0.5, size + 1, size + 1);
  }
  ctx.restore();
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 */
export function draw(stage, result, params, { hidden, epochs }) {
  const [left, right] = stage.columns([1.25, 1]);
  tiles(stage, left, result.filters[stage.frame], hidden);
  const panel = stage
    .panel({
      rect: right,
      x: [0, epochs],
      y: [-0.2, 1.6],
      labelX: stage.text("axis_epochs"),
      labelY: stage.text("axis_both"),
      legend: [
        { label: stage.text("loss"), style: { series: 0, only: "line" } },
        { label: stage.text("smoothness"), style: { series: 1, only: "line" } },
      ],
    })
    .axes();
  const at = result.smooth.map((_, i) => i);
  panel.line(at.slice(1), result.loss, 0, stage.frame);
  panel.line(at, result.smooth, 1, stage.frame + 1);
  panel.rule("x", stage.frame);
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 * @param {number} frame
 * @returns {Sentence[]}
 */
export function summary({ smooth, accuracy }, params, data, frame) {
  const values = {
    epoch: String(frame),
    smooth: smooth[frame],
    accuracy: String(Math.round(100 * (frame ? accuracy[frame - 1] : 0))),
  };
  return [
    [frame ? "says" : "before", values],
    [smooth[frame] > 0.5 ? "smooth" : "noisy", values],
  ];
}
