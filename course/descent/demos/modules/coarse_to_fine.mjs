// @ts-check
// Random search in three stages, each in the range that the best trials of the last one span.

import { mulberry32, nearlyNormal } from "./random.mjs";

/** @typedef {{ low: number, high: number, trials: number, keep: number, seed: number }} Params */
/** @typedef {{ stages: number, reg: Pair, noise: number[] }} Data */
/** @typedef {{ rate: number, reg: number, score: number }} Trial */

// Accuracy against both logarithms: a hill around 10^-2.2 and 10^-3.6. Short trainings are noisy.
/** @type {(rate: number, reg: number) => number} */
const hill = (rate, reg) =>
  0.35 + 0.6 * Math.exp(-((rate + 2.2) * (rate + 2.2)) / 1.1 - ((reg + 3.6) * (reg + 3.6)) / 6);

/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate({ low, high, trials, keep, seed }, { stages, reg, noise }) {
  const uniform = mulberry32(seed);
  /** @type {{ rates: Pair, regs: Pair, found: Trial[], best: Trial }[]} */
  const passed = [];
  /** @type {Pair} */
  let rates = [Math.log10(Math.min(low, high)), Math.log10(Math.max(low, high))];
  let regs = reg;
  for (let stage = 0; stage < stages; stage++) {
    const found = Array.from({ length: trials }, () => {
      const [a, b] = [
        rates[0] + (rates[1] - rates[0]) * uniform(),
        regs[0] + (regs[1] - regs[0]) * uniform(),
      ];
      return {
        rate: a,
        reg: b,
        score: Math.min(0.99, Math.max(0.1, hill(a, b) + noise[stage] * nearlyNormal(uniform))),
      };
    });
    const best = [...found].sort((a, b) => b.score - a.score).slice(0, keep);
    passed.push({ rates, regs, found, best: best[0] });
    /** @type {(name: "rate" | "reg") => Pair} */
    const span = (name) => [Math.min(...best.map((t) => t[name])), Math.max(...best.map((t) => t[name]))];
    // A range of no width can't be searched: keep a twentieth of a decade.
    /** @type {(range: Pair) => Pair} */
    const widen = ([from, to]) => (to - from < 0.05 ? [from - 0.025, to + 0.025] : [from, to]);
    [rates, regs] = [widen(span("rate")), widen(span("reg"))];
  }
  return { frames: stages, stages: passed };
}

/** @type {(series: number) => Style} */
const markerOf = (series) => ({ series, only: "marker" });

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 */
export function draw(stage, result, params, { reg }) {
  const [left, right] = stage.columns([1, 1]);
  const shown = result.stages.slice(0, stage.frame);
  const legend = shown.map((_, k) => ({
    label: stage.text("stage", { stage: String(k + 1) }),
    style: markerOf(k),
  }));
  const power = (/** @type {number} */ v) => 10 ** v;
  const scores = stage
    .panel({
      rect: left,
      x: [1e-7, 10],
      logX: true,
      y: [0, 1],
      labelX: stage.text("axis_rate"),
      labelY: stage.text("axis_score"),
      legend,
    })
    .axes();
  const plane = stage
    .panel({
      rect: right,
      x: [1e-7, 10],
      logX: true,
      y: [power(reg[0]), power(reg[1])],
      logY: true,
      labelX: stage.text("axis_rate"),
      labelY: stage.text("axis_reg"),
      legend,
    })
    .axes();
  shown.forEach(({ rates, regs, found }, k) => {
    scores.shade(power(rates[0]), power(rates[1]), 0, 1, "s" + k, 0.1);
    const corner = [rates[0], rates[1], rates[1], rates[0], rates[0]].map(power);
    plane.shade(power(rates[0]), power(rates[1]), power(regs[0]), power(regs[1]), "s" + k, 0.1);
    plane.line(corner, [regs[0], regs[0], regs[1], regs[1], regs[0]].map(power), { series: k, width: 1.5 });
    scores.dots(
      found.map((t) => power(t.rate)),
      found.map((t) => t.score),
      k,
      4.5,
    );
    plane.dots(
      found.map((t) => power(t.rate)),
      found.map((t) => power(t.reg)),
      k,
      4.5,
    );
  });
  if (!shown.length) scores.shade(params.low, params.high, 0, 1, "s0", 0.1);
  const floor = 0.04;
  stage.handle("low", scores, params.low, floor);
  stage.handle("high", scores, params.high, floor);
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 * @param {number} frame
 * @returns {Sentence[]}
 */
export function summary(result, params, data, frame) {
  if (!frame) return [["before"]];
  const { rates, best } = result.stages[frame - 1];
  const values = {
    stage: String(frame),
    score: best.score.toFixed(2),
    rate: 10 ** best.rate,
    low: 10 ** rates[0],
    high: 10 ** rates[1],
  };
  const edge = Math.min(best.rate - rates[0], rates[1] - best.rate) < 0.1 * (rates[1] - rates[0]);
  return [
    ["says", values],
    [edge ? "border" : "within", values],
  ];
}
