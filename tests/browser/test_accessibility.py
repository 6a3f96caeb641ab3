"""axe-core finds nothing to object to, and the keyboard reaches everything."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import (
    EACH_SCHEME_AND_WIDTH,
    OF_COLOUR,
    VIEWS,
    prepare,
    settle,
    views,
    violations,
)

pytestmark = pytest.mark.slow


def test_axe_finds_no_violation_at_home_in_any_view(page: Page, site_root: str):
    """Of each other page, the tour asks in one view, and leaves out what repeats."""
    page.goto(site_root)
    assert not [o for _ in views(page) for o in violations(page)]


def test_axe_sees_the_colours_of_each_scheme(page: Page, site_root: str):
    """The test above would pass in any scheme, if axe kept to the first."""
    page.goto(f"{site_root}glossary/")
    page.add_style_tag(content="[data-md-color-scheme=slate] h1 {color: #333}")
    asked = {"runOnly": OF_COLOUR}
    seen = {view: bool(violations(page, asked)) for view in views(page)}
    assert seen == {(scheme, width): scheme == "dark" for scheme, width in VIEWS}


def test_axe_finds_no_violation_in_the_search(page: Page, site_root: str):
    found = []
    page.goto(site_root)
    settle(page)
    page.keyboard.press("/")
    page.keyboard.type("noise")
    for view in views(page, EACH_SCHEME_AND_WIDTH):
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
