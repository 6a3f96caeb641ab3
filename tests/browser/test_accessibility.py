"""axe-core finds nothing to object to, and the keyboard reaches everything."""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product

import pytest
from playwright.sync_api import Page, expect

from tests.pages.built_site import ROOT, SCHEMES, page_paths

pytestmark = pytest.mark.slow

WIDTHS = (1280, 375)
View = tuple[str, int]
VIEWS = list(product(SCHEMES, WIDTHS))
OF_COLOUR = ["color-contrast", "link-in-text-block"]
# What axe is asked of a page in each view: dark breaks colours alone, and a narrow page
# has those of a wide one.
ASKED = {
    ("light", 1280): {},
    ("light", 375): {"rules": {rule: {"enabled": False} for rule in OF_COLOUR}},
    ("dark", 1280): {"runOnly": OF_COLOUR},
}
# One template makes these of docstrings, and their HTML is checked elsewhere. Every
# sixth is enough here.
REFERENCE = "reference/"
SEARCHED_PAGES = ("", "reference/noise/", "glossary/")
# axe looks at each token of code, at each part of a formula, at each row of a table. It
# says the same of all that are alike, so a few of each kind are enough.
LEAVE_OUT_WHAT_REPEATS = """() => {
    const seen = {};
    for (const token of document.querySelectorAll("pre code span[class]")) {
        const block = token.closest("[class*=highlight]").className;
        const kind = `${token.className} in ${block}`;
        seen[kind] = (seen[kind] ?? 0) + 1;
        if (seen[kind] > 3 && !token.querySelector("a"))
            token.replaceWith(...token.childNodes);
    }
    for (const row of document.querySelectorAll("tbody tr:nth-child(n + 6)"))
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


def views(page: Page, views: Iterable[View] = VIEWS) -> Iterator[View]:
    """Show the loaded page in each scheme and at each width.

    That is much faster than loading it for each, and the theme follows at once.
    """
    for scheme, width in views:
        prepare(page, scheme, width)
        body = page.locator("body")
        expect(body).to_have_attribute("data-md-color-scheme", SCHEMES[scheme])
        settle(page)
        yield scheme, width


def test_axe_finds_no_violation(page: Page, site_root: str):
    found = []
    alike = [path for path in page_paths() if path.startswith(REFERENCE)]
    for path in [path for path in page_paths() if path not in alike] + alike[::6]:
        page.goto(site_root + path)
        page.evaluate(LEAVE_OUT_WHAT_REPEATS)
        for view in views(page, ASKED):
            objections = violations(page, ASKED[view])
            found += [f"{view}: {objection}" for objection in objections]
    assert not found, "\n".join(found)


def test_axe_sees_the_colours_of_each_scheme(page: Page, site_root: str):
    """The test above would pass in any scheme, if axe kept to the first."""
    page.goto(f"{site_root}glossary/")
    page.add_style_tag(content="[data-md-color-scheme=slate] h1 {color: #333}")
    asked = {"runOnly": OF_COLOUR}
    seen = {view: bool(violations(page, asked)) for view in views(page)}
    assert seen == {(scheme, width): scheme == "dark" for scheme, width in VIEWS}


def test_axe_finds_no_violation_in_the_search(page: Page, site_root: str):
    found = []
    for path in SEARCHED_PAGES:
        page.goto(site_root + path)
        settle(page)
        page.keyboard.press("/")
        page.keyboard.type("noise")
        for view in views(page, [("light", 1280), ("dark", 375)]):
            expect(page.locator(".md-search-result__item").first).to_be_visible()
            settle(page)
            found += [f"{view}: {objection}" for objection in violations(page)]
    assert not found, "\n".join(found)


def test_axe_finds_no_violation_in_the_menu(page: Page, site_root: str):
    prepare(page, "light", 375)
    page.goto(site_root + "reference/noise/")
    page.locator(".md-header label[for=__drawer]").click()
    settle(page)
    assert not violations(page)


def test_axe_finds_no_violation_in_the_404(not_found: Page):
    settle(not_found)
    assert not violations(not_found)


def test_first_tab_stop_skips_to_the_content(page: Page, site_root: str):
    page.goto(site_root + "glossary/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.md-skip')")


@pytest.mark.parametrize("key", ["Enter", "Space"])
@pytest.mark.parametrize("toggle", ["__drawer", "__search"])
def test_menu_and_search_open_from_the_keyboard(
    page: Page, site_root: str, toggle: str, key: str
):
    prepare(page, "light", 375)
    page.goto(site_root)
    settle(page)
    page.locator(f".md-header nav > label[for={toggle}]").focus()
    page.keyboard.press(key)
    expect(page.locator(f"#{toggle}")).to_be_checked()


def test_every_tab_stop_shows_where_the_focus_is(page: Page, site_root: str):
    page.goto(site_root + "glossary/")
    settle(page)
    hidden = []
    for _ in range(40):
        page.keyboard.press("Tab")
        style = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
            return [s.outlineStyle, s.outlineWidth, e.outerHTML.slice(0, 120)] }"""
        )
        left_the_page = style[2].startswith("<body")
        if not left_the_page and (style[0] == "none" or style[1] == "0px"):
            hidden.append(style[2])
    assert not hidden, "\n".join(hidden)


def test_a_focused_term_shows_its_explanation(page: Page, site_root: str):
    prepare(page, "light", 375)
    page.goto(f"{site_root}learn/what-is-a-dae/")
    term = page.locator("article abbr[title]").first
    term.focus()
    content = "element => getComputedStyle(element, '::after').content"
    assert term.get_attribute("title") in term.evaluate(content)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_reduced_motion_stops_the_fades(page: Page, site_root: str):
    page.emulate_media(reduced_motion="reduce")
    page.goto(site_root)
    longest = page.evaluate(
        """Math.max(...[...document.querySelectorAll("*")].flatMap(element =>
        getComputedStyle(element).transitionDuration.split(",").map(parseFloat)))"""
    )
    assert longest < 0.001
