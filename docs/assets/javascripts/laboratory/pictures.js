/* Pictures of 28 × 28 on small canvases, which the style sheet makes large. */

import { make } from "./dom.js";

const SIDE = 28;

export function picture(label, className = "") {
  const canvas = make("canvas", { width: SIDE, height: SIDE, role: "img", class: className });
  canvas.setAttribute("aria-label", label);
  return canvas;
}

const images = new WeakMap(); // a canvas's pixels, made once: they change at each move

/** Fill a canvas; `colour(i, data, at)` writes four bytes. */
function paint(canvas, colour) {
  const context = canvas.getContext("2d");
  if (!images.has(canvas)) images.set(canvas, context.createImageData(SIDE, SIDE));
  const image = images.get(canvas);
  for (let i = 0; i < SIDE * SIDE; i++) colour(i, image.data, 4 * i);
  context.putImageData(image, 0, 0);
}

/** White ink on black. */
export function paintGrey(canvas, pixels) {
  paint(canvas, (i, data, at) => {
    data[at] = data[at + 1] = data[at + 2] = 255 * pixels[i]; // it is cut to 0 … 255
    data[at + 3] = 255;
  });
}

const TOO_BRIGHT = [234, 88, 12];
const TOO_DARK = [59, 130, 246];

/** Too bright in orange, too dark in blue, right in nothing at all. */
export function paintResidual(canvas, pixels, clean) {
  paint(canvas, (i, data, at) => {
    const error = pixels[i] - clean[i];
    const colour = error > 0 ? TOO_BRIGHT : TOO_DARK;
    for (let k = 0; k < 3; k++) data[at + k] = colour[k];
    data[at + 3] = 255 * 1.5 * Math.abs(error);
  });
}

export function paintNothing(canvas) {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}

/** A code as bars up and down from the middle. */
export function paintBars(canvas, code, largest, colour) {
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  context.fillStyle = colour;
  const step = width / code.length;
  code.forEach((value, i) => {
    const bar = (Math.max(-1, Math.min(1, value / largest)) * height) / 2;
    context.fillRect(i * step + 0.5, height / 2 - Math.max(bar, 0), step - 1, Math.abs(bar) || 1);
  });
}
