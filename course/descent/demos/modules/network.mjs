// @ts-check
// A two-layer network (ReLU, softmax) trained by plain SGD on mini-batches, fast enough to follow
// a slider. Sums run in a fixed order and exp is our own, so that every machine trains the very
// same network, also where training is chaotic.

import { mulberry32 } from "./random.mjs";

/** @typedef {{ inputs: number, w1: Float64Array, b1: Float64Array, w2: Float64Array, b2: Float64Array }} Net */
/** @typedef {{ x: number[], y: number[], inputs: number, classes: number }} Examples */

const bits = new DataView(new ArrayBuffer(8));

// e to the x for x ≤ 0, to about one unit in the last place, of +, − and × alone.
/** @param {number} x */
export function exp(x) {
  if (x < -700) return 0;
  const k = Math.round(x * 1.4426950408889634);
  const r = x - k * 0.6931471803691238 - k * 1.9082149292705877e-10;
  let sum = 1;
  for (let n = 13; n > 0; n--) sum = 1 + (r / n) * sum;
  bits.setUint32(0, (k + 1023) << 20);
  bits.setUint32(4, 0);
  return sum * bits.getFloat64(0);
}

/** @type {(count: number, scale: number, next: () => number) => Float64Array} */
function uniform(count, scale, next) {
  return Float64Array.from({ length: count }, () => scale * (2 * next() - 1));
}

// Fisher and Yates, in place.
/** @type {(order: number[], next: () => number) => void} */
function shuffle(order, next) {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
}

/** @type {(w: Float64Array) => number} */
const norm = (w) => {
  let total = 0;
  for (let i = 0; i < w.length; i++) total += w[i] * w[i];
  return Math.sqrt(total);
};

// Scores of one example into s, hidden units into h.
/** @type {(net: Net, x: Numbers, at: number, h: Float64Array, s: Float64Array) => void} */
export function forward(net, x, at, h, s) {
  const { w1, b1, w2, b2, inputs } = net;
  const [hidden, classes] = [h.length, s.length];
  for (let j = 0; j < hidden; j++) {
    let sum = b1[j];
    for (let d = 0, i = j; d < inputs; d++, i += hidden) sum += x[at + d] * w1[i];
    h[j] = sum > 0 ? sum : 0;
  }
  for (let c = 0; c < classes; c++) {
    let sum = b2[c];
    for (let j = 0, i = c; j < hidden; j++, i += classes) sum += h[j] * w2[i];
    s[c] = sum;
  }
}

// Add one batch's gradients to g and return its summed loss and its right answers.
/**
 * @param {Net} net
 * @param {Omit<Net, "inputs">} g
 * @param {Examples} data
 * @param {number[]} order
 * @param {number} from
 * @param {number} members
 * @param {Record<"h" | "s" | "dh", Float64Array>} room
 */
function backward(net, g, data, order, from, members, room) {
  const { x, y, inputs, classes } = data;
  const { h, s, dh } = room;
  const hidden = h.length;
  const { w1: g1, b1: g1b, w2: g2, b2: g2b } = g;
  const w2 = net.w2;
  let [loss, right] = [0, 0];
  for (let m = 0; m < members; m++) {
    const n = order[from + m];
    const [at, label] = [n * inputs, y[n]];
    forward(net, x, at, h, s);
    let best = 0;
    for (let c = 1; c < classes; c++) if (s[c] > s[best]) best = c;
    if (best === label) right += 1;
    const top = s[best];
    const mine = s[label] - top;
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += s[c] = exp(s[c] - top);
    loss += Math.log(sum) - mine;
    dh.fill(0);
    for (let c = 0; c < classes; c++) {
      const ds = (s[c] / sum - (c === label ? 1 : 0)) / members;
      g2b[c] += ds;
      for (let j = 0, i = c; j < hidden; j++, i += classes) {
        g2[i] += h[j] * ds;
        dh[j] += ds * w2[i];
      }
    }
    for (let j = 0; j < hidden; j++) {
      if (h[j] <= 0) continue;
      const d1 = dh[j];
      g1b[j] += d1;
      for (let d = 0, i = j; d < inputs; d++, i += hidden) g1[i] += x[at + d] * d1;
    }
  }
  return [loss, right];
}

// w ← w − rate (g + decay w); returns the length of the step.
/** @type {(w: Float64Array, g: Float64Array, rate: number, decay: number) => number} */
function descend(w, g, rate, decay) {
  let square = 0;
  for (let i = 0; i < w.length; i++) {
    const step = rate * (g[i] + decay * w[i]);
    w[i] -= step;
    square += step * step;
  }
  return Math.sqrt(square);
}

/**
 * @typedef {object} Setting
 * @property {number} hidden
 * @property {number} epochs
 * @property {number} batch
 * @property {number} rate
 * @property {number} seed
 * @property {number} [scale]
 * @property {number} [decay]
 */

/**
 * @param {Examples} data x is flat
 * @param {Setting} setting
 */
export function train(data, setting) {
  const { y, inputs, classes } = data;
  const { hidden, epochs, batch, rate, seed, scale = 1, decay = 0 } = setting;
  const next = mulberry32(seed);
  const numbers = (/** @type {number} */ count) => new Float64Array(count);
  const net = {
    inputs,
    w1: uniform(inputs * hidden, scale * Math.sqrt(6 / inputs), next),
    b1: numbers(hidden),
    w2: uniform(hidden * classes, scale * Math.sqrt(6 / hidden), next),
    b2: numbers(classes),
  };
  const [w1, w2] = [numbers(net.w1.length), numbers(net.w2.length)];
  const g = { w1, b1: numbers(hidden), w2, b2: numbers(classes) };
  const room = { h: numbers(hidden), s: numbers(classes), dh: numbers(hidden) };
  const order = y.map((_, i) => i);
  /** @type {Record<"loss" | "epochLoss" | "accuracy" | "ratio1" | "ratio2", number[]>} */
  const curves = { loss: [], epochLoss: [], accuracy: [], ratio1: [], ratio2: [] };
  const run = { ...curves, nets: [copy(net)] };
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, next);
    let [total, correct] = [0, 0];
    for (let from = 0; from < order.length; from += batch) {
      const members = Math.min(batch, order.length - from);
      g.w1.fill(0);
      g.b1.fill(0);
      g.w2.fill(0);
      g.b2.fill(0);
      const [loss, right] = backward(net, g, data, order, from, members, room);
      total += loss;
      correct += right;
      run.loss.push(loss / members);
      const [size1, size2] = [norm(net.w1), norm(net.w2)];
      run.ratio1.push(descend(net.w1, g.w1, rate, decay) / size1);
      run.ratio2.push(descend(net.w2, g.w2, rate, decay) / size2);
      descend(net.b1, g.b1, rate, 0);
      descend(net.b2, g.b2, rate, 0);
    }
    run.epochLoss.push(total / order.length);
    run.accuracy.push(correct / order.length);
    run.nets.push(copy(net));
  }
  return run;
}

/** @type {(net: Net) => Net} */
function copy({ inputs, w1, b1, w2, b2 }) {
  return { inputs, w1: w1.slice(), b1: b1.slice(), w2: w2.slice(), b2: b2.slice() };
}
