"""What the executor installs in a kernel before the first cell runs.

Readers never see it: figures are rendered for light and dark pages when they are
displayed, and the files that the notebook reads are noted.
"""

import base64
import io
import json
import os
import struct
import sys
from pathlib import Path

LIGHT = "application/x-figure-light+png"
DARK = "application/x-figure-dark+png"

PIXELS_PER_CSS_PIXEL = 2

# Folders of the project whose files are made from other files that are watched.
DERIVED = (".cache", ".git", ".venv", "node_modules", "site", "tools", "tests")

_read: set[str] = set()
_written: set[str] = set()


def load_ipython_extension(shell) -> None:
    """Prepare an IPython shell; called by the kernel as it starts."""
    sys.addaudithook(_note_file_read)
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


def _note_file_read(event: str, arguments: tuple) -> None:
    """Note a file that is read, unless this kernel wrote it: then it is an output."""
    if event == "os.rename":
        _written.add(os.path.abspath(os.fsdecode(arguments[1])))
    if event != "open" or not isinstance(arguments[0], str):
        return
    name, mode, flags = arguments
    file = os.path.abspath(name)
    if flags & (os.O_WRONLY | os.O_RDWR) if mode is None else set(mode) & set("wax+"):
        _written.add(file)
    elif file not in _written:
        _read.add(file)


def dependencies(root: str, distributions: list[str]) -> str:
    """Return, as JSON, the names of all that this kernel has used so far."""
    names = {f"module {name}" for name in _modules_under(root)}
    names |= {f"data {name}" for name in _data_under(root)}
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
        if _inside(root, file)
        and Path(file).suffix not in (".py", ".pyc")
        and Path(file).is_file()
    }


def _inside(root: str, file: str) -> bool:
    path = Path(os.path.abspath(file))
    return path.is_relative_to(root) and path.relative_to(root).parts[0] not in DERIVED


def _is_imported(distribution: str) -> bool:
    module = {"scikit-image": "skimage", "scikit-learn": "sklearn"}
    return module.get(distribution, distribution) in sys.modules
