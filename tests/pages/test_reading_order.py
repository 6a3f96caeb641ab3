"""Who reads the lessons in order is led from each to the next."""

import itertools
import re

from mkdocs.utils.yaml import yaml_load

from tests.pages.built_site import ROOT

NEXT = re.compile(r"^(?:# )?Next: \[[^\]]+\]\(([^)]+)\)$", re.MULTILINE)


def test_each_lesson_ends_with_a_link_to_the_next_page():
    nav = yaml_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    chapters = {name: pages for part in nav for name, pages in part.items()}
    order = [*chapters["Learn"], chapters["Evidence"][0]]
    for page, following in itertools.pairwise(order):
        file = ROOT / "docs" / page
        (link,) = NEXT.findall(file.read_text("utf-8"))
        assert (file.parent / link).resolve() == ROOT / "docs" / following, page
