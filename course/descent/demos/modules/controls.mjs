// @ts-check
// Controls: each knows how to write itself into the parameters, and how to be set.

import { clamp, element, pencil, tidy } from "./page.mjs";
import { format, sample } from "./plot.mjs";
import { pointControl } from "./point.mjs";

const SLIDER_STEPS = 200;

/** @type {(value: any) => boolean} */
const isNumber = (value) => Number.isFinite(Number(value));

// A slider in even steps, in even ratios (log, its left end 0 if spec.zero), or in even ratios
// of the distance to 1 (near-one: 0, 0.9, 0.99, …).
/**
 * @param {Control} spec
 * @param {Record<string, any>} attributes
 * @param {(value: number) => void} moved
 */
function makeSlider(spec, attributes, moved) {
  const steps = SLIDER_STEPS;
  const even = spec.scale === "linear";
  const ratio = Math.log(spec.scale === "log" ? spec.max / spec.min : 1 - spec.max);
  /** @type {(t: number) => number} */
  const toValue = {
    linear: (/** @type {number} */ t) => t,
    log: (/** @type {number} */ t) =>
      spec.zero && t === 0 ? 0 : tidy(spec.min * Math.exp((ratio * t) / steps)),
    "near-one": (/** @type {number} */ t) => tidy(1 - tidy(Math.exp((ratio * t) / steps))),
  }[spec.scale];
  /** @type {(v: number) => number} */
  const toSlider = {
    linear: (/** @type {number} */ v) => v,
    log: (/** @type {number} */ v) => (v <= 0 ? 0 : (steps * Math.log(v / spec.min)) / ratio),
    "near-one": (/** @type {number} */ v) => (steps * Math.log(1 - v)) / ratio,
  }[spec.scale];
  const [min, max, step] = even ? [spec.min, spec.max, spec.step] : [0, steps, 1];
  const oninput = () => moved(toValue(Number(input.value)));
  const input = element("input", {
    type: "range",
    ...attributes,
    min,
    max,
    step,
    oninput,
  });
  /** @type {(value: number) => number} */
  const put = (value) => {
    const kept = spec.zero && value <= 0 ? 0 : clamp(value, spec.min, spec.max);
    input.value = String(toSlider(kept));
    return kept;
  };
  return { input, put };
}

/**
 * A short stroke that looks like a series of the picture.
 * @param {App} app
 * @param {Control} spec
 */
function swatchOf(app, spec) {
  const { series } = spec;
  if (series === undefined) return undefined;
  const swatch = element("canvas", {
    class: "swatch",
    width: 96,
    height: 40,
    "aria-hidden": "true",
  });
  app.swatches.push(() => {
    const ctx = pencil(swatch);
    ctx.setTransform(2.4, 0, 0, 2.4, 0, 0);
    ctx.clearRect(0, 0, 40, 17);
    sample(ctx, series, app.stage.palette, 3, 8, 34);
  });
  return swatch;
}

/** @type {(head: (Node | undefined)[], input: Node) => HTMLElement} */
const boxed = (head, input) =>
  element("div", { class: "control" }, element("div", { class: "head" }, ...head), input);

/** @type {MakeControl} */
function rangeControl(app, spec) {
  const { params } = app;
  const out = element("output", { for: spec.name });
  const slider = makeSlider(spec, { id: spec.name }, (value) => put(value, true));
  const { input } = slider;
  /** @type {(value: number, mine?: boolean) => void} */
  function put(value, mine = false) {
    params[spec.name] = mine ? value : slider.put(value);
    const shown = spec.shown ? app.fill(spec.shown, { value: params[spec.name] }) : format(params[spec.name]);
    out.textContent = shown;
    input.setAttribute("aria-valuetext", shown);
    if (mine) app.changed();
  }
  return {
    node: boxed([element("label", { for: spec.name }, spec.label), out], input),
    set: (v) => isNumber(v) && put(Number(v)),
    get: () => params[spec.name],
  };
}

