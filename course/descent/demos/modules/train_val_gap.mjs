// @ts-check
// Training and validation accuracy of a classifier whose capacity, data and penalty you set:
// logistic regression on bumps (radial basis functions), by gradient descent with momentum.

import { pencil } from "./page.mjs";
import { mulberry32, nearlyNormal } from "./random.mjs";

/** @typedef {{ capacity: number, examples: number, reg: number, seed: number }} Params */
/** @typedef {{ validation: number, most: number, spread: number, epochs: number, mu: number, rate: number }} Data */
/** @typedef {{ x: number, y: number, label: number }} Example */

/** @type {Map<number, Example[]>} */
const kept = new Map();

// Four clouds, opposite ones of one class. The first `validation` points are never trained on.
/** @type {(seed: number, data: Data) => Example[]} */
function cloudsOf(seed, { validation, most, spread }) {
  let points = kept.get(seed);
  if (!points) {
    if (kept.size > 4) kept.clear();
    const uniform = mulberry32(seed);
    points = Array.from({ length: validation + most }, (_, n) => {
      const [a, b] = [n & 1 ? 1 : -1, n & 2 ? 1 : -1];
      return {
        x: 0.5 * a + spread * nearlyNormal(uniform),
        y: 0.5 * b + spread * nearlyNormal(uniform),
        label: a * b > 0 ? 1 : 0,
      };
    });
    kept.set(seed, points);
  }
  return points;
}

// Bumps on a sunflower: evenly spread, however many.
/** @type {(count: number) => Pair[]} */
function bumps(count) {
  return Array.from({ length: count }, (_, k) => {
    const [r, angle] = [1.3 * Math.sqrt((k + 0.5) / count), 2.399963229728653 * k];
    return [r * Math.cos(angle), r * Math.sin(angle)];
  });
}

/** @type {(x: number, y: number, centres: Pair[], width: number) => Float64Array} */
function features(x, y, centres, width) {
  const row = new Float64Array(centres.length + 1);
  centres.forEach(([cx, cy], k) => {
    row[k] = Math.exp(-((x - cx) * (x - cx) + (y - cy) * (y - cy)) / (2 * width * width));
  });
  row[centres.length] = 1;
  return row;
}

/** @type {(row: Numbers, w: Numbers) => number} */
function dot(row, w) {
  let sum = 0;
  for (let k = 0; k < w.length; k++) sum += row[k] * w[k];
  return sum;
}

// Accuracy: the share of rows on the right side.
/** @type {(rows: Numbers[], points: Example[], w: Numbers) => number} */
const share = (rows, points, w) =>
  rows.filter((row, n) => dot(row, w) > 0 === (points[n].label === 1)).length / rows.length;

/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate(params, data) {
  const points = cloudsOf(params.seed, data);
  const [held, seen] = [
    points.slice(0, data.validation),
    points.slice(data.validation, data.validation + params.examples),
  ];
  const centres = bumps(params.capacity);
  const width = 1.7 / Math.sqrt(params.capacity);
  const rowsOf = (/** @type {Example[]} */ those) => those.map(({ x, y }) => features(x, y, centres, width));
  const [rows, heldRows] = [rowsOf(seen), rowsOf(held)];
  const w = new Float64Array(params.capacity + 1);
  const v = new Float64Array(w.length);
  const g = new Float64Array(w.length);
  /** @type {Record<"train" | "validation", number[]>} */
  const curves = { train: [], validation: [] };
  /** @type {Float64Array[]} */
  const weights = [];
  const result = { frames: data.epochs, ...curves, weights, centres, width };
  const record = () => {
    result.train.push(share(rows, seen, w));
    result.validation.push(share(heldRows, held, w));
    result.weights.push(w.slice());
  };
  record();
  for (let epoch = 0; epoch < data.epochs; epoch++) {
    for (let k = 0; k < w.length; k++) g[k] = k < w.length - 1 ? params.reg * w[k] : 0;
    for (let n = 0; n < rows.length; n++) {
      const row = rows[n];
      const slope = (1 / (1 + Math.exp(-dot(row, w))) - seen[n].label) / rows.length;
      for (let k = 0; k < w.length; k++) g[k] += slope * row[k];
    }
    for (let k = 0; k < w.length; k++) {
      v[k] = data.mu * v[k] - data.rate * g[k];
      w[k] += v[k];
    }
    record();
  }
  return result;
}

