// What every demo shares: controls, draggable points, playing, state as text, drawing on demand.
// A demo is a module with simulate(params, data), draw(stage, result, params, data) and
// summary(result, params, data) -> [[key of a string, values], …]. It holds no text of its own.

import { Panel, format, powerOfTen, sample } from "./plot.mjs";

const NAMES = ["ink", "muted", "line", "grid", "paper", "panel", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "good", "fair", "bad", "cool", "warm"];

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== undefined && value !== false && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== undefined));
  return node;
}

const clamp = (v, low, high) => Math.max(low, Math.min(high, v));
const tidy = (v) => Number(v.toPrecision(3));

export function mount(demo, payload) {
  const { strings, controls, data } = payload;
  const params = {};
  const widgets = {};
  const cache = new Map();
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let result = null;
  let stale = true;
  let pending = false;
  let playing = null;
  let spoken = 0;

  const fill = (template, values = {}) =>
    template.replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name];
      return typeof value === "number" ? format(value) : (strings[value] ?? value ?? "");
    });
  const text = (key, values) => fill(strings[key] ?? key, values);

  // The stage: what draw() paints on.
  const canvas = element("canvas", { role: "img", "aria-label": text("alt") });
  const handles = element("div", { class: "handles" });
  const stageBox = element("div", { class: "stage" }, canvas, handles);
  const stage = {
    ctx: canvas.getContext("2d"),
    text,
    format,
    powerOfTen,
    frame: Infinity,
    frames: 0,
    palette: {},
    handle(name, panel, x, y) {
      const widget = widgets[name];
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
        const rect = wide ? { x: at, y: 0, w: size, h: stage.height } : { x: 0, y: at, w: stage.width, h: size };
        at += size + gap;
        return rect;
      });
    },
    // A picture that is costly to paint, kept until its key changes.
    picture(key, width, height, paint) {
      const full = [key, width, height, stage.ratio, stage.theme].join("|");
      if (!cache.has(full)) {
        if (cache.size > 12) cache.clear();
        const sheet = element("canvas", { width: Math.round(width * stage.ratio), height: Math.round(height * stage.ratio) });
        const ctx = sheet.getContext("2d");
        ctx.scale(stage.ratio, stage.ratio);
        paint(ctx);
        cache.set(full, sheet);
      }
      return cache.get(full);
    },
  };

  function readTheme() {
    const style = getComputedStyle(document.documentElement);
    for (const name of NAMES) stage.palette[name] = style.getPropertyValue("--" + name).trim();
    stage.font = getComputedStyle(document.body).fontFamily;
    stage.theme = stage.palette.paper;
    for (const paint of swatches) paint();
    request();
  }

  function resize() {
    const { width, height } = canvas.getBoundingClientRect();
    stage.ratio = Math.min(3, window.devicePixelRatio || 1);
    stage.width = width;
    stage.height = height;
    canvas.width = Math.round(width * stage.ratio);
    canvas.height = Math.round(height * stage.ratio);
    request();
  }

  function request() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(paint);
  }

  function paint(now) {
    pending = false;
    if (!stage.width) return;
    const start = performance.now();
    if (stale) {
      result = demo.simulate(params, data);
      shareBox.value = state();
      stale = false;
      stage.frames = result.frames ?? 0;
    }
    if (playing) advance(now);
    stage.frame = clamp(stage.frame, 0, stage.frames);
    stage.ctx.setTransform(stage.ratio, 0, 0, stage.ratio, 0, 0);
    stage.ctx.clearRect(0, 0, stage.width, stage.height);
    demo.draw(stage, result, params, data);
    transport?.show();
    say();
    performance.measure("descent-frame", { start, end: performance.now() });
    if (playing) request();
  }

  // The summary is read aloud when the hand rests, not at every move.
  const visible = element("p", { class: "summary", "aria-hidden": "true" });
  const aloud = element("p", { class: "unseen", role: "status" });
  function say() {
    const sentences = demo.summary(result, params, data, stage.frame).map(([key, values]) => text(key, values));
    const said = sentences.join(" ");
    if (visible.textContent === said) return;
    visible.textContent = said;
    clearTimeout(spoken);
    spoken = setTimeout(() => (aloud.textContent = said), 400);
  }

  function changed() {
    stale = true;
    request();
  }

  // Playing.
  function advance(now) {
    const elapsed = now - playing.since;
    const hop = calm.matches ? 1 / 8 : 0;
    let share = elapsed / (payload.seconds * 1000);
    if (hop) share = Math.floor(share / hop) * hop;
    stage.frame = Math.min(stage.frames, Math.floor(playing.from + share * stage.frames));
    if (stage.frame >= stage.frames) play(false);
  }

  function play(on) {
    playing = on ? { from: stage.frame >= stage.frames ? 0 : stage.frame, since: performance.now() } : null;
    request();
  }

  function show(frame) {
    playing = null;
    stage.frame = clamp(frame, 0, stage.frames);
    request();
  }

  function makeTransport() {
    const button = (action, label) => element("button", { type: "button", onclick: action }, label);
    const toggle = button(() => play(!playing), text("ui_play"));
    const scrub = element("input", { type: "range", min: 0, max: 1, step: 1, "aria-label": text("ui_scrub"), oninput: () => show(Number(scrub.value)) });
    const count = element("output", { class: "count" });
    const node = element("div", { class: "transport", role: "group", "aria-label": text("ui_playback") },
      toggle,
      button(() => show(stage.frame - 1), text("ui_back")),
      button(() => show(stage.frame + 1), text("ui_step")),
      scrub, count);
    return {
      node,
      show() {
        toggle.textContent = text(playing ? "ui_pause" : "ui_play");
        scrub.max = stage.frames;
        scrub.value = stage.frame;
        count.textContent = text("ui_frame", { frame: String(stage.frame), frames: String(stage.frames) });
        scrub.setAttribute("aria-valuetext", count.textContent);
      },
    };
  }

  // A slider in even steps, in even ratios (log, its left end 0 if spec.zero), or in even ratios
  // of the distance to 1 (near-one: 0, 0.9, 0.99, …).
  function makeSlider(spec, attributes, moved) {
    const steps = 200;
    const even = spec.scale === "linear";
    const ratio = Math.log(spec.scale === "log" ? spec.max / spec.min : 1 - spec.max);
    const toValue = {
      linear: (t) => t,
      log: (t) => (spec.zero && t === 0 ? 0 : tidy(spec.min * Math.exp((ratio * t) / steps))),
      "near-one": (t) => tidy(1 - tidy(Math.exp((ratio * t) / steps))),
    }[spec.scale];
    const toSlider = {
      linear: (v) => v,
      log: (v) => (v <= 0 ? 0 : (steps * Math.log(v / spec.min)) / ratio),
      "near-one": (v) => (steps * Math.log(1 - v)) / ratio,
    }[spec.scale];
    const input = element("input", {
      type: "range", ...attributes,
      min: even ? spec.min : 0, max: even ? spec.max : steps, step: even ? spec.step : 1,
      oninput: () => moved(toValue(Number(input.value))),
    });
    const put = (value) => {
      const kept = spec.zero && value <= 0 ? 0 : clamp(value, spec.min, spec.max);
      input.value = toSlider(kept);
      return kept;
    };
    return { input, put };
  }

  // Controls: each knows how to write itself into params, and to be set.
  const swatches = [];
  function swatchOf(spec) {
    if (spec.series === undefined) return undefined;
    const swatch = element("canvas", { class: "swatch", width: 96, height: 40, "aria-hidden": "true" });
    swatches.push(() => {
      const ctx = swatch.getContext("2d");
      ctx.setTransform(2.4, 0, 0, 2.4, 0, 0);
      ctx.clearRect(0, 0, 40, 17);
      sample(ctx, spec.series, stage.palette, 3, 8, 34);
    });
    return swatch;
  }

  const make = {
    range(spec) {
      const out = element("output", { for: spec.name });
      const slider = makeSlider(spec, { id: spec.name }, (value) => set(value, true));
      const { input } = slider;
      function set(value, mine = false) {
        params[spec.name] = mine ? value : slider.put(value);
        const shown = spec.shown ? fill(spec.shown, { value: params[spec.name] }) : format(params[spec.name]);
        out.textContent = shown;
        input.setAttribute("aria-valuetext", shown);
        if (mine) changed();
      }
      const node = element("div", { class: "control" },
        element("div", { class: "head" }, element("label", { for: spec.name }, spec.label), out), input);
      return { node, set: (v) => Number.isFinite(Number(v)) && set(Number(v)), get: () => params[spec.name] };
    },
    select(spec) {
      const input = element("select", { id: spec.name, onchange: () => set(input.value, true) },
        ...spec.options.map(([value, label]) => element("option", { value }, label)));
      function set(value, mine = false) {
        if (!spec.options.some(([v]) => String(v) === String(value))) return;
        params[spec.name] = spec.options.find(([v]) => String(v) === String(value))[0];
        input.value = String(value);
        const presets = spec.presets?.[value];
        if (mine && presets) for (const [name, v] of Object.entries(presets)) widgets[name].set(v);
        if (mine) changed();
      }
      const node = element("div", { class: "control" },
        element("div", { class: "head" }, element("label", { for: spec.name }, spec.label)), input);
      return { node, set, get: () => params[spec.name] };
    },
    toggle(spec) {
      const input = element("input", { type: "checkbox", id: spec.name, onchange: () => set(input.checked, true) });
      function set(value, mine = false) {
        params[spec.name] = value === true || value === "1";
        input.checked = params[spec.name];
        if (mine) changed();
      }
      const node = element("label", { class: "toggle" }, input, swatchOf(spec), spec.label);
      return { node, set, get: () => (params[spec.name] ? "1" : "0") };
    },
    // A line that can be hidden, with a slider of its own: its value is [shown, number].
    rated(spec) {
      const input = element("input", { type: "checkbox", id: spec.name, onchange: () => put(input.checked, params[spec.name][1], true) });
      const out = element("output", { for: spec.name + "-rate" });
      const slider = makeSlider(spec, { id: spec.name + "-rate", "aria-label": fill(spec.rated, { label: spec.label }) }, (value) => put(input.checked, value, true));
      function put(on, number, mine = false) {
        params[spec.name] = [on, mine ? number : slider.put(number)];
        input.checked = on;
        out.textContent = format(params[spec.name][1]);
        slider.input.setAttribute("aria-valuetext", out.textContent);
        if (mine) changed();
      }
      // A bare number leaves the line shown or hidden as it is.
      function set(value) {
        const parts = Array.isArray(value) ? value : String(value).split(",").map(Number);
        if (parts.some((v) => !Number.isFinite(Number(v)))) return;
        if (parts.length === 2) put(Boolean(parts[0]), parts[1]);
        else put(params[spec.name]?.[0] ?? true, parts[0]);
      }
      const node = element("div", { class: "control" },
        element("div", { class: "head" }, element("label", { class: "toggle" }, input, swatchOf(spec), spec.label), out), slider.input);
      return { node, set, get: () => `${params[spec.name][0] ? 1 : 0},${params[spec.name][1]}` };
    },
    button(spec) {
      const node = element("div", { class: "control" },
        element("button", { type: "button", id: spec.name, onclick: () => set(params[spec.name] + 1, true) }, spec.label));
      function set(value, mine = false) {
        params[spec.name] = Math.abs(Math.round(value)) % 100000;
        if (mine) changed();
      }
      return { node, set: (v) => Number.isFinite(Number(v)) && set(Number(v)), get: () => params[spec.name] };
    },
    point(spec) {
      const flat = !Array.isArray(spec.value);
      const node = element("button", { type: "button", class: "handle", id: spec.name, onkeydown: key, onpointerdown: grab });
      const widget = { handle: node, set, get: () => [params[spec.name]].flat().join(","), grab, place };
      function set(value) {
        const numbers = (Array.isArray(value) ? value : String(value).split(",")).map(Number);
        if (numbers.some((v) => !Number.isFinite(v))) return;
        const kept = numbers.map((v, i) => clamp(Number(v.toPrecision(4)), [spec.min].flat()[i], [spec.max].flat()[i]));
        if (kept.length === [spec.value].flat().length) params[spec.name] = flat ? kept[0] : kept;
      }
      function move(value) {
        set(value);
        changed();
      }
      function key(event) {
        const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
        if (!arrow) return;
        event.preventDefault();
        event.stopPropagation();
        const step = (event.shiftKey ? 10 : 1) * (spec.pixels ?? 2);
        const { panel, at } = widget;
        const [x, y] = [panel.value("x", at[0] + arrow[0] * step), panel.value("y", at[1] - arrow[1] * step)];
        const sideways = spec.axis === "y" ? y : arrow[0] ? x : panel.value("x", at[0] + arrow[1] * step);
        move(flat ? sideways : [x, y]);
      }
      function grab(event) {
        if (event.button) return;
        event.preventDefault();
        node.focus({ preventScroll: true });
        const target = event.currentTarget;
        target.setPointerCapture(event.pointerId);
        const follow = (e) => {
          const corner = canvas.getBoundingClientRect();
          const [x, y] = [widget.panel.value("x", e.clientX - corner.left), widget.panel.value("y", e.clientY - corner.top)];
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
      function place(px, py, x, y) {
        const { box } = widget.panel;
        widget.at = [clamp(px, box.x, box.x + box.w), clamp(py, box.y, box.y + box.h)];
        node.style.transform = `translate(${widget.at[0]}px, ${widget.at[1]}px)`;
        node.setAttribute("aria-label", fill(spec.label, { x, y }));
      }
      return widget;
    },
  };

  // A press on empty canvas calls the nearest point of that panel; on touch it must not drag,
  // so that a page can still be scrolled by its pictures.
  canvas.addEventListener("pointerdown", (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const within = Object.values(widgets).filter(({ panel }) => panel && x >= panel.box.x && x <= panel.box.x + panel.box.w && y >= panel.box.y && y <= panel.box.y + panel.box.h);
    const distance = ({ at }) => Math.hypot(at[0] - x, at[1] - y);
    within.sort((a, b) => distance(a) - distance(b));
    if (within.length && event.pointerType === "mouse") within[0].grab(event);
  });

  // State as text: what others paste to see the same thing.
  const state = () => controls.map(({ name }) => `${name}=${widgets[name].get()}`).join("&");
  function restore(line) {
    for (const part of String(line).trim().split("&")) {
      const at = part.indexOf("=");
      const name = part.slice(0, at);
      if (at > 0 && Object.hasOwn(widgets, name)) widgets[name].set(part.slice(at + 1));
    }
  }
  const shareBox = element("input", { type: "text", id: "state", spellcheck: "false", autocomplete: "off", onchange: () => (restore(shareBox.value), changed()) });
  const copy = element("button", { type: "button", onclick: () => {
    shareBox.select();
    copied.textContent = text(document.execCommand("copy") ? "ui_copied" : "ui_copy_by_hand");
  } }, text("ui_copy"));
  const copied = element("span", { role: "status" });
  const reset = element("button", { type: "button", onclick: () => {
    for (const spec of controls) widgets[spec.name].set(spec.value);
    show(Infinity);
    stage.frame = Infinity;
    changed();
  } }, text("ui_reset"));
  const share = element("details", { class: "share" },
    element("summary", {}, text("ui_share")),
    element("div", { class: "row" }, element("label", { for: "state" }, text("ui_state")), shareBox, copy, reset, copied));

  const transport = payload.seconds ? makeTransport() : null;
  const legend = element("div", { class: "toggles", role: "group", "aria-label": text("ui_shown") });
  const panel = element("div", { class: "controls" });
  const rules = element("div", { class: "rules", role: "group", "aria-label": text("ui_shown") });
  for (const spec of controls) {
    const widget = (widgets[spec.name] = make[spec.kind](spec));
    widget.set(spec.value);
    if (widget.handle) handles.append(widget.handle);
    else ({ toggle: legend, rated: rules }[spec.kind] ?? panel).append(widget.node);
  }
  const root = element("main", {},
    element("h1", {}, text("title")), element("p", { class: "lead" }, text("lead")),
    stageBox, visible, aloud);
  if (transport) root.append(transport.node);
  if (legend.children.length) root.append(legend);
  for (const box of [rules, panel]) if (box.children.length) root.append(box);
  root.append(share);
  document.body.append(root);
  if (payload.state) restore(payload.state);
  shareBox.value = state();
  readTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readTheme);
  new ResizeObserver(resize).observe(stageBox);
}
