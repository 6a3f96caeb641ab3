/* Drawings and pictures as MNIST's digits are: see dae_tutorial.further.drawings, which
   explains each step. Strokes are turned into pixels here, and never read back from a
   canvas: some browsers falsify what is read. */

const SIDE = 28;
const BOX = 20;
const PEN = 1.3;
const SMALLEST = 0.1;
const INK = 0.2;

const clamp = (value, low = 0, high = 1) => Math.min(high, Math.max(low, value));

/** Turn strokes, lists of [x, y] in a pad of side 1, into Float32Array(784). */
export function drawStrokes(strokes) {
  const lines = strokes.filter((stroke) => stroke.length);
  if (!lines.length) return new Float32Array(SIDE * SIDE);
  const points = lines.flat();
  const [low, high] = [Math.min, Math.max].map((extreme) =>
    [0, 1].map((axis) => extreme(...points.map((point) => point[axis]))),
  );
  const side = Math.max(high[0] - low[0], high[1] - low[1], SMALLEST);
  const scale = (BOX - 2 * PEN) / side;
  const middle = [0, 1].map((axis) => (low[axis] + high[axis]) / 2);
  const fitted = lines.map((line) =>
    line.map((point) => point.map((x, axis) => (x - middle[axis]) * scale + SIDE / 2)),
  );
  const mass = centreOfMass(ink(fitted), SIDE, SIDE);
  const placed = fitted.map((line) =>
    line.map((point) => point.map((x, axis) => x + SIDE / 2 - mass[axis])),
  );
  return Float32Array.from(ink(placed));
}

/** Turn strokes into pixels where they are on the pad, neither scaled nor moved. */
export function drawInPlace(strokes) {
  const lines = strokes.filter((stroke) => stroke.length);
  return Float32Array.from(
    ink(lines.map((line) => line.map((point) => point.map((x) => x * SIDE)))),
  );
}

/** Return the ink of lines given in pixels, Float64Array(784). */
function ink(lines) {
  const image = new Float64Array(SIDE * SIDE);
  for (const line of lines) {
    const last = Math.max(line.length - 1, 1);
    for (let i = 0; i < last; i++) inkSegment(image, line[i], line[i + 1] ?? line[i]);
  }
  return image;
}

function inkSegment(image, [x0, y0], [x1, y1]) {
  const reach = PEN + 0.5;
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = Math.max(dx * dx + dy * dy, 1e-12);
  const bounds = (a, b) => [
    clamp(Math.floor(Math.min(a, b) - reach), 0, SIDE),
    clamp(Math.ceil(Math.max(a, b) + reach), 0, SIDE),
  ];
  const [top, bottom] = bounds(y0, y1);
  const [left, right] = bounds(x0, x1);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const [x, y] = [column + 0.5, row + 0.5];
      const share = clamp(((x - x0) * dx + (y - y0) * dy) / length);
      const distance = Math.sqrt((x - x0 - share * dx) ** 2 + (y - y0 - share * dy) ** 2);
      const i = row * SIDE + column;
      image[i] = Math.max(image[i], clamp(reach - distance));
    }
  }
}

function centreOfMass(image, width, height) {
  let [sum, x, y] = [0, 0, 0];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const value = image[row * width + column];
      sum += value;
      x += value * (column + 0.5);
      y += value * (row + 0.5);
    }
  }
  return [x / sum, y / sum];
}

/** Turn a grey picture in [0, 1], row by row, into Float32Array(784). */
export function fitPicture(picture, width, height) {
  let image = Float64Array.from(picture);
  if (edgeMean(image, width, height) > 0.5) image = image.map((value) => 1 - value);
  let [low, high] = [Infinity, -Infinity];
  for (const value of image) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (!(high - low >= 1 / 255)) return new Float32Array(SIDE * SIDE);
  image = image.map((value) => (value - low) / (high - low));
  image = image.map((value) => (value > INK ? value : 0));
  const box = boxOfInk(image, width, height);
  const small = shrink(image, width, box);
  return inTheMiddle(small);
}

function edgeMean(image, width, height) {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += image[i] + image[(height - 1) * width + i];
  for (let i = 0; i < height; i++) sum += image[i * width] + image[(i + 1) * width - 1];
  return sum / (2 * (width + height));
}

function boxOfInk(image, width, height) {
  const box = { left: width, right: 0, top: height, bottom: 0 };
  image.forEach((value, i) => {
    if (!value) return;
    const [row, column] = [Math.floor(i / width), i % width];
    box.left = Math.min(box.left, column);
    box.right = Math.max(box.right, column + 1);
    box.top = Math.min(box.top, row);
    box.bottom = Math.max(box.bottom, row + 1);
  });
  return box;
}

/** Python's `round`: a half goes to the even side. */
function roundToEven(value) {
  const nearest = Math.round(value);
  return nearest - value === 0.5 && nearest % 2 ? nearest - 1 : nearest;
}

/** Scale the box's longer side to 20 pixels; each is the mean of its area. */
function shrink(image, stride, { left, right, top, bottom }) {
  const [before, across] = [bottom - top, right - left];
  const longer = Math.max(before, across);
  const height = Math.max(1, roundToEven((BOX * before) / longer));
  const width = Math.max(1, roundToEven((BOX * across) / longer));
  const [rows, columns] = [shares(before, height), shares(across, width)];
  const pixels = new Float64Array(width * height);
  rows.forEach((row, y) =>
    columns.forEach((column, x) => {
      for (const [i, down] of row)
        for (const [j, over] of column)
          pixels[y * width + x] += down * over * image[(top + i) * stride + left + j];
    }),
  );
  return { pixels, width, height };
}

/** For each new pixel: the old ones that it covers, and the share of it in each. */
function shares(before, after) {
  return Array.from({ length: after }, (_, i) => {
    const [low, high] = [(i * before) / after, ((i + 1) * before) / after];
    const covered = [];
    for (let old = Math.floor(low); old < Math.min(before, Math.ceil(high)); old++) {
      const length = Math.min(high, old + 1) - Math.max(low, old);
      if (length > 0) covered.push([old, (length * after) / before]);
    }
    return covered;
  });
}

function inTheMiddle({ pixels, width, height }) {
  const [x, y] = centreOfMass(pixels, width, height);
  const image = new Float32Array(SIDE * SIDE);
  const top = clamp(Math.trunc(SIDE / 2 - y + 0.5), 0, SIDE - height);
  const left = clamp(Math.trunc(SIDE / 2 - x + 0.5), 0, SIDE - width);
  for (let row = 0; row < height; row++) {
    const line = pixels.subarray(row * width, (row + 1) * width);
    image.set(line, (top + row) * SIDE + left);
  }
  return image;
}
