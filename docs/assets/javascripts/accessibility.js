/* Gives the keyboard what the theme leaves to the mouse, on each page. */
(() => {
  // What can scroll must be reachable, and named where it is.
  function makeScrollable(region, name) {
    if (region.scrollWidth <= region.clientWidth) return;
    region.tabIndex = 0;
    region.setAttribute("role", "region");
    region.setAttribute("aria-label", name);
  }

  // Labels that work as buttons (menu, search, colours) answer to Enter and Space.
  function makeButton(label, name) {
    label.tabIndex = 0;
    label.setAttribute("role", "button");
    label.setAttribute("aria-label", name);
    label.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      label.click();
    });
  }

  makeButton(document.querySelector(".md-header label[for=__drawer]"), "Menu");
  makeButton(document.querySelector(".md-header > nav > label[for=__search]"), "Search");

  document$.subscribe(() => {
    document
      .querySelectorAll(".md-typeset pre > code")
      .forEach((code) => makeScrollable(code, "Code"));
    document
      .querySelectorAll(".md-typeset__scrollwrap")
      .forEach((table) => makeScrollable(table, "Table"));
  });
})();
