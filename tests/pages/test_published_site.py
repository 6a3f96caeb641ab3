"""What a build adds when it knows where the site and its sources are published."""

from functools import cache
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup, SoupStrainer
from jinja2 import Environment, FileSystemLoader

from tests.pages.built_site import ROOT, failure_of_build
from tools.weight import pages

pytestmark = pytest.mark.slow

SITE_URL = "https://example.org/dae/"
NOTEBOOK = "learn/types-of-noise/"
REPOSITORY = "https://github.com/someone/dae"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site for its address and its repository, once."""
    folder = tmp_path_factory.mktemp("published")
    settings = {"SITE_URL": SITE_URL, "REPOSITORY_URL": REPOSITORY}
    failure = failure_of_build(folder, **settings)
    assert failure is None, failure
    return folder


@cache
def soup(site: Path, path: str) -> BeautifulSoup:
    html = (site / path / "index.html").read_text(encoding="utf-8")
    # What a page holds for the eye and the ear is not asked for here.
    asked = SoupStrainer(["script", "img", "link", "a"])
    return BeautifulSoup(html, "html.parser", parse_only=asked)


def row_of_links(repository: str) -> BeautifulSoup:
    """Return the links above a notebook's page, for a repository."""
    templates = Environment(loader=FileSystemLoader(ROOT / "docs" / "overrides"))
    templates.filters["url"] = str
    html = templates.get_template("partials/take-along.html").render(
        config={"extra": {"repository": repository, "branch": "main"}},
        page={
            "meta": {"notebook_url": f"{NOTEBOOK}types-of-noise.ipynb"},
            "file": {"src_uri": "learn/types-of-noise.py"},
        },
    )
    return BeautifulSoup(html, "html.parser")


def test_each_page_says_where_it_is_published(site: Path):
    for path in pages(site):
        canonical = soup(site, path).select_one("link[rel=canonical]")
        assert canonical["href"] == SITE_URL + path


def test_the_sitemap_lists_every_page(site: Path):
    tree = ElementTree.parse(site / "sitemap.xml")
    listed = [element.text for element in tree.iter() if element.tag.endswith("}loc")]
    assert sorted(listed) == sorted(SITE_URL + path for path in pages(site))


def test_a_page_loads_nothing_by_a_full_address(site: Path):
    """So that a copy of the site elsewhere is whole, and asks nobody else."""
    for path in pages(site):
        page = soup(site, path)
        loaded = [script["src"] for script in page.find_all("script", src=True)]
        loaded += [image["src"] for image in page.select("img")]
        loaded += [link["href"] for link in page.select("link:not([rel=canonical])")]
        assert not [address for address in loaded if "//" in address], path


def test_each_page_can_be_edited(site: Path):
    start = f"{REPOSITORY}/edit/main/docs/"
    for path in pages(site):
        link = soup(site, path).find("a", string="Edit this page")["href"]
        assert link.startswith(start), path
        assert (ROOT / "docs" / link.removeprefix(start)).is_file(), link


def test_notebooks_open_in_colab_from_github(site: Path):
    link = soup(site, NOTEBOOK).find("a", string="Open in Colab")["href"]
    start = "https://colab.research.google.com/github/someone/dae/blob/gh-pages/"
    assert link.startswith(start)
    assert (site / link.removeprefix(start)).is_file(), "published on that branch"


def test_other_hosts_have_a_link_to_edit_but_none_to_colab():
    elsewhere = "https://example.org/someone/dae"
    links = row_of_links(elsewhere)
    assert not links.find("a", string="Open in Colab")
    edit = links.find("a", string="Edit this page")["href"]
    assert edit == f"{elsewhere}/edit/main/docs/learn/types-of-noise.py"
    assert row_of_links(REPOSITORY).find("a", string="Open in Colab")


def test_the_404_works_at_any_depth(site: Path):
    page = BeautifulSoup((site / "404.html").read_text(encoding="utf-8"), "html.parser")
    asked = urljoin(SITE_URL, "no/such/page/")
    for link in page.select("article a[href], link[rel=stylesheet]"):
        address = urljoin(asked, link["href"])
        if address.startswith(SITE_URL):
            file = site / address.removeprefix(SITE_URL).split("#")[0]
            assert file.is_file() or (file / "index.html").is_file(), link
    assert len(page.select("article li a")) >= len(pages(site)) - 1
