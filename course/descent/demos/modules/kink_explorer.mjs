// @ts-check
// The centred difference beside a kink at 0.

/** @typedef {{ function: string, x: number, h: number, zoom: number }} Params */
/** @typedef {{ steps: number[] }} Data */

/** @type {Record<string, Pair>} */
const SLOPES = { relu: [0, 1], leaky: [0.1, 1], abs: [-1, 1], maxout: [0.5, 2] };

/** @type {(name: string) => Record<"f" | "slope", (x: number) => number>} */
function pieces(name) {
  if (name === "smooth") return { f: (x) => x * x, slope: (x) => 2 * x };
  const [left, right] = SLOPES[name];
  return { f: (x) => (x > 0 ? right * x : left * x), slope: (x) => (x > 0 ? right : left) };
}

/** @type {(a: number, b: number) => number} */
const gap = (a, b) => (a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b)));

/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate(params, { steps }) {
  const { f, slope } = pieces(params.function);
  const { x, h } = params;
  const analytic = slope(x);
  const numeric = (/** @type {number} */ step) => (f(x + step) - f(x - step)) / (2 * step);
  const kinked = params.function !== "smooth";
  // The curve turns where h reaches the kink: without points on both sides of that place, it
  // would seem to turn at the step before.
  const turn = kinked ? [Math.abs(x), Math.abs(x) * (1 + 1e-6)] : [];
  const places = [...steps, ...turn.filter((h) => h > steps[0] && h < (steps.at(-1) ?? 1))].sort(
    (a, b) => a - b,
  );
  return {
    analytic,
    numeric: numeric(h),
    error: gap(numeric(h), analytic),
    crossed: kinked && x + h > 0 !== x - h > 0,
    places,
    curve: places.map((step) => gap(numeric(step), analytic)),
  };
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 */
export function draw(stage, result, params) {
  const [left, right] = stage.columns([1, 1]);
  const { f } = pieces(params.function);
  const { x, h, zoom } = params;
  const half = 1.15 / zoom;
  const tall = half * (params.function === "smooth" ? half : params.function === "maxout" ? 2 : 1);
  const secant = result.crossed ? 1 : 0;
  /** @type {(key: string, style: Style) => LegendEntry} */
  const words = (key, style) => ({ label: stage.text(key), style });
  const picture = stage
    .panel({
      rect: left,
      x: [-half, half],
      y: [-0.35 * tall, 1.1 * tall],
      labelX: stage.text("axis_x"),
      labelY: stage.text("axis_f"),
      legend: [words("curve", { color: "ink", only: "line" }), words("secant", secant)],
    })
    .axes();
  picture.shade(x - h, x + h, -10, 10, result.crossed ? "warm" : "cool", 0.1);
  const xs = Array.from({ length: 61 }, (_, i) => half * (i / 30 - 1));
  picture.line(xs, xs.map(f), { color: "ink", width: 2.5 });
  const [before, after] = [f(x - h), f(x + h)];
  picture.line([x - h, x + h], [before, after], secant);
  picture.dots([x - h, x + h], [before, after], secant, 5);
  stage.handle("x", picture, x, f(x));

  const low = (/** @type {number} */ v) => Math.max(1e-17, v);
  const errors = stage
    .panel({
      rect: right,
      x: [1e-8, 1],
      y: [1e-17, 10],
      logX: true,
      logY: true,
      labelX: stage.text("axis_h"),
      labelY: stage.text("axis_error"),
      legend:
        params.function === "smooth"
          ? []
          : [words("distance", { color: "muted", dash: [4, 4], only: "line" })],
    })
    .axes();
  if (params.function !== "smooth") errors.rule("x", Math.abs(x));
  errors.line(result.places, result.curve.map(low), { color: "s0" });
  errors.dots([h], [low(result.error)], { series: secant }, 7);
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @returns {Sentence[]}
 */
export function summary(result, params) {
  const { x, h } = params;
  const { numeric, analytic, error } = result;
  const key = params.function === "smooth" ? "smooth_says" : result.crossed ? "crossed" : "clear";
  return [[key, { minus: x - h, plus: x + h, numeric, analytic, error }]];
}
