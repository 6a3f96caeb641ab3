/* A digit is born from noise, and half a digit is finished, by the denoiser of all levels. */

import { button, choices, make } from "./dom.js";
import { drawInPlace } from "./drawing.js";
import { paintGrey, picture } from "./pictures.js";
import { Generator, randn } from "./random.js";
import { denoised, heun, noiseLevels, question } from "./sampling.js";
import { GRID, LARGEST_SEED } from "./state.js";
import { STRINGS } from "./strings.js";

const STEPS = 18;
const HIGHEST = 10;
const SHOWN = [0, 2, 4, 6, 7, 8, 9, 11, 13, 17];
const HALF = 14 * 28; // the pixels of the upper half

export class Birth {
  constructor(laboratory, root) {
    this.laboratory = laboratory;
    this.root = root;
    this.label = -1;
    this.loadButton = button(STRINGS.loadGenerator, () => this.#load(), { disabled: true });
    this.status = make("p", { class: "lab-hint", role: "status" }, STRINGS.generatorSize);
    this.root.replaceChildren(
      make("div", { class: "lab-board" }, make("section", { class: "lab-card lab-wide" }, this.loadButton, this.status)),
    );
  }

  ready() {
    this.loadButton.disabled = false;
  }

  async #load() {
    this.loadButton.disabled = true;
    try {
      const { session, facts } = this.laboratory;
      await session.open(["multilevel"], facts.bytes, (share) => {
        this.status.textContent = STRINGS.loading(share);
      });
    } catch (error) {
      this.status.textContent = STRINGS.failed(error.message);
      this.loadButton.disabled = false;
      return;
    }
    this.#build();
    this.#bear();
  }

  #build() {
    const options = { [-1]: STRINGS.anyDigit };
    for (let digit = 0; digit < 10; digit++) options[digit] = String(digit);
    const which = choices(STRINGS.which, options, (label) => {
      this.label = Number(label);
      this.#bear();
    });
    which.choose(-1);
    this.seed = make("input", { type: "number", min: 0, max: LARGEST_SEED, value: 1 });
    this.seed.addEventListener("change", () => this.#bear());
    this.frames = SHOWN.map(() => picture("", "lab-picture"));
    const levels = noiseLevels(STEPS, HIGHEST, 0.01);
    const strip = this.frames.map((canvas, i) => {
      const sigma = levels[SHOWN[i]].toPrecision(2).replace(/\.0$/, "");
      canvas.setAttribute("aria-label", STRINGS.bornLevel(sigma));
      return make("figure", {}, canvas, make("figcaption", {}, STRINGS.bornLevel(sigma)));
    });
    this.born = picture(STRINGS.bear, "lab-picture");
    this.status = make("p", { class: "lab-hint", role: "status" });
    const again = button(STRINGS.bear, () => {
      this.seed.value = (Number(this.seed.value) + 1) % (LARGEST_SEED + 1);
      this.#bear();
    });
    const bear = make(
      "section",
      { class: "lab-card lab-wide" },
      which.group,
      make("div", { class: "lab-row" }, again, make("label", { class: "lab-seed" }, STRINGS.seed, this.seed)),
      make("div", { class: "lab-frames" }, ...strip, make("figure", { class: "lab-born" }, this.born)),
      this.status,
    );
    this.root.replaceChildren(make("div", { class: "lab-board" }, bear, this.#buildHalf()));
  }

  #buildHalf() {
    this.given = picture(STRINGS.hidden, "lab-picture");
    this.finished = picture(STRINGS.completed, "lab-picture");
    this.halfNote = make("p", { class: "lab-hint" });
    const show = () => {
      const { strokes } = this.laboratory.image;
      this.halfNote.textContent = strokes ? STRINGS.completeDrawnHint : STRINGS.completeHint;
      paintGrey(this.given, this.#half());
    };
    this.laboratory.listeners.push(show);
    show();
    return make(
      "section",
      { class: "lab-card lab-wide" },
      make("h3", {}, STRINGS.complete),
      this.halfNote,
      make(
        "div",
        { class: "lab-pair" },
        make("figure", {}, this.given, make("figcaption", {}, STRINGS.hidden)),
        make("figure", {}, this.finished, make("figcaption", {}, STRINGS.completed)),
      ),
      button(STRINGS.complete, () => this.#finish(), { class: "lab-button lab-finish" }),
    );
  }

  /** The upper half of the image; the rest is black. */
  #half() {
    const { clean, strokes } = this.laboratory.image;
    const inUnits = strokes?.map((line) => line.map((point) => point.map((x) => x / GRID)));
    const image = Float32Array.from(inUnits ? drawInPlace(inUnits) : clean);
    return image.fill(0, HALF);
  }

  #denoiser(label) {
    const { session, facts } = this.laboratory;
    return async (x, sigma) => {
      const input = question(x, sigma, label, facts.sigma_data);
      const job = { chain: ["multilevel"], input, shape: [1, 12, 28, 28] };
      const [[answer]] = await session.run([job]);
      return denoised(x, sigma, answer, facts.sigma_data);
    };
  }

  #start() {
    const seed = Math.min(LARGEST_SEED, Math.max(0, Math.trunc(Number(this.seed.value) || 0)));
    this.seed.value = seed;
    return randn(new Generator(seed), 784).map((value) => HIGHEST * value);
  }

  async #bear() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const began = performance.now();
    const watch = (_, answer, step) => {
      const place = SHOWN.indexOf(step);
      if (place >= 0 && turn === this.turn) paintGrey(this.frames[place], answer);
    };
    const denoise = this.#denoiser(this.label);
    const image = await heun(denoise, this.#start(), noiseLevels(STEPS, HIGHEST, 0.01), watch);
    if (turn !== this.turn) return;
    paintGrey(this.born, image);
    const ms = Math.round(performance.now() - began);
    this.status.textContent = STRINGS.born(ms);
    this.root.dispatchEvent(new CustomEvent("born", { detail: { image, ms } }));
  }

  /** Keep what is given: in the upper half, the answer is known. */
  async #finish() {
    const known = this.#half();
    const blind = this.#denoiser(this.label);
    const denoise = async (x, sigma) => {
      const answer = await blind(x, sigma);
      answer.set(known.subarray(0, HALF));
      return answer;
    };
    const watch = (_, answer) => paintGrey(this.finished, answer);
    const image = await heun(denoise, this.#start(), noiseLevels(STEPS, HIGHEST, 0.01), watch);
    paintGrey(this.finished, image);
    this.root.dispatchEvent(new CustomEvent("finished", { detail: { image } }));
  }
}
