/* One model's answer: the picture, what is wrong with it, its score, its code. */

import { make, say } from "./dom.js";
import { psnr } from "./noise.js";
import { paintBars, paintGrey, paintNothing, paintResidual, picture } from "./pictures.js";
import { STRINGS } from "./strings.js";

const LARGEST = { clean: 10, dense: 6, conv: 10 }; // numbers of a code, as bars

export class Tile {
  constructor(name) {
    this.name = name;
    this.answer = picture(STRINGS.models[name], "lab-picture");
    this.wrong = picture(STRINGS.residual, "lab-picture lab-residual");
    this.score = make("strong", {});
    this.gain = make("span", { class: "lab-gain" });
    const hasCode = name !== "unet";
    this.bars = make("canvas", { width: 256, height: 48, class: "lab-bars", role: "img" });
    this.bars.setAttribute("aria-label", STRINGS.code);
    this.figure = make(
      "figure",
      { class: `lab-tile lab-${name}` },
      make("figcaption", {}, make("i", { class: "lab-swatch" }), STRINGS.models[name]),
      make("div", { class: "lab-pictures" }, this.answer, this.wrong),
      make("p", { class: "lab-numbers" }, this.score, " ", this.gain),
      hasCode ? this.bars : make("p", { class: "lab-nocode" }, STRINGS.noCode),
    );
  }

  show(outputs, clean, noisy) {
    const answer = outputs.at(-1);
    paintGrey(this.answer, answer);
    paintResidual(this.wrong, answer, clean);
    const [score, nothing] = [psnr(answer, clean), psnr(noisy, clean)];
    const text = STRINGS.decibels(score);
    say(this.score, text);
    this.answer.setAttribute("aria-label", STRINGS.picture(STRINGS.models[this.name], text));
    const gain = score - nothing;
    say(this.gain, Number.isFinite(gain) ? STRINGS.gain(gain) : "");
    this.gain.classList.toggle("is-worse", gain < 0);
    if (outputs.length < 2) return;
    this.colour ??= getComputedStyle(this.bars).color;
    paintBars(this.bars, outputs[0], LARGEST[this.name], this.colour);
  }

  clear() {
    for (const canvas of [this.answer, this.wrong, this.bars]) paintNothing(canvas);
    for (const text of [this.score, this.gain]) say(text, "");
  }
}
