"""What the executor installs in a kernel before the first cell runs.

Readers never see it: figures are rendered for light and dark pages when they are
displayed, the files that the notebook reads are noted, and what has been trained
before is not trained again.
"""

import base64
import io
import json
import os
import struct
import sys
from functools import partial, wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from pathlib import Path

LIGHT = "application/x-figure-light+png"
DARK = "application/x-figure-dark+png"

PIXELS_PER_CSS_PIXEL = 2

# Folders of the project whose files are made from other files that are watched.
DERIVED = (".cache", ".git", ".venv", "node_modules", "site", "tools", "tests")

# What pip notes about the package. Versions count by themselves.
INSTALLED = ".egg-info"

_read: set[str] = set()
_listed: set[str] = set()
_written: set[str] = set()


def load_ipython_extension(shell) -> None:
    """Prepare an IPython shell; called by the kernel as it starts."""
    sys.addaudithook(_note_file_read)
    sys.addaudithook(_note_listing)
    sys.meta_path.insert(0, _AfterImport(Path.cwd() / ".cache" / "trained"))
    shell.display_formatter.mimebundle_formatter.for_type_by_name(
        "matplotlib.figure", "Figure", figure_bundle
    )
    shell.events.register("post_run_cell", _close_figures)


def figure_bundle(figure, include=None, exclude=None) -> tuple[dict, dict]:
    """Return a figure as three pictures: light page, dark page, and on white."""
    from tools.notebooks.dark import dark_ink

    light = _png(figure, transparent=True)
    with dark_ink(figure):
        dark = _png(figure, transparent=True)
    on_white = _png(figure, facecolor="white")
    width, height = struct.unpack(">II", on_white[16:24])  # of the PNG's header
    size = {
        "width": round(width / PIXELS_PER_CSS_PIXEL),
        "height": round(height / PIXELS_PER_CSS_PIXEL),
    }
    pictures = {LIGHT: light, DARK: dark, "image/png": on_white}
    data = {kind: base64.b64encode(png).decode() for kind, png in pictures.items()}
    return data, {"image/png": size}


def _png(figure, **options) -> bytes:
    stream = io.BytesIO()
    dpi = figure.dpi * PIXELS_PER_CSS_PIXEL
    # No software version in the file: equal figures must be equal bytes.
    figure.savefig(
        stream, format="png", dpi=dpi, metadata={"Software": None}, **options
    )
    return stream.getvalue()


def _close_figures(_result) -> None:
    """Keep pyplot from holding every figure of a long notebook in memory."""
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


class _AfterImport(MetaPathFinder):
    """Replace one function in a few modules as soon as they are imported."""

    def __init__(self, trainings: Path):
        self.changes = {
            "dae_tutorial.train": partial(_remember_trainings, folder=trainings),
            "safetensors": _announce_reads,
        }

    def find_spec(self, name, path=None, target=None):
        if name not in self.changes:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None:
            run = spec.loader.exec_module

            def run_and_change(module) -> None:
                run(module)
                self.changes[name](module)

            spec.loader.exec_module = run_and_change
        return spec


def _remember_trainings(train, folder: Path) -> None:
    from tools.notebooks.trained import remembered

    train.fit = remembered(train.fit, folder)


def _announce_reads(safetensors) -> None:
    """Let the audit hook hear of files that safetensors opens outside of Python."""
    safe_open = safetensors.safe_open

    @wraps(safe_open)
    def announced(filename, *args, **kwargs):
        sys.audit("open", os.fspath(filename), "rb", 0)
        return safe_open(filename, *args, **kwargs)

    safetensors.safe_open = announced


def _note_file_read(event: str, arguments: tuple) -> None:
    """Note a file that is read, unless this kernel wrote it: then it is an output."""
    if event == "os.rename":
        _written.add(os.path.abspath(os.fsdecode(arguments[1])))
    if event != "open" or not isinstance(arguments[0], str) or _is_import():
        return
    name, mode, flags = arguments
    file = os.path.abspath(name)
    if flags & (os.O_WRONLY | os.O_RDWR) if mode is None else set(mode) & set("wax+"):
        _written.add(file)
    elif file not in _written:
        _read.add(file)


def _note_listing(event: str, arguments: tuple) -> None:
    """Note a folder whose files are listed: a new one may change what is shown."""
    if event not in ("os.listdir", "os.scandir") or _is_import():
        return
    (folder,) = arguments
    if not isinstance(folder, int):  # a descriptor: only deleting a tree lists it
        _listed.add(os.path.abspath(os.fsdecode("." if folder is None else folder)))


def _is_import() -> bool:
    """Return whether Python's import system opens the file, for its code."""
    caller = sys._getframe(1).f_back
    file = caller.f_code.co_filename if caller is not None else ""
    return file.startswith("<frozen importlib")


def dependencies(root: str, distributions: list[str]) -> str:
    """Return, as JSON, the names of all that this kernel has used so far."""
    names = {f"module {name}" for name in _modules_under(root)}
    names |= {f"data {name}" for name in _data_under(root)}
    names |= {f"listing {name}" for name in _listings_under(root)}
    names |= {f"version {name}" for name in distributions if _is_imported(name)}
    return json.dumps(sorted(names))


def _modules_under(root: str) -> set[str]:
    found = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        # Some of torch's modules name a file that does not exist.
        if file and os.path.isfile(file) and _inside(root, file):
            found.add(name)
    return found


def _data_under(root: str) -> set[str]:
    return {
        Path(file).relative_to(root).as_posix()
        for file in list(_read)
        if _inside(root, file) and Path(file).suffix != ".pyc" and _counts(root, file)
    }


def _counts(root: str, file: str) -> bool:
    """Return whether there is such a file, or it was missed where data lie."""
    if Path(file).exists():
        return Path(file).is_file()
    return _is_data(root, Path(file).parent)


def _listings_under(root: str) -> set[str]:
    return {
        Path(folder).relative_to(root).as_posix()
        for folder in list(_listed)
        if _is_data(root, folder)
    }


def _is_data(root: str, folder: str | Path) -> bool:
    """Return whether a folder may hold data: in one of the root's, not the pages'.

    Where there is no such folder, it was only a place to look: torch seeks its
    libraries everywhere.
    """
    if not _inside(root, folder):
        return False
    top = _top_folder(root, folder)
    return top != "docs" and Path(root, top).is_dir()


def _inside(root: str, file: str | Path) -> bool:
    path = Path(os.path.abspath(file))
    if not path.is_relative_to(root) or path == Path(root):
        return False
    top = _top_folder(root, path)
    return top not in DERIVED and not top.endswith(INSTALLED)


def _top_folder(root: str, file: str | Path) -> str:
    return Path(file).relative_to(root).parts[0]


def _is_imported(distribution: str) -> bool:
    module = {"scikit-image": "skimage", "scikit-learn": "sklearn"}
    return module.get(distribution, distribution) in sys.modules
