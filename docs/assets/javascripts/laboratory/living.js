/* The living picture of the front page: one digit, one slider, one network. */

import { make } from "./dom.js";
import { latestWins } from "./latest.js";
import { corrupt, draw, meanSquaredError } from "./noise.js";
import { paintGrey, picture } from "./pictures.js";
import { CHAINS, Session, denoising, loadDigits } from "./session.js";
import { STRINGS } from "./strings.js";

/** Load the network, and let it answer in the figure's place. */
export async function start(root, signal) {
  const status = root.querySelector("[role=status]");
  const session = new Session();
  signal.addEventListener("abort", () => session.close());
  try {
    const { facts, digits } = await loadDigits();
    await session.open(CHAINS.dense, facts.bytes, (share) => {
      status.textContent = STRINGS.loading(share);
    });
    await live(root, signal, session, digits[root.dataset.digit]);
  } catch (error) {
    session.close();
    throw error;
  }
}

async function live(root, signal, session, clean) {
  const draws = draw("gaussian", Number(root.dataset.seed));
  const slider = root.querySelector("input");
  const figure = root.querySelector(".figure");
  const views = STRINGS.living.map((name) => picture(name));
  const shown = views.map((view, i) => make("span", {}, view, STRINGS.living[i]));

  async function show() {
    const noisy = corrupt(clean, "gaussian", Number(slider.value), draws);
    const [outputs] = await session.run([denoising("dense", noisy)]);
    const healed = outputs.at(-1);
    [noisy, healed, clean].forEach((pixels, i) => paintGrey(views[i], pixels));
    const left = meanSquaredError(healed, clean) / meanSquaredError(noisy, clean);
    root.querySelector("[role=status]").textContent = STRINGS.left(left);
    root.dispatchEvent(new CustomEvent("painted"));
  }

  await show();
  figure.append(make("span", { class: "lab-living" }, ...shown));
  const ask = latestWins(show);
  slider.addEventListener("input", ask, { signal });
  ask(); // it may have moved meanwhile
}
