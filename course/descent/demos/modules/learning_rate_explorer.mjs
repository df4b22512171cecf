// @ts-check
// The four classic learning-rate curves from a real small network, and your own beside them.

import { forward, train } from "./network.mjs";
import { pencil } from "./page.mjs";

/** @typedef {{ rate: number, batch: number, seed: number, scale: string, axis: string }} Params */
/** @typedef {import("./network.mjs").Examples & { rates: number[], hidden: number, epochs: number }} Data */

/** @type {Map<string, number[][]>} */
const kept = new Map();

// The four references change only with batch and seed, not with the slider.
/**
 * @param {Data} data
 * @param {Params} params
 * @param {import("./network.mjs").Setting} setting
 */
function references(data, params, setting) {
  const key = [params.batch, params.seed].join();
  let curves = kept.get(key);
  if (!curves) {
    kept.clear();
    curves = data.rates.map((rate) => train(data, { ...setting, rate }).epochLoss);
    kept.set(key, curves);
  }
  return curves;
}

/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate(params, data) {
  const setting = {
    hidden: data.hidden,
    epochs: data.epochs,
    batch: params.batch,
    seed: params.seed,
    rate: params.rate,
  };
  const run = train(data, setting);
  // How far the loss jumps from one step to the next, over the second half.
  const half = run.loss.slice(run.loss.length >> 1);
  const wiggle =
    half.length < 2
      ? 0
      : half.slice(1).reduce((sum, loss, i) => sum + Math.abs(loss - half[i]), 0) / (half.length - 1);
  return { frames: data.epochs, run, references: references(data, params, setting), wiggle };
}

const CELLS = 32;

/**
 * @param {Stage} stage
 * @param {Panel} map
 * @param {import("./network.mjs").Net} net
 * @param {number} hidden
 * @param {number} classes
 */
function regions(stage, map, net, hidden, classes) {
  const image = stage.ctx.createImageData(CELLS, CELLS);
  const [h, s] = [new Float64Array(hidden), new Float64Array(classes)];
  const colors = ["s0", "s1", "s2"].map((name) =>
    [1, 3, 5].map((i) => parseInt(stage.palette[name].slice(i, i + 2), 16)),
  );
  const place = [0, 0];
  for (let j = 0; j < CELLS; j++) {
    place[1] = map.y[1] + ((map.y[0] - map.y[1]) * (j + 0.5)) / CELLS;
    for (let i = 0; i < CELLS; i++) {
      place[0] = map.x[0] + ((map.x[1] - map.x[0]) * (i + 0.5)) / CELLS;
      forward(net, place, 0, h, s);
      const best = s[0] >= s[1] && s[0] >= s[2] ? 0 : s[1] >= s[2] ? 1 : 2;
      const at = 4 * (j * CELLS + i);
      for (let k = 0; k < 3; k++) image.data[at + k] = colors[best][k];
      image.data[at + 3] = 60;
    }
  }
  const sheet = stage.picture("regions", CELLS / stage.ratio, CELLS / stage.ratio, () => {});
  pencil(sheet).putImageData(image, 0, 0);
  map.inside((ctx) => ctx.drawImage(sheet, map.box.x, map.box.y, map.box.w, map.box.h));
}

// Lowest and highest of each stretch, where there are more values than the eye can part.
/** @type {(values: number[], stretches: number) => Pair[]} */
function outline(values, stretches) {
  const size = Math.ceil(values.length / stretches);
  if (size < 3) return values.map((v, i) => [i + 1, v]);
  /** @type {Pair[]} */
  const kept = [];
  for (let from = 0; from < values.length; from += size) {
    const part = values.slice(from, from + size);
    kept.push([from + 1, Math.min(...part)], [from + 1 + size / 2, Math.max(...part)]);
  }
  return kept;
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 */
export function draw(stage, { run, references: curves }, params, data) {
  const [left, right] = stage.columns([1.7, 1]);
  const log = params.scale === "log";
  const perEpoch = Math.ceil(data.y.length / params.batch);
  const iterations = params.axis === "iterations";
  const unit = iterations ? perEpoch : 1;
  const names = ["low", "good", "high", "very_high"];
  /** @type {Style[]} */
  const styles = [2, 0, 1, 3].map((series) => ({ series, width: 1.75, only: "line" }));
  /** @type {LegendEntry[]} */
  const legend = names.map((name, k) => ({
    label: stage.text(name, { rate: data.rates[k] }),
    style: styles[k],
  }));
  legend.push({
    label: stage.text("yours", { rate: params.rate }),
    style: { color: "ink", width: 3.5, only: "line" },
  });
  const panel = stage
    .panel({
      rect: left,
      x: [0, data.epochs * unit],
      y: log ? [3e-3, 10] : [0, 3.2],
      logY: log,
      legend,
      labelX: stage.text(iterations ? "axis_iterations" : "axis_epochs"),
      labelY: stage.text("axis_loss"),
    })
    .axes();
  const upTo = stage.frame;
  const raw = outline(run.loss.slice(0, upTo * perEpoch), 120);
  panel.line(
    raw.map(([i]) => (i / perEpoch) * unit),
    raw.map(([, loss]) => loss),
    { color: "line", width: 1 },
  );
  const epochs = run.epochLoss.map((_, i) => (i + 1) * unit);
  curves.forEach((curve, k) => panel.line(epochs, curve, styles[k]));
  panel.line(epochs, run.epochLoss, { color: "paper", width: 6 }, upTo);
  panel.line(epochs, run.epochLoss, { color: "ink", width: 3.5 }, upTo);
  if (upTo) panel.dots([epochs[upTo - 1]], [run.epochLoss[upTo - 1]], { color: "ink" }, 6);

  const map = stage.panel({
    rect: right,
    x: [-1.15, 1.15],
    y: [-1.15, 1.15],
    equal: true,
    ticksX: false,
    ticksY: false,
    labelY: stage.text("map", { epoch: String(upTo) }),
  });
  regions(stage, map, run.nets[upTo], data.hidden, data.classes);
  map.axes({ grid: false });
  for (let c = 0; c < data.classes; c++) {
    const mine = data.y.flatMap((label, n) => (label === c ? [n] : []));
    map.dots(
      mine.map((n) => data.x[2 * n]),
      mine.map((n) => data.x[2 * n + 1]),
      c,
      4,
    );
  }
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 * @param {number} frame
 * @returns {Sentence[]}
 */
export function summary({ run, wiggle }, params, data, frame) {
  if (!frame) return [["start"]];
  const loss = run.epochLoss[frame - 1];
  /** @type {Sentence[]} */
  const says = [
    [
      "says",
      {
        rate: params.rate,
        epochs: String(frame),
        loss,
        accuracy: String(Math.round(100 * run.accuracy[frame - 1])),
      },
    ],
  ];
  return [...says, ["wiggles", { batch: String(params.batch), wiggle }]];
}
