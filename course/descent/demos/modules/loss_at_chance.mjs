// @ts-check
// The loss before training, as the weights' scale grows.

import { mulberry32, nearlyNormal } from "./random.mjs";

/** @typedef {{ kind: "softmax" | "hinge", seed: number, classes: number, scale: number }} Params */
/** @typedef {{ examples: number, spread: number, scales: number[] }} Data */

/** @type {Map<string, number[][]>} */
const kept = new Map();

// Scores of standard deviation 1, to be scaled: one row an example.
/** @type {(params: Params, data: Data) => number[][]} */
function noiseOf({ seed, classes }, { examples }) {
  const key = seed + "," + classes;
  let noise = kept.get(key);
  if (!noise) {
    if (kept.size > 8) kept.clear();
    const uniform = mulberry32(seed);
    noise = Array.from({ length: examples }, () =>
      Array.from({ length: classes }, () => nearlyNormal(uniform)),
    );
    kept.set(key, noise);
  }
  return noise;
}

/** @type {Record<Params["kind"], (scores: number[]) => number>} */
const LOSS = {
  softmax(scores) {
    const top = Math.max(...scores);
    return Math.log(scores.reduce((sum, s) => sum + Math.exp(s - top), 0)) - (scores[0] - top);
  },
  hinge(scores) {
    return scores.slice(1).reduce((sum, s) => sum + Math.max(0, s - scores[0] + 1), 0);
  },
};

// The true class is the first: with random weights, any is as good.
/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate(params, data) {
  const noise = noiseOf(params, data);
  const spread = data.spread;
  const at = (/** @type {number} */ scale) => {
    const losses = noise.map((row) => LOSS[params.kind](row.map((z) => z * scale * spread)));
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  };
  const scores = noise[0].slice(0, 10).map((z) => z * params.scale * spread);
  const all = noise[0].map((z) => z * params.scale * spread);
  const top = Math.max(...all);
  const total = all.reduce((sum, s) => sum + Math.exp(s - top), 0);
  return {
    expected: params.kind === "softmax" ? Math.log(params.classes) : params.classes - 1,
    loss: at(params.scale),
    curve: data.scales.map(at),
    bars: params.kind === "softmax" ? scores.map((s) => Math.exp(s - top) / total) : scores,
  };
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 */
export function draw(stage, { expected, loss, curve, bars }, params, { scales }) {
  const [left, right] = stage.columns([1, 1.2]);
  const softmax = params.kind === "softmax";
  const most = Math.max(...bars.map(Math.abs));
  const chance = 1 / params.classes;
  const chart = stage
    .panel({
      rect: left,
      x: [0.4, bars.length + 0.6],
      y: softmax
        ? [0, Math.max(2.5 * chance, 1.15 * most)]
        : [-Math.max(1, 1.15 * most), Math.max(1, 1.15 * most)],
      ticksX: bars.map((_, i) => [i + 1, String(i + 1)]),
      labelX: stage.text("axis_class"),
      labelY: stage.text(softmax ? "axis_probability" : "axis_score"),
      legend: softmax
        ? [{ label: stage.text("chance"), style: { color: "muted", dash: [4, 4], only: "line" } }]
        : [],
    })
    .axes();
  bars.forEach((bar, i) => chart.shade(i + 0.65, i + 1.35, 0, bar, "s0", 0.85));
  if (softmax) chart.rule("y", chance);
  else chart.rule("y", 0, { color: "line", width: 1 });

  const panel = stage
    .panel({
      rect: right,
      x: [1e-4, 10],
      logX: true,
      y: [expected / 8, expected * 40],
      logY: true,
      labelX: stage.text("axis_scale"),
      labelY: stage.text("axis_loss"),
      legend: [
        {
          label: stage.text("expected", { expected: expected.toFixed(3) }),
          style: { color: "muted", dash: [4, 4], only: "line" },
        },
        { label: stage.text("mean"), style: { series: 0, only: "line" } },
      ],
    })
    .axes();
  panel.rule("y", expected);
  panel.line(scales, curve, 0);
  panel.dots([params.scale], [loss], 0, 7);
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @returns {Sentence[]}
 */
export function summary({ expected, loss }, params) {
  const values = {
    classes: String(params.classes),
    scale: params.scale,
    loss: loss.toFixed(3),
    expected: expected.toFixed(3),
  };
  return [
    ["says", values],
    [Math.abs(loss / expected - 1) < 0.1 ? "fine" : "off", values],
  ];
}