const CELLS = 32;

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 */
export function draw(stage, result, params, data) {
  const [left, right] = stage.columns([1, 1.4]);
  const w = result.weights[stage.frame];
  const map = stage.panel({
    rect: left,
    x: [-1.6, 1.6],
    y: [-1.6, 1.6],
    equal: true,
    ticksX: false,
    ticksY: false,
    labelY: stage.text("map"),
  });
  /** @type {(i: number, low: number, high: number) => number} */
  const place = (i, low, high) => low + ((high - low) * (i + 0.5)) / CELLS;
  // Bumps are products of one factor in x and one in y, which makes the picture cheap.
  /** @type {(at: number, centre: number) => number} */
  const factor = (at, centre) =>
    Math.exp(-((at - centre) * (at - centre)) / (2 * result.width * result.width));
  const inX = Array.from({ length: CELLS }, (_, i) =>
    result.centres.map(([cx]) => factor(place(i, ...map.x), cx)),
  );
  const inY = Array.from({ length: CELLS }, (_, j) =>
    result.centres.map(([, cy], k) => w[k] * factor(place(j, map.y[1], map.y[0]), cy)),
  );
  const image = stage.ctx.createImageData(CELLS, CELLS);
  const colors = ["s1", "s0"].map((name) =>
    [1, 3, 5].map((i) => parseInt(stage.palette[name].slice(i, i + 2), 16)),
  );
  const bias = w[w.length - 1];
  for (let j = 0; j < CELLS; j++) {
    for (let i = 0; i < CELLS; i++) {
      let score = bias;
      for (let k = 0; k < result.centres.length; k++) score += inX[i][k] * inY[j][k];
      const at = 4 * (j * CELLS + i);
      const color = colors[score > 0 ? 1 : 0];
      for (let k = 0; k < 3; k++) image.data[at + k] = color[k];
      image.data[at + 3] = 25 + 60 * Math.min(1, Math.abs(score) / 3);
    }
  }
  const sheet = stage.picture("map", CELLS / stage.ratio, CELLS / stage.ratio, () => {});
  pencil(sheet).putImageData(image, 0, 0);
  map.inside((ctx) => ctx.drawImage(sheet, map.box.x, map.box.y, map.box.w, map.box.h));
  map.axes({ grid: false });
  const points = cloudsOf(params.seed, data).slice(data.validation, data.validation + params.examples);
  for (const label of [0, 1]) {
    const mine = points.filter((point) => point.label === label);
    map.dots(
      mine.map((p) => p.x),
      mine.map((p) => p.y),
      1 - label,
      4,
    );
  }

  const epochs = result.train.map((_, i) => i);
  const panel = stage
    .panel({
      rect: right,
      x: [0, data.epochs],
      y: [0.4, 1.02],
      labelX: stage.text("axis_epochs"),
      labelY: stage.text("axis_accuracy"),
      legend: [
        { label: stage.text("training"), style: { series: 0, only: "line" } },
        { label: stage.text("validation"), style: { series: 1, only: "line" } },
      ],
    })
    .axes();
  const upTo = stage.frame + 1;
  panel.inside((ctx) => {
    ctx.fillStyle = stage.palette.s6;
    ctx.globalAlpha = 0.12;
    ctx.beginPath();
    for (let i = 0; i < upTo; i++) ctx.lineTo(panel.px(i), panel.py(result.train[i]));
    for (let i = upTo - 1; i >= 0; i--) ctx.lineTo(panel.px(i), panel.py(result.validation[i]));
    ctx.fill();
  });
  panel
    .line(epochs, result.train, { series: 0, width: 3 }, upTo)
    .line(epochs, result.validation, { series: 1, width: 3 }, upTo);
  panel.rule("x", stage.frame);
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 * @param {number} frame
 * @returns {Sentence[]}
 */
export function summary({ train, validation }, params, data, frame) {
  const [seen, held] = [train[frame], validation[frame]].map((v) => Math.round(100 * v));
  const values = { seen: String(seen), held: String(held), gap: String(seen - held), epoch: String(frame) };
  const key = seen - held >= 8 ? "over" : seen < 85 ? "under" : "fine";
  return [
    ["says", values],
    [key, values],
  ];
}
