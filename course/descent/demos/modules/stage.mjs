// @ts-check
// The stage: what draw() paints on.

import { element, pencil } from "./page.mjs";
import { Panel, format, powerOfTen } from "./plot.mjs";

const NAMES = [
  ...["ink", "muted", "line", "grid", "paper", "panel", "good", "fair", "bad", "cool", "warm"],
  ...["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"],
];
const MOST_PICTURES = 12;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Stage["text"]} text
 * @param {(name: string) => Point} point the draggable point of a name
 * @returns {Stage}
 */
export function makeStage(canvas, text, point) {
  const cache = new Map();
  /** @type {Stage} */
  const stage = {
    ctx: pencil(canvas),
    ...{
      width: 0,
      height: 0,
      ratio: 1,
      font: "",
      theme: "",
      frame: Infinity,
      frames: 0,
    },
    palette: {},
    text,
    format,
    powerOfTen,
    handle(name, panel, x, y) {
      const widget = point(name);
      widget.panel = panel;
      widget.place(panel.px(x), panel.py(y), x, y);
    },
    panel: (options) => new Panel(stage, options),
    // Side by side where there is room, else one below the other.
    columns(shares, gap = 28) {
      const total = shares.reduce((a, b) => a + b, 0);
      const wide = stage.width >= 620;
      const room = (wide ? stage.width : stage.height) - gap * (shares.length - 1);
      let at = 0;
      return shares.map((share) => {
        const size = (room * share) / total;
        const [from, to] = [at, size];
        at += size + gap;
        return wide ? { x: from, y: 0, w: to, h: stage.height } : { x: 0, y: from, w: stage.width, h: to };
      });
    },
    picture(key, width, height, paint) {
      const full = [key, width, height, stage.ratio, stage.theme].join("|");
      if (!cache.has(full)) {
        if (cache.size > MOST_PICTURES) cache.clear();
        const size = {
          width: Math.round(width * stage.ratio),
          height: Math.round(height * stage.ratio),
        };
        const sheet = element("canvas", size);
        const ctx = pencil(sheet);
        ctx.scale(stage.ratio, stage.ratio);
        paint(ctx);
        cache.set(full, sheet);
      }
      return cache.get(full);
    },
  };
  return stage;
}

/**
 * Read the page's colours and font.
 * @param {Stage} stage
 */
export function readTheme(stage) {
  const style = getComputedStyle(document.documentElement);
  for (const name of NAMES) stage.palette[name] = style.getPropertyValue("--" + name).trim();
  stage.font = getComputedStyle(document.body).fontFamily;
  stage.theme = stage.palette.paper;
}

/**
 * Give the canvas as many pixels as the screen shows of it.
 * @param {Stage} stage
 * @param {HTMLCanvasElement} canvas
 */
export function resize(stage, canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  stage.ratio = Math.min(3, window.devicePixelRatio || 1);
  stage.width = width;
  stage.height = height;
  canvas.width = Math.round(width * stage.ratio);
  canvas.height = Math.round(height * stage.ratio);
}
