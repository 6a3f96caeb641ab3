"""Read a notebook's source: a percent-format Python script with front matter."""

from pathlib import Path

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode

from tools.notebooks.errors import NotebookError


def read(path: Path) -> NotebookNode:
    """Return the script at `path` as a notebook without outputs.

    Its front matter becomes `notebook.metadata["page"]`.

    Raises:
        NotebookError: If the front matter has no title or no description, or cannot be
            read, or the tags of a cell are no list.
    """
    try:
        notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    except nbformat.ValidationError as error:
        raise NotebookError(f"{path}: {error.message}") from error
    front_matter = ""
    if notebook.cells and notebook.cells[0].cell_type == "raw":
        front_matter = notebook.cells.pop(0).source.strip().strip("-")
    page = _parsed(front_matter, path)
    notebook.metadata = NotebookNode(page=page, kernelspec=kernelspec())
    return number_cells(notebook)


def _parsed(front_matter: str, path: Path) -> dict:
    begin = "Begin the file with\n# ---\n# title: …\n# description: …\n# ---"
    try:
        page = yaml.safe_load(front_matter) or {}
    except yaml.YAMLError as error:
        hint = "A text with a colon needs quotes."
        raise NotebookError(
            f"{path}: the front matter is not YAML. {hint}\n{error}"
        ) from error
    if not isinstance(page, dict):
        raise NotebookError(f"{path}: the front matter names no fields. {begin}")
    for key in ("title", "description"):
        if not isinstance(page.get(key), str):
            raise NotebookError(f"{path}: the front matter has no {key}. {begin}")
    return page


def kernelspec() -> dict[str, str]:
    """Return the kernel that Jupyter should start for a downloaded notebook."""
    return {"name": "python3", "display_name": "Python 3", "language": "python"}


def number_cells(notebook: NotebookNode) -> NotebookNode:
    """Give each cell a stable id, so that equal sources make equal files."""
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number}"
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def line_of_cell(path: Path, cell_number: int) -> int:
    """Return the line of the script at which code cell `cell_number` begins."""
    lines = path.read_text(encoding="utf-8").splitlines()
    starts = [
        number
        for number, line in enumerate(lines, start=1)
        if line.startswith("# %%") and "[markdown]" not in line
    ]
    return starts[cell_number - 1] if cell_number <= len(starts) else 1
