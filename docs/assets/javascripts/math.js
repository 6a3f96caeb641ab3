/* Renders the formulas of each page, also after an instant navigation. KaTeX is
   loaded by the first page that holds a formula, so that the others stay light.
   Until then, and without JavaScript, a formula reads as its LaTeX source. */
(() => {
  const vendor = new URL("../vendor/katex/", document.currentScript.src);
  let loading;

  function load(tag, attributes) {
    return new Promise((resolve, reject) => {
      const element = document.createElement(tag);
      element.onload = resolve;
      element.onerror = reject;
      document.head.append(Object.assign(element, attributes));
    });
  }

  async function loadKatex() {
    loading ??= Promise.all([
      load("link", { rel: "stylesheet", href: new URL("katex.min.css", vendor) }),
      load("script", { src: new URL("katex.min.js", vendor) }),
    ]);
    await loading;
    return window.katex;
  }

  function render(katex, element) {
    const source = element.textContent.trim();
    const displayMode = source.startsWith("\\[");
    katex.render(source.slice(2, -2), element, { displayMode, throwOnError: false });
    element.dataset.rendered = "";
  }

  document$.subscribe(async () => {
    const formulas = document.querySelectorAll(".arithmatex:not([data-rendered])");
    if (!formulas.length) return;
    const katex = await loadKatex();
    formulas.forEach((element) => render(katex, element));
  });
})();
