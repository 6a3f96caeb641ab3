"""A server for the built site and a Chromium that looks at it."""

import os
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests.built_site import built_site, page_paths

PREFIX = "/dae/"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class SiteHandler(SimpleHTTPRequestHandler):
    """Serves the site below a sub-path, as GitHub Pages does."""

    def translate_path(self, path: str) -> str:
        if not path.startswith(PREFIX):
            return str(Path(self.directory) / "outside-of-the-site")
        return super().translate_path(path.removeprefix(PREFIX.rstrip("/")))

    def do_GET(self) -> None:
        if self.path == f"{PREFIX}sitemap.xml":
            self.send_sitemap()
        else:
            super().do_GET()

    def send_sitemap(self) -> None:
        """Send the sitemap that a build with this server as ``site_url`` has.

        Instant navigation asks it which links are pages. Its full addresses hold the
        port, and that is free to choose only now.
        """
        root = f"http://{self.headers['Host']}{PREFIX}"
        urls = "".join(f"<url><loc>{root}{path}</loc></url>" for path in page_paths())
        content = f"<urlset>{urls}</urlset>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="session")
def site_root() -> Iterator[str]:
    """Serve the site on a free port; the value is its address, below a sub-path."""
    handler = partial(SiteHandler, directory=str(built_site()))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        server.shutdown()
        thread.join()


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
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def not_found(page: Page, site_root: str) -> Page:
    """Return the 404 page as the server of a whole domain shows it.

    It may answer for an address of any depth, so its links start at the site's
    configured address, which is the server's root where none is configured.
    """
    root = site_root.removesuffix(PREFIX)

    def below_the_prefix(route: Route) -> None:
        path = route.request.url.removeprefix(root).removeprefix(PREFIX.rstrip("/"))
        route.fulfill(response=route.fetch(url=f"{root}{PREFIX.rstrip('/')}{path}"))

    page.route(f"{root}/**", below_the_prefix)
    page.goto(f"{site_root}404.html", wait_until="networkidle")
    return page
