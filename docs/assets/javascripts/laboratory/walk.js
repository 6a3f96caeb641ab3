/* A walk in the code: from one digit to another, and along one number of it. */

import { make, slider } from "./dom.js";
import { latestWins } from "./latest.js";
import { paintBars, paintGrey, picture } from "./pictures.js";
import { STRINGS } from "./strings.js";

const CODE = 32;

export class Walk {
  constructor(laboratory, root) {
    this.laboratory = laboratory;
    this.from = 4;
    this.to = 14;
    this.share = 0.5;
    this.number = 0;
    this.move = 0;
    this.ask = latestWins(() => this.#decode());
    this.views = Object.fromEntries(
      ["from", "code", "pixels", "to", "moved"].map((name) => [name, picture("", "lab-picture")]),
    );
    this.bars = make("canvas", { width: 320, height: 64, class: "lab-bars lab-dense", role: "img" });
    this.bars.setAttribute("aria-label", STRINGS.code);
    root.replaceChildren(make("div", { class: "lab-board" }, this.#between(), this.#number()));
    this.#paintEnds();
  }

  async ready() {
    const { digits, session } = this.laboratory;
    const input = new Float32Array(digits.length * 784);
    digits.forEach((digit, i) => input.set(digit, i * 784));
    const job = { chain: ["dense-encoder"], input, shape: [digits.length, 784] };
    const [[codes]] = await session.run([job]);
    this.codes = digits.map((_, i) => codes.subarray(i * CODE, (i + 1) * CODE));
    this.spread = Array.from({ length: CODE }, (_, k) => spread(this.codes.map((code) => code[k])));
    this.ask(true);
  }

  #choice(label, key) {
    const { labels } = this.laboratory.facts;
    const select = make(
      "select",
      {},
      ...labels.map((digit, i) => make("option", { value: i }, STRINGS.sample(digit, (i % 2) + 1))),
    );
    select.value = this[key];
    select.addEventListener("change", () => {
      this[key] = Number(select.value);
      this.#paintEnds();
      this.ask(true);
    });
    return make("label", { class: "lab-select" }, label, select);
  }

  #between() {
    const { views } = this;
    const shown = (canvas, text) => make("figure", {}, canvas, make("figcaption", {}, text));
    const { row } = slider({
      name: STRINGS.between,
      min: 0,
      max: 1,
      step: 0.01,
      value: this.share,
      text: (share) => `${Math.round(100 * share)} %`,
      onInput: (share) => {
        this.share = share;
        this.ask(true);
      },
    });
    return make(
      "section",
      { class: "lab-card lab-wide" },
      make("div", { class: "lab-row" }, this.#choice(STRINGS.from, "from"), this.#choice(STRINGS.to, "to")),
      make(
        "div",
        { class: "lab-walk" },
        shown(views.from, STRINGS.from),
        shown(views.code, STRINGS.inCode),
        shown(views.pixels, STRINGS.inPixels),
        shown(views.to, STRINGS.to),
      ),
      row,
    );
  }

  #number() {
    const options = Array.from({ length: CODE }, (_, i) =>
      make("option", { value: i }, STRINGS.numberName(i)),
    );
    const select = make("select", {}, ...options);
    select.addEventListener("change", () => {
      this.number = Number(select.value);
      this.ask(true);
    });
    const { row } = slider({
      name: STRINGS.moveBy,
      min: -4,
      max: 4,
      step: 0.1,
      value: 0,
      text: STRINGS.spreads,
      onInput: (move) => {
        this.move = move;
        this.ask(true);
      },
    });
    return make(
      "section",
      { class: "lab-card lab-wide" },
      make("h3", {}, STRINGS.number),
      make(
        "div",
        { class: "lab-beside" },
        make("figure", {}, this.views.moved),
        make(
          "div",
          {},
          make("label", { class: "lab-select" }, STRINGS.numberOf, select),
          row,
          this.bars,
          make("p", { class: "lab-hint" }, STRINGS.code),
        ),
      ),
    );
  }

  #paintEnds() {
    const { digits, facts } = this.laboratory;
    for (const end of ["from", "to"]) {
      paintGrey(this.views[end], digits[this[end]]);
      const name = STRINGS.sample(facts.labels[this[end]], (this[end] % 2) + 1);
      this.views[end].setAttribute("aria-label", name);
    }
    this.views.code.setAttribute("aria-label", STRINGS.inCode);
    this.views.pixels.setAttribute("aria-label", STRINGS.inPixels);
    this.views.moved.setAttribute("aria-label", STRINGS.number);
  }

  async #decode() {
    if (!this.codes) return;
    const { digits, session } = this.laboratory;
    const [a, b] = [this.codes[this.from], this.codes[this.to]];
    const moved = Float32Array.from(a);
    moved[this.number] += this.move * this.spread[this.number];
    const input = new Float32Array(2 * CODE);
    input.set(mix(a, b, this.share));
    input.set(moved, CODE);
    const [[images]] = await session.run([{ chain: ["dense-decoder"], input, shape: [2, CODE] }]);
    paintGrey(this.views.code, images.subarray(0, 784));
    paintGrey(this.views.moved, images.subarray(784));
    paintGrey(this.views.pixels, mix(digits[this.from], digits[this.to], this.share));
    paintBars(this.bars, moved, 12, getComputedStyle(this.bars).color);
  }
}

function mix(a, b, share) {
  return a.map((value, i) => value + share * (b[i] - value));
}

function spread(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
