"""The built site as the tests see it: its files, its pages, its front door."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock

from tools.weight import pages

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ.get("SITE_DIR", ROOT / "site"))
PREFIX = "/dae/"
SCHEMES = {"light": "default", "dark": "slate"}  # and what the theme calls them


@cache
def built_site() -> Path:
    """Return the folder of the built site; build it first where it is missing."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    with FileLock(ROOT / ".cache" / "tested-site.lock"):  # tests run side by side
        if not (SITE / "index.html").is_file() and (failure := failure_of_build(SITE)):
            pytest.fail(f"the site does not build:\n{failure}", pytrace=False)
    return SITE


@cache  # of the failure too: it would be the same for each test that needs the site
def failure_of_build(target: Path, **settings: str) -> str | None:
    """Build the site into ``target``; return the end of what is said if that fails."""
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", target],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )
    return run.stderr[-4000:] if run.returncode else None


@cache
def page_paths() -> list[str]:
    """Return the address of every page, from the site's root; home is ""."""
    return pages(built_site())


@cache
def pages_of_all_kinds() -> list[str]:
    """Return every page, but of the reference, that a template makes, each sixth."""
    alike = [path for path in page_paths() if path.startswith("reference/")]
    return [path for path in page_paths() if path not in alike] + alike[::6]


class SiteHandler(SimpleHTTPRequestHandler):
    """Serves the site below a sub-path, as GitHub Pages does."""

    def handle(self) -> None:
        with suppress(ConnectionError):  # a browser that goes on to the next page
            super().handle()

    def translate_path(self, path: str) -> str:
        if not path.startswith(PREFIX):
            return str(Path(self.directory) / "outside-of-the-site")
        return super().translate_path(path.removeprefix(PREFIX.rstrip("/")))

    def log_message(self, *arguments: object) -> None:
        """Stay silent."""


@contextmanager
def serve(site: Path) -> Iterator[str]:
    """Serve a folder on a free port; the value is its address, below a sub-path."""
    handler = partial(SiteHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        finally:  # else a test that fails would keep the process from ending
            server.shutdown()
            thread.join()
