"""Code of the package in a page: as it is written, without what the reference has."""

import ast
import re
from pathlib import Path

import pytest

from tests.machinery.project import ROOT
from tools.notebooks.notebook import NotebookError, read

FRONT_MATTER = "# ---\n# title: Page\n# description: A page\n# ---\n\n"
PACKAGE = '''"""A module."""

# before


@decorated
def one(x):
    """Return one.

    Examples:
        >>> one(2)
    """
    # why
    return x / x  # a comment


class Two:
    """Have a method."""

    field = """no docstring"""

    def method(self):
        """Return two."""
        return 2
'''
SHOWN = {
    "one": "@decorated\ndef one(x):\n    # why\n    return x / x  # a comment",
    "Two": (
        'class Two:\n    field = """no docstring"""\n\n'
        "    def method(self):\n        return 2"
    ),
}


@pytest.fixture
def page(tmp_path: Path):
    """Return a function that reads a page of one Markdown cell, and gives the cell."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text(PACKAGE, "utf-8")
    script = tmp_path / "docs" / "page.py"

    def cell(text: str) -> str:
        lines = "".join(f"# {line}\n" for line in text.splitlines())
        script.write_text(f"{FRONT_MATTER}# %% [markdown]\n{lines}", "utf-8")
        return read(script, tmp_path / "docs").node.cells[0].source

    return cell


@pytest.mark.parametrize("name", SHOWN)
def test_the_code_is_shown_without_docstrings_and_with_comments(page, name):
    text = page(f"Before.\n\n{{{{ code of package.module.{name} }}}}\n\nAfter.")
    before, fence, after = text.partition(f"```python\n{SHOWN[name]}\n```")
    assert fence, text
    assert before.startswith("Before.\n\n<details ")
    assert f"<code>{name}</code>" in before
    assert after == "\n\n</details>\n\nAfter."


@pytest.mark.parametrize("name", ["package.module.three", "package.gone.one"])
def test_code_that_is_not_there_is_refused(page, name):
    with pytest.raises(NotebookError, match=rf"docs/page\.py: there is no {name}"):
        page(f"{{{{ code of {name} }}}}")


def test_braces_within_a_line_are_text(page):
    for text in ("In text, {{ code of package.module.one }} stays.", "$x_{{1}}$"):
        assert page(text) == text


def test_pages_show_code_that_python_can_read():
    """Else a docstring that is the whole body would leave an empty function."""
    docs = ROOT / "docs"
    cells = [
        cell.source
        for path in docs.rglob("*.py")
        for cell in read(path, docs).node.cells
        if cell.cell_type == "markdown"
    ]
    folded = re.compile(r"<details class.*?```python\n(.*?)\n```", re.DOTALL)
    shown = [code for cell in cells for code in folded.findall(cell)]
    assert shown
    for code in shown:
        ast.parse(code)
