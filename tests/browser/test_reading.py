"""The site in a reader's hands: on a phone, without JavaScript, page after page."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.built_site import page_paths

pytestmark = pytest.mark.slow

COPY_BUTTON = "button[data-clipboard-target], .md-code__button[data-md-type=copy]"


def test_no_request_leaves_the_origin(page: Page, site_root: str):
    requests, failures, errors = [], [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("requestfailed", lambda request: failures.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "response",
        lambda answer: failures.append(answer.url) if answer.status >= 400 else None,
    )
    for path in page_paths():
        page.goto(site_root + path, wait_until="networkidle")
    strangers = {url for url in requests if not url.startswith((site_root, "data:"))}
    assert requests
    assert not strangers
    assert not failures
    assert not errors


def test_no_page_scrolls_sideways_on_a_phone(page: Page, site_root: str):
    page.set_viewport_size({"width": 375, "height": 800})
    wide = {}
    for path in page_paths():
        page.goto(site_root + path, wait_until="networkidle")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 375:
            wide[path] = width
    assert not wide


def test_text_at_twice_the_size_still_fits(page: Page, site_root: str):
    page.set_viewport_size({"width": 640, "height": 800})  # 1280 px at 200 %
    wide = {}
    for path in page_paths():
        page.goto(site_root + path, wait_until="networkidle")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 640:
            wide[path] = width
    assert not wide


def test_88_characters_of_code_fit_at_1280_pixels(page: Page, site_root: str):
    page.goto(site_root + "reference/noise/")
    page.evaluate(
        """document.querySelector("article").insertAdjacentHTML("beforeend",
        `<div class=highlight><pre><code id=probe>${"x".repeat(88)}</code></pre></div>`
        )"""
    )
    hidden = page.evaluate("probe.scrollWidth - probe.clientWidth")
    assert hidden <= 0


def test_math_and_copy_work_after_three_instant_navigations(page: Page, site_root: str):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(site_root, wait_until="networkidle")
    page.evaluate("window.sameDocument = true")
    targets = {
        "bibliography": "Bibliography",
        "glossary": "Glossary",
        "reference/noise": "dae_tutorial.noise",
    }
    for target, heading in targets.items():
        link = page.locator(f".md-sidebar--primary a[href$='{target}/']").first
        link.evaluate("element => element.click()")
        expect(page.locator("article h1")).to_contain_text(heading)
        if target != "bibliography":
            expect(page.locator("article .katex").first).to_be_visible()
    assert page.evaluate("window.sameDocument"), "the page was loaded anew"
    page.locator("article details").first.evaluate("element => element.open = true")
    block = page.locator("article .highlight:not(.no-copy)").first
    block.hover()
    block.locator(COPY_BUTTON).click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == block.locator("code").inner_text().strip()


def test_every_formula_is_rendered(page: Page, site_root: str):
    broken = []
    for path in page_paths():
        page.goto(site_root + path, wait_until="networkidle")
        formulas = page.locator(".arithmatex").count()
        rendered = page.locator(".arithmatex > .katex, .arithmatex > .katex-display")
        if rendered.count() != formulas or page.locator(".katex-error").count():
            broken.append(path)
    assert not broken


def test_output_has_no_copy_button(page: Page, site_root: str):
    for path in page_paths():
        page.goto(site_root + path, wait_until="networkidle")
        buttons = page.locator(f".output :is({COPY_BUTTON})")
        assert not any(button.is_visible() for button in buttons.all()), path


def test_search_finds_names_and_terms_but_no_output(page: Page, site_root: str):
    index = page.request.get(f"{site_root}search/search_index.json").text()
    assert "Copy to clipboard" not in index
    assert "Download notebook" not in index
    assert "&gt;&gt;&gt;" not in index
    for query, path in {
        "add_gaussian_noise": "reference/noise/",
        "bottleneck": "glossary/",
        "super-convergence": "bibliography/",
    }.items():
        page.goto(site_root, wait_until="networkidle")
        page.keyboard.press("/")
        page.keyboard.type(query)  # the search listens to keys
        # A page's further hits are folded away, so a link may be there unseen.
        found = page.locator(f".md-search-result__link[href*='{path}']")
        expect(found.first).to_be_attached()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_of_the_scheme_is_shown(page: Page, site_root: str, scheme: str):
    page.emulate_media(color_scheme=scheme)
    other = {"light": "dark", "dark": "light"}[scheme]
    for path in page_paths():
        page.goto(site_root + path, wait_until="networkidle")
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        shown, hidden = (
            page.locator(f"article .only-{name}").all() for name in (scheme, other)
        )
        assert all(image.is_visible() for image in shown), path
        assert not any(image.is_visible() for image in hidden), path


def test_without_javascript_everything_is_there_to_read(
    browser: Browser, site_root: str
):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for path in page_paths():
        page.goto(site_root + path)
        expect(page.locator("article h1")).to_be_visible()
        for formula in page.locator("article > * > .arithmatex").all():
            assert formula.inner_text().startswith(("\\(", "\\[")), path
        for code in page.locator("article > .highlight code").all():
            assert code.is_visible(), path
    context.close()


def test_the_404_leads_back(not_found: Page):
    expect(not_found.locator("article a", has_text="Glossary")).to_be_visible()
