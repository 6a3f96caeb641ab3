"""axe-core: what it is asked of a page, and what it objects to."""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product

import pytest
from playwright.sync_api import Page, expect

from tests.pages.built_site import ROOT, SCHEMES

WIDTHS = (1280, 375)
View = tuple[str, int]
VIEWS = list(product(SCHEMES, WIDTHS))
EACH_SCHEME_AND_WIDTH = [("light", 1280), ("dark", 375)]
OF_COLOUR = ["color-contrast", "link-in-text-block"]
# axe looks at each token of code, each part of a formula, each row of a table, each
# link of the menu. It says the same of all that are alike: a few of each are enough.
LEAVE_OUT_WHAT_REPEATS = """() => {
    const seen = {};
    for (const token of document.querySelectorAll("pre code span[class]")) {
        const block = token.closest("[class*=highlight]").className;
        const kind = `${token.className} in ${block}`;
        seen[kind] = (seen[kind] ?? 0) + 1;
        if (seen[kind] > 3 && !token.querySelector("a"))
            token.replaceWith(...token.childNodes);
    }
    const rest = "tbody tr, .md-nav__item:not(.md-nav__item--active)";
    for (const row of document.querySelectorAll(`:is(${rest}):nth-child(n + 6)`))
        row.remove();
    for (const formula of [...document.querySelectorAll(".katex-html")].slice(3))
        formula.textContent = formula.textContent;
    document.body.normalize();
}"""


@cache
def axe_source() -> str:
    path = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not path.is_file():
        pytest.fail("axe-core is missing: run `npm ci --ignore-scripts`", False)
    return path.read_text(encoding="utf-8")


def settle(page: Page) -> None:
    """Wait until scripts, fonts and fades are done, and unfold what is folded."""
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    page.evaluate("document.fonts.ready")
    page.wait_for_function(
        "document.getAnimations().every(a => a.playState !== 'running')"
    )


def violations(page: Page, asked: dict | None = None) -> list[str]:
    """Return what axe objects to, one line for each element."""
    if page.evaluate("!window.axe"):
        page.evaluate(axe_source())
    found = page.evaluate(
        """asked => axe.run({resultTypes: ["violations"], ...asked})
        .then(result => result.violations)""",
        asked,
    )
    return [
        f"{page.url} {rule['id']}: {node['html'][:160]} ({node['failureSummary']})"
        for rule in found
        for node in rule["nodes"]
    ]


def prepare(page: Page, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})


def show(page: Page, view: View) -> None:
    """Show the loaded page in a scheme and at a width.

    That is much faster than to load it anew, and the theme follows at once.
    """
    prepare(page, *view)
    body = page.locator("body")
    expect(body).to_have_attribute("data-md-color-scheme", SCHEMES[view[0]])
    settle(page)


def views(page: Page, views: Iterable[View] = VIEWS) -> Iterator[View]:
    """Show the loaded page in one view after the other."""
    for view in views:
        show(page, view)
        yield view
