"""The site in a reader's hands: on a phone, without JavaScript, page after page."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle

import pytest
from playwright.sync_api import Browser, Page, Request, Response, expect

from tests.browser.axe import (
    EACH_SCHEME_AND_WIDTH,
    LEAVE_OUT_WHAT_REPEATS,
    View,
    show,
    violations,
)
from tests.pages.built_site import SCHEMES, page_paths, pages_of_all_kinds

pytestmark = pytest.mark.slow

COPY_BUTTON = "button[data-clipboard-target], .md-code__button[data-md-type=copy]"
# An element's colour, and that of the nearest ground behind it that is no mere tint.
COLOURS = """element => {
    const numbers = text => text.match(/[\\d.]+/g).map(Number);
    const ground = element => {
        if (!element) return [255, 255, 255];
        const own = numbers(getComputedStyle(element).backgroundColor);
        return own[3] < 0.5 ? ground(element.parentElement) : own;
    };
    return [numbers(getComputedStyle(element).color), ground(element)];
}"""
# What each page is asked on the one visit that it gets.
SCROLLS_SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"
COPYABLE_OUTPUT = f"""[...document.querySelectorAll(".output :is({COPY_BUTTON})")]
    .filter(button => button.getClientRects().length).length"""
# Code and formulas, but for those in a fold, that a reader who comes to them would see
# only once something else has happened.
NOT_THERE = """[...document.querySelectorAll("article :is(pre > code, .katex-html)")]
    .filter(element => !element.closest("details:not([open])"))
    .filter(element => {
        const text = document.createRange();
        text.selectNodeContents(element);
        return !text.getBoundingClientRect().height
            || !element.lastChild.parentElement.checkVisibility({
                contentVisibilityAuto: true,
                opacityProperty: true,
                visibilityProperty: true,
            });
    })
    .map(element => element.textContent)"""
LAID_OUT_LATE = """[...document.querySelectorAll("*")]
    .filter(element => getComputedStyle(element).contentVisibility != "visible")
    .map(element => element.outerHTML.slice(0, 100))"""
# Of each picture, whether it is shown, and whether it is made for the reader's view.
PICTURES = """kinds => [...document.querySelectorAll("article .only-light, .only-dark")]
    .map(picture => [
        picture.getClientRects().length > 0,
        [...picture.classList].filter(name => name.startsWith("only-"))
            .every(name => kinds.includes(name)),
    ])"""
KINDS = {1280: "only-wide", 375: "only-narrow"}


@dataclass
class Tour:
    """What was seen on a visit to every page."""

    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    too_wide: dict[str, list[str]] = field(default_factory=dict)  # by the view
    copyable_output: list[str] = field(default_factory=list)
    pictures: dict[View, list[list[bool]]] = field(default_factory=dict)
    """Of each picture, whether it is shown, and whether it should be."""
    objections: list[str] = field(default_factory=list)  # of axe

    def listen(self, page: Page) -> None:
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", self._note_failure)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("response", self._note_status)

    def _note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # by the visit to the next page
            self.failures.append(request.url)

    def _note_status(self, answer: Response) -> None:
        if answer.status >= 400:
            self.failures.append(answer.url)

    def visit(self, page: Page, address: str) -> None:
        page.goto(address)
        page.evaluate("document.fonts.ready")
        self._note_width(page, 375)

    def look_closer(self, page: Page, view: View) -> None:
        """Zoom in; look at pictures in one view, and ask axe.

        Type of twice its size in a window of 1280 px is a page of 640 px, enlarged.
        """
        set_font_size(page, 32)
        for width in (375, 1280):
            self._note_width(page, width, "large type")
        set_font_size(page, 16)
        page.evaluate(LEAVE_OUT_WHAT_REPEATS)
        show(page, view)
        if page.evaluate(COPYABLE_OUTPUT):
            self.copyable_output.append(page.url)
        kinds = [f"only-{view[0]}", KINDS[view[1]]]
        self.pictures.setdefault(view, []).extend(page.evaluate(PICTURES, kinds))
        self.objections += [f"{view}: {found}" for found in violations(page)]

    def _note_width(self, page: Page, width: int, type_size: str = "") -> None:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate(SCROLLS_SIDEWAYS) > 0:
            view = f"{width} px {type_size}"
            self.too_wide.setdefault(view, []).append(page.url)


def set_font_size(page: Page, pixels: int) -> None:
    """Set the size of type as a reader does in the browser's settings."""
    settings = page.context.new_cdp_session(page)
    sizes = {"standard": pixels, "fixed": round(pixels * 13 / 16)}
    settings.send("Page.setFontSizes", {"fontSizes": sizes})
    settings.detach()


@pytest.fixture(scope="module")
def tour(browser: Browser, site_root: str) -> Tour:
    """Visit every page, once for all the tests that look at every page."""
    tour, context = Tour(), browser.new_context()
    page = context.new_page()
    tour.listen(page)
    # What is wrong with one page is so in any view, and what the style sheet does wrong
    # is so on many pages: they take turns.
    by_turns = cycle(EACH_SCHEME_AND_WIDTH)
    for path in page_paths():
        tour.visit(page, site_root + path)
        if path in pages_of_all_kinds():
            tour.look_closer(page, next(by_turns))
    page.wait_for_load_state("networkidle")
    context.close()
    return tour


def test_no_request_leaves_the_origin(tour: Tour, site_root: str):
    own = (site_root, "data:")
    assert tour.requests
    assert not {url for url in tour.requests if not url.startswith(own)}
    assert not tour.failures
    assert not tour.errors


