// @ts-check
// Accuracy and log loss of an average of members, by how many there are and how alike they are.

import { mulberry32, nearlyNormal } from "./random.mjs";

/** @typedef {{ skill: number, alike: number, sure: number, seed: number }} Params */
/** @typedef {{ examples: number, classes: number, members: number }} Data */

const kept = new Map();

// Noise that all members share, and each member's own.
/** @type {(seed: number, data: Data) => { shared: Float64Array, own: Float64Array[] }} */
function noiseOf(seed, { examples, classes, members }) {
  if (!kept.has(seed)) {
    if (kept.size > 4) kept.clear();
    const uniform = mulberry32(seed);
    const block = () => Float64Array.from({ length: examples * classes }, () => nearlyNormal(uniform));
    kept.set(seed, { shared: block(), own: Array.from({ length: members }, block) });
  }
  return kept.get(seed);
}

// Class 0 is the true one: its score is raised by `skill`.
/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate({ skill, alike, sure, seed }, data) {
  const { examples, classes, members } = data;
  const { shared, own } = noiseOf(seed, data);
  const [common, mine] = [Math.sqrt(alike), Math.sqrt(1 - alike)];
  const sums = new Float64Array(examples * classes);
  const row = new Float64Array(classes);
  /** @type {Record<"accuracy" | "loss" | "single" | "singleLoss", number[]>} */
  const curves = { accuracy: [], loss: [], single: [], singleLoss: [] };
  const result = { ...curves, meanLoss: 0, meanAccuracy: 0, disagreement: 0 };
  /** @type {Int8Array[]} */
  const labels = [];
  for (let m = 0; m < members; m++) {
    let [right, loss, rightAlone, lossAlone] = [0, 0, 0, 0];
    const said = new Int8Array(examples);
    for (let n = 0; n < examples; n++) {
      let [total, top, first] = [0, -Infinity, 0];
      for (let c = 0; c < classes; c++) {
        const at = n * classes + c;
        row[c] = sure * ((c === 0 ? skill : 0) + common * shared[at] + mine * own[m][at]);
        if (row[c] > top) [top, first] = [row[c], c];
      }
      for (let c = 0; c < classes; c++) total += row[c] = Math.exp(row[c] - top);
      said[n] = first;
      if (first === 0) rightAlone += 1;
      lossAlone -= Math.log(row[0] / total);
      let best = 0;
      for (let c = 0; c < classes; c++) {
        const at = n * classes + c;
        sums[at] += row[c] / total;
        if (sums[at] > sums[n * classes + best]) best = c;
      }
      if (best === 0) right += 1;
      loss -= Math.log(sums[n * classes] / (m + 1));
    }
    labels.push(said);
    result.accuracy.push(right / examples);
    result.loss.push(loss / examples);
    result.single.push(rightAlone / examples);
    result.singleLoss.push(lossAlone / examples);
  }
  const mean = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0) / values.length;
  result.meanAccuracy = mean(result.single);
  result.meanLoss = mean(result.singleLoss);
  let [differ, pairs] = [0, 0];
  for (let a = 0; a < members; a++) {
    for (let b = 0; b < a; b++) {
      for (let n = 0; n < examples; n++) if (labels[a][n] !== labels[b][n]) differ += 1;
      pairs += examples;
    }
  }
  result.disagreement = differ / pairs;
  return result;
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 */
export function draw(stage, result, params, { members }) {
  const [left, right] = stage.columns([1, 1]);
  const sizes = Array.from({ length: members }, (_, m) => m + 1);
  /** @type {[Rect, number[], number[], number, Pair, string][]} */
  const parts = [
    [left, result.accuracy, result.single, result.meanAccuracy, [0.4, 1], "axis_accuracy"],
    [
      right,
      result.loss,
      result.singleLoss,
      result.meanLoss,
      [0, Math.max(1, Math.ceil(2.2 * Math.max(...result.singleLoss)) / 2)],
      "axis_loss",
    ],
  ];
  for (const [rect, together, alone, mean, y, label] of parts) {
    const panel = stage
      .panel({
        rect,
        x: [0.5, members + 0.5],
        y,
        labelX: stage.text("axis_members"),
        labelY: stage.text(label),
        legend: [
          { label: stage.text("together"), style: 0 },
          { label: stage.text("alone"), style: { series: 1, only: "marker" } },
          { label: stage.text("mean"), style: { color: "muted", dash: [4, 4], only: "line" } },
        ],
      })
      .axes();
    panel.rule("y", mean);
    panel.dots(sizes, alone, 1, 4);
    panel.line(sizes, together, { series: 0, width: 3 }).dots(sizes, together, 0, 4);
  }
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 * @returns {Sentence[]}
 */
export function summary(
  { accuracy, loss, meanAccuracy, meanLoss, single, disagreement },
  params,
  { members },
) {
  const percent = (/** @type {number} */ v) => String(Math.round(100 * v));
  const values = {
    members: String(members),
    together: percent(accuracy[members - 1]),
    mean: percent(meanAccuracy),
    best: percent(Math.max(...single)),
    loss: loss[members - 1].toFixed(2),
    meanLoss: meanLoss.toFixed(2),
    differ: percent(disagreement),
  };
  return [
    ["says", values],
    ["jensen", values],
    ["differ", values],
  ];
}
