/* Gives the keyboard what the theme leaves to the mouse, on each page. */
(() => {
  const SCROLLABLE = "pre > code, div.arithmatex, .md-typeset__scrollwrap";

  // What can scroll must be reachable. Whether it can is known once it is shown
  // (inside an unfolded solution, say) and changes with the window.
  const scrolls = (region) => region.scrollWidth > region.clientWidth;

  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) if (scrolls(target)) target.tabIndex = 0;
  });

  // The theme takes code out of the tab order on touch screens, and makes each copy
  // button a landmark of its own. Neither helps a reader.
  const changed = new MutationObserver((records) => {
    for (const { target, attributeName } of records) {
      if (!attributeName) {
        target
          .querySelectorAll("nav.md-code__nav:not([role])")
          .forEach((buttons) => buttons.setAttribute("role", "none"));
      } else if (target.matches(SCROLLABLE) && !target.hasAttribute("tabindex")) {
        if (scrolls(target)) target.tabIndex = 0;
      }
    }
  });
  changed.observe(document.body, {
    attributeFilter: ["tabindex"],
    childList: true,
    subtree: true,
  });

  // Labels that work as buttons (menu, search) are reached, and answer to Space; the
  // theme lets a focused label answer to Enter.
  function makeButton(label, name) {
    label.tabIndex = 0;
    label.insertAdjacentHTML(
      "beforeend",
      `<span class="visually-hidden">${name}</span>`,
    );
    label.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      label.click();
    });
  }

  makeButton(document.querySelector(".md-header label[for=__drawer]"), "Menu");
  makeButton(document.querySelector(".md-header__button[for=__search]"), "Search");

  document$.subscribe(() => {
    resized.disconnect();
    document.querySelectorAll(SCROLLABLE).forEach((region) => resized.observe(region));
  });
})();
