"""What a notebook's outputs depend on, and the present state of each of these.

A dependency is a short text, `kind name`: `module dae_tutorial.noise`,
`data data/MNIST/raw/train-images-idx3-ubyte`, `version torch`, `python`,
`pipeline`. Its digest changes exactly when outputs may change with it.
"""

import hashlib
import platform
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from nbformat import NotebookNode

from tools.notebooks.source import code_cells, normalised_cell, normalised_module

# What decides how cells run and how figures are drawn. Conversion is not among
# it: pages are converted afresh at each build.
PIPELINE = ("execute.py", "kernel_start.py", "dark.py")

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
        return _file_digest(root / name)
    if kind == "version":
        return _version(name)
    return {"python": platform.python_version, "pipeline": _pipeline_digest}[kind]()


def changed(recorded: dict[str, str], root: Path) -> list[str]:
    """Return the recorded dependencies that are no longer what they were."""
    return [name for name, old in recorded.items() if digest(name, root) != old]


def package_digests(root: Path) -> dict[str, str]:
    """Return the digest of every module below `root`'s packages."""
    names = [
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for init in sorted(root.glob("*/__init__.py"))
        if init.parent.name not in ("tools", "tests")
        for path in sorted(init.parent.rglob("*.py"))
    ]
    return {f"module {name}": _module_digest(name, root) for name in names}


def _module_digest(name: str, root: Path) -> str:
    path = root.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not file.is_file():
        return MISSING
    return _sha256(normalised_module(file.read_text(encoding="utf-8")).encode())


def _file_digest(file: Path) -> str:
    if not file.is_file():
        return MISSING
    stat = file.stat()
    return _hash_file(file, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1024)
def _hash_file(file: Path, _size: int, _mtime_ns: int) -> str:
    """Hash a file once for each size and time of change it has had."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return MISSING


def _pipeline_digest() -> str:
    here = Path(__file__).parent
    codes = [normalised_module((here / name).read_text("utf-8")) for name in PIPELINE]
    return _sha256("\0".join(codes).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
