/* Where the image comes from: the pad, the test set, or a picture of the reader's own. */

import { button, make } from "./dom.js";
import { Pad } from "./pad.js";
import { acceptFiles, readPicture } from "./picture_file.js";
import { paintGrey, picture } from "./pictures.js";
import { STRINGS } from "./strings.js";

export class ImageCard {
  /** @param onImage - called with one of { strokes }, { digit }, { picture }, and whether
      the stroke is whole */
  constructor(laboratory, onImage) {
    this.onImage = onImage;
    this.pad = new Pad((strokes, { isWhole }) => onImage({ strokes }, isWhole));
    const input = make("input", { type: "file", accept: "image/*", class: "visually-hidden" });
    input.addEventListener("change", () => input.files[0] && this.#take(input.files[0]));
    const choose = make("label", { class: "lab-button lab-file" }, STRINGS.file, input);
    this.pad.tools.append(choose);
    this.note = make("p", { class: "lab-hint", role: "status" }, STRINGS.fileHint);
    this.card = make(
      "section",
      { class: "lab-card" },
      make("h3", {}, STRINGS.draw),
      make("p", { class: "lab-hint" }, STRINGS.padHint),
      this.pad.surface,
      this.pad.tools,
      this.note,
      make("p", { class: "lab-label" }, STRINGS.samples),
      this.#samples(laboratory),
    );
    acceptFiles(this.card, (file) => this.#take(file), laboratory.signal);
  }

  get hasStrokes() {
    return this.pad.strokes.length > 0;
  }

  /** Put strokes on the pad, without telling anybody. */
  put(strokes) {
    this.pad.put(strokes);
  }

  #samples({ digits, facts }) {
    const buttons = digits.map((pixels, digit) => {
      const canvas = picture("");
      canvas.setAttribute("aria-hidden", "true");
      paintGrey(canvas, pixels);
      const choose = () => {
        this.put([]);
        this.onImage({ digit });
      };
      const name = STRINGS.sample(facts.labels[digit], (digit % 2) + 1);
      const one = button("", choose, { class: "lab-sample", "aria-label": name });
      one.append(canvas);
      return one;
    });
    return make("div", { class: "lab-samples" }, ...buttons);
  }

  async #take(file) {
    const pixels = await readPicture(file);
    this.note.textContent = pixels ? STRINGS.fileHint : STRINGS.notAPicture;
    if (!pixels) return;
    this.put([]);
    this.onImage({ picture: pixels });
  }
}
