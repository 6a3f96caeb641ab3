/* From noise to a digit: dae_tutorial.theory.multilevel and .sampling, for one image. */

/** `noise_levels`: falling levels that lie denser the lower they are. */
export function noiseLevels(count, highest, lowest, bend = 7) {
  const [first, last] = [highest ** (1 / bend), lowest ** (1 / bend)];
  return Array.from(
    { length: count },
    (_, step) => (first + (step / (count - 1)) * (last - first)) ** bend,
  );
}

/** What the network is given: the scaled image, its level, and one channel a class. */
export function question(noisy, sigma, label, sigmaData) {
  const pixels = noisy.length;
  const size = Math.hypot(sigma, sigmaData);
  const told = new Float32Array(12 * pixels);
  for (let i = 0; i < pixels; i++) told[i] = noisy[i] / size;
  told.fill(Math.log(sigma) / 4, pixels, 2 * pixels);
  if (label >= 0) told.fill(1, (2 + label) * pixels, (3 + label) * pixels);
  return told;
}

/** Put the network's answer together with the noisy image: D(x, σ). */
export function denoised(noisy, sigma, answer, sigmaData) {
  const size = Math.hypot(sigma, sigmaData);
  const skip = (sigmaData / size) ** 2;
  const out = (sigma * sigmaData) / size;
  return noisy.map((value, i) => skip * value + out * answer[i]);
}

/** Heun's steps down the probability-flow equation.

    @param denoise - called as `await denoise(x, sigma)`
    @param watch - called with x and the denoiser's answer at each level */
export async function heun(denoise, start, levels, watch = () => {}) {
  let x = start;
  for (let step = 0; step < levels.length; step++) {
    const sigma = levels[step];
    const tau = levels[step + 1] ?? 0;
    const answer = await denoise(x, sigma);
    watch(x, answer, step);
    const slope = x.map((value, i) => (value - answer[i]) / sigma);
    if (tau > 0) {
      const ahead = x.map((value, i) => value + (tau - sigma) * slope[i]);
      const there = await denoise(ahead, tau);
      slope.forEach((value, i) => {
        slope[i] = (value + (ahead[i] - there[i]) / tau) / 2;
      });
    }
    x = x.map((value, i) => value + (tau - sigma) * slope[i]);
  }
  return x;
}
