"""Change one thing that outputs may depend on, and see which notebooks would run.

`python -m benchmarks.site --only mutations` prints the table, on a copy of the tree.
"""

import ast
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.notebooks import cache
from tools.notebooks.fingerprint import imported_modules
from tools.notebooks.pipeline import Project, cached
from tools.notebooks.source import read

PAGE = "docs/learn/types-of-noise.py"
MODULE = "dae_tutorial/noise.py"
INDIRECT = "dae_tutorial/__init__.py"  # imported with any other module of the package
OWN = "its own "
DATA = "data/MNIST/raw/t10k-labels-idx1-ubyte"

Edit = Callable[[Path], None]


def replace(name: str, old: str, new: str) -> Edit:
    """Return an edit of the first `old` in the file `name`."""

    def edit(root: Path) -> None:
        text = (root / name).read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{name} does not contain {old!r}")
        (root / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


def append(name: str, text: str) -> Edit:
    """Return an edit that adds lines to the end of the file `name`."""

    def edit(root: Path) -> None:
        file = root / name
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text(before + text, encoding="utf-8")

    return edit


def other_data(root: Path) -> None:
    """Change one byte of a data file; the original, behind the link, stays."""
    content = (root / DATA).read_bytes()
    (root / DATA).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def other_state(*names: str) -> Edit:
    """Return an edit of the cache: notebooks ran where these things were different."""

    def edit(root: Path) -> None:
        for path in Project(root).store.rglob("*.entry"):
            head, _, body = path.read_bytes().partition(b"\n")
            header = json.loads(head)
            changed = {name: "0" for name in names if name in header["dependencies"]}
            header["dependencies"] |= changed
            cache.write_atomically(path, json.dumps(header).encode() + b"\n" + body)

    return edit


def do_and_undo(root: Path) -> None:
    """Change a module, and change it back."""
    original = (root / MODULE).read_bytes()
    append(MODULE, "\n_CHANGED = 1\n")(root)
    (root / MODULE).write_bytes(original)


# What is changed: how, and which notebooks must run: that page, all, none, or those
# that import a certain module, through others or with a statement of their own.
MUTATIONS: dict[str, tuple[Edit, str]] = {
    "a code cell": (append(PAGE, "\n# %%\n1 + 1\n"), PAGE),
    "a module": (append(MODULE, "\n_CHANGED = 1\n"), "dae_tutorial.noise"),
    "another module": (
        append("dae_tutorial/train.py", "\n_CHANGED = 1\n"),
        "dae_tutorial.train",
    ),
    "a module imported by another": (
        append(INDIRECT, "\nCHANGED = 1\n"),
        "dae_tutorial",
    ),
    "a module that none uses": (append("dae_tutorial/unused.py", "X = 1\n"), "none"),
    "a data file": (other_data, f"{OWN}dae_tutorial.loaders"),
    "torch's version": (other_state("version torch"), "torch"),
    "matplotlib's version": (other_state("version matplotlib"), "matplotlib"),
    "Python's version": (other_state("python"), "all"),
    "prose": (replace(PAGE, "# A corruption", "# Any corruption"), "none"),
    "a comment": (append(PAGE, "\n# A comment at the end of a cell.\n"), "none"),
    "a module's comment": (append(MODULE, "\n# A comment.\n"), "none"),
    "a docstring": (replace(MODULE, "Add normally", "Adds normally"), "none"),
    "formatting": (replace(MODULE, "noisy = x + ", "noisy = (x) + "), "none"),
    "an edit and its undo": (do_and_undo, "none"),
}


def rows(
    root: Path, keep: Path, table: dict[str, tuple[Edit, str]] = MUTATIONS
) -> Iterable[tuple[str, list[str], list[str]]]:
    """Yield each change, the notebooks that are stale then, and those expected.

    Args:
        root: a copy of the project in which every notebook is fresh.
        keep: a folder that does not exist, to keep the copy's state in meanwhile.
        table: the changes, and who must run.
    """
    project = Project(root)
    for name, (edit, who) in table.items():
        expected = concerned(project, who)
        shutil.copytree(root, keep, symlinks=True)
        _own_data(root)
        edit(root)
        stale = stale_notebooks(project)
        shutil.rmtree(root)
        keep.rename(root)
        yield name, stale, expected


def stale_notebooks(project: Project) -> list[str]:
    """Return the names of the notebooks that would run now."""
    paths = sorted(project.docs.rglob("*.py"))
    return [project.name(p) for p in paths if cached(project, read(p)) is None]


def concerned(project: Project, who: str) -> list[str]:
    """Return the names of the notebooks that an edit of this kind must run.

    Only the imports that are written down decide, not what runs have recorded.
    """
    paths = sorted(project.docs.rglob("*.py"))
    return [project.name(path) for path in paths if _is_concerned(project, path, who)]


def _own_data(root: Path) -> None:
    """Replace the link to the data by copies, which an edit may change."""
    if (root / "data").is_symlink():
        original = (root / "data").resolve()
        (root / "data").unlink()
        shutil.copytree(original, root / "data")


def _is_concerned(project: Project, path: Path, who: str) -> bool:
    if who in ("all", "none"):
        return who == "all"
    if who.endswith(".py"):
        return project.name(path) == who
    names = _imports(path)
    if not who.startswith(OWN):
        files = imported_modules(names, project.root)
        names = names.union(*(_imports(file) for file in files))
    module = who.removeprefix(OWN)
    return any(name == module or name.startswith(f"{module}.") for name in names)


def _imports(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names
