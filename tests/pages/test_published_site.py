"""What a build adds when it knows where the site and its sources are published."""

from functools import cache
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup

from tests.pages.built_site import ROOT, failure_of_build
from tools.weight import pages

pytestmark = pytest.mark.slow

SITE_URL = "https://example.org/dae/"
NOTEBOOK = "learn/types-of-noise/"
REPOSITORIES = {
    "github": "https://github.com/someone/dae",
    "elsewhere": "https://example.org/someone/dae",
}


@pytest.fixture(scope="module")
def built_for(tmp_path_factory: pytest.TempPathFactory):
    """Return a function that builds the site for a repository, once."""
    folder = cache(tmp_path_factory.mktemp)

    def build(host: str) -> Path:
        settings = {"SITE_URL": SITE_URL, "REPOSITORY_URL": REPOSITORIES[host]}
        failure = failure_of_build(folder(host), **settings)
        assert failure is None, failure
        return folder(host)

    return build


def soup(site: Path, path: str) -> BeautifulSoup:
    html = (site / path / "index.html").read_text(encoding="utf-8")
    return BeautifulSoup(html, "html.parser")


def test_each_page_says_where_it_is_published(built_for):
    site = built_for("github")
    for path in pages(site):
        canonical = soup(site, path).select_one("link[rel=canonical]")
        assert canonical["href"] == SITE_URL + path


def test_the_sitemap_lists_every_page(built_for):
    site = built_for("github")
    tree = ElementTree.parse(site / "sitemap.xml")
    listed = [element.text for element in tree.iter() if element.tag.endswith("}loc")]
    assert sorted(listed) == sorted(SITE_URL + path for path in pages(site))


def test_a_page_loads_nothing_by_a_full_address(built_for):
    """So that a copy of the site elsewhere is whole, and asks nobody else."""
    site = built_for("github")
    for path in pages(site):
        page = soup(site, path)
        loaded = [script["src"] for script in page.find_all("script", src=True)]
        loaded += [image["src"] for image in page.select("img")]
        loaded += [link["href"] for link in page.select("link:not([rel=canonical])")]
        assert not [address for address in loaded if "//" in address], path


@pytest.mark.parametrize("host", REPOSITORIES)
def test_each_page_can_be_edited(built_for, host: str):
    site, start = built_for(host), f"{REPOSITORIES[host]}/edit/main/docs/"
    for path in pages(site):
        link = soup(site, path).find("a", string="Edit this page")["href"]
        assert link.startswith(start), path
        assert (ROOT / "docs" / link.removeprefix(start)).is_file(), link


def test_notebooks_open_in_colab_from_github_alone(built_for):
    elsewhere = soup(built_for("elsewhere"), NOTEBOOK)
    assert not elsewhere.find("a", string="Open in Colab")
    site = built_for("github")
    link = soup(site, NOTEBOOK).find("a", string="Open in Colab")["href"]
    start = "https://colab.research.google.com/github/someone/dae/blob/gh-pages/"
    assert link.startswith(start)
    assert (site / link.removeprefix(start)).is_file(), "published on that branch"


def test_the_404_works_at_any_depth(built_for):
    site = built_for("github")
    page = BeautifulSoup((site / "404.html").read_text(encoding="utf-8"), "html.parser")
    asked = urljoin(SITE_URL, "no/such/page/")
    for link in page.select("article a[href], link[rel=stylesheet]"):
        address = urljoin(asked, link["href"])
        if address.startswith(SITE_URL):
            file = site / address.removeprefix(SITE_URL).split("#")[0]
            assert file.is_file() or (file / "index.html").is_file(), link
    assert len(page.select("article li a")) >= len(pages(site)) - 1
