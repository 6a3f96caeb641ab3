/* The laboratory computes what Python computes; run by test_in_node.py. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

const here = "../../docs/assets/javascripts/laboratory/";
const load = (name) => import(new URL(here + name, import.meta.url));
const { drawStrokes, fitPicture } = await load("drawing.js");
const { KINDS, corrupt, draw, psnr } = await load("noise.js");
const { follow, posteriorMean, spiral } = await load("plane.js");
const { Generator, rand, randn } = await load("random.js");
const { denoised, heun, noiseLevels, question } = await load("sampling.js");
const { LARGEST_SEED, MOST_POINTS, format, parse, sane, DEFAULT } = await load("state.js");
const { latestWins } = await load("latest.js");

const golden = JSON.parse(readFileSync(process.env.GOLDEN));
const FILES = process.env.LABORATORY;

function assertClose(found, wanted, tolerance, what = "") {
  assert.equal(found.length, wanted.length, what);
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) {
    const gap = Math.abs(found[i] - wanted[i]);
    worst = gap <= worst ? worst : gap; // NaN counts as worst
  }
  assert.ok(worst <= tolerance, `${what}: ${worst} > ${tolerance}`);
}

describe("random numbers are PyTorch's", () => {
  test("uniform", () => {
    assertClose(rand(new Generator(7), 784), golden.uniform, 0);
  });
  test("normal, to the precision of float32", () => {
    assertClose(randn(new Generator(7), 784), golden.normal, 1e-5);
  });
  test("a count that PyTorch would draw in another way is refused", () => {
    assert.throws(() => randn(new Generator(0), 17), RangeError);
  });
});

test("each noise is the package's, at each level and seed", () => {
  const clean = Float32Array.from(golden.clean);
  assert.equal(golden.noises.length, 52);
  for (const { kind, level, seed, noisy } of golden.noises) {
    const found = corrupt(clean, kind, level, draw(kind, seed));
    // What is drawn for Gaussian noise differs in the last bits, see above.
    const tolerance = kind === "gaussian" ? 1e-5 : 1e-7;
    assertClose(found, noisy, tolerance, `${kind} ${level} seed ${seed}`);
  }
});

test("strokes and pictures become the same images", () => {
  for (const { strokes, drawn } of golden.drawings)
    assertClose(drawStrokes(strokes), drawn, 1e-6);
  for (const { grey, width, height, fitted } of golden.pictures)
    assertClose(fitPicture(grey, width, height), fitted, 1e-6, `${width} × ${height}`);
});

test("the perfect denoiser of the plane is the same", () => {
  const { points, places, sigmas, means } = golden.plane;
  sigmas.forEach((sigma, i) =>
    places.forEach((place, j) =>
      assertClose(posteriorMean(points, sigma, place), means[i][j], 1e-9),
    ),
  );
  const points_ = spiral();
  assert.ok(points_.flat().every((x) => Math.abs(x) <= 1));
  const end = follow(points_, 0.1, [0.9, -0.8]).at(-1);
  const distance = Math.min(...points_.map(([x, y]) => Math.hypot(x - end[0], y - end[1])));
  assert.ok(distance < 0.1, "arrows lead to the curve");
});

describe("models", async () => {
  const ort = await import("onnxruntime-web/wasm");
  ort.env.wasm.numThreads = 1;
  const sessions = {};
  for (const { name } of golden.models)
    sessions[name] = await ort.InferenceSession.create(readFileSync(`${FILES}/${name}.onnx`));

  async function run(name, input, shape) {
    const tensor = new ort.Tensor("float32", Float32Array.from(input), shape);
    return (await sessions[name].run({ input: tensor })).output.data;
  }

  test("each gives what it gives in Python", async () => {
    for (const { name, shape, input, output } of golden.models)
      assertClose(await run(name, input, shape), output, 1e-4, name);
  });

  test("a seed gives birth to the same digit", async () => {
    const { sigma_data, label, levels, start, born } = golden.birth;
    assertClose(noiseLevels(18, 10, 0.01), levels, 1e-9);
    const noise = randn(new Generator(5), 784).map((value) => 10 * value);
    assertClose(noise, start, 1e-4);
    const denoise = async (x, sigma) => {
      const told = question(x, sigma, label, sigma_data);
      const answer = await run("multilevel", told, [1, 12, 28, 28]);
      return denoised(x, sigma, answer, sigma_data);
    };
    assertClose(await heun(denoise, noise, levels), born, 1e-3);
  });
});

describe("the address", () => {
  const drawn = { ...DEFAULT, strokes: [[[0, 1000], [512, 3]], [[7, 7]]] };

  test("holds the state", () => {
    for (const kind of Object.keys(KINDS)) {
      const state = sane({ ...DEFAULT, digit: 3, kind, level: 0.5, seed: 12 });
      assert.deepEqual(parse(format(state)), state);
    }
    assert.deepEqual(parse(format(drawn)), sane(drawn));
    assert.match(format(drawn), /^[\w.-]+$/);
  });

  test("is short", () => {
    const stroke = Array.from({ length: 900 }, (_, i) => [i, i]);
    const word = format({ ...DEFAULT, strokes: [stroke] });
    assert.ok(word.length < 4 * MOST_POINTS + 40);
  });

  test("of another version or of nobody is the start", () => {
    for (const word of [null, "", "2.d3.gaussian.50.7", "%%%", "<script>", "1"])
      assert.deepEqual(parse(word), sane(DEFAULT));
  });

  test("of an enemy gives nothing that is out of range", () => {
    const generator = new Generator(0);
    const pieces = ["1", ".", "d", "s", "gaussian", "masking", "blocks", "__proto__", "50"];
    pieces.push("-1", "NaN", "1e9", "999999", "AA", "AB", "__", "<b>", "%00", "٣", "..");
    for (let i = 0; i < 1500; i++) {
      const length = generator.next() % 12;
      const word = Array.from(
        { length },
        () => pieces[generator.next() % pieces.length],
      ).join(i % 2 ? "." : "");
      for (const address of [word, `1.${word}`, `1.s${word}.gaussian.50.1`]) {
        const state = parse(address);
        assert.deepEqual(sane(state), state, address);
        assert.ok(Object.hasOwn(KINDS, state.kind));
        assert.ok(state.level >= 0 && state.level <= KINDS[state.kind].range.max);
        assert.ok(state.seed >= 0 && state.seed <= LARGEST_SEED);
        assert.ok((state.strokes ?? []).flat(2).every((x) => x >= 0 && x <= 1000));
        assert.doesNotThrow(() => draw(state.kind, state.seed));
      }
    }
  });
});

test("an image without error has no end of decibels", () => {
  const image = Float32Array.of(0.1, 0.2);
  assert.equal(psnr(image, image), Infinity);
  assert.equal(psnr(Float32Array.of(0, 0), Float32Array.of(0.1, 0.1)).toFixed(3), "20.000");
});

test("the latest wish wins", async () => {
  const done = [];
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  const ask = latestWins(async (wish) => {
    await gate;
    done.push(wish);
  });
  [1, 2, 3, 4].forEach(ask);
  release();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(done, [1, 4]);
});