/** @type {MakeControl} */
function selectControl(app, spec) {
  const { params } = app;
  const options = spec.options.map(([value, label]) => element("option", { value }, label));
  const input = element("select", { id: spec.name, onchange: () => put(input.value, true) }, ...options);
  /** @type {(value: any, mine?: boolean) => void} */
  function put(value, mine = false) {
    const option = spec.options.find(([v]) => String(v) === String(value));
    if (!option) return;
    params[spec.name] = option[0];
    input.value = String(value);
    const presets = spec.presets?.[value];
    if (mine && presets) for (const [name, v] of Object.entries(presets)) app.widgets[name].set(v);
    if (mine) app.changed();
  }
  return {
    node: boxed([element("label", { for: spec.name }, spec.label)], input),
    set: (v) => put(v),
    get: () => params[spec.name],
  };
}

/** @type {MakeControl} */
function toggleControl(app, spec) {
  const { params } = app;
  const input = element("input", {
    type: "checkbox",
    id: spec.name,
    onchange: () => put(input.checked, true),
  });
  /** @type {(value: any, mine?: boolean) => void} */
  function put(value, mine = false) {
    params[spec.name] = value === true || value === "1";
    input.checked = params[spec.name];
    if (mine) app.changed();
  }
  return {
    node: element("label", { class: "toggle" }, input, swatchOf(app, spec), spec.label),
    set: (v) => put(v),
    get: () => (params[spec.name] ? "1" : "0"),
  };
}

// A line that can be hidden, with a slider of its own: its value is [shown, number].
/** @type {MakeControl} */
function ratedControl(app, spec) {
  const { params } = app;
  const id = spec.name + "-rate";
  const onchange = () => put(input.checked, params[spec.name][1], true);
  const input = element("input", { type: "checkbox", id: spec.name, onchange });
  const out = element("output", { for: id });
  const label = app.fill(spec.rated ?? "", { label: spec.label });
  const slider = makeSlider(spec, { id, "aria-label": label }, (value) => put(input.checked, value, true));
  /** @type {(on: boolean, number: number, mine?: boolean) => void} */
  function put(on, number, mine = false) {
    params[spec.name] = [on, mine ? number : slider.put(number)];
    input.checked = on;
    out.textContent = format(params[spec.name][1]);
    slider.input.setAttribute("aria-valuetext", out.textContent);
    if (mine) app.changed();
  }
  // A bare number leaves the line shown or hidden as it is.
  /** @type {(value: any) => void} */
  function set(value) {
    const parts = Array.isArray(value) ? value : String(value).split(",").map(Number);
    if (!parts.every(isNumber)) return;
    if (parts.length === 2) put(Boolean(parts[0]), parts[1]);
    else put(params[spec.name]?.[0] ?? true, parts[0]);
  }
  const toggle = element("label", { class: "toggle" }, input, swatchOf(app, spec), spec.label);
  return {
    node: boxed([toggle, out], slider.input),
    set,
    get: () => `${params[spec.name][0] ? 1 : 0},${params[spec.name][1]}`,
  };
}

/** @type {MakeControl} */
function buttonControl(app, spec) {
  const { params } = app;
  const onclick = () => put(params[spec.name] + 1, true);
  /** @type {(value: number, mine?: boolean) => void} */
  function put(value, mine = false) {
    params[spec.name] = Math.abs(Math.round(value)) % 100000;
    if (mine) app.changed();
  }
  const button = element("button", { type: "button", id: spec.name, onclick }, spec.label);
  return {
    node: element("div", { class: "control" }, button),
    set: (v) => isNumber(v) && put(Number(v)),
    get: () => params[spec.name],
  };
}

/** @type {Record<Control["kind"], MakeControl>} */
export const CONTROLS = {
  range: rangeControl,
  select: selectControl,
  toggle: toggleControl,
  rated: ratedControl,
  button: buttonControl,
  point: pointControl,
};
