// @ts-check
// State as text: what others paste to see the same thing.

import { element } from "./page.mjs";

/**
 * @param {App} app
 * @param {Control[]} controls
 */
export const stateOf = (app, controls) =>
  controls.map(({ name }) => `${name}=${app.widgets[name].get()}`).join("&");

/**
 * @param {App} app
 * @param {string} line
 */
export function restore(app, line) {
  for (const part of String(line).trim().split("&")) {
    const at = part.indexOf("=");
    const name = part.slice(0, at);
    if (at > 0 && Object.hasOwn(app.widgets, name)) app.widgets[name].set(part.slice(at + 1));
  }
}

/**
 * The row that shows the state, takes another, and goes back to the start.
 * @param {App} app
 * @param {Control[]} controls
 * @param {() => void} rewind goes to the last frame
 */
export function makeSharing(app, controls, rewind) {
  const { text } = app;
  const onchange = () => {
    restore(app, box.value);
    app.changed();
  };
  const box = element("input", {
    type: "text",
    id: "state",
    spellcheck: "false",
    autocomplete: "off",
    onchange,
  });
  const copied = element("span", { role: "status" });
  const copy = () => {
    box.select();
    copied.textContent = text(document.execCommand("copy") ? "ui_copied" : "ui_copy_by_hand");
  };
  const reset = () => {
    for (const spec of controls) app.widgets[spec.name].set(spec.value);
    rewind();
    app.changed();
  };
  const row = element(
    "div",
    { class: "row" },
    element("label", { for: "state" }, text("ui_state")),
    box,
    element("button", { type: "button", onclick: copy }, text("ui_copy")),
    element("button", { type: "button", onclick: reset }, text("ui_reset")),
    copied,
  );
  const node = element("details", { class: "share" }, element("summary", {}, text("ui_share")), row);
  return { node, box };
}
