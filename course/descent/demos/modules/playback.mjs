// @ts-check
// Playing a demo's frames, and the buttons for it.

import { clamp, element } from "./page.mjs";

export class Playback {
  /**
   * @param {Stage} stage
   * @param {number | null} seconds how long all frames take; null for a demo that doesn't play
   * @param {() => void} request asks for a new picture
   */
  constructor(stage, seconds, request) {
    this.stage = stage;
    this.seconds = seconds;
    this.request = request;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    /** @type {{ from: number, since: number } | null} */
    this.playing = null;
    this.node = seconds ? this.makeNode() : null;
  }

  /** @param {number} now */
  advance(now) {
    const { stage, playing } = this;
    if (!playing || !this.seconds) return;
    const hop = this.calm.matches ? 1 / 8 : 0;
    let share = (now - playing.since) / (this.seconds * 1000);
    if (hop) share = Math.floor(share / hop) * hop;
    stage.frame = Math.min(stage.frames, Math.floor(playing.from + share * stage.frames));
    if (stage.frame >= stage.frames) this.play(false);
  }

  /** @param {boolean} on */
  play(on) {
    const { frame, frames } = this.stage;
    this.playing = on ? { from: frame >= frames ? 0 : frame, since: performance.now() } : null;
    this.request();
  }

  /** @param {number} frame */
  jump(frame) {
    this.playing = null;
    this.stage.frame = clamp(frame, 0, this.stage.frames);
    this.request();
  }

  makeNode() {
    const { stage } = this;
    const { text } = stage;
    /** @type {(action: () => void, label: string) => HTMLElement} */
    const button = (action, label) => element("button", { type: "button", onclick: action }, label);
    this.toggle = button(() => this.play(!this.playing), text("ui_play"));
    const scrub = element("input", {
      ...{
        type: "range",
        min: 0,
        max: 1,
        step: 1,
        "aria-label": text("ui_scrub"),
      },
      oninput: () => this.jump(Number(scrub.value)),
    });
    this.scrub = scrub;
    this.count = element("output", { class: "count" });
    return element(
      "div",
      { class: "transport", role: "group", "aria-label": text("ui_playback") },
      this.toggle,
      button(() => this.jump(stage.frame - 1), text("ui_back")),
      button(() => this.jump(stage.frame + 1), text("ui_step")),
      scrub,
      this.count,
    );
  }

  // Where playing stands, after each picture.
  show() {
    const { stage, toggle, scrub, count } = this;
    if (!toggle || !scrub || !count) return;
    const [frame, frames] = [String(stage.frame), String(stage.frames)];
    toggle.textContent = stage.text(this.playing ? "ui_pause" : "ui_play");
    scrub.max = frames;
    scrub.value = frame;
    count.textContent = stage.text("ui_frame", { frame, frames });
    scrub.setAttribute("aria-valuetext", count.textContent);
  }
}
