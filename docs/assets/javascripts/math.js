/* Renders the formulas of each page, also after an instant navigation. KaTeX is
   loaded by the first page that holds a formula, so that the others stay light.
   Until then, and without JavaScript, a formula reads as its LaTeX source. */
(() => {
  const library = new URL("../vendor/katex/katex.min.js", document.currentScript.src);
  let loading;

  function loadKatex() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = library;
      script.onload = () => resolve(window.katex);
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
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
