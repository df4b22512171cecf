// @ts-check
// The same number of trials on a grid and at random, when one parameter matters more.

import { mulberry32 } from "./random.mjs";

/** @typedef {{ grid: Run, random: Run, peak: number, other: number, side: number }} Duel */
/** @typedef {{ x: number[], y: number[], scores: number[], best: number }} Run */
/** @typedef {{ trials: number, share: number, seed: number }} Params */
/** @typedef {{ draws: number }} Data */

/** @type {(at: number, centre: number, width: number) => number} */
const bump = (at, centre, width) => Math.exp(-((at - centre) * (at - centre)) / (2 * width * width));

// The important parameter decides 1 − share of the score, the other the rest.
/** @type {(trials: number, share: number, uniform: () => number) => Duel} */
function duel(trials, share, uniform) {
  const [peak, other] = [0.1 + 0.8 * uniform(), 0.1 + 0.8 * uniform()];
  const side = Math.round(Math.sqrt(trials));
  /** @type {(xs: number[], ys: number[]) => Run} */
  const run = (xs, ys) => {
    const scores = xs.map((x, i) => (1 - share) * bump(x, peak, 0.09) + share * bump(ys[i], other, 0.3));
    return { x: xs, y: ys, scores, best: Math.max(...scores) };
  };
  const places = Array.from({ length: trials }, (_, i) => i);
  const grid = run(
    places.map((i) => ((i % side) + 0.5) / side),
    places.map((i) => (Math.floor(i / side) + 0.5) / side),
  );
  const random = run(
    places.map(() => uniform()),
    places.map(() => uniform()),
  );
  return { grid, random, peak, other, side };
}

/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate({ trials, share, seed }, { draws }) {
  const uniform = mulberry32(seed);
  const first = duel(trials, share, uniform);
  let wins = first.random.best > first.grid.best ? 1 : 0;
  for (let k = 1; k < draws; k++) {
    const { grid, random } = duel(trials, share, uniform);
    if (random.best > grid.best) wins += 1;
  }
  return { ...first, wins: wins / draws };
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 */
export function draw(stage, result, params) {
  const rects = stage.columns([1, 1], 36);
  const { share } = params;
  /** @type {["grid", "random"]} */
  const names = ["grid", "random"];
  names.forEach((name, k) => {
    const rect = rects[k];
    const run = result[name];
    const share1 = 0.34;
    const top = { x: rect.x, y: rect.y, w: rect.w, h: rect.h * share1 };
    const below = { x: rect.x, y: rect.y + rect.h * share1 + 4, w: rect.w, h: rect.h * (1 - share1) - 4 };
    /** @type {Tick[]} */
    const blank = [
      [0, " "],
      [0.5, "  "],
      [1, " "],
    ];
    const curve = stage.panel({
      rect: top,
      x: [0, 1],
      y: [0, 1.12],
      ticksX: false,
      ticksY: blank,
      labelY: stage.text(name, { best: run.best.toFixed(2) }),
    });
    curve.axes({ grid: false });
    const xs = Array.from({ length: 101 }, (_, i) => i / 100);
    const bump1 = (/** @type {number} */ x) => bump(x, result.peak, 0.09);
    curve.line(xs, xs.map(bump1), { color: "muted", width: 2 });
    for (const x of new Set(run.x)) curve.line([x, x], [0, bump1(x)], { series: k, dash: [], width: 1.5 });
    curve.dots(run.x, run.x.map(bump1), k, 4.5);
    const map = stage.panel({
      rect: below,
      x: [0, 1],
      y: [0, 1],
      ticksX: false,
      ticksY: blank,
      labelX: stage.text("axis_important"),
    });
    const key = ["score", result.peak, result.other, share].join();
    const sheet = stage.picture(key, 48 / stage.ratio, 48 / stage.ratio, (ctx) => {
      const image = ctx.createImageData(48, 48);
      const color = [1, 3, 5].map((i) => parseInt(stage.palette.cool.slice(i, i + 2), 16));
      for (let j = 0; j < 48; j++) {
        for (let i = 0; i < 48; i++) {
          const score =
            (1 - share) * bump1((i + 0.5) / 48) + share * bump(1 - (j + 0.5) / 48, result.other, 0.3);
          image.data.set([...color, 150 * score], 4 * (j * 48 + i));
        }
      }
      ctx.putImageData(image, 0, 0);
    });
    map.inside((ctx) => ctx.drawImage(sheet, map.box.x, map.box.y, map.box.w, map.box.h));
    map.axes({ grid: false });
    map.dots(run.x, run.y, k, 5);
    const best = run.scores.indexOf(run.best);
    map.pen({ color: "ink", width: 2 }, (ctx) => {
      ctx.beginPath();
      ctx.arc(map.px(run.x[best]), map.py(run.y[best]), 10, 0, 2 * Math.PI);
      ctx.stroke();
    });
    stage.ctx.save();
    stage.ctx.font = "14px " + stage.font;
    stage.ctx.fillStyle = stage.palette.ink;
    stage.ctx.textAlign = "center";
    stage.ctx.translate(rect.x + 5, map.box.y + map.box.h / 2);
    stage.ctx.rotate(-Math.PI / 2);
    stage.ctx.fillText(stage.text("axis_other"), 0, 5);
    stage.ctx.restore();
  });
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 * @returns {Sentence[]}
 */
export function summary({ grid, random, side, wins }, { trials }, { draws }) {
  const counts = { trials: String(trials), side: String(side) };
  return [
    ["says", counts],
    [
      "wins",
      {
        grid: grid.best.toFixed(2),
        random: random.best.toFixed(2),
        wins: String(Math.round(100 * wins)),
        draws: String(draws),
      },
    ],
  ];
}
