// @ts-check
// Axes, lines, markers and legends on a canvas: just what the demos need.

/** @type {Record<string, string>} */
const SUPERSCRIPTS = {
  ...{ "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" },
};
/** @type {(...numbers: number[]) => Pair[]} */
const pairs = (...numbers) =>
  Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i], numbers[2 * i + 1]]);
const DASHES = [[], [9, 4], [2, 3], [10, 3, 2, 3], [5, 3], [14, 4], [10, 3, 2, 3, 2, 3], [4, 2, 1, 2]];
const MARKERS = ["circle", "square", "triangle", "diamond", "plus", "cross", "down", "star"];
export const FONT = 14;
const LEADING = 20;

/** @param {number} exponent */
export function powerOfTen(exponent) {
  return "10" + String(exponent).replace(/./g, (c) => SUPERSCRIPTS[c] ?? "");
}

/** @param {number} value */
export function format(value, digits = 3) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e5 && size >= 1e-3) return String(Number(value.toPrecision(digits))).replace("-", "−");
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = powerOfTen(Number(exponent));
  const plain = String(Number(mantissa)).replace("-", "−");
  return plain === "1" ? power : plain + " × " + power;
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} count
 * @returns {number[]}
 */
export function linearTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5].map((m) => m * power).find((s) => s >= rough * 0.999) ?? 10 * power;
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} count
 * @returns {number[]}
 */
export function logTicks(low, high, count) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const ticks = [];
  if (last - first < 2) {
    for (let e = first - 1; e <= last; e++) {
      for (const m of [1, 2, 5]) {
        const tick = m * 10 ** e;
        if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
      }
    }
    return ticks;
  }
  const step = Math.max(1, Math.ceil((last - first) / Math.max(1, count)));
  for (let e = Math.ceil(first / step) * step; e <= last; e += step) ticks.push(10 ** e);
  return ticks;
}

/** @type {Record<string, Pair[]>} */
const SHAPES = {
  square: [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ],
  triangle: [
    [0, -1.2],
    [1.1, 0.9],
    [-1.1, 0.9],
  ],
  down: [
    [0, 1.2],
    [1.1, -0.9],
    [-1.1, -0.9],
  ],
  diamond: [
    [0, -1.3],
    [1.1, 0],
    [0, 1.3],
    [-1.1, 0],
  ],
  plus: [
    ...pairs(-0.4, -1.2, 0.4, -1.2, 0.4, -0.4, 1.2, -0.4, 1.2, 0.4, 0.4, 0.4),
    ...pairs(0.4, 1.2, -0.4, 1.2, -0.4, 0.4, -1.2, 0.4, -1.2, -0.4, -0.4, -0.4),
  ],
  cross: [
    ...pairs(-1.2, -0.6, -0.6, -1.2, 0, -0.6, 0.6, -1.2, 1.2, -0.6, 0.6, 0),
    ...pairs(1.2, 0.6, 0.6, 1.2, 0, 0.6, -0.6, 1.2, -1.2, 0.6, -0.6, 0),
  ],
  star: pairs(
    0,
    -1.4,
    0.4,
    -0.5,
    1.3,
    -0.4,
    0.6,
    0.2,
    0.8,
    1.1,
    0,
    0.6,
    -0.8,
    1.1,
    -0.6,
    0.2,
    -1.3,
    -0.4,
    -0.4,
    -0.5,
  ),
};

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} kind
 * @param {number} x
 * @param {number} y
 * @param {number} r
 */
export function marker(ctx, kind, x, y, r) {
  const shape = SHAPES[kind];
  ctx.beginPath();
  if (shape) shape.forEach(([dx, dy]) => ctx.lineTo(x + dx * r, y + dy * r));
  else ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.closePath();
  ctx.fill();
}

// What a style leaves out follows the series, so that colour is never the only difference.
/**
 * @param {Style} style
 * @param {Record<string, string>} palette
 */
export function styleOf(style, palette) {
  const given = typeof style === "number" ? { series: style } : style;
  const series = given.series ?? 0;
  return {
    color: palette[given.color ?? "s" + (series % 8)] ?? given.color ?? "",
    dash: given.dash ?? (given.color ? [] : DASHES[series % 8]),
    marker: given.marker ?? MARKERS[series % 8],
    width: given.width ?? 2.25,
    alpha: given.alpha ?? 1,
    only: given.only,
  };
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Style} style
 * @param {Record<string, string>} palette
 * @param {number} x
 * @param {number} y
 * @param {number} width
 */
