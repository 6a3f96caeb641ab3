/* Finds the laboratory on a page and offers to start it; nothing is loaded before. */

let leave = null;

async function begin(roots, signal) {
  try {
    const { start } = await import("./main.js");
    await start(roots, signal);
  } catch (error) {
    const { STRINGS } = await import("./strings.js").catch(() => ({}));
    const text = STRINGS?.failed(error.message) ?? `The laboratory did not load: ${error.message}`;
    if (!signal.aborted) for (const root of roots) root.replaceChildren(text);
  }
}

function show() {
  leave?.abort(); // what the page before has started
  leave = null;
  const roots = [...document.querySelectorAll(".laboratory")];
  if (!roots.length) return;
  leave = new AbortController();
  const { signal } = leave;
  for (const root of roots) {
    const button = root.querySelector("button");
    if (!button) continue;
    button.disabled = false;
    button.onclick = () => {
      root.classList.add("is-starting"); // takes its place now: later, text would jump
      begin(roots, signal);
    };
  }
}

// The theme tells of each page that it shows; without it there is only this one.
if (globalThis.document$) document$.subscribe(show);
else show();
