/* Two dimensions: arrows from each place to where the perfect denoiser moves it. */

import { make, say, set, slider } from "./dom.js";
import { follow, posteriorMean, spiral } from "./plane.js";
import { STRINGS } from "./strings.js";

const GRID = 17;
const HALF = 1.15; // the picture shows the square from -HALF to HALF
const POINTS = spiral();

const places = Array.from({ length: GRID * GRID }, (_, i) =>
  [i % GRID, Math.floor(i / GRID)].map((k) => (2 * HALF * 0.95 * k) / (GRID - 1) - HALF * 0.95),
);

export class PlaneView {
  constructor(_laboratory, root) {
    this.sigma = 0.2;
    this.start = [0.75, -0.8];
    this.arrows = places.map(() => make("path", { class: "lab-arrow" }));
    this.path = make("polyline", { class: "lab-path" });
    this.end = make("circle", { r: 0.03, class: "lab-dropped" });
    this.svg = make(
      "svg",
      { viewBox: `${-HALF} ${-HALF} ${2 * HALF} ${2 * HALF}`, class: "lab-plane", role: "img" },
      make(
        "g",
        { transform: "scale(1, -1)" }, // y goes up
        ...this.arrows,
        ...POINTS.map(([cx, cy]) => make("circle", { cx, cy, r: 0.016, class: "lab-point" })),
        this.path,
        this.end,
      ),
    );
    this.svg.setAttribute("aria-label", STRINGS.plane);
    this.svg.addEventListener("click", (event) => this.#drop(event));
    this.score = make("p", { class: "lab-hint", role: "status" });
    const { row } = slider({
      name: STRINGS.noiseOfPlane,
      min: 0.03,
      max: 0.8,
      step: 0.01,
      value: this.sigma,
      text: (sigma) => `σ = ${sigma.toFixed(2)}`,
      onInput: (sigma) => {
        this.sigma = sigma;
        this.#show();
      },
    });
    const axis = (name, i) =>
      slider({
        name,
        min: -1,
        max: 1,
        step: 0.05,
        value: this.start[i],
        text: (x) => x.toFixed(2),
        onInput: (x) => {
          this.start = this.start.with(i, x);
          this.#show();
        },
      });
    this.axes = [axis("x", 0), axis("y", 1)];
    const controls = make(
      "div",
      {},
      make("p", { class: "lab-hint" }, STRINGS.plane),
      row,
      make("p", { class: "lab-hint" }, STRINGS.drop),
      this.axes[0].row,
      this.axes[1].row,
      this.score,
    );
    const card = make("section", { class: "lab-card lab-wide lab-beside" }, this.svg, controls);
    root.replaceChildren(make("div", { class: "lab-board" }, card));
    this.#show();
  }

  #drop(event) {
    const box = this.svg.getBoundingClientRect();
    this.start = [
      (2 * HALF * (event.clientX - box.left)) / box.width - HALF,
      HALF - (2 * HALF * (event.clientY - box.top)) / box.height,
    ];
    this.axes.forEach((one, i) => one.put({ min: -1, max: 1, step: 0.05, value: this.start[i] }));
    this.#show();
  }

  #show() {
    places.forEach(([x, y], i) => {
      const [a, b] = posteriorMean(POINTS, this.sigma, [x, y]);
      const length = Math.hypot(a - x, b - y);
      const scale = Math.min(1, 0.13 / length); // longer arrows would lie on each other
      set(this.arrows[i], { d: arrow(x, y, (a - x) * scale, (b - y) * scale) });
    });
    const path = follow(POINTS, this.sigma, this.start);
    set(this.path, { points: path.join(" ") });
    const [cx, cy] = path.at(-1);
    set(this.end, { cx, cy });
    const [a, b] = posteriorMean(POINTS, this.sigma, this.start);
    const pull = Math.hypot(a - this.start[0], b - this.start[1]) / this.sigma ** 2;
    say(this.score, STRINGS.score(pull.toFixed(1)));
  }
}

/** A line with a head of two short strokes. */
function arrow(x, y, dx, dy) {
  const [tipX, tipY] = [x + dx, y + dy];
  const head = (turn) => {
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    return [tipX - 0.35 * (dx * cos - dy * sin), tipY - 0.35 * (dx * sin + dy * cos)];
  };
  const lines = [[x, y], [tipX, tipY], head(0.5), [tipX, tipY], head(-0.5)];
  return `M${lines.map((point) => point.map((value) => value.toFixed(3))).join("L")}`;
}
