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


@pytest.fixture(autouse=True)
def seed():
    """Start every test from the same random state, whatever ran before it."""
    torch.manual_seed(0)
