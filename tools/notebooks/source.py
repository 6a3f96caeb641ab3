"""Read a notebook's source: a percent-format Python script with front matter."""

import ast
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode

from tools.notebooks.errors import NotebookError

WITH_DOCSTRING = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def read(path: Path) -> NotebookNode:
    """Return the script at `path` as a notebook without outputs.

    Its front matter becomes `notebook.metadata["page"]`.

    Raises:
        NotebookError: If the front matter has no title or no description.
    """
    notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    front_matter = ""
    if notebook.cells and notebook.cells[0].cell_type == "raw":
        front_matter = notebook.cells.pop(0).source.strip().strip("-")
    page = yaml.safe_load(front_matter) or {}
    for key in ("title", "description"):
        if not isinstance(page.get(key), str):
            raise NotebookError(
                f"{path}: the front matter has no {key}. Begin the file with\n"
                "# ---\n# title: …\n# description: …\n# ---"
            )
    notebook.metadata = NotebookNode(page=page, kernelspec=kernelspec())
    return number_cells(notebook)


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


def normalised_cell(code: str) -> str:
    """Return what IPython will do with a cell, whatever its formatting.

    A trailing semicolon hides a cell's result, so it is kept; a cell that is not
    plain Python (a magic, a syntax error) is returned as it stands.
    """
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return code
    # A lone string in a cell is its result, not a docstring: keep the module's.
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module):
            _drop_docstring(node)
    hides_result = _code_ends_with_semicolon(code)
    return ast.dump(tree) + (";" if hides_result else "")


def normalised_module(code: str) -> str:
    """Return a module's syntax tree without docstrings, comments and formatting."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return code
    for node in ast.walk(tree):
        _drop_docstring(node)
    return ast.dump(tree)


def _drop_docstring(node: ast.AST) -> None:
    if isinstance(node, WITH_DOCSTRING) and ast.get_docstring(node) is not None:
        node.body = node.body[1:]


def _code_ends_with_semicolon(code: str) -> bool:
    lines = [line.split("#")[0].rstrip() for line in code.splitlines()]
    return bool(lines) and next((s for s in reversed(lines) if s), "").endswith(";")


def line_of_cell(path: Path, cell_number: int) -> int:
    """Return the line of the script at which code cell `cell_number` begins."""
    lines = path.read_text(encoding="utf-8").splitlines()
    starts = [
        number
        for number, line in enumerate(lines, start=1)
        if line.startswith("# %%") and "[markdown]" not in line
    ]
    return starts[cell_number - 1] if cell_number <= len(starts) else 1
