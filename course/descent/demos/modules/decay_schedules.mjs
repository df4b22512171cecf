// @ts-check
// Schedules of the learning rate, and what each does on a noisy bowl.

/** @typedef {{ epochs: number, steps: number, curvatures: number[], start: number, noise: number }} Data */
/** @typedef {Record<string, any>} Params the shown schedules, and what each of them needs */

/** @type {Record<string, (t: number, params: Params, epochs: number) => number>} */
const SCHEDULES = {
  constant: () => 1,
  step: (t, { factor, every }) => factor ** Math.floor(t / every),
  exponential: (t, { decay }) => Math.exp(-decay * t),
  inverse: (t, { slowing }) => 1 / (1 + slowing * t),
  cosine: (t, params, epochs) => (1 + Math.cos((Math.PI * t) / epochs)) / 2,
};

// The expected loss of SGD on a quadratic with noisy gradients has a closed form, step by step:
// means shrink by 1 − ηλ, variances by its square, and each step adds η² of noise.
/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate(params, { epochs, steps, curvatures, start, noise }) {
  /** @type {Record<string, number[]>} */
  const rates = {};
  /** @type {Record<string, number[]>} */
  const losses = {};
  for (const [name, schedule] of Object.entries(SCHEDULES)) {
    if (!params[name]) continue;
    rates[name] = [];
    losses[name] = [];
    const means = curvatures.map(() => start);
    const variances = curvatures.map(() => 0);
    for (let epoch = 0; epoch <= epochs; epoch++) {
      const rate = params.rate * schedule(epoch, params, epochs);
      rates[name].push(rate);
      losses[name].push(
        curvatures.reduce((sum, c, k) => sum + (c / 2) * (means[k] * means[k] + variances[k]), 0),
      );
      for (let step = 0; step < steps; step++) {
        curvatures.forEach((curvature, k) => {
          const keep = 1 - rate * curvature;
          means[k] *= keep;
          variances[k] = keep * keep * variances[k] + rate * rate * noise * noise;
        });
      }
    }
  }
  return { rates, losses };
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 */
export function draw(stage, { rates, losses }, params, { epochs }) {
  const [left, right] = stage.columns([1, 1]);
  const names = Object.keys(SCHEDULES);
  const at = Array.from({ length: epochs + 1 }, (_, i) => i);
  /** @type {[Rect, Record<string, number[]>, Pair, string][]} */
  const panels = [
    [left, rates, [1e-4, 3], "axis_rate"],
    [right, losses, [1e-3, 30], "axis_loss"],
  ];
  for (const [rect, curves, y, label] of panels) {
    const panel = stage
      .panel({
        rect,
        x: [0, epochs],
        y,
        logY: true,
        labelX: stage.text("axis_epoch"),
        labelY: stage.text(label),
      })
      .axes();
    names.forEach((name, k) => {
      if (!curves[name]) return;
      panel.line(at, curves[name], k);
      panel.dots(at, curves[name], k, 4, 20);
    });
  }
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 * @returns {Sentence[]}
 */
export function summary({ losses }, params, { epochs }) {
  const names = Object.keys(losses);
  if (!names.length) return [["none"]];
  const end = (/** @type {string} */ name) => losses[name][epochs];
  names.sort((a, b) => end(a) - end(b));
  const [best, worst] = [names[0], names[names.length - 1]];
  if (!(end(worst) < 1e3)) return [["away", { name: worst }]];
  return [["says", { best, low: end(best), worst, high: end(worst), epochs: String(epochs) }]];
}
