"""What a notebook is: a percent-format script with front matter.

    # ---
    # title: Loss matters
    # description: What each loss does to the pictures.
    # data: dae_tutorial/evidence/tables/losses.*
    # ---

`data` names the files of the project that the cells read, as patterns from the
project's root; the data set in `data/` is free to all.

A line `{{ code of dae_tutorial.noise.add_gaussian_noise }}` in a Markdown cell becomes
a fold with that function's code. No output depends on it, so it runs nothing.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode

BEGIN = "Begin the file with\n# ---\n# title: …\n# description: …\n# ---"
LINES_SHOWN = 5
CODE_OF = re.compile(r"^\{\{ code of (\w+(?:\.\w+)+) \}\}$", re.MULTILINE)
# HTML, for notebooks know no other fold; of the class that the reference's code has.
FOLD = """<details class="mkdocstrings-source" open markdown="1">
<summary>The code of <code>{name}</code></summary>

```python
{code}
```

</details>"""


class NotebookError(Exception):
    """A notebook that cannot be read, run or shown; the message is for its author."""


@dataclass(frozen=True)
class Notebook:
    """One script, read.

    Attributes:
        path: the script.
        name: its path below the folder of the pages, with slashes.
        meta: its front matter; `title` and `description` are texts.
        node: its cells, without outputs.
        data: the patterns of the files that it reads.
    """

    path: Path
    name: str
    meta: dict
    node: NotebookNode
    data: tuple[str, ...]

    @property
    def code_cells(self) -> list[NotebookNode]:
        """Return the code cells in order."""
        return [cell for cell in self.node.cells if cell.cell_type == "code"]

    def place(self, number: int) -> str:
        """Say for an error where code cell `number` is, and how it begins."""
        script = self.path.read_text(encoding="utf-8").splitlines()
        starts = [
            line
            for line, text in enumerate(script, start=1)
            if text.startswith("# %%") and "[markdown]" not in text
        ]
        lines = self.code_cells[number - 1].source.splitlines()
        shown = lines[:LINES_SHOWN] + ["…"] * (len(lines) > LINES_SHOWN)
        code = "".join(f"\n    {line}" for line in shown)
        line = starts[number - 1] if number <= len(starts) else 1
        count = len(self.code_cells)
        return f"docs/{self.name}, line {line}: code cell {number} of {count}:{code}"


def read(path: Path, docs: Path) -> Notebook:
    """Read the script at `path`, below the folder `docs`.

    Raises:
        NotebookError: If its front matter has no title or no description or is not
            YAML, a cell's tags are no list, or code to show is not there.
    """
    name = path.relative_to(docs).as_posix()
    try:
        node = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    except nbformat.ValidationError as error:
        raise NotebookError(f"docs/{name}: {error.message}") from error
    front_matter = ""
    if node.cells and node.cells[0].cell_type == "raw":
        front_matter = node.cells.pop(0).source.strip().strip("-")
    meta = _parsed(front_matter, name)
    data = meta.pop("data", [])
    node.metadata = NotebookNode(
        kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"}
    )
    for number, cell in enumerate(node.cells, start=1):
        cell.id = f"cell-{number}"  # else equal sources make unequal files
        if cell.cell_type == "markdown":
            cell.source = CODE_OF.sub(lambda m: _fold(m[1], docs, name), cell.source)
    node.nbformat, node.nbformat_minor = 4, 5
    patterns = (data,) if isinstance(data, str) else tuple(data)
    return Notebook(path, name, meta, node, patterns)


def _parsed(front_matter: str, name: str) -> dict:
    try:
        meta = yaml.safe_load(front_matter) or {}
    except yaml.YAMLError as error:
        hint = "A text with a colon needs quotes."
        raise NotebookError(
            f"docs/{name}: the front matter is not YAML. {hint}\n{error}"
        ) from error
    if not isinstance(meta, dict):
        raise NotebookError(f"docs/{name}: the front matter names no fields. {BEGIN}")
    for key in ("title", "description"):
        if not isinstance(meta.get(key), str):
            raise NotebookError(f"docs/{name}: the front matter has no {key}. {BEGIN}")
    return meta


def _fold(dotted: str, docs: Path, page: str) -> str:
    """Return a fold with the code of a function or class, without docstrings."""
    module, _, name = dotted.rpartition(".")
    file = docs.parent.joinpath(*module.split(".")).with_suffix(".py")
    text = file.read_text("utf-8") if file.is_file() else ""
    found = [n for n in ast.parse(text).body if getattr(n, "name", None) == name]
    if not found:
        raise NotebookError(f"docs/{page}: there is no {dotted} whose code to show")
    lines, hidden = text.splitlines(), set()
    for node in ast.walk(found[0]):
        is_definition = isinstance(node, ast.FunctionDef | ast.ClassDef)
        if is_definition and ast.get_docstring(node) is not None:
            end = node.body[0].end_lineno
            hidden.update(range(node.body[0].lineno - 1, end))
            hidden.update({end} if lines[end : end + 1] == [""] else ())
    first = min(node.lineno for node in [*found, *found[0].decorator_list]) - 1
    whole = range(first, found[0].end_lineno)
    code = "\n".join(lines[number] for number in whole if number not in hidden)
    return FOLD.format(name=name, code=code)
