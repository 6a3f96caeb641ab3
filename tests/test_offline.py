"""The list of files that a browser keeps for reading without a network."""

from pathlib import Path

import pytest

from tools.offline import kept_files


@pytest.fixture
def site(tmp_path: Path) -> Path:
    contents = {
        "index.html": "home",
        "learn/x/index.html": "page",
        "learn/x/figure-1.png": "picture",
        "learn/x/x.ipynb": "download",
        "assets/cards/home.png": "for other sites",
        "404.html": "not here",
    }
    for name, content in contents.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return tmp_path


def test_what_pages_show_is_kept_under_the_address_that_browsers_ask_for(site: Path):
    assert set(kept_files(site)) == {"", "learn/x/", "learn/x/figure-1.png"}


def test_a_digest_changes_with_the_content_alone(site: Path):
    before = kept_files(site)
    (site / "learn/x/index.html").write_text("page, edited", encoding="utf-8")
    (site / "index.html").write_text("home", encoding="utf-8")
    after = kept_files(site)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"learn/x/"}
