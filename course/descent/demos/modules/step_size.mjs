// @ts-check
// Error of the forward and the centred difference against the step, in either precision.
// Only +, −, ×, ÷ and √ occur, which every machine rounds alike: rounding is what is shown.

/** @typedef {{ function: string, precision: string, x: number, h: number }} Params */
/** @typedef {{ steps: number[] }} Data */
/** @typedef {(v: number) => number} Rounding */

/** @type {Record<string, { f: (x: number, r: Rounding) => number, slope: (x: number) => number }>} */
const FUNCTIONS = {
  cube: { f: (x, r) => r(r(x * x) * x), slope: (x) => 3 * x * x },
  bell: { f: (x, r) => r(1 / r(1 + r(x * x))), slope: (x) => (-2 * x) / ((1 + x * x) * (1 + x * x)) },
  root: { f: (x, r) => r(Math.sqrt(r(1 + r(x * x)))), slope: (x) => x / Math.sqrt(1 + x * x) },
};
/** @type {Record<string, Pair>} */
const HEIGHTS = { cube: [-5, 5], bell: [-0.4, 1.4], root: [0.6, 2.6] };
/** @type {(a: number, b: number) => number} */
const gap = (a, b) => (a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b)));

/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate(params, { steps }) {
  const { f, slope } = FUNCTIONS[params.function];
  /** @type {Rounding} */
  const round = params.precision === "float32" ? Math.fround : (v) => v;
  const at = round(params.x);
  const truth = slope(at);
  const differences = (/** @type {number} */ step) => {
    const h = round(step);
    const [left, here, right] = [f(round(at - h), round), f(at, round), f(round(at + h), round)];
    return [round(round(right - here) / h), round(round(right - left) / round(2 * h))];
  };
  const errors = steps.map((h) => differences(h).map((d) => gap(d, truth)));
  const [forward, centred] = differences(params.h);
  return {
    truth,
    slopes: [forward, centred],
    errors: [gap(forward, truth), gap(centred, truth)],
    forward: errors.map((pair) => pair[0]),
    centred: errors.map((pair) => pair[1]),
  };
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 */
export function draw(stage, result, params, { steps }) {
  const [left, right] = stage.columns([1, 1]);
  const { f } = FUNCTIONS[params.function];
  /** @type {Rounding} */
  const same = (v) => v;
  const y = HEIGHTS[params.function];
  /** @type {(key: string, style: Style) => LegendEntry} */
  const words = (key, style) => ({ label: stage.text(key), style });
  /** @type {Style} */
  const tangent = { color: "muted", width: 1.75, only: "line" };
  const curve = stage
    .panel({
      rect: left,
      x: [-2, 2],
      y,
      labelX: stage.text("axis_x"),
      labelY: stage.text("axis_f"),
      legend: [words("tangent", tangent), words("forward", 1), words("centred", 0)],
    })
    .axes();
  const xs = Array.from({ length: 81 }, (_, i) => -2 + i * 0.05);
  curve.line(
    xs,
    xs.map((x) => f(x, same)),
    { color: "ink", width: 2 },
  );
  const here = f(params.x, same);
  /** @type {(slope: number, x0: number, y0: number, style: Style) => Panel} */
  const through = (slope, x0, y0, style) =>
    curve.line([-3, 3], [y0 + slope * (-3 - x0), y0 + slope * (3 - x0)], style);
  through(result.truth, params.x, here, tangent);
  const { h } = params;
  const [before, after] = [f(params.x - h, same), f(params.x + h, same)];
  through((after - before) / (2 * h), params.x + h, after, { series: 0, width: 2 });
  through((after - here) / h, params.x, here, { series: 1, width: 2 });
  curve.dots([params.x - h, params.x + h], [before, after], 0, 5);
  curve.dots([params.x + h], [after], 1, 5);
  stage.handle("x", curve, params.x, here);

  const floor = 1e-17;
  const low = (/** @type {number} */ v) => Math.max(floor, v);
  const errors = stage
    .panel({
      rect: right,
      x: [1e-15, 1],
      y: [floor, 10],
      logX: true,
      logY: true,
      labelX: stage.text("axis_h"),
      labelY: stage.text("axis_error"),
      legend: [words("forward", 1), words("centred", 0)],
    })
    .axes();
  errors.shade(1e-15, 1, floor, 1e-7, "good", 0.1);
  errors.note(stage.text("happy"), 1e-15, 1e-7, { color: "good", dx: 6, dy: 12 });
  errors.rule("x", h);
  errors.line(steps, result.forward.map(low), 1).line(steps, result.centred.map(low), 0);
  errors.dots([h], [low(result.errors[0])], 1, 6).dots([h], [low(result.errors[1])], 0, 6);
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 * @returns {Sentence[]}
 */
export function summary(result, params, { steps }) {
  if (result.truth === 0) return [["flat"]];
  let best = 0;
  result.centred.forEach((error, i) => {
    if (error < result.centred[best]) best = i;
  });
  const [forward, centred] = result.errors;
  return [
    ["says", { h: params.h, forward, centred }],
    ["best", { best: steps[best] }],
  ];
}
