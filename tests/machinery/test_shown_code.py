"""Code of the package in a page: as it is written, without what the reference has."""

from pathlib import Path

import pytest

from tools.notebooks.notebook import NotebookError, read

PACKAGE = '''
# before
@decorated
class One:
    """Have a method.

    Examples:
        >>> One()
    """

    field = """no docstring"""

    def method(self):
        """Return two."""
        # why
        return 2  # a comment
'''
SHOWN = '''```python
@decorated
class One:
    field = """no docstring"""

    def method(self):
        # why
        return 2  # a comment
```'''


def cell(text: str, folder: Path) -> str:
    """Return a Markdown cell as readers get it."""
    script = folder / "page.py"
    (folder / "module.py").write_text(PACKAGE, "utf-8")
    front = "# ---\n# title: P\n# description: P\n# ---"
    script.write_text(f"{front}\n# %% [markdown]\n# {text}", "utf-8")
    return read(script, folder).node.cells[0].source


def test_code_is_shown_without_docstrings_and_with_comments(tmp_path: Path):
    text = cell(f"{{{{ code of {tmp_path.name}.module.One }}}}", tmp_path)
    assert text.startswith("<details ")
    assert text.endswith(f"{SHOWN}\n\n</details>")


@pytest.mark.parametrize("name", ["module.Two", "gone.One"])
def test_code_that_is_not_there_is_refused(name, tmp_path: Path):
    with pytest.raises(NotebookError, match=rf"there is no \w+\.{name}"):
        cell(f"{{{{ code of {tmp_path.name}.{name} }}}}", tmp_path)
