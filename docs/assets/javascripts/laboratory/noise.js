/* The four corruptions of dae_tutorial.noise, for one image of 28 × 28.

   What is random is drawn once for a seed; the level is applied to it afterwards. So the
   noise keeps its place while a reader moves the slider. */

import { Generator, rand, randn } from "./random.js";

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;

const clamp = (value) => Math.min(1, Math.max(0, value));

function hideBlock(clean, [down, across], size) {
  const top = down % (SIDE - size + 1);
  const left = across % (SIDE - size + 1);
  return clean.map((value, i) => {
    const row = Math.floor(i / SIDE) - top;
    const column = (i % SIDE) - left;
    const isHidden = row >= 0 && row < size && column >= 0 && column < size;
    return isHidden ? 0 : value;
  });
}

/** By name: the slider's range, what is drawn, how it is applied, and its Python. */
export const KINDS = {
  gaussian: {
    range: { max: 1, step: 0.01, start: 0.5 },
    draw: (generator) => randn(generator, PIXELS),
    apply: (clean, draws, level) =>
      clean.map((value, i) => clamp(value + Math.fround(level) * draws[i])),
    python: "add_gaussian_noise",
  },
  masking: {
    range: { max: 0.95, step: 0.01, start: 0.5 },
    draw: (generator) => rand(generator, PIXELS),
    apply: (clean, draws, level) =>
      clean.map((value, i) => (draws[i] < Math.fround(level) ? 0 : value)),
    python: "add_masking_noise",
  },
  salt: {
    range: { max: 0.6, step: 0.01, start: 0.25 },
    draw: (generator) => rand(generator, PIXELS),
    apply: (clean, draws, level) =>
      clean.map((value, i) => {
        if (draws[i] < Math.fround(level / 2)) return 0;
        return draws[i] < Math.fround(level) ? 1 : value;
      }),
    python: "add_salt_and_pepper_noise",
  },
  blocks: {
    range: { max: 20, step: 1, start: 10 },
    draw: (generator) => [generator.next(), generator.next()],
    apply: hideBlock,
    python: "add_block_occlusion",
  },
};

/** Draw what is random of a kind of noise. */
export function draw(kind, seed) {
  return KINDS[kind].draw(new Generator(seed));
}

/** Return a noisy image, Float32Array of 784, in [0, 1]. */
export function corrupt(clean, kind, level, draws) {
  return KINDS[kind].apply(clean, draws, level);
}

/** Mean squared error, and PSNR in dB; an image without error has no end of dB. */
export function meanSquaredError(image, clean) {
  let sum = 0;
  for (let i = 0; i < clean.length; i++) sum += (image[i] - clean[i]) ** 2;
  return sum / clean.length;
}

export function psnr(image, clean) {
  return -10 * Math.log10(meanSquaredError(image, clean));
}
