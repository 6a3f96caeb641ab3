"""The built HTML: every link leads somewhere, every page says what it is."""

import json
import os
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup

from tests.pages.built_site import ROOT, built_site, page_paths
from tools.formulas import formulas_in
from tools.node import node
from tools.weight import LIMIT, LIMIT_OF_HTML, weigh

pytestmark = pytest.mark.slow

ORIGIN = "http://site.invalid/dae/"
REQUESTED = {  # what a browser fetches by itself: (element, attribute)
    ("script", "src"),
    ("img", "src"),
    ("source", "src"),
    ("video", "src"),
    ("iframe", "src"),
}


@cache
def soup(path: str) -> BeautifulSoup:
    html = (built_site() / path / "index.html").read_text(encoding="utf-8")
    return BeautifulSoup(html, "html.parser")


@cache
def anchors(path: str) -> frozenset[str]:
    return frozenset(element["id"] for element in soup(path).select("[id]"))


def target_of(address: str) -> Path:
    """Return the file that the server sends for an address of the site."""
    file = built_site() / unquote(urlsplit(address).path.removeprefix("/dae/"))
    return file / "index.html" if address.split("#")[0].endswith("/") else file


def broken_links(path: str) -> list[str]:
    broken = []
    for link in soup(path).select("a[href], link[href]"):
        address = urljoin(ORIGIN + path, link["href"])
        if not address.startswith(ORIGIN):
            continue
        page, _, anchor = address.removeprefix(ORIGIN).partition("#")
        if not target_of(address).is_file():
            broken.append(f"{path or 'home'} → {link['href']}: no such file")
        elif anchor and unquote(anchor) not in anchors(page):
            broken.append(f"{path or 'home'} → {link['href']}: no such anchor")
    return broken


def test_every_internal_link_and_anchor_exists():
    broken = [line for path in page_paths() for line in broken_links(path)]
    assert not broken, "\n".join(broken)


def test_links_are_relative_so_that_a_sub_path_works():
    absolute = [
        (path, link["href"])
        for path in page_paths()
        for link in soup(path).select("a[href^='/']")
    ]
    assert not absolute


def test_every_page_has_a_title_and_a_description_of_its_own():
    titles = Counter(soup(path).title.get_text(strip=True) for path in page_paths())
    descriptions = Counter(
        soup(path).select_one("meta[name=description]")["content"].strip()
        for path in page_paths()
    )
    for name, texts in (("title", titles), ("description", descriptions)):
        assert "" not in texts, name
        assert [text for text, count in texts.items() if count > 1] == [], name


def test_every_page_has_one_main_heading():
    counts = {path: len(soup(path).select("h1")) for path in page_paths()}
    assert {path: count for path, count in counts.items() if count != 1} == {}


def test_ids_are_unique():
    repeated = {}
    for path in page_paths():
        ids = Counter(element["id"] for element in soup(path).select("[id]"))
        twice = [name for name, count in ids.items() if count > 1]
        if twice:
            repeated[path] = twice
    assert not repeated


def test_no_page_asks_another_origin_for_anything():
    strangers = []
    for path in page_paths():
        page = soup(path)
        addresses = [
            element[attribute]
            for name, attribute in REQUESTED
            for element in page.find_all(name, attrs={attribute: True})
        ]
        addresses += [
            link["href"]
            for link in page.select("link[href]")
            if link.get("rel") != ["canonical"]
        ]
        strangers += [
            (path, address)
            for address in addresses
            if urlsplit(address).netloc and not address.startswith("data:")
        ]
    assert not strangers


def test_style_sheets_ask_no_other_origin():
    sheets = built_site().rglob("*.css")
    strangers = [
        sheet.name
        for sheet in sheets
        if "url(http" in (text := sheet.read_text(encoding="utf-8"))
        or "url(//" in text
        or "@import" in text
    ]
    assert not strangers


def test_images_have_alternative_text_and_a_size():
    poor = [
        (path, str(image)[:120])
        for path in page_paths()
        for image in soup(path).select("article img")
        if not all(image.get(name) for name in ("alt", "width", "height"))
    ]
    assert not poor


def test_a_light_picture_has_a_dark_twin():
    for path in page_paths():
        light, dark = (
            soup(path).select(f"img.only-{name}") for name in ("light", "dark")
        )
        assert [image["alt"] for image in light] == [image["alt"] for image in dark]


def test_the_search_index_holds_neither_prompts_nor_button_text():
    index = (built_site() / "search" / "search_index.json").read_text(encoding="utf-8")
    for text in ("&gt;&gt;&gt;", ">>> ", "Copy to clipboard", "Download notebook"):
        assert text not in index, text
    assert "add_gaussian_noise" in index


def test_pages_are_light():
    heavy = {
        path: weight
        for path in page_paths()
        if (weight := weigh(built_site(), path)).is_too_heavy()
    }
    assert not heavy, f"limits: {LIMIT_OF_HTML} bytes of HTML, {LIMIT} in all"
    assert weigh(built_site(), "").js > 40_000, "the theme's script is among them"


def test_html_is_valid():
    validator = ROOT / "node_modules" / "html-validate" / "bin" / "html-validate.mjs"
    command = [
        node(),
        validator,
        "--config",
        Path(__file__).with_name("htmlvalidate.json"),
    ]
    command += ["--formatter", "json", *built_site().rglob("*.html")]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.stdout, run.stderr
    mistakes = [
        f"{page['filePath']}:{one['line']} {one['ruleId']}: {one['message']}"
        for page in json.loads(run.stdout)
        for one in page["messages"]
    ]
    assert not mistakes, "\n".join(mistakes)


def test_formulas_are_typeset_and_keep_their_source():
    formulas = 0
    for path in page_paths():
        for element in soup(path).select(".arithmatex"):
            formulas += 1
            assert element.select_one(".katex-html[aria-hidden=true]"), (path, element)
            assert element.select_one("math annotation").string.strip(), path
        assert not formulas_in(str(soup(path).article)), path
    assert formulas


def test_only_pages_with_formulas_load_their_style():
    for path in page_paths():
        style = soup(path).select_one("link[rel=stylesheet][href$='katex.min.css']")
        assert bool(style) == bool(soup(path).select_one(".arithmatex")), path


def test_a_term_is_explained_once_and_within_reach():
    for path in page_paths():
        terms = soup(path).select("article abbr[title]")
        assert all(term.get("tabindex") == "0" for term in terms), path
        titles = [term["title"] for term in terms]
        assert len(titles) == len(set(titles)), path
    assert any(soup(path).select("article abbr[title]") for path in page_paths())


def test_links_of_a_repository_are_there_only_where_one_is_configured():
    configured = bool(os.environ.get("REPOSITORY_URL"))
    for path in page_paths():
        links = soup(path).find_all("a", string="Edit this page")
        assert len(links) == configured, path


def test_no_page_is_empty():
    words = {path: len(soup(path).article.get_text().split()) for path in page_paths()}
    assert {path: count for path, count in words.items() if count < 60} == {}


def test_the_front_page_has_three_ways_in_and_nothing_folded():
    home = soup("").article
    assert home.select_one("#living-picture img[alt]")
    cards = home.select(".grid > .card")
    assert len(cards) == 3
    assert all(card.select_one("img[alt]") and card.select_one("a") for card in cards)
    assert not home.select("details")


def test_notebook_pages_show_code_and_figures():
    for path in ("learn/types-of-noise/", "learn/train-your-first-dae/"):
        assert soup(path).select("article .highlight"), path
        assert soup(path).select("article img"), path
