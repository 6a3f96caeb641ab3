/* The heart: an image, a noise, a level; each model's answer to it. */

import { psnrCurves } from "./curves.js";
import { button, choices, make, say, slider } from "./dom.js";
import { drawStrokes } from "./drawing.js";
import { FAILURES } from "./failures.js";
import { ImageCard } from "./image_card.js";
import { latestWins } from "./latest.js";
import { KINDS, corrupt, draw, psnr } from "./noise.js";
import { paintGrey, picture } from "./pictures.js";
import { CHAINS, denoising } from "./session.js";
import { python } from "./snippet.js";
import { GRID, LARGEST_SEED, format, parse, sane } from "./state.js";
import { STRINGS } from "./strings.js";
import { Strip } from "./strip.js";
import { Tile } from "./tile.js";

const NAMES = Object.keys(CHAINS);
const REST = 160; // ms without input before curves, address and program follow
export class Heal {
  constructor(laboratory, root) {
    this.laboratory = laboratory;
    this.root = root;
    this.isReady = false;
    this.state = parse(new URL(location.href).searchParams.get("lab"));
    this.ask = latestWins((wish) => this.#heal(wish));
    this.#build();
    this.#follow(this.state);
  }

  ready() {
    this.isReady = true;
    this.#refresh();
  }

  // ---- What is on the page ----

  #build() {
    this.images = new ImageCard(this.laboratory, (image, isWhole) => {
      this.picture = image.picture ?? null;
      this.#change({ digit: this.state.digit, strokes: null, ...image }, isWhole);
    });
    const spoil = this.#buildNoise();
    this.tiles = Object.fromEntries(NAMES.map((name) => [name, new Tile(name)]));
    const tiles = NAMES.map((name) => this.tiles[name].figure);
    this.message = make("p", { class: "lab-message", role: "status" });
    const healed = make(
      "section",
      { class: "lab-card lab-wide" },
      make("h3", {}, STRINGS.heal),
      this.message,
      make("div", { class: "lab-tiles" }, ...tiles),
      make("p", { class: "lab-hint" }, STRINGS.residual),
    );
    this.root.replaceChildren(
      make("div", { class: "lab-board" }, this.images.card, spoil, this.level.row, healed, this.#buildStrip()),
    );
  }

  #buildNoise() {
    this.kinds = choices(STRINGS.kind, STRINGS.kinds, (kind) =>
      this.#change({ kind, level: KINDS[kind].range.start }),
    );
    this.level = slider({
      name: STRINGS.levelName,
      min: 0,
      ...KINDS[this.state.kind].range,
      value: this.state.level,
      text: (level) => STRINGS.level[this.state.kind](level),
      onInput: (level) => this.#change({ level }),
    });
    this.level.row.classList.add("lab-level");
    this.seed = make("input", { type: "number", min: 0, max: LARGEST_SEED, step: 1, id: "lab-seed" });
    this.seed.addEventListener("change", () => this.#change({ seed: Number(this.seed.value) }));
    const another = () => this.#change({ seed: (this.state.seed + 1) % (LARGEST_SEED + 1) });
    this.views = {
      clean: picture(STRINGS.seen, "lab-picture"),
      noisy: picture(STRINGS.noisy, "lab-picture"),
    };
    this.nothing = make("span", { class: "lab-score" });
    return make(
      "section",
      { class: "lab-card" },
      make("h3", {}, STRINGS.spoil),
      this.kinds.group,
      make(
        "div",
        { class: "lab-row" },
        button(STRINGS.newNoise, another),
        make("label", { class: "lab-seed" }, STRINGS.seed, this.seed),
      ),
      make(
        "div",
        { class: "lab-pair" },
        make("figure", {}, this.views.clean, make("figcaption", {}, STRINGS.seen)),
        make("figure", {}, this.views.noisy, make("figcaption", {}, STRINGS.noisy, " ", this.nothing)),
      ),
      make("p", { class: "lab-hint" }, STRINGS.seenHint),
    );
  }

  #buildStrip() {
    this.strip = new Strip((share) => {
      const level = share * KINDS[this.state.kind].range.max;
      this.#change({ level });
    });
    this.program = make("code", {});
    const block = make("pre", { tabindex: 0 }, this.program);
    this.details = make("details", {}, make("summary", {}, STRINGS.program), block);
    this.details.addEventListener("toggle", () => this.#writeDown());
    this.copy = button(STRINGS.copyLink, () => this.#copyLink());
    this.story = make("p", { class: "lab-hint", role: "status" });
    const fail = ({ name, text, change }) =>
      button(name, () => {
        this.picture = null;
        this.images.put(change.strokes ?? []);
        this.#change({ strokes: null, seed: 1, ...change });
        this.story.textContent = text;
      });
    return make(
      "section",
      { class: "lab-card lab-wide" },
      make("h3", {}, STRINGS.strip),
      make("p", { class: "lab-hint" }, STRINGS.stripHint),
      this.strip.svg,
      make("p", { class: "lab-label" }, STRINGS.failures),
      make("div", { class: "lab-row" }, ...FAILURES.map(fail)),
      this.story,
      make("div", { class: "lab-row" }, this.copy),
      this.details,
    );
  }

  // ---- What the reader does ----

  #change(change, isWhole = true) {
    say(this.story, "");
    this.hasChanged = true;
    this.#follow({ ...this.state, ...change }, isWhole);
  }

  /** Bring everything into line with a state. */
  #follow(state, isWhole = true) {
    const before = this.state;
    this.state = sane(state);
    const { kind, level, seed, strokes } = this.state;
    this.kinds.choose(kind);
    if (Number(this.level.input.value) !== level || before.kind !== kind)
      this.level.put({ min: 0, ...KINDS[kind].range, value: level });
    if (this.seed.value !== String(seed)) this.seed.value = seed;
    if (strokes?.length && !this.images.hasStrokes) this.images.put(strokes);
    this.strip.put(level / KINDS[kind].range.max);
    this.#refresh(isWhole);
  }

