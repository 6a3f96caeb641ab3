"""After one visit the site works without a network, and page follows page at once."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.opening import open_page
from tests.built_site import page_paths, serve
from tools.offline import write_worker

pytestmark = pytest.mark.slow

COPY_BUTTON = "button[data-clipboard-target], .md-code__button[data-md-type=copy]"
COPIES = """async () => {
    const copies = await (await caches.open((await caches.keys())[0])).matchAll();
    return (await Promise.all(copies.map(copy => copy.text()))).join();
}"""
PICTURES = "[...document.querySelectorAll('article img')]"


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Return a profile with the worker, which fetches the whole site, but once."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    context.set_offline(False)
    page.close()


def wait_until_kept(page: Page) -> None:
    """Wait until the worker has the whole site, and answers for it."""
    # Unlike `navigator.serviceWorker.ready` this ends where the worker cannot start.
    page.wait_for_function("navigator.serviceWorker.controller", timeout=120_000)


@pytest.fixture
def visited(page: Page, site_root: str) -> Page:
    """Return a page of a site that the browser has been to before."""
    open_page(page, site_root)
    wait_until_kept(page)
    page.goto(site_root, wait_until="networkidle")
    return page


def test_every_page_can_be_read_offline(visited: Page, site_root: str):
    visited.context.set_offline(True)
    failed = []
    visited.on("requestfailed", lambda request: failed.append(request))
    for path in page_paths():
        open_page(visited, site_root + path)
        expect(visited.locator("article h1")).to_be_visible()
        visited.evaluate(f"{PICTURES}.forEach(image => image.loading = 'eager')")
        visited.wait_for_function(f"{PICTURES}.every(image => image.complete)")
        missing = f"{PICTURES}.filter(image => !image.naturalWidth).length"
        assert visited.evaluate(missing) == 0, path
    wanted = [
        request.url
        for request in failed
        if request.url.startswith(site_root)
        and request.failure != "net::ERR_ABORTED"  # by the visit to the next page
    ]
    # What the network did not give came from the copy, so nothing failed in the end.
    assert not wanted


def test_the_search_works_offline(visited: Page, site_root: str):
    visited.context.set_offline(True)
    open_page(visited, f"{site_root}glossary/")
    visited.keyboard.press("/")
    visited.keyboard.type("bottleneck")
    expect(visited.locator(".md-search-result__link").first).to_be_attached()


def wait_until_forgotten(text: str, page: Page) -> None:
    """Wait until the worker has put new copies in the place of those with ``text``."""
    for _ in range(300):
        if text not in page.evaluate(COPIES):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"a copy still says {text!r}")


def date_ahead(file: Path) -> None:
    """Make a version known as new: the server tells them apart by whole seconds."""
    os.utime(file, (time.time() + 2, time.time() + 2))


def test_a_page_is_never_stale_online_and_offline_as_new_as_the_last_visit(
    page: Page, tmp_path: Path
):
    home = tmp_path / "index.html"
    home.write_text("first <script src='worker.js'></script>", encoding="utf-8")
    (tmp_path / "worker.js").write_text(
        "navigator.serviceWorker.register('service-worker.js')", encoding="utf-8"
    )
    write_worker(tmp_path)
    with serve(tmp_path) as root:
        page.goto(root)
        wait_until_kept(page)
        home.write_text(home.read_text("utf-8").replace("first", "second"), "utf-8")
        date_ahead(home)
        page.goto(root)
        expect(page.locator("body")).to_contain_text("second")
        page.context.set_offline(True)
        page.goto(root)
        expect(page.locator("body")).to_contain_text("first")

        page.context.set_offline(False)
        write_worker(tmp_path)
        date_ahead(tmp_path / "service-worker.js")
        page.goto(root)
        wait_until_forgotten("first", page)
        page.context.set_offline(True)
        page.goto(root)
        expect(page.locator("body")).to_contain_text("second")


def test_formulas_and_copying_work_after_three_instant_navigations(
    visited: Page, site_root: str
):
    visited.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visited.evaluate("window.sameDocument = true")
    targets = {
        "bibliography": "Bibliography",
        "glossary": "Glossary",
        "reference/noise": "dae_tutorial.noise",
    }
    for target, heading in targets.items():
        link = visited.locator(f".md-sidebar--primary a[href$='{target}/']").first
        link.evaluate("element => element.click()")
        expect(visited.locator("article h1")).to_contain_text(heading)
        if target != "bibliography":
            expect(visited.locator("article .katex-html").first).to_be_visible()
            # The style that comes with the first formula hides what is for the ear.
            hidden = "document.querySelector('.katex-mathml').clientWidth <= 1"
            visited.wait_for_function(hidden)
    assert visited.evaluate("window.sameDocument"), "the page was loaded anew"
    visited.locator("article details").first.evaluate("details => details.open = true")
    block = visited.locator("article .highlight:not(.no-copy)").first
    block.hover()
    block.locator(COPY_BUTTON).click()
    copied = visited.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == block.locator("code").inner_text().strip()
