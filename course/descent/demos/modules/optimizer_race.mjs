// @ts-check
// Update rules side by side on a landscape of two parameters.

import { ground } from "./map.mjs";
import { mulberry32, nearlyNormal } from "./random.mjs";

/** @typedef {{ name: string, x: number[], y: number[] }} Guest */
/** @typedef {{ steps: number, views: Record<string, { x: Pair, y: Pair }>, guests: Guest[] }} Data */
/**
 * The built-in rules' values are [shown, rate], the guests' whether they are shown.
 * @typedef {{ landscape: string, start: Pair, mu: number, noise: number, seed: number } & Record<string, any>} Params
 */
/** @typedef {{ v: number[], m: number[], power1: number, power2: number }} Memory */

// Value and gradient. Only +, −, ×, ÷ occur, so that every machine computes the same paths.
/** @type {Record<string, Landscape>} */
export const LANDSCAPES = {
  ravine: {
    value: (x, y) => (x * x) / 20 + y * y,
    slope: (x, y) => [x / 10, 2 * y],
    lowest: 0,
    minima: [[0, 0]],
  },
  saddle: {
    value: (x, y) => (x * x) / 2 - (y * y) / 2 + (y * y * y * y) / 16,
    slope: (x, y) => [x, -y + (y * y * y) / 4],
    lowest: -1,
    minima: [
      [0, -2],
      [0, 2],
    ],
  },
  bowl: { value: (x, y) => (x * x + y * y) / 2, slope: (x, y) => [x, y], lowest: 0, minima: [[0, 0]] },
  plateau: {
    value: (x, y) => (x * x + y * y) / (1 + x * x + y * y),
    slope: (x, y) => {
      const below = 1 + x * x + y * y;
      return [(2 * x) / (below * below), (2 * y) / (below * below)];
    },
    lowest: 0,
    minima: [[0, 0]],
  },
};

/** @type {() => Memory} */
const zeros = () => ({ v: [0, 0], m: [0, 0], power1: 1, power2: 1 });

// One coordinate's step; s holds two accumulators a coordinate.
/** @type {Record<string, (g: number, rate: number, s: Memory, i: 0 | 1, mu: number) => number>} */
const STEPS = {
  sgd: (g, rate) => -rate * g,
  momentum: (g, rate, s, i, mu) => (s.v[i] = mu * s.v[i] - rate * g),
  nesterov: (g, rate, s, i, mu) => {
    const before = s.v[i];
    s.v[i] = mu * before - rate * g;
    return -mu * before + (1 + mu) * s.v[i];
  },
  adagrad: (g, rate, s, i) => {
    s.v[i] += g * g;
    return (-rate * g) / (Math.sqrt(s.v[i]) + 1e-8);
  },
  rmsprop: (g, rate, s, i) => {
    s.v[i] = 0.99 * s.v[i] + 0.01 * (g * g);
    return (-rate * g) / (Math.sqrt(s.v[i]) + 1e-8);
  },
  adam: (g, rate, s, i) => {
    s.m[i] = 0.9 * s.m[i] + 0.1 * g;
    s.v[i] = 0.999 * s.v[i] + 0.001 * (g * g);
    return (-rate * (s.m[i] / (1 - s.power1))) / (Math.sqrt(s.v[i] / (1 - s.power2)) + 1e-8);
  },
};
export const RULES = Object.keys(STEPS);

/**
 * @param {string} rule
 * @param {Landscape} landscape
 * @param {Pair} start
 * @param {number} rate
 * @param {number} mu
 * @param {Numbers} noise
 * @param {number} steps
 * @returns {Path}
 */
export function path(rule, { value, slope }, start, rate, mu, noise, steps) {
  const step = STEPS[rule];
  const s = zeros();
  let [x, y] = start;
  const run = { x: [x], y: [y], loss: [value(x, y)] };
  for (let t = 0; t < steps; t++) {
    const [gx, gy] = slope(x, y);
    s.power1 *= 0.9;
    s.power2 *= 0.999;
    x += step(gx + noise[2 * t], rate, s, 0, mu);
    y += step(gy + noise[2 * t + 1], rate, s, 1, mu);
    run.x.push(x);
    run.y.push(y);
    run.loss.push(value(x, y));
  }
  return run;
}

/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate(params, { steps, guests }) {
  const landscape = LANDSCAPES[params.landscape];
  const uniform = mulberry32(params.seed);
  const noise = Array.from({ length: 2 * steps }, () =>
    params.noise ? params.noise * nearlyNormal(uniform) : 0,
  );
  // A start moved by keys is a pixel's rounding off the axis, and at the saddle that grows.
  const settled = (/** @type {number} */ v) => (Math.abs(v) < 1e-12 ? 0 : v);
  /** @type {Pair} */
  const start = [settled(params.start[0]), settled(params.start[1])];
  /** @type {Record<string, Path>} */
  const runs = {};
  for (const rule of RULES) {
    const [shown, rate] = params[rule];
    if (shown) runs[rule] = path(rule, landscape, start, rate, params.mu, noise, steps);
  }
  for (const { name, x, y } of guests) {
    if (params[name]) runs[name] = { x, y, loss: x.map((_, i) => landscape.value(x[i], y[i])) };
  }
  return { frames: steps, runs };
}

