/* PSNR at every level: all models, on one image and one draw of the noise. */

import { KINDS, PIXELS, corrupt, psnr } from "./noise.js";
import { CHAINS, denoising } from "./session.js";

export const LEVELS = 17;
const BATCH = { clean: 17, dense: 17, conv: 6, unet: 3 }; // so that no run takes long

/** Return PSNR by model, at levels that divide the range evenly.

    The reader's next wish waits for one short run at most; then `isOld()` is true, and
    nothing is returned. */
export async function psnrCurves(session, { clean, kind, draws }, isOld) {
  const { max, step } = KINDS[kind].range;
  const images = Array.from({ length: LEVELS }, (_, i) => {
    const level = (i / (LEVELS - 1)) * max;
    return corrupt(clean, kind, step === 1 ? Math.round(level) : level, draws);
  });
  const curves = { nothing: images.map((image) => psnr(image, clean)) };
  for (const name of Object.keys(CHAINS)) {
    curves[name] = [];
    for (let i = 0; i < LEVELS; i += BATCH[name]) {
      const answers = await denoiseAll(session, name, images.slice(i, i + BATCH[name]));
      if (isOld()) return null;
      curves[name].push(...answers.map((answer) => psnr(answer, clean)));
    }
  }
  return curves;
}

async function denoiseAll(session, name, images) {
  const input = new Float32Array(images.length * PIXELS);
  images.forEach((image, i) => input.set(image, i * PIXELS));
  const [outputs] = await session.run([denoising(name, input, images.length)]);
  const answers = outputs.at(-1);
  return images.map((_, i) => answers.subarray(i * PIXELS, (i + 1) * PIXELS));
}
