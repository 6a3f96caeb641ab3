"""The built site as the tests see it: its files, its pages, its front door."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SITE = Path(os.environ.get("SITE_DIR", ROOT / "site"))


@cache
def built_site() -> Path:
    """Return the folder of the built site; build it first where it is missing."""
    if not (SITE / "index.html").is_file():
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", SITE]
        build = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if build.returncode:
            pytest.fail(f"the site does not build:\n{build.stderr[-4000:]}", False)
    return SITE


@cache
def page_paths() -> tuple[str, ...]:
    """Return the address of every page, from the site's root; home is ""."""
    pages = built_site().rglob("index.html")
    folders = (page.parent.relative_to(SITE).as_posix() for page in pages)
    return tuple(sorted("" if folder == "." else f"{folder}/" for folder in folders))
