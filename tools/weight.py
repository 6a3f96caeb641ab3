"""What a page of the built site weighs: ``python -m tools.weight``.

HTML, style sheets and scripts, compressed as the hosts of static sites do; pictures
are not counted. The command ends with an error where a page is over the limit.
"""

import argparse
import gzip
import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urljoin

from bs4 import BeautifulSoup, SoupStrainer

ROOT = Path(__file__).resolve().parent.parent
LEVEL = 6  # of gzip: what servers use
LIMIT = 150_000  # bytes of HTML, CSS and JavaScript together
LIMIT_OF_HTML = 30_000


@dataclass(frozen=True)
class Weight:
    """The compressed bytes that one page makes a browser load."""

    html: int
    css: int
    js: int

    @property
    def total(self) -> int:
        """HTML, CSS and JavaScript together."""
        return self.html + self.css + self.js

    def is_too_heavy(self) -> bool:
        """Say whether the page is over one of the limits."""
        return self.html > LIMIT_OF_HTML or self.total > LIMIT


@cache
def compressed_size(file: Path) -> int:
    """Return the size of a file as it is sent."""
    return len(gzip.compress(file.read_bytes(), LEVEL))


def weigh(site: Path, path: str) -> Weight:
    """Return the weight of the page at ``path``, such as ``learn/why-noise/``."""
    file = site / path / "index.html"
    html = file.read_text(encoding="utf-8")
    loads = SoupStrainer(["link", "script"])
    page = BeautifulSoup(html, "html.parser", parse_only=loads)
    styles = [link["href"] for link in page.select("link[rel=stylesheet]")]
    scripts = [script["src"] for script in page.find_all("script", src=True)]
    # The theme's script starts this one.
    scripts.append(json.loads(page.select_one("#__config").string)["search"])

    def size(addresses: list[str]) -> int:
        local = [urljoin(f"/{path}", address).lstrip("/") for address in addresses]
        return sum(compressed_size(site / one) for one in local)

    return Weight(html=compressed_size(file), css=size(styles), js=size(scripts))


def pages(site: Path) -> list[str]:
    """Return the address of every page below the site's root; home is ``""``."""
    folders = (file.parent.relative_to(site) for file in site.rglob("index.html"))
    return sorted("" if folder == Path() else f"{folder}/" for folder in folders)


def main() -> None:
    """Print the weight of every page, and what the limits are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=ROOT / "site")
    site = parser.parse_args().site
    weights = {path: weigh(site, path) for path in pages(site)}
    print(f"{'compressed KB':40}{'HTML':>8}{'CSS':>8}{'JS':>8}{'total':>8}")
    for path, one in weights.items():
        sizes = (one.html, one.css, one.js, one.total)
        numbers = "".join(f"{size / 1000:8.1f}" for size in sizes)
        print(f"{path or 'home':40}{numbers}{'  <-' if one.is_too_heavy() else ''}")
    print(f"{'limit':40}{LIMIT_OF_HTML / 1000:8.1f}{LIMIT / 1000:24.1f}")
    sys.exit(any(one.is_too_heavy() for one in weights.values()))


if __name__ == "__main__":
    main()
