/* What the address says: which image, which noise, how much, which seed.

   One word such as "1.d3.gaussian.50.7": the version, a digit's place or the strokes,
   the kind of noise, the level in hundredths, the seed. Whatever an address says, what
   comes out here is in range. */

import { KINDS } from "./noise.js";

export const DIGITS = 20;
export const MOST_STROKES = 40;
export const MOST_POINTS = 400;
export const LARGEST_SEED = 9999;
export const GRID = 1000; // places of a point along each side of the pad

const VERSION = "1";
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export const DEFAULT = Object.freeze({
  digit: 7,
  strokes: null, // lists of [x, y], whole numbers from 0 to GRID; or null: a digit
  kind: "gaussian",
  level: 0.5,
  seed: 1,
});

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Return a state like this one whose every part is allowed. */
export function sane({ digit, strokes, kind, level, seed }) {
  const known = Object.hasOwn(KINDS, kind) ? kind : DEFAULT.kind;
  const { max, step, start } = KINDS[known].range;
  const number = (value, otherwise) => (Number.isFinite(value) ? value : otherwise);
  const steps = Math.round(clamp(number(level, start), 0, max) / step);
  return {
    digit: clamp(Math.trunc(number(digit, DEFAULT.digit)), 0, DIGITS - 1),
    strokes: strokes && saneStrokes(strokes),
    kind: known,
    level: Number((steps * step).toFixed(2)),
    seed: clamp(Math.trunc(number(seed, DEFAULT.seed)), 0, LARGEST_SEED),
  };
}

function saneStrokes(strokes) {
  let left = MOST_POINTS;
  return strokes.slice(0, MOST_STROKES).flatMap((stroke) => {
    const points = stroke.slice(0, left);
    left -= points.length;
    const whole = points.map((point) => point.map((x) => clamp(Math.round(x) || 0, 0, GRID)));
    return whole.length ? [whole] : [];
  });
}

/** Write a state as one word. */
export function format(state) {
  const { digit, strokes, kind, level, seed } = sane(state);
  const image = strokes ? `s${encode(strokes)}` : `d${digit}`;
  const hundredths = Math.round(level * 100);
  return [VERSION, image, kind, hundredths, seed].join(".");
}

/** Read a word; what is missing or makes no sense is as at the start. */
export function parse(word) {
  const [version, image = "", kind, level, seed] = String(word ?? "").split(".");
  if (version !== VERSION) return sane(DEFAULT);
  const whole = (text) => (/^\d{1,6}$/.test(text ?? "") ? Number(text) : NaN);
  return sane({
    digit: image[0] === "d" ? whole(image.slice(1)) : NaN,
    strokes: image[0] === "s" ? decode(image.slice(1)) : null,
    kind,
    level: whole(level) / 100,
    seed: whole(seed),
  });
}

/** Two letters a number: how many points, then x and y of each, stroke by stroke. */
function encode(strokes) {
  const numbers = strokes.flatMap((stroke) => [stroke.length, ...stroke.flat()]);
  return numbers.map((n) => ALPHABET[n >> 6] + ALPHABET[n & 63]).join("");
}

function decode(text) {
  if (!/^([\w-]{2}){0,900}$/.test(text)) return null;
  const numbers = (text.match(/../g) ?? []).map(
    ([a, b]) => ALPHABET.indexOf(a) * 64 + ALPHABET.indexOf(b),
  );
  const strokes = [];
  while (numbers.length) {
    const [count] = numbers.splice(0, 1);
    const flat = numbers.splice(0, 2 * count);
    if (flat.length < 2 * count || !count) return null;
    strokes.push(flat.flatMap((x, i) => (i % 2 ? [] : [[x, flat[i + 1]]])));
  }
  return strokes;
}
