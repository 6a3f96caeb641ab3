/* PSNR against the level of the noise, one line a model. */

import { LEVELS } from "./curves.js";
import { make, set } from "./dom.js";
import { STRINGS } from "./strings.js";

const MARGIN = { left: 34, right: 8, top: 22, bottom: 24 };
const HEIGHT = 210;

export class Strip {
  /** @param onLevel - called with the level that is clicked, as a share of the range */
  constructor(onLevel) {
    this.svg = make("svg", { class: "lab-strip", role: "img", height: HEIGHT });
    this.frame = make("g");
    this.lines = make("g");
    this.mark = make("line", { class: "lab-mark" });
    this.svg.append(this.frame, this.lines, this.mark);
    this.svg.addEventListener("click", (event) => {
      const box = this.svg.getBoundingClientRect();
      const share = (event.clientX - box.left - MARGIN.left) / this.#span;
      onLevel(Math.min(1, Math.max(0, share)));
    });
    this.width = 0;
    this.curves = {};
    new ResizeObserver(([{ contentRect }]) => {
      this.width = contentRect.width;
      if (this.range) this.show(this.range, this.curves);
    }).observe(this.svg);
  }

  get #span() {
    return Math.max(this.width - MARGIN.left - MARGIN.right, 1);
  }

  #x(share) {
    return MARGIN.left + share * this.#span;
  }

  #y(decibels) {
    const { low, high } = this.scale;
    const share = (Math.min(decibels, high) - low) / (high - low);
    return HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom);
  }

  /** Mark the level of the slider. */
  put(share) {
    this.share = share;
    const x = this.#x(share);
    set(this.mark, { x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom });
  }

  /** Draw curves: by name, PSNR at levels that divide the range evenly.

      @param range - { max, trained, text, name }; `trained` is a level, or null */
  show(range, curves) {
    [this.range, this.curves] = [range, curves];
    const finite = Object.values(curves).flat().filter(Number.isFinite);
    const high = Math.min(32, Math.max(20, Math.ceil(Math.max(...finite, 20) / 4) * 4));
    this.scale = { low: Math.min(4, Math.floor(Math.min(...finite, 4) / 4) * 4), high };
    this.frame.replaceChildren(...this.#axes());
    const lines = Object.entries(curves).map(([name, values]) => {
      const points = values.map((value, i) => [this.#x(i / (LEVELS - 1)), this.#y(value)]);
      return make("polyline", { points: points.join(" "), class: `lab-line lab-${name}` });
    });
    this.lines.replaceChildren(...lines);
    this.svg.setAttribute("aria-label", STRINGS.stripText(range.name, LEVELS));
    this.put(this.share ?? 0);
  }

  #axes() {
    const { low, high } = this.scale;
    const { max, trained, text } = this.range;
    const parts = [];
    for (let decibels = low; decibels <= high; decibels += 4) {
      const y = this.#y(decibels);
      const ends = { x1: MARGIN.left, x2: this.width - MARGIN.right, y1: y, y2: y };
      parts.push(make("line", { ...ends, class: "lab-grid" }));
      parts.push(make("text", { x: MARGIN.left - 6, y: y + 4, class: "lab-end" }, `${decibels}`));
    }
    parts.push(make("text", { x: 2, y: 12 }, "dB"));
    for (const share of [0, 0.5, 1]) {
      const anchor = ["lab-start", "lab-middle", "lab-end"][2 * share];
      const at = { x: this.#x(share), y: HEIGHT - 6, class: anchor };
      parts.push(make("text", at, text(share * max)));
    }
    if (trained !== null) {
      const x = this.#x(trained / max);
      const ends = { x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom };
      parts.push(make("line", { ...ends, class: "lab-trained" }));
      const at = { x, y: 12, class: "lab-middle" };
      parts.push(make("text", at, STRINGS.trainedAt));
    }
    return parts;
  }
}
