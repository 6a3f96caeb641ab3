/* Puts the laboratory together: what is on the page, the models, what the reader does. */

import { button, make } from "./dom.js";
import { Birth } from "./birth.js";
import { Heal } from "./heal.js";
import { PlaneView } from "./plane_view.js";
import { CHAINS, Session, loadDigits } from "./session.js";
import { STRINGS } from "./strings.js";
import { Walk } from "./walk.js";

const PARTS = { heal: Heal, walk: Walk, birth: Birth, plane: PlaneView };

/** What the parts share. */
class Laboratory {
  constructor(facts, digits, signal) {
    this.facts = facts;
    this.digits = digits;
    this.signal = signal;
    this.image = { clean: digits[0], strokes: null };
    this.listeners = [];
    this.session = new Session();
    signal.addEventListener("abort", () => this.session.close());
  }

  /** Tell the parts which image the reader has chosen or drawn. */
  setImage(image) {
    this.image = image;
    for (const listener of this.listeners) listener(image);
  }
}

/** Build all parts, then load the models. */
export async function start(roots, signal) {
  const { facts, digits } = await loadDigits();
  if (signal.aborted) return;
  const laboratory = new Laboratory(facts, digits, signal);
  const parts = roots.map((root) => new PARTS[root.dataset.part](laboratory, root));
  await load(laboratory, roots, parts);
}

async function load(laboratory, roots, parts) {
  const status = make("p", { class: "lab-status", role: "status" });
  const bar = make("progress", { max: 1, value: 0, "aria-label": STRINGS.start });
  const line = make("div", { class: "lab-loading" }, status, bar);
  roots[0].prepend(line);
  const progress = (share) => {
    bar.value = share;
    status.textContent = STRINGS.loading(share);
  };
  progress(0);
  const names = Object.values(CHAINS).flat();
  try {
    await laboratory.session.open(names, laboratory.facts.bytes, progress);
  } catch (error) {
    if (laboratory.signal.aborted) return;
    bar.remove();
    status.textContent = STRINGS.failed(error.message);
    const again = button(STRINGS.again, () => {
      line.remove();
      laboratory.session.close();
      laboratory.session = new Session();
      load(laboratory, roots, parts);
    });
    line.append(again);
    return;
  }
  bar.remove();
  status.textContent = STRINGS.ready;
  for (const root of roots) root.dataset.ready = "";
  for (const part of parts) part.ready?.();
}
