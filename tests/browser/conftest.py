"""A server for the built site and a Chromium that looks at it."""

import os
import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Route,
    expect,
    sync_playwright,
)

from tests.pages.built_site import PREFIX, built_site, page_paths, serve

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def site_root() -> Iterator[str]:
    """Serve the built site; the value is its address."""
    with serve(built_site()) as root:
        yield root


def find_chromium() -> str:
    """Return the path of Chromium; skip where there is none, but fail under CI."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, names)), ""
    )
    if path:
        return path
    message = "no Chromium here: install one, or set CHROMIUM, to run the browser tests"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=CHROMIUM_ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Return a fresh profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def follow(page: Page, site_root: str) -> Callable[[str, str], None]:
    """Return what follows the menu's link to a page, which the theme does itself.

    It does so once it has the list of pages, which is empty in a build that does not
    know where it is published.
    """
    urls = [f"<url><loc>{site_root}{path}</loc></url>" for path in page_paths()]
    body = f"<urlset>{''.join(urls)}</urlset>"
    page.route("**/sitemap.xml", lambda route: route.fulfill(body=body))

    def go(path: str, heading: str) -> None:
        page.evaluate("window.sameDocument = true")
        page.evaluate(
            """address => [...document.querySelectorAll(".md-sidebar--primary a")]
            .find(link => link.href === address).click()""",
            site_root + path,
        )
        expect(page.locator("article h1")).to_contain_text(heading)
        assert page.evaluate("window.sameDocument"), "the page was loaded anew"

    return go


@pytest.fixture
def not_found(page: Page, site_root: str) -> Page:
    """Return the 404 page as the server of a whole domain shows it.

    It may answer for an address of any depth, so its links start at the site's
    configured address, which is the server's root where none is configured.
    """
    root = site_root.removesuffix(PREFIX)
    html = (built_site() / "404.html").read_text(encoding="utf-8")
    configured = re.search('"base": "([^"]*)"', html)[1].rstrip("/")

    def below_the_prefix(route: Route) -> None:
        path = route.request.url.removeprefix(root).removeprefix(PREFIX.rstrip("/"))
        path = path.removeprefix(configured)
        route.fulfill(response=route.fetch(url=f"{root}{PREFIX.rstrip('/')}{path}"))

    page.route(f"{root}/**", below_the_prefix)
    page.goto(f"{site_root}404.html", wait_until="networkidle")
    return page
