// @ts-check
// A landscape of two parameters seen from above.

/** @type {(a: string, b: string, t: number) => number[]} */
function mix(a, b, t) {
  const part = (/** @type {string} */ hex, /** @type {number} */ i) =>
    parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
  return [0, 1, 2].map((i) => Math.round(part(a, i) + (part(b, i) - part(a, i)) * t));
}

// Bands of equal height, dark where it is low.
/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Panel} panel
 * @param {Landscape} landscape
 * @param {Record<string, string>} palette
 * @param {number} ratio
 */
function contours(ctx, panel, { value, lowest, power = 0.45 }, palette, ratio) {
  const { box } = panel;
  const [width, height] = [Math.round(box.w * ratio), Math.round(box.h * ratio)];
  const image = ctx.createImageData(width, height);
  const bands = 16;
  const top = Math.max(...panel.x.flatMap((x) => panel.y.map((y) => value(x, y)))) - lowest;
  const shade = (/** @type {number} */ share) => mix(palette.cool, palette.paper, 0.45 + 0.55 * share);
  const colors = Array.from({ length: bands + 1 }, (_, i) => [...shade(i / bands), 255]);
  const xs = Array.from({ length: width }, (_, i) => panel.value("x", box.x + i / ratio));
  for (let j = 0; j < height; j++) {
    const y = panel.value("y", box.y + j / ratio);
    for (let i = 0; i < width; i++) {
      const above = Math.max(0, value(xs[i], y) - lowest) / top;
      const band = Math.min(bands, Math.floor(bands * above ** power));
      for (let k = 0, at = 4 * (j * width + i); k < 4; k++) image.data[at + k] = colors[band][k];
    }
  }
  ctx.putImageData(image, 0, 0);
}

// Paint value(x, y) under the panel, once per size and key.
/**
 * @param {Stage} stage
 * @param {Panel} panel
 * @param {string} key
 * @param {Landscape} landscape
 */
export function ground(stage, panel, key, landscape) {
  const { box } = panel;
  const name = [key, box.x, box.y, ...panel.x, ...panel.y].join();
  const paint = (/** @type {CanvasRenderingContext2D} */ ctx) =>
    contours(ctx, panel, landscape, stage.palette, stage.ratio);
  stage.ctx.drawImage(stage.picture(name, box.w, box.h, paint), box.x, box.y, box.w, box.h);
}
