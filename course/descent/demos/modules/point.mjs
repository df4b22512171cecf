// @ts-check
// A point that is dragged on a panel, or moved with the arrow keys.

import { clamp, element } from "./page.mjs";

/** @type {Record<string, Pair>} */
const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowDown: [0, -1],
  ArrowUp: [0, 1],
};

/**
 * @param {App} app
 * @param {Control} spec its value is [x, y], or one number along spec.axis
 * @returns {Point}
 */
export function pointControl(app, spec) {
  const { params, canvas } = app;
  const flat = !Array.isArray(spec.value);
  const [lows, highs] = [[spec.min].flat(), [spec.max].flat()];
  const node = element("button", {
    ...{ type: "button", class: "handle", id: spec.name },
    ...{ onkeydown: key, onpointerdown: grab },
  });
  /** @type {Point} */
  const widget = {
    handle: node,
    at: [0, 0],
    set,
    get: () => [params[spec.name]].flat().join(","),
    grab,
    place,
  };

  /** @type {(value: any) => void} */
  function set(value) {
    /** @type {number[]} */
    const numbers = (Array.isArray(value) ? value : String(value).split(",")).map(Number);
    if (numbers.some((v) => !Number.isFinite(v))) return;
    const kept = numbers.map((v, i) => clamp(Number(v.toPrecision(4)), lows[i], highs[i]));
    if (kept.length === [spec.value].flat().length) params[spec.name] = flat ? kept[0] : kept;
  }

  /** @type {(value: any) => void} */
  function move(value) {
    set(value);
    app.changed();
  }

  /** @type {(event: KeyboardEvent) => void} */
  function key(event) {
    const arrow = ARROWS[event.key];
    const { panel, at } = widget;
    if (!arrow || !panel) return;
    event.preventDefault();
    event.stopPropagation();
    const step = (event.shiftKey ? 10 : 1) * (spec.pixels ?? 2);
    const [x, y] = [panel.value("x", at[0] + arrow[0] * step), panel.value("y", at[1] - arrow[1] * step)];
    const sideways = spec.axis === "y" ? y : arrow[0] ? x : panel.value("x", at[0] + arrow[1] * step);
    move(flat ? sideways : [x, y]);
  }

  /** @type {(event: PointerEvent) => void} */
  function grab(event) {
    const target = event.currentTarget;
    if (event.button || !(target instanceof HTMLElement)) return;
    event.preventDefault();
    node.focus({ preventScroll: true });
    target.setPointerCapture(event.pointerId);
    /** @type {(e: PointerEvent) => void} */
    const follow = (e) => {
      const { panel } = widget;
      if (!panel) return;
      const { left, top } = canvas.getBoundingClientRect();
      const [x, y] = [panel.value("x", e.clientX - left), panel.value("y", e.clientY - top)];
      move(flat ? (spec.axis === "y" ? y : x) : [x, y]);
    };
    const stop = () => {
      target.removeEventListener("pointermove", follow);
      target.removeEventListener("pointerup", stop);
      target.removeEventListener("pointercancel", stop);
    };
    target.addEventListener("pointermove", follow);
    target.addEventListener("pointerup", stop);
    target.addEventListener("pointercancel", stop);
    if (target === canvas) follow(event);
  }

  /** @type {Point["place"]} */
  function place(px, py, x, y) {
    if (!widget.panel) return;
    const { box } = widget.panel;
    widget.at = [clamp(px, box.x, box.x + box.w), clamp(py, box.y, box.y + box.h)];
    node.style.transform = `translate(${widget.at[0]}px, ${widget.at[1]}px)`;
    node.setAttribute("aria-label", app.fill(spec.label, { x, y }));
  }

  return widget;
}

// A press on empty canvas calls the nearest point of that panel; on touch it must not drag,
// so that a page can still be scrolled by its pictures.
/**
 * @param {HTMLCanvasElement} canvas
 * @param {() => Point[]} points
 */
export function callPoints(canvas, points) {
  canvas.addEventListener("pointerdown", (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    /** @type {(point: Point) => boolean} */
    const around = ({ panel }) => {
      if (!panel) return false;
      const { box } = panel;
      return x >= box.x && x <= box.x + box.w && y >= box.y && y <= box.y + box.h;
    };
    /** @type {(point: Point) => number} */
    const distance = ({ at }) => Math.hypot(at[0] - x, at[1] - y);
    const within = points().filter(around);
    within.sort((a, b) => distance(a) - distance(b));
    if (within.length && event.pointerType === "mouse") within[0].grab(event);
  });
}