export function sample(ctx, style, palette, x, y, width) {
  const { color, dash, marker: kind, width: line, alpha, only } = styleOf(style, palette);
  ctx.save();
  ctx.globalAlpha = alpha;
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.lineWidth = line;
  ctx.setLineDash(dash);
  if (only !== "marker") {
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + width, y);
    ctx.stroke();
  }
  if (only !== "line") marker(ctx, kind, x + width / 2, y, 4);
  ctx.restore();
}

// The part of a segment within the edges, as shares of its length (Liang and Barsky), or null.
/**
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 * @param {number[]} edges left, right, top, bottom
 * @returns {Pair | null}
 */
function clip(x0, y0, x1, y1, [left, right, top, bottom]) {
  let [from, to] = [0, 1];
  const sides = [
    [x0 - x1, x0 - left],
    [x1 - x0, right - x0],
    [y0 - y1, y0 - top],
    [y1 - y0, bottom - y0],
  ];
  for (const [step, room] of sides) {
    if (!Number.isFinite(step) || !Number.isFinite(room)) return null;
    if (step === 0 && room < 0) return null;
    if (step < 0) from = Math.max(from, room / step);
    if (step > 0) to = Math.min(to, room / step);
  }
  return from <= to ? [from, to] : null;
}

export class Panel {
  /**
   * @param {Stage} stage
   * @param {PanelOptions} options
   */
  constructor(stage, options) {
    this.stage = stage;
    this.ctx = stage.ctx;
    this.palette = stage.palette;
    this.rect = options.rect;
    /** @type {Pair} */
    this.x = options.x;
    /** @type {Pair} */
    this.y = options.y;
    this.log = { x: options.logX ?? false, y: options.logY ?? false };
    this.given = { x: options.ticksX, y: options.ticksY };
    this.labelX = options.labelX;
    this.labelY = options.labelY;
    this.legend = options.legend ?? [];
    this.ctx.font = FONT + "px " + stage.font;
    const { rect } = this;
    const legendRows = this.layLegend(rect.w);
    const top = rect.y + (this.labelY ? LEADING + 2 : 6) + legendRows * LEADING + 8;
    const bottom = rect.y + rect.h - (this.given.x === false ? 4 : 22) - (this.labelX ? LEADING : 0);
    const roughTicks = this.ticks("y", bottom - top);
    const widest = Math.max(0, ...roughTicks.map(([, text]) => this.ctx.measureText(text).width));
    const left = rect.x + (this.given.y === false ? 2 : Math.ceil(widest) + 10);
    this.box = {
      x: left,
      y: top,
      w: Math.max(20, rect.x + rect.w - 10 - left),
      h: Math.max(20, bottom - top),
    };
    if (options.equal) this.equalise();
  }

  equalise() {
    const { box } = this;
    const [x0, x1] = this.x;
    const [y0, y1] = this.y;
    const perPixel = Math.max((x1 - x0) / box.w, (y1 - y0) / box.h);
    const halfX = (perPixel * box.w) / 2;
    const halfY = (perPixel * box.h) / 2;
    this.x = [(x0 + x1) / 2 - halfX, (x0 + x1) / 2 + halfX];
    this.y = [(y0 + y1) / 2 - halfY, (y0 + y1) / 2 + halfY];
  }

  /** @param {number} width */
  layLegend(width) {
    let row = 0;
    let x = 0;
    for (const entry of this.legend) {
      const w = this.ctx.measureText(entry.label).width + 42;
      if (x > 0 && x + w > width) {
        row += 1;
        x = 0;
      }
      entry.at = [x, row];
      x += w + 10;
    }
    return this.legend.length ? row + 1 : 0;
  }

  /**
   * @param {"x" | "y"} axis
   * @param {number} pixels
   * @returns {Tick[]}
   */
  ticks(axis, pixels) {
    const given = this.given[axis];
    if (given === false) return [];
    if (given) return given;
    const [low, high] = this[axis];
    const log = this.log[axis];
    const room = Math.max(2, Math.floor(pixels / (axis === "x" ? 70 : 34)));
    const values = log ? logTicks(low, high, room) : linearTicks(low, high, Math.min(8, room));
    // Powers of ten are written as such where one of them would be long.
    const powers = log && high / low >= 100 && (low < 1e-3 || high > 1e4);
    const inWords = (/** @type {number} */ v) =>
      powers && v !== 1 && v !== 10 ? powerOfTen(Math.round(Math.log10(v))) : format(v, 4);
    return values.map((v) => [v, inWords(v)]);
  }

