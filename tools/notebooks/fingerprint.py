"""What a notebook's outputs depend on, and the present state of each of these.

A dependency is a short text, `kind name`: `module dae_tutorial.noise`,
`data data/MNIST/raw/train-images-idx3-ubyte`, `listing studies/results`,
`version torch`, `python`, `pipeline`. Its digest changes exactly when outputs may
change with it.
"""

import ast
import hashlib
import platform
import sysconfig
from collections.abc import Iterable
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from nbformat import NotebookNode

from tools.notebooks.source import code_cells
from tools.notebooks.syntax import code_digest, normalised_cell

# What decides how cells run and how figures are drawn. Conversion is not among
# it: pages are converted afresh at each build.
PIPELINE = (
    "execute.py",
    "kernel_start.py",
    "dark.py",
    "trained.py",
    "described.py",
)

ALWAYS = ("python", "pipeline")

VERSIONED = (
    "torch",
    "torchvision",
    "torchmetrics",
    "matplotlib",
    "numpy",
    "scikit-image",
    "scikit-learn",
)

MISSING = "missing"
UNKNOWN = "of a kind that this version does not know"  # so never what was recorded

# Folders that hold the pages, what is made from them, or nothing of the project's.
NOT_DATA = ("docs", "node_modules", "site", "tests", "tools")


def code_key(notebook: NotebookNode) -> str:
    """Return a digest of the code cells, blind to comments and formatting."""
    cells = [normalised_cell(cell.source) for cell in code_cells(notebook)]
    return _sha256("\0".join(cells).encode())


def digest(dependency: str, root: Path) -> str:
    """Return the present digest of one dependency of a notebook under `root`."""
    kind, _, name = dependency.partition(" ")
    if kind == "module":
        return _module_digest(name, root)
    if kind == "data":
        return file_digest(root / name)
    if kind == "listing":
        return listing_digest(root / name)
    if kind == "version":
        return _version(name)
    always = {"python": platform.python_version, "pipeline": _pipeline_digest}
    return always.get(kind, lambda: UNKNOWN)()


def changed(recorded: dict[str, str], root: Path) -> list[str]:
    """Return the recorded dependencies that are no longer what they were."""
    return [name for name, old in recorded.items() if digest(name, root) != old]


def changed_since(moment: float, dependencies: Iterable[str], root: Path) -> list[str]:
    """Return the data files among the dependencies that were written since then."""
    files = {name: root / name.partition(" ")[2] for name in dependencies}
    return [
        name
        for name, file in files.items()
        if name.startswith("data ") and file.is_file() and file.stat().st_mtime > moment
    ]


def data_digests(root: Path) -> dict[str, str]:
    """Return the digest of every file that a notebook under `root` might read."""
    return {
        file.relative_to(root).as_posix(): file_digest(file)
        for folder in _data_folders(root)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def listing_digests(root: Path) -> dict[str, str]:
    """Return the digest of every listing that a notebook under `root` might read."""
    folders = [
        folder
        for top in _data_folders(root)
        for folder in [top, *top.rglob("*")]
        if folder.is_dir() and "__pycache__" not in folder.parts
    ]
    return {
        f"listing {folder.relative_to(root).as_posix()}": listing_digest(folder)
        for folder in folders
    }


def listing_digest(folder: Path) -> str:
    """Return a digest of the names in a folder, or that it is missing."""
    if not folder.is_dir():
        return MISSING
    names = sorted(path.name for path in folder.iterdir() if _is_listed(path.name))
    return _sha256("\0".join(names).encode())


def _is_listed(name: str) -> bool:
    """Return False for what Python and editors leave behind."""
    return name != "__pycache__" and not name.startswith(".")


def _data_folders(root: Path) -> list[Path]:
    return [
        path
        for path in sorted(root.iterdir())
        if path.is_dir() and path.name not in NOT_DATA and path.name[0] != "."
    ]


def package_digests(root: Path) -> dict[str, str]:
    """Return the digest of every module below `root`'s packages."""
    names = [
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for init in sorted(root.glob("*/__init__.py"))
        if init.parent.name not in ("tools", "tests")
        for path in sorted(init.parent.rglob("*.py"))
    ]
    return {f"module {name}": _module_digest(name, root) for name in names}


def imported_modules(names: set[str], root: Path) -> list[Path]:
    """Return the files under `root` that define these names, and those they import."""
    found: dict[Path, None] = {}
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        file = _module_file(name, root)
        if file.is_file() and file not in found:
            found[file] = None
            waiting += _imports(file, *_state(file))
        elif "." in name and not file.is_file():
            waiting.append(name.rpartition(".")[0])  # it may be a function's name
    return sorted(found)


def file_digest(file: Path) -> str:
    """Return a digest of a file as it is, or that it is missing."""
    return _hash_file(file, *_state(file)) if file.is_file() else MISSING


def _module_digest(name: str, root: Path) -> str:
    file = _module_file(name, root)
    return _code_digest(file, *_state(file)) if file.is_file() else MISSING


def _module_file(name: str, root: Path) -> Path:
    path = root.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _state(file: Path) -> tuple[int, int]:
    """Return a file's size and time of change: while both stay, so does its content."""
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=1024)
def _hash_file(file: Path, _size: int, _mtime_ns: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@lru_cache(maxsize=1024)
def _code_digest(file: Path, _size: int, _mtime_ns: int) -> str:
    return code_digest(file.read_text(encoding="utf-8"))


@lru_cache(maxsize=1024)
def _imports(file: Path, _size: int, _mtime_ns: int) -> list[str]:
    """Return the names that a module imports, absolutely."""
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def _version(distribution: str) -> str:
    installed = Path(sysconfig.get_path("purelib")).stat().st_mtime_ns
    return _version_among(distribution, installed)


@lru_cache(maxsize=256)
def _version_among(distribution: str, _installed: int) -> str:
    """Return a version, looked up once for each state of the installed packages."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return MISSING


def _pipeline_digest() -> str:
    files = [Path(__file__).with_name(name) for name in PIPELINE]
    return _sha256(
        "".join(_code_digest(file, *_state(file)) for file in files).encode()
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
