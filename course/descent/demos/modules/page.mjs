// @ts-check
// Elements of a page, and numbers as controls need them.

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} attributes names that begin with "on" are listeners
 * @param {...(Node | string | undefined)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== undefined && value !== false && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== undefined));
  return node;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
export function pencil(canvas) {
  const ctx = canvas.getContext("2d");
  if (!ctx) throw new TypeError("canvas");
  return ctx;
}

/** @type {(v: number, low: number, high: number) => number} */
export const clamp = (v, low, high) => Math.max(low, Math.min(high, v));
/** @type {(v: number) => number} */
export const tidy = (v) => Number(v.toPrecision(3));