def test_no_page_scrolls_sideways_on_a_phone_or_in_large_type(tour: Tour):
    assert not tour.too_wide


def test_type_grows_with_the_browsers_setting(page: Page, site_root: str):
    """The test above would pass, if the site fixed the size of its type."""
    page.goto(f"{site_root}glossary/")
    size = "parseFloat(getComputedStyle(document.querySelector('article p')).fontSize)"
    before = page.evaluate(size)
    set_font_size(page, 32)
    assert page.evaluate(size) == pytest.approx(2 * before)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_and_colours_do_not_wait_for_the_themes_script(
    page: Page, site_root: str, scheme: str
):
    page.route("**/bundle.*.js", lambda route: route.abort())
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{site_root}learn/types-of-noise/")
    expect(page.locator("article h1")).to_be_visible()
    body = page.locator("body")
    expect(body).to_have_attribute("data-md-color-scheme", SCHEMES[scheme])


def test_output_has_no_copy_button(tour: Tour):
    assert not tour.copyable_output


def test_axe_finds_no_violation(tour: Tour):
    assert not tour.objections, "\n".join(tour.objections)


@pytest.mark.parametrize("view", EACH_SCHEME_AND_WIDTH)
def test_the_picture_that_is_made_for_the_view_is_shown(tour: Tour, view: View):
    assert {should for _, should in tour.pictures[view]} == {True, False}
    assert all(shown == should for shown, should in tour.pictures[view])


@pytest.mark.parametrize("path", ["learn/types-of-noise/", "reference/noise/"])
def test_a_printed_page_is_dark_text_on_white_and_no_menus(
    page: Page, site_root: str, path: str
):
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(site_root + path)
    for part in (".md-header", ".md-sidebar", ".md-footer", ".md-tabs", ".md-top"):
        for element in page.locator(part).all():
            assert not element.is_visible(), part
    for element in page.locator("article :is(h1, p, li, pre code)").all()[:20]:
        colour, ground = element.evaluate(COLOURS)
        assert max(colour[:3]) < 130, "dark text"
        assert min(ground[:3]) > 230, "on white"


def test_88_characters_of_code_fit_at_1280_pixels(page: Page, site_root: str):
    page.goto(site_root + "reference/noise/")
    page.evaluate(
        """document.querySelector("article").insertAdjacentHTML("beforeend",
        `<div class=highlight><pre><code id=probe>${"x".repeat(88)}</code></pre></div>`
        )"""
    )
    hidden = page.evaluate("probe.scrollWidth - probe.clientWidth")
    assert hidden <= 0


def test_a_copied_formula_is_latex(page: Page, site_root: str):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{site_root}notation/")
    formula = page.locator("article .arithmatex").first
    source = formula.locator("annotation").text_content()
    formula.evaluate("element => getSelection().selectAllChildren(element)")
    page.keyboard.press("ControlOrMeta+c")
    assert page.evaluate("navigator.clipboard.readText()").strip() == f"${source}$"


def test_a_formula_is_set_in_its_font(page: Page, site_root: str):
    page.goto(f"{site_root}notation/")
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.fonts.check('1em KaTeX_Math')")
    spoken = page.locator("article .katex-mathml").first.bounding_box()
    assert spoken["width"] <= 1
    assert spoken["height"] <= 1, "hidden from the eye"


def test_search_finds_names_terms_and_headings(page: Page, site_root: str):
    for query, path in {
        "add_gaussian_noise": "reference/noise/",
        "bottleneck": "glossary/",
        "super-convergence": "bibliography/",
    }.items():
        page.goto(site_root)
        page.keyboard.press("/")
        page.keyboard.type(query)  # the search listens to keys
        # A page's further hits are folded away, so a link may be there unseen.
        found = page.locator(f".md-search-result__link[href*='{path}']")
        expect(found.first).to_be_attached()


@pytest.mark.parametrize("path", ["evidence/bug-museum/", "reference/noise/"])
def test_a_page_is_whole_without_being_scrolled(page: Page, site_root: str, path: str):
    page.goto(site_root + path)
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.documentElement.scrollHeight > 5 * innerHeight")
    assert page.evaluate("scrollY") == 0
    assert not page.evaluate(NOT_THERE)
    assert not page.evaluate(LAID_OUT_LATE)


def test_without_javascript_everything_is_there_to_read(
    browser: Browser, site_root: str
):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    missing = {}
    for path in pages_of_all_kinds():
        page.goto(site_root + path)
        expect(page.locator("article h1")).to_be_visible()
        if unseen := page.evaluate(NOT_THERE):
            missing[path] = unseen
    context.close()
    assert not missing


def test_formulas_and_copying_work_after_three_instant_navigations(
    page: Page, site_root: str, follow: Callable
):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(site_root, wait_until="networkidle")
    follow("bibliography/", "Bibliography")
    follow("glossary/", "Glossary")
    follow("reference/noise/", "dae_tutorial.noise")
    expect(page.locator("article .katex-html").first).to_be_visible()
    # The style that comes with the first formula hides what is for the ear.
    spoken = "document.querySelector('.katex-mathml').getBoundingClientRect().width"
    page.wait_for_function(f"{spoken} <= 1", timeout=10_000)
    page.locator("article details").first.evaluate("details => details.open = true")
    block = page.locator("article .highlight:not(.no-copy)").first
    block.hover()
    block.locator(COPY_BUTTON).click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == block.locator("code").inner_text().strip()


def test_the_404_leads_back(not_found: Page):
    expect(not_found.locator("article a", has_text="Glossary")).to_be_visible()
