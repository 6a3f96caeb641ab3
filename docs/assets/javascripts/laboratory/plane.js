/* The perfect denoiser of points in the plane: dae_tutorial.theory.score.FiniteSet. */

/** The mean of all points, each weighed by how likely it is to lie behind (x, y). */
export function posteriorMean(points, sigma, [x, y]) {
  const exponents = points.map(
    ([a, b]) => -((x - a) ** 2 + (y - b) ** 2) / (2 * sigma * sigma),
  );
  const largest = Math.max(...exponents);
  let [sum, meanX, meanY] = [0, 0, 0];
  points.forEach(([a, b], i) => {
    const weight = Math.exp(exponents[i] - largest);
    sum += weight;
    meanX += weight * a;
    meanY += weight * b;
  });
  return [meanX / sum, meanY / sum];
}

/** Points along a spiral, in [-1, 1] × [-1, 1]. */
export function spiral(count = 60) {
  return Array.from({ length: count }, (_, i) => {
    const turn = 0.6 + (i / (count - 1)) * 3.1 * Math.PI;
    const radius = 0.09 * turn - 0.03;
    return [radius * Math.cos(turn), radius * Math.sin(turn)];
  });
}

/** Where a point goes that is denoised again and again. */
export function follow(points, sigma, start, steps = 40) {
  const path = [start];
  for (let i = 0; i < steps; i++) {
    const [x, y] = path.at(-1);
    const [a, b] = posteriorMean(points, sigma, [x, y]);
    path.push([x + 0.5 * (a - x), y + 0.5 * (b - y)]);
  }
  return path;
}
