/* The drawing pad: strokes by mouse, finger, pen or keyboard.

   It keeps points in whole thousandths of its side, so a resize or a turned telephone
   moves nothing, and what is seen is what the address and Python are told. */

import { button, make, set } from "./dom.js";
import { GRID, MOST_POINTS, MOST_STROKES } from "./state.js";
import { STRINGS } from "./strings.js";

const RUBBER = 60; // reach of the eraser, in thousandths
const STEP = 40; // of an arrow key; with Shift, a quarter
const TOLERANCE = 5; // how far a dropped point may lie from the line
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const clamp = (value) => Math.min(GRID, Math.max(0, Math.round(value)));

export class Pad {
  #strokes = [];
  #past = [];
  #open = null; // the stroke that is being drawn
  #pointer = null;
  #pen = { at: [500, 500], isDown: false };
  #isErasing = false;

  /** @param onChange - called with all strokes after each change */
  constructor(onChange) {
    this.onChange = onChange;
    this.lines = make("g");
    this.cursor = make("circle", { r: 34, class: "lab-cursor" });
    this.surface = make(
      "svg",
      { viewBox: `0 0 ${GRID} ${GRID}`, class: "lab-pad", tabindex: 0, role: "application" },
      make("rect", { x: 143, y: 143, width: 714, height: 714, class: "lab-guide" }),
      make("line", { x1: 143, x2: 857, y1: 500, y2: 500, class: "lab-guide" }),
      this.lines,
      this.cursor,
    );
    this.surface.setAttribute("aria-label", STRINGS.pad);
    this.#listen();
    this.undoButton = button(STRINGS.undo, () => this.undo());
    this.eraseButton = button(STRINGS.erase, () => this.#toggleEraser());
    this.eraseButton.setAttribute("aria-pressed", "false");
    this.clearButton = button(STRINGS.clear, () => this.#change([]));
    this.tools = make(
      "div",
      { class: "lab-row" },
      this.undoButton,
      this.eraseButton,
      this.clearButton,
    );
    this.#show();
  }

  get strokes() {
    return this.#open ? [...this.#strokes, this.#open] : this.#strokes;
  }

  /** Put other strokes on the pad, without telling anybody. */
  put(strokes) {
    this.#strokes = strokes;
    this.#past = [];
    this.#show();
  }

  undo() {
    if (!this.#past.length) return;
    this.#strokes = this.#past.pop();
    this.#tell();
  }

  #listen() {
    set(this.surface, {
      onpointerdown: (event) => this.#begin(event),
      onpointermove: (event) => this.#go(event),
      onpointerup: (event) => this.#end(event),
      onpointercancel: (event) => this.#end(event),
      onkeydown: (event) => this.#press(event),
      onblur: () => this.#lift(),
    });
  }

  #place(event) {
    const box = this.surface.getBoundingClientRect();
    return [
      clamp((GRID * (event.clientX - box.left)) / box.width),
      clamp((GRID * (event.clientY - box.top)) / box.height),
    ];
  }

  #begin(event) {
    if (this.#pointer !== null || event.button > 0) return;
    this.#pointer = event.pointerId;
    this.surface.setPointerCapture(event.pointerId);
    this.#lift();
    this.#past.push(this.#strokes);
    if (this.#isErasing) this.#rub(this.#place(event));
    else this.#open = [this.#place(event)];
    this.#tell();
  }

  #go(event) {
    if (event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) {
      if (this.#isErasing) this.#rub(this.#place(one));
      else this.#open?.push(this.#place(one));
    }
    this.#tell();
  }

  #end(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#close();
  }

  #close() {
    if (this.#open) this.#strokes = limit([...this.#strokes, simplify(this.#open)]);
    this.#open = null;
    this.#tell();
  }

  #lift() {
    if (!this.#pen.isDown) return;
    this.#pen.isDown = false;
    this.#close();
  }

  #press(event) {
    const [pen, way] = [this.#pen, KEYS[event.key]];
    if (way && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const step = event.shiftKey ? STEP / 4 : STEP;
      pen.at = pen.at.map((x, axis) => clamp(x + step * way[axis]));
      if (pen.isDown) this.#open.push([...pen.at]);
    } else if (event.key === " ") {
      if (pen.isDown) this.#lift();
      else {
        pen.isDown = true;
        this.#past.push(this.#strokes);
        this.#open = [[...pen.at]];
      }
    } else if (event.key === "Backspace") {
      this.#lift();
      this.undo();
    } else return;
    event.preventDefault();
    this.#tell();
  }

  #toggleEraser() {
    this.#isErasing = !this.#isErasing;
    this.eraseButton.setAttribute("aria-pressed", String(this.#isErasing));
    this.surface.classList.toggle("is-erasing", this.#isErasing);
  }

  /** Take away the points around a place; a stroke may fall into pieces. */
  #rub([x, y]) {
    this.#strokes = this.#strokes.flatMap((stroke) => {
      const pieces = [[]];
      for (const point of dense(stroke)) {
        if (Math.hypot(point[0] - x, point[1] - y) > RUBBER) pieces.at(-1).push(point);
        else if (pieces.at(-1).length) pieces.push([]);
      }
      const isWhole = pieces.length === 1 && pieces[0].length;
      return isWhole ? [stroke] : pieces.filter((piece) => piece.length).map(simplify);
    });
  }

  #change(strokes) {
    this.#lift();
    if (this.#strokes.length) this.#past.push(this.#strokes);
    this.#strokes = strokes;
    this.#tell();
  }

  #tell() {
    this.#show();
    this.onChange(this.strokes, { isWhole: !this.#open });
  }

  #show() {
    const points = (stroke) => (stroke.length > 1 ? stroke : [stroke[0], stroke[0]]).join(" ");
    const lines = this.strokes.map((stroke) => make("polyline", { points: points(stroke) }));
    this.lines.replaceChildren(...lines);
    const [cx, cy] = this.#pen.at;
    set(this.cursor, { cx, cy });
    this.cursor.classList.toggle("is-down", this.#pen.isDown);
  }
}

function limit(strokes) {
  const kept = strokes.slice(-MOST_STROKES);
  while (kept.length > 1 && kept.flat().length > MOST_POINTS) kept.shift();
  return kept;
}

/** Put points between those that lie far apart. */
function dense(stroke) {
  return stroke.flatMap((point, i) => {
    if (!i) return [point];
    const [from, count] = [stroke[i - 1], Math.ceil(distance(stroke[i - 1], point) / 20) || 1];
    return Array.from({ length: count }, (_, k) =>
      point.map((x, axis) => Math.round(from[axis] + ((x - from[axis]) * (k + 1)) / count)),
    );
  });
}

const distance = ([a, b], [c, d]) => Math.hypot(a - c, b - d);

/** Drop the points that the line goes through anyway (Ramer, Douglas and Peucker). */
function simplify(stroke) {
  const [first, last] = [stroke[0], stroke.at(-1)];
  let [worst, where] = [0, 0];
  const base = distance(first, last);
  stroke.forEach(([x, y], i) => {
    const area = (last[0] - first[0]) * (y - first[1]) - (last[1] - first[1]) * (x - first[0]);
    const away = base ? Math.abs(area) / base : distance(first, [x, y]);
    if (away > worst) [worst, where] = [away, i];
  });
  if (worst <= TOLERANCE) return base ? [first, last] : [first];
  const before = simplify(stroke.slice(0, where + 1));
  return [...before.slice(0, -1), ...simplify(stroke.slice(where))];
}
