// @ts-check
// Newton's step beside the gradient's, on landscapes where they differ.

import { ground } from "./map.mjs";

/** @typedef {{ place: string, start: Pair, rate: number }} Params */
/** @typedef {{ views: Record<string, { x: Pair, y: Pair }>, steps: number }} Data */
// A landscape with its Hessian: xx, xy, yy.
/** @typedef {Landscape & { bend(x: number, y: number): [number, number, number] }} Place */

/** @type {["gradient", "newton"]} */
const NAMES_OF_RUNS = ["gradient", "newton"];

/** @type {Record<string, Place>} */
export const PLACES = {
  valley: {
    value: (x, y) => ((x * x) / 20 + y * y) / 2,
    slope: (x, y) => [x / 20, y],
    bend: () => [1 / 20, 0, 1],
    lowest: 0,
    minima: [[0, 0]],
  },
  curved: {
    value: (x, y) => ((1 - x) * (1 - x) + 4 * (y - x * x) * (y - x * x)) / 4,
    slope: (x, y) => [(-2 * (1 - x) - 16 * x * (y - x * x)) / 4, 2 * (y - x * x)],
    bend: (x, y) => [(2 - 16 * y + 48 * x * x) / 4, -4 * x, 2],
    lowest: 0,
    minima: [[1, 1]],
    power: 0.3,
  },
  saddle: {
    value: (x, y) => (x * x) / 2 - (y * y) / 2 + (y * y * y * y) / 16,
    slope: (x, y) => [x, -y + (y * y * y) / 4],
    bend: (x, y) => [1, 0, -1 + (3 * y * y) / 4],
    lowest: -1,
    minima: [
      [0, -2],
      [0, 2],
    ],
  },
};

/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate({ place, start, rate }, { steps }) {
  const { value, slope, bend } = PLACES[place];
  /** @type {(step: (x: number, y: number) => number[]) => Path} */
  const follow = (step) => {
    let [x, y] = start;
    const run = { x: [x], y: [y], loss: [value(x, y)] };
    for (let t = 0; t < steps; t++) {
      const [dx, dy] = step(x, y);
      x += dx;
      y += dy;
      run.x.push(x);
      run.y.push(y);
      run.loss.push(value(x, y));
    }
    return run;
  };
  const gradient = follow((x, y) => slope(x, y).map((g) => -rate * g));
  const newton = follow((x, y) => {
    const [gx, gy] = slope(x, y);
    const [xx, xy, yy] = bend(x, y);
    const determinant = xx * yy - xy * xy;
    return [-(yy * gx - xy * gy) / determinant, -(xx * gy - xy * gx) / determinant];
  });
  return { frames: steps, runs: { gradient, newton } };
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 */
export function draw(stage, { runs }, params, { views, steps }) {
  const [left, right] = stage.columns([1.25, 1]);
  const landscape = PLACES[params.place];
  const legend = NAMES_OF_RUNS.map((name, k) => ({ label: stage.text(name), style: k }));
  const map = stage.panel({
    rect: left,
    ...views[params.place],
    equal: true,
    labelX: stage.text("axis_x"),
    labelY: stage.text("axis_y"),
    legend,
  });
  ground(stage, map, params.place, landscape);
  map.axes({ grid: false });
  map.dots(
    landscape.minima.map((p) => p[0]),
    landscape.minima.map((p) => p[1]),
    { color: "ink", marker: "star" },
    6,
  );
  const losses = stage
    .panel({
      rect: right,
      x: [0, steps],
      y: [1e-9, 100],
      logY: true,
      labelX: stage.text("axis_step"),
      labelY: stage.text("axis_loss"),
    })
    .axes();
  const at = Array.from({ length: steps + 1 }, (_, i) => i);
  losses.rule("x", stage.frame);
  NAMES_OF_RUNS.forEach((name, k) => {
    const run = runs[name];
    const seen = stage.frame + 1;
    map.line(run.x, run.y, k, seen).dots(run.x, run.y, k, 3.5, 1, seen);
    const above = run.loss.map((loss) => Math.max(1e-9, loss - landscape.lowest));
    losses.line(at, above, k, seen).dots([stage.frame], [above[stage.frame]], k, 6);
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
export function summary({ runs }, { place }, data, frame) {
  const { lowest, slope } = PLACES[place];
  const [gradient, newton] = NAMES_OF_RUNS.map((name) => runs[name].loss[frame] - lowest);
  const flat = Math.hypot(...slope(runs.newton.x[frame], runs.newton.y[frame]));
  const away = !(gradient < 1e6);
  /** @type {Sentence[]} */
  const says = [[away ? "away" : "says", { step: String(frame), gradient, newton }]];
  if (flat < 1e-3 && newton > 0.1) says.push(["caught"]);
  return says;
}
