/* Finds what can come alive on a page, and starts it at a reader's wish; nothing is loaded
   before. */

let leave = null;

async function whyNot(error) {
  const { STRINGS } = await import("./strings.js").catch(() => ({}));
  return STRINGS?.failed(error.message) ?? `It could not be loaded: ${error.message}`;
}

/** The laboratory's parts, each with a button that starts them all. */
function offerLaboratory(signal) {
  const roots = [...document.querySelectorAll(".laboratory")];
  async function begin() {
    try {
      const { start } = await import("./main.js");
      await start(roots, signal);
    } catch (error) {
      const text = await whyNot(error);
      if (!signal.aborted) for (const root of roots) root.replaceChildren(text);
    }
  }
  for (const root of roots) {
    const button = root.querySelector("button");
    if (!button) continue;
    button.disabled = false;
    button.onclick = () => {
      root.classList.add("is-starting"); // takes its place now: later, text would jump
      begin();
    };
  }
}

/** The picture of the front page: it is a figure until its slider is moved. */
function offerPicture(signal) {
  const root = document.getElementById("living-picture");
  if (!root) return;
  const slider = root.querySelector("input");
  let begun = false;
  async function begin() {
    if (begun) return;
    begun = true;
    try {
      const { start } = await import("./living.js");
      await start(root, signal);
    } catch (error) {
      root.querySelector("[role=status]").textContent = await whyNot(error);
      begun = false;
    }
  }
  const say = () => {
    const text = `σ = ${Number(slider.value).toFixed(2)}`;
    slider.setAttribute("aria-valuetext", text);
    root.querySelector("output").textContent = text;
  };
  slider.value = slider.defaultValue; // the figure's, whatever the browser remembers
  say();
  slider.disabled = false;
  slider.addEventListener("input", say, { signal });
  slider.addEventListener("input", begin, { signal, once: true });
  slider.addEventListener("change", begin, { signal }); // tries again after a failure
}

function show() {
  leave?.abort(); // what the page before has started
  leave = new AbortController();
  offerLaboratory(leave.signal);
  offerPicture(leave.signal);
}

// The theme tells of each page that it shows; without it there is only this one.
if (globalThis.document$) document$.subscribe(show);
else show();