const FLOOR = 1e-8;

// Mean log loss above the lowest over a run, for a sweep of rates: lower is better. A path that
// leaves the picture doesn't count.
/**
 * @param {string} rule
 * @param {string} name of the landscape
 * @param {Pair} start
 * @param {number} rate
 * @param {number} mu
 * @param {number} steps
 * @param {{ x: Pair, y: Pair }} view
 */
export function score(rule, name, start, rate, mu, steps, view) {
  const landscape = LANDSCAPES[name];
  const run = path(rule, landscape, start, rate, mu, new Array(2 * steps).fill(0), steps);
  /** @type {(values: number[], range: Pair) => boolean} */
  const within = (values, [low, high]) => values.every((v) => v >= low && v <= high);
  if (!within(run.x, view.x) || !within(run.y, view.y)) return Infinity;
  const heights = run.loss.map((loss) => Math.log(Math.max(FLOOR, loss - landscape.lowest)));
  return heights.reduce((total, height) => total + height, 0) / heights.length;
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 */
export function draw(stage, { runs }, params, { views, guests }) {
  const [left, right] = stage.columns([1.25, 1]);
  const landscape = LANDSCAPES[params.landscape];
  const { frame } = stage;
  const map = stage.panel({
    rect: left,
    ...views[params.landscape],
    equal: true,
    labelX: stage.text("axis_x"),
    labelY: stage.text("axis_y"),
  });
  ground(stage, map, params.landscape, landscape);
  map.axes({ grid: false });
  map.dots(
    landscape.minima.map((p) => p[0]),
    landscape.minima.map((p) => p[1]),
    { color: "ink", marker: "star" },
    6,
  );
  const names = Object.keys(runs);
  const numbers = [...RULES, ...guests.map(({ name }) => name)];
  const at = (/** @type {string} */ name) => numbers.indexOf(name);
  const reach = names.map((name) => Math.min(frame, runs[name].x.length - 1) + 1);
  names.forEach((name, k) => map.line(runs[name].x, runs[name].y, { series: at(name), width: 2 }, reach[k]));

  const spread = names.flatMap((name) => runs[name].loss).map((loss) => loss - landscape.lowest);
  const start = landscape.value(...params.start) - landscape.lowest;
  const least = Math.min(start, ...spread.filter((v) => v > 0));
  const losses = stage
    .panel({
      rect: right,
      x: [0, stage.frames],
      logY: true,
      y: [Math.max(FLOOR, Math.min(start / 100, least)) / 2, start * 8],
      labelX: stage.text("axis_step"),
      labelY: stage.text("axis_loss"),
    })
    .axes();
  const steps = Array.from({ length: stage.frames + 1 }, (_, i) => i);
  const above = names.map((name) => runs[name].loss.map((loss) => Math.max(FLOOR, loss - landscape.lowest)));
  losses.rule("x", frame);
  names.forEach((name, k) => losses.line(steps, above[k], { series: at(name), width: 2 }, reach[k]));
  names.forEach((name, k) => {
    const last = reach[k] - 1;
    map.dots([runs[name].x[last]], [runs[name].y[last]], { series: at(name), color: "paper" }, 8);
    map.dots([runs[name].x[last]], [runs[name].y[last]], at(name), 5.5);
    losses.dots([steps[last]], [above[k][last]], at(name), 5.5);
  });
  stage.handle("start", map, ...params.start);
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 * @param {number} frame
 * @returns {Sentence[]}
 */
export function summary({ runs }, params, data, frame) {
  const { lowest } = LANDSCAPES[params.landscape];
  const names = Object.keys(runs);
  if (!names.length) return [["none"]];
  const height = (/** @type {string} */ name) => {
    const loss = runs[name].loss[Math.min(frame, runs[name].loss.length - 1)] - lowest;
    return Number.isFinite(loss) ? loss : Infinity;
  };
  names.sort((a, b) => height(a) - height(b));
  const [best, worst] = [names[0], names[names.length - 1]];
  /** @type {Sentence[]} */
  const says = [["leader", { step: String(frame), name: best, loss: height(best) }]];
  if (names.length > 1)
    says.push(
      height(worst) > 1e6 ? ["away", { name: worst }] : ["last", { name: worst, loss: height(worst) }],
    );
  return says;
}
