// @ts-check
// What every demo shares: controls, draggable points, playing, state as text, drawing on demand.
// A demo is a module with simulate(params, data), draw(stage, result, params, data) and
// summary(result, params, data) -> [[key of a string, values], …]. It holds no text of its own.

import { CONTROLS } from "./controls.mjs";
import { clamp, element } from "./page.mjs";
import { Playback } from "./playback.mjs";
import { format } from "./plot.mjs";
import { callPoints } from "./point.mjs";
import { makeSharing, restore, stateOf } from "./sharing.mjs";
import { makeStage, readTheme, resize } from "./stage.mjs";

const MILLISECONDS_AT_REST = 400;

/**
 * The strings as a function: a key, or a template itself, with values filled in.
 * @param {Record<string, string>} strings
 */
function speaker(strings) {
  /** @type {App["fill"]} */
  const fill = (template, values = {}) =>
    template.replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name];
      return typeof value === "number" ? format(value) : (strings[String(value)] ?? value ?? "");
    });
  /** @type {App["text"]} */
  const text = (key, values) => fill(strings[key] ?? key, values);
  return { fill, text };
}

// What is seen in words: shown at once, read aloud when the hand rests, not at every move.
function makeSummary() {
  const visible = element("p", { class: "summary", "aria-hidden": "true" });
  const aloud = element("p", { class: "unseen", role: "status" });
  let waiting = 0;
  /** @type {(said: string) => void} */
  const say = (said) => {
    if (visible.textContent === said) return;
    visible.textContent = said;
    clearTimeout(waiting);
    waiting = setTimeout(() => (aloud.textContent = said), MILLISECONDS_AT_REST);
  };
  return { visible, aloud, say };
}

// Controls in the boxes where they belong: what shows lines, what has a rate, all others.
/**
 * @param {App} app
 * @param {Control[]} controls
 * @param {HTMLElement} handles
 */
function placeControls(app, controls, handles) {
  const shown = { role: "group", "aria-label": app.text("ui_shown") };
  const legend = element("div", { class: "toggles", ...shown });
  const rules = element("div", { class: "rules", ...shown });
  const panel = element("div", { class: "controls" });
  for (const spec of controls) {
    const widget = (app.widgets[spec.name] = CONTROLS[spec.kind](app, spec));
    widget.set(spec.value);
    if (widget.handle) handles.append(widget.handle);
    const box = spec.kind === "toggle" ? legend : spec.kind === "rated" ? rules : panel;
    if (widget.node) box.append(widget.node);
  }
  return [legend, rules, panel].filter((box) => box.children.length);
}

/**
 * Build a demo's page and keep it up to date.
 * @param {Demo} demo
 * @param {Payload} payload
 */
export function mount(demo, payload) {
  const { strings, controls, data } = payload;
  const { fill, text } = speaker(strings);
  const canvas = element("canvas", { role: "img", "aria-label": text("alt") });
  const stage = makeStage(canvas, text, (name) => /** @type {Point} */ (app.widgets[name]));
  /** @type {App} */
  const app = {
    params: {},
    widgets: {},
    swatches: [],
    canvas,
    stage,
    text,
    fill,
    changed,
  };
  let result = /** @type {any} */ (null);
  let [stale, pending] = [true, false];

  function changed() {
    stale = true;
    request();
  }

  function request() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(paint);
  }

  /** @type {(now: number) => void} */
  function paint(now) {
    pending = false;
    if (!stage.width) return;
    const start = performance.now();
    if (stale) {
      result = demo.simulate(app.params, data);
      sharing.box.value = stateOf(app, controls);
      stale = false;
      stage.frames = result.frames ?? 0;
    }
    playback.advance(now);
    stage.frame = clamp(stage.frame, 0, stage.frames);
    stage.ctx.setTransform(stage.ratio, 0, 0, stage.ratio, 0, 0);
    stage.ctx.clearRect(0, 0, stage.width, stage.height);
    demo.draw(stage, result, app.params, data);
    playback.show();
    const sentences = demo.summary(result, app.params, data, stage.frame);
    summary.say(sentences.map(([key, values]) => text(key, values)).join(" "));
    performance.measure("descent-frame", { start, end: performance.now() });
    if (playback.playing) request();
  }

  function dress() {
    readTheme(stage);
    for (const swatch of app.swatches) swatch();
    request();
  }

  const summary = makeSummary();
  const playback = new Playback(stage, payload.seconds, request);
  const sharing = makeSharing(app, controls, () => {
    playback.jump(Infinity);
    stage.frame = Infinity;
  });
  const handles = element("div", { class: "handles" });
  const boxes = placeControls(app, controls, handles);
  const stageBox = element("div", { class: "stage" }, canvas, handles);
  const heading = [element("h1", {}, text("title")), element("p", { class: "lead" }, text("lead"))];
  const root = element("main", {}, ...heading, stageBox, summary.visible, summary.aloud);
  if (playback.node) root.append(playback.node);
  root.append(...boxes, sharing.node);
  document.body.append(root);
  callPoints(canvas, () => Object.values(app.widgets).filter((widget) => "grab" in widget));
  if (payload.state) restore(app, payload.state);
  sharing.box.value = stateOf(app, controls);
  dress();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  new ResizeObserver(() => {
    resize(stage, canvas);
    request();
  }).observe(stageBox);
}
