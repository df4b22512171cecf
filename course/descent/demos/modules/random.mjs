// @ts-check
// Random numbers that come out the same, bit for bit, in every language with IEEE doubles.

// mulberry32 (Tommy Ettinger, public domain): 32 bits of state, uniform on [0, 1).
/** @param {number} seed */
export function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

// Nearly normal: twelve uniforms minus six. Box and Muller's log and cos differ in the last bit
// from one library to the next; sums don't.
/** @param {() => number} uniform */
export function nearlyNormal(uniform) {
  let total = -6;
  for (let i = 0; i < 12; i++) total += uniform();
  return total;
}