  /** @type {(axis: "x" | "y", v: number) => number} */
  fraction(axis, v) {
    const [low, high] = this[axis];
    return this.log[axis] ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low);
  }

  /** @param {number} v */
  px(v) {
    return this.box.x + this.fraction("x", v) * this.box.w;
  }

  /** @param {number} v */
  py(v) {
    return this.box.y + (1 - this.fraction("y", v)) * this.box.h;
  }

  /** @type {(axis: "x" | "y", pixel: number) => number} */
  value(axis, pixel) {
    const { box } = this;
    const t = axis === "x" ? (pixel - box.x) / box.w : 1 - (pixel - box.y) / box.h;
    const [low, high] = this[axis];
    return this.log[axis] ? low * (high / low) ** t : low + t * (high - low);
  }

  axes({ grid = true } = {}) {
    const { ctx, box, palette } = this;
    ctx.save();
    ctx.font = FONT + "px " + this.stage.font;
    ctx.lineWidth = 1;
    ctx.textBaseline = "middle";
    /** @type {(x0: number, y0: number, x1: number, y1: number, color: string) => void} */
    const line = (x0, y0, x1, y1, color) => {
      ctx.strokeStyle = color;
      ctx.beginPath();
      ctx.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
      ctx.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
      ctx.stroke();
    };
    ctx.fillStyle = palette.muted;
    for (const [v, text] of this.ticks("y", box.h)) {
      const y = this.py(v);
      if (grid) line(box.x, y, box.x + box.w, y, palette.grid);
      ctx.textAlign = "right";
      ctx.fillText(text, box.x - 7, y);
    }
    let end = -Infinity;
    for (const [v, text] of this.ticks("x", box.w)) {
      const x = this.px(v);
      if (grid) line(x, box.y, x, box.y + box.h, palette.grid);
      const half = ctx.measureText(text).width / 2;
      const at = Math.min(x, box.x + box.w + 10 - half);
      if (at - half < end + 6) continue;
      ctx.textAlign = "center";
      ctx.fillText(text, at, box.y + box.h + 13);
      end = at + half;
    }
    line(box.x, box.y, box.x, box.y + box.h, palette.line);
    line(box.x, box.y + box.h, box.x + box.w, box.y + box.h, palette.line);
    ctx.fillStyle = palette.ink;
    ctx.textAlign = "left";
    if (this.labelY) ctx.fillText(this.labelY, this.rect.x, this.rect.y + 10, this.rect.w);
    ctx.textAlign = "center";
    const below = this.given.x === false ? 14 : 33;
    if (this.labelX) ctx.fillText(this.labelX, box.x + box.w / 2, box.y + box.h + below, this.rect.w);
    const base = this.rect.y + (this.labelY ? LEADING + 2 : 6) + 8;
    ctx.textAlign = "left";
    for (const { label, style, at = [0, 0] } of this.legend) {
      const x = this.rect.x + at[0];
      const y = base + at[1] * LEADING;
      sample(ctx, style, palette, x, y, 30);
      ctx.fillStyle = palette.ink;
      ctx.fillText(label, x + 37, y + 1);
    }
    ctx.restore();
    return this;
  }

  /** @param {(ctx: CanvasRenderingContext2D) => void} paint */
  inside(paint) {
    const { ctx, box } = this;
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.x - 1, box.y - 1, box.w + 2, box.h + 2);
    ctx.clip();
    paint(ctx);
    ctx.restore();
    return this;
  }

  /**
   * @param {Style} style
   * @param {(ctx: CanvasRenderingContext2D, kind: string) => void} paint
   */
  pen(style, paint) {
    const { color, dash, marker: kind, width, alpha } = styleOf(style, this.palette);
    return this.inside((ctx) => {
      ctx.globalAlpha = alpha;
      ctx.strokeStyle = ctx.fillStyle = color;
      ctx.lineWidth = width;
      ctx.lineJoin = "bevel";
      ctx.setLineDash(dash);
      paint(ctx, kind);
    });
  }

  // Lines break where a number isn't finite, and only what crosses the box is drawn: dashes over
  // a path that runs far away would cost more than all the rest. A path that criss-crosses the
  // panel is drawn fine: it is costly to paint and no easier to read when thick.
  /**
   * @param {Numbers} xs
   * @param {Numbers} ys
   * @param {Style} style
   */
  line(xs, ys, style = 0, count = xs.length) {
    const { box } = this;
    const edges = [box.x - 8, box.x + box.w + 8, box.y - 8, box.y + box.h + 8];
    return this.pen(style, (ctx) => {
      ctx.beginPath();
      let [x0, y0, length] = [NaN, NaN, 0];
      let drawing = false;
      for (let i = 0; i < count; i++) {
        const [x1, y1] = [this.px(xs[i]), this.py(ys[i])];
        // Steps below a pixel are left out, but for the last.
        if (i && i < count - 1 && Math.abs(x1 - x0) < 1 && Math.abs(y1 - y0) < 1) continue;
        const part = i ? clip(x0, y0, x1, y1, edges) : null;
        if (part) {
          const [from, to] = part;
          if (!drawing || from > 0) ctx.moveTo(x0 + from * (x1 - x0), y0 + from * (y1 - y0));
          ctx.lineTo(x0 + to * (x1 - x0), y0 + to * (y1 - y0));
          length += (to - from) * (Math.abs(x1 - x0) + Math.abs(y1 - y0));
        }
        drawing = part !== null && part[1] === 1;
        [x0, y0] = [x1, y1];
      }
      if (length > 2 * (box.w + box.h)) ctx.lineWidth = 1;
      ctx.stroke();
    });
  }

  /**
   * @param {Numbers} xs
   * @param {Numbers} ys
   * @param {Style} style
   */
  dots(xs, ys, style = 0, radius = 4, every = 1, count = xs.length) {
    return this.pen(style, (ctx, kind) => {
      for (let i = 0; i < count; i += every) {
        const x = this.px(xs[i]);
        const y = this.py(ys[i]);
        if (Number.isFinite(x) && Number.isFinite(y)) marker(ctx, kind, x, y, radius);
      }
    });
  }

  /**
   * @param {"x" | "y"} axis
   * @param {number} v
   * @param {Style} style
   */
  rule(axis, v, style = { color: "muted", dash: [4, 4], width: 1.5 }) {
    const { box } = this;
    const at = axis === "x" ? this.px(v) : this.py(v);
    return this.pen(style, (ctx) => {
      ctx.beginPath();
      if (axis === "x") (ctx.moveTo(at, box.y), ctx.lineTo(at, box.y + box.h));
      else (ctx.moveTo(box.x, at), ctx.lineTo(box.x + box.w, at));
      ctx.stroke();
    });
  }

  /** @type {(x0: number, x1: number, y0: number, y1: number, color: string, alpha?: number) => Panel} */
  shade(x0, x1, y0, y1, color, alpha = 0.15) {
    return this.inside((ctx) => {
      ctx.globalAlpha = alpha;
      ctx.fillStyle = this.palette[color] ?? color;
      const [a, b, c, d] = [this.px(x0), this.px(x1), this.py(y0), this.py(y1)];
      ctx.fillRect(Math.min(a, b), Math.min(c, d), Math.abs(b - a), Math.abs(d - c));
    });
  }

  // Text on a halo of paper, kept within the panel.
  /**
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {{ color?: string, align?: "left" | "center" | "right", dx?: number, dy?: number, bold?: boolean }} look
   */
  note(text, x, y, { color = "ink", align = "left", dx = 0, dy = 0, bold = false } = {}) {
    const { ctx, box, palette } = this;
    ctx.save();
    ctx.font = (bold ? "600 " : "") + FONT + "px " + this.stage.font;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    const width = ctx.measureText(text).width;
    const shift = { left: 0, center: width / 2, right: width }[align];
    const left = Math.max(box.x + 3, Math.min(this.px(x) + dx - shift, box.x + box.w - width - 3));
    const middle = Math.max(box.y + 9, Math.min(this.py(y) + dy, box.y + box.h - 9));
    ctx.lineWidth = 4;
    ctx.lineJoin = "round";
    ctx.strokeStyle = palette.paper;
    ctx.strokeText(text, left, middle);
    ctx.fillStyle = palette[color] ?? color;
    ctx.fillText(text, left, middle);
    ctx.restore();
    return this;
  }
}
