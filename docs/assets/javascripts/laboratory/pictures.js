/* Pictures of 28 × 28 on small canvases, which the style sheet makes large. */

import { make } from "./dom.js";

const SIDE = 28;

export function picture(label, className = "") {
  const canvas = make("canvas", { width: SIDE, height: SIDE, role: "img", class: className });
  canvas.setAttribute("aria-label", label);
  return canvas;
}

function paint(canvas, colour) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) image.data.set(colour(i), 4 * i);
  context.putImageData(image, 0, 0);
}

/** White ink on black. */
export function paintGrey(canvas, pixels) {
  paint(canvas, (i) => {
    const grey = 255 * Math.min(1, Math.max(0, pixels[i]));
    return [grey, grey, grey, 255];
  });
}

/** Too bright in orange, too dark in blue, right in nothing at all. */
export function paintResidual(canvas, pixels, clean) {
  paint(canvas, (i) => {
    const error = pixels[i] - clean[i];
    const strength = 255 * Math.min(1, 1.5 * Math.abs(error));
    return error > 0 ? [234, 88, 12, strength] : [59, 130, 246, strength];
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
