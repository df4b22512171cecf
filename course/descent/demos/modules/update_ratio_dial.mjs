// @ts-check
// The size of an update beside the size of what it updates, on a dial and over time.

import { train } from "./network.mjs";

/** @typedef {{ rate: number, scale: number, seed: number }} Params */
/** @typedef {import("./network.mjs").Examples & { hidden: number, epochs: number, batch: number }} Data */

/** @type {(values: number[]) => number} */
const middle = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate(params, data) {
  const run = train(data, {
    hidden: data.hidden,
    epochs: data.epochs,
    batch: data.batch,
    seed: params.seed,
    rate: params.rate,
    scale: params.scale,
  });
  const last = (/** @type {number[]} */ values) =>
    middle(values.slice(-Math.ceil(data.y.length / data.batch)));
  return {
    ratio1: run.ratio1,
    ratio2: run.ratio2,
    now: [last(run.ratio1), last(run.ratio2)],
    loss: run.epochLoss,
  };
}

const [LOW, HIGH] = [1e-6, 1];
/** @type {[number, number, string][]} */
const ZONES = [
  [1e-6, 1e-5, "bad"],
  [1e-5, 2e-4, "fair"],
  [2e-4, 5e-3, "good"],
  [5e-3, 5e-2, "fair"],
  [5e-2, 1, "bad"],
];

/** @type {(stage: Stage, rect: Rect, now: number[]) => void} */
function dial(stage, rect, now) {
  const { ctx, palette } = stage;
  const radius = Math.min(rect.w / 2 - 52, rect.h - 84);
  const [x, y] = [rect.x + rect.w / 2, rect.y + 64 + radius];
  const angle = (/** @type {number} */ v) =>
    Math.PI + Math.PI * Math.max(0.005, Math.min(0.995, Math.log(v / LOW) / Math.log(HIGH / LOW)));
  ctx.save();
  ctx.font = "14px " + stage.font;
  ctx.textBaseline = "middle";
  ctx.fillStyle = palette.ink;
  ctx.fillText(stage.text("dial"), rect.x, rect.y + 10);
  ctx.lineWidth = 20;
  for (const [from, to, color] of ZONES) {
    ctx.strokeStyle = palette[color];
    ctx.globalAlpha = color === "good" ? 0.9 : 0.4;
    ctx.beginPath();
    ctx.arc(x, y, radius, angle(from) + 0.01, angle(to) - 0.01);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  ctx.textAlign = "center";
  ctx.fillStyle = palette.muted;
  for (let e = -6; e <= 0; e++) {
    const a = angle(10 ** e);
    ctx.fillText(
      e ? stage.powerOfTen(e) : "1",
      x + Math.cos(a) * (radius + 28),
      y + Math.sin(a) * (radius + 24) - (e === -6 || e === 0 ? 6 : 0),
    );
  }
  now.forEach((value, k) => {
    const a = angle(value || LOW);
    ctx.strokeStyle = ctx.fillStyle = palette["s" + k];
    ctx.lineWidth = 4;
    ctx.setLineDash(k ? [9, 4] : []);
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + Math.cos(a) * (radius - 4), y + Math.sin(a) * (radius - 4));
    ctx.stroke();
  });
  ctx.setLineDash([]);
  ctx.fillStyle = palette.ink;
  ctx.beginPath();
  ctx.arc(x, y, 7, 0, 2 * Math.PI);
  ctx.fill();
  ctx.restore();
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 */
export function draw(stage, { ratio1, ratio2, now }) {
  const [left, right] = stage.columns([1, 1.2]);
  dial(stage, left, now);
  const updates = ratio1.map((_, i) => i + 1);
  const panel = stage
    .panel({
      rect: right,
      x: [0, updates.length],
      y: [LOW, 10],
      logY: true,
      labelX: stage.text("axis_update"),
      labelY: stage.text("axis_ratio"),
      legend: [
        { label: stage.text("first"), style: { series: 0, only: "line" } },
        { label: stage.text("second"), style: { series: 1, only: "line" } },
      ],
    })
    .axes();
  panel.shade(0, updates.length, 2e-4, 5e-3, "good", 0.15);
  panel.rule("y", 1e-3, { color: "good", width: 2 });
  panel.note(stage.text("rule"), 0, 1e-3, { color: "good", dx: 6, dy: -11 });
  panel.line(updates, ratio1, 0).line(updates, ratio2, 1);
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @returns {Sentence[]}
 */
export function summary({ now, loss }, params) {
  const worst = now
    .map((v) => Math.abs(Math.log10(v / 1e-3)))
    .indexOf(Math.max(...now.map((v) => Math.abs(Math.log10(v / 1e-3)))));
  const key = now[worst] < 2e-4 ? "low" : now[worst] > 5e-3 ? "high" : "fine";
  return [
    ["says", { first: now[0], second: now[1] }],
    [key, { from: loss[0], to: loss[loss.length - 1] }],
  ];
}