  #clean() {
    const { strokes, digit } = this.state;
    if (this.picture) return this.picture;
    if (!strokes) return this.laboratory.digits[digit];
    return drawStrokes(strokes.map((stroke) => stroke.map((point) => point.map((x) => x / GRID))));
  }

  #draws() {
    const { kind, seed } = this.state;
    const key = `${kind} ${seed}`;
    if (this.drawn?.key !== key) this.drawn = { key, draws: draw(kind, seed) };
    return this.drawn.draws;
  }

  #refresh(isWhole = true) {
    const { kind, level, strokes, digit } = this.state;
    const source = this.picture ?? strokes ?? digit;
    if (source !== this.source) {
      this.source = source;
      this.clean = this.#clean();
      if (isWhole) this.laboratory.setImage({ clean: this.clean, strokes });
    }
    const isBlank = !this.clean.some((value) => value > 0);
    const noisy = corrupt(this.clean, kind, level, this.#draws());
    paintGrey(this.views.clean, this.clean);
    paintGrey(this.views.noisy, noisy);
    const score = isBlank ? "" : STRINGS.decibels(psnr(noisy, this.clean));
    say(this.nothing, score);
    say(this.message, isBlank ? STRINGS.blank : "");
    this.version = this.root.dataset.version = Number(this.version ?? 0) + 1;
    clearTimeout(this.timer);
    if (isBlank) this.#showNothing();
    else if (this.isReady) this.ask({ clean: this.clean, noisy, version: this.version });
    this.timer = setTimeout(() => this.#rest(isBlank), REST);
  }

  #showNothing() {
    for (const tile of Object.values(this.tiles)) tile.clear();
  }

  async #heal({ clean, noisy, version }) {
    const jobs = NAMES.map((name) => denoising(name, noisy));
    const results = await this.laboratory.session.run(jobs);
    this.root.dataset.runs = Number(this.root.dataset.runs ?? 0) + 1;
    const isBlank = this.message.textContent;
    if (isBlank) return;
    NAMES.forEach((name, i) => this.tiles[name].show(results[i], clean, noisy));
    this.root.dataset.painted = version;
    this.root.dispatchEvent(new CustomEvent("painted"));
  }

  // ---- What follows when the reader rests ----

  #rest(isBlank) {
    if (this.laboratory.signal.aborted) return;
    if (this.hasChanged) this.#writeDown();
    if (this.isReady && !isBlank) this.#drawCurves(this.version);
  }

  /** Put the state into the address and the program. */
  #writeDown() {
    this.copy.disabled = Boolean(this.picture); // no address holds a picture
    if (this.hasChanged) history.replaceState(history.state, "", this.#link());
    if (this.details.open)
      this.program.textContent = python(
        { ...this.state, picture: Boolean(this.picture) },
        this.laboratory.facts.digits,
      );
  }

  #link() {
    const address = new URL(location.href);
    address.searchParams.set("lab", format(this.state));
    return address.href;
  }

  async #copyLink() {
    await navigator.clipboard.writeText(this.#link());
    this.copy.textContent = STRINGS.copied;
    setTimeout(() => (this.copy.textContent = STRINGS.copyLink), 1500);
  }

  async #drawCurves(version) {
    const isOld = () => version !== this.version || this.laboratory.signal.aborted;
    const { kind } = this.state;
    const setting = { clean: this.clean, kind, draws: this.#draws() };
    const curves = await psnrCurves(this.laboratory.session, setting, isOld);
    if (!curves) return;
    const { range } = KINDS[kind];
    const { trained } = this.laboratory.facts;
    const text = (level) => STRINGS.level[kind](range.step === 1 ? Math.round(level) : level);
    const at = trained.kind === kind ? trained.level : null;
    this.strip.show({ max: range.max, trained: at, text, name: STRINGS.kinds[kind] }, curves);
    this.root.dispatchEvent(new CustomEvent("curves"));
  }
}
