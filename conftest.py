"""Collect the python fences of every markdown page as tests."""

import pytest
import torch
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

# Notebooks are executed, and so tested, by the build of the site.
collect_ignore_glob = ["docs/**/*.py", "docs/*.py", "node_modules", "site"]

pytest_collect_file = Sybil(
    parsers=[SkipParser(), PythonCodeBlockParser()],
    patterns=["*.md", "**/*.md"],
    excludes=["node_modules/**", "site/**", ".venv/**", ".cache/**"],
).pytest()


# The first of these builds the site, where there is none, in some minutes. The next two
# need none: they run beside it. Last come many short files, so that no process waits.
FIRST = ["test_site.py", "machinery", "studies", "browser", "pages"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the tests into an order in which all processes have work to the end."""

    def place(item: pytest.Item) -> int:
        found = (n for n, name in enumerate(FIRST) if name in item.path.parts)
        return next(found, len(FIRST))

    items.sort(key=place)


@pytest.fixture(autouse=True)
def seed():
    """Start every test from the same random state, whatever ran before it."""
    torch.manual_seed(0)
