"""What is loaded in a notebook's kernel before its first cell runs.

It draws each matplotlib figure for light and for dark pages, and plots for telephones
too. And it refuses to read files of the project that the notebook's front matter does
not name: such a page would be stale without anybody knowing. It imports nothing of
ours, for kernels start in a folder that holds the package and the data only.
"""

import base64
import contextlib
import gzip
import io
import json
import os
import re
import sys
import warnings
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import combinations
from pathlib import Path

PICTURES = "application/x-pictures+json"  # name → content in base64, width, height
PIXELS_PER_CSS_PIXEL = 2
NARROW = 3.43  # inches: the width of a telephone's text
SVG_SIZE = re.compile(rb' width="[\d.]+pt" height="[\d.]+pt"')

# Light ink → dark ink: text and axes, muted text, and matplotlib's own black.
DARK_INK = {"#1f2937": "#e5e7eb", "#6b7280": "#9ca3af", "#000000": "#e5e7eb"}
INKS = ("color", "edgecolor", "facecolor", "markeredgecolor", "markerfacecolor")


def load_ipython_extension(shell) -> None:
    """Prepare an IPython shell; called by the kernel as it starts."""
    root, named = json.loads(os.environ["NOTEBOOK_MAY_READ"])
    sys.addaudithook(Guard(Path(root), named))
    shell.display_formatter.mimebundle_formatter.for_type_by_name(
        "matplotlib.figure", "Figure", figure_bundle
    )
    shell.events.register("post_run_cell", _close_figures)


class Guard:
    """Refuses to read what the front matter does not name; an audit hook.

    It does not see what is opened outside of Python (safetensors does so: weights
    beside an imported module are part of the key), nor questions whether a file
    exists.
    """

    def __init__(self, root: Path, named: list[str]):
        self.root, self.named = os.path.realpath(root), named
        self.written: set[str] = set()

    def __call__(self, event: str, arguments: tuple) -> None:
        """Hear of an event in the interpreter."""
        if event == "os.rename":
            self.written.add(os.path.realpath(os.fsdecode(arguments[1])))
        if event not in ("open", "os.listdir", "os.scandir"):
            return
        place = "." if arguments[0] is None else arguments[0]
        if isinstance(place, int) or _is_import():
            return
        path = os.path.realpath(os.fsdecode(place))
        if event == "open" and _writes(*arguments[1:]):
            self.written.add(path)
        elif path not in self.written and not self._may_read(path, event):
            name = os.path.relpath(path, self.root)
            name = name if event == "open" else f"{name}/*"
            raise PermissionError(
                f"the notebook reads {name}, which its front matter does not name: "
                f"without that, nobody would know when the page is stale. Write\n"
                f"# data: {name}"
            )

    def _may_read(self, path: str, event: str) -> bool:
        name = os.path.relpath(path, self.root)
        top = name.partition(os.sep)[0]
        if (
            top in ("..", "data")
            or top.startswith(".")
            or name.endswith((".py", ".pyc"))
        ):
            return True
        if event != "open":
            return f"{name}/*" in self.named
        return any(fnmatch(name, pattern) for pattern in self.named)


def _writes(mode: str | None, flags: int) -> bool:
    if mode is None:
        return bool(flags & (os.O_WRONLY | os.O_RDWR))
    return bool(set(mode) & set("wax+"))


def _is_import() -> bool:
    """Return whether Python's import system looks, for code."""
    caller = sys._getframe(1).f_back
    return caller is not None and caller.f_code.co_filename.startswith("<frozen import")


def figure_bundle(figure, include=None, exclude=None) -> tuple[dict, dict]:
    """Return a figure as a PNG for the download, and the pictures that a page shows."""
    png = _picture(figure, "png", facecolor="white")
    has_pixels = any(axes.images for axes in figure.axes)
    as_png = has_pixels or len(png["content"]) < _size_as_vectors(figure)
    kind = "png" if as_png else "svg"
    pictures = _light_and_dark(figure, kind, png if as_png else None)
    with narrowed(figure) as fits:
        if fits:
            narrow = _light_and_dark(figure, kind).items()
            pictures = {f"wide-{name}": wide for name, wide in pictures.items()}
            pictures |= {f"narrow-{name}": picture for name, picture in narrow}
    download = base64.b64encode(png["content"]).decode()
    for picture in pictures.values():
        picture["content"] = base64.b64encode(picture["content"]).decode()
    return {"image/png": download, PICTURES: pictures}, {}


def _size_as_vectors(figure) -> int:
    return len(gzip.compress(_picture(figure, "svg")["content"]))


def _light_and_dark(figure, kind: str, light: dict | None = None) -> dict[str, dict]:
    light = light or _picture(figure, kind, facecolor="white")
    with dark_ink(figure):
        dark = _picture(figure, kind, transparent=True)
    return {f"light.{kind}": light, f"dark.{kind}": dark}


def _picture(figure, kind: str, **options) -> dict:
    """Return a picture, and its width and height on a page, in CSS pixels."""
    from matplotlib import rc_context

    stream = io.BytesIO()
    # Neither version nor time in the file: equal figures must be equal bytes.
    about = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
    dpi = figure.dpi * PIXELS_PER_CSS_PIXEL
    with rc_context({"svg.hashsalt": "figure"}):
        figure.savefig(stream, format=kind, dpi=dpi, metadata=about, **options)
    # Without a size of its own a vector graphic, opened alone, fills the window.
    content = SVG_SIZE.sub(b"", stream.getvalue(), count=1)
    width, height = (round(side * figure.dpi) for side in figure.get_size_inches())
    return {"content": content, "width": width, "height": height}


@contextlib.contextmanager
def narrowed(figure) -> Iterator[bool]:
    """Lay a figure out for a telephone; say if texts keep apart, maps their width."""
    size, engine = figure.get_size_inches().copy(), figure.get_layout_engine()
    crowded, room = _collisions(figure), _room(figure)
    figure.set_size_inches(NARROW, size[1] * (NARROW / size[0] if room else 1))
    figure.set_layout_engine("constrained")
    try:
        with warnings.catch_warnings(record=True) as met:  # where there is no space
            fits = _collisions(figure) <= crowded and _room(figure) >= 0.85 * room
            yield fits and not met and size[0] > NARROW
    finally:
        figure.set_layout_engine(engine or "none")
        figure.set_size_inches(size)


def _room(figure) -> float:
    """Return the smallest part of the width that a picture or map takes, or 0."""
    bound = [axes for axes in figure.axes if axes.get_aspect() != "auto"]
    return min((axes.get_position().width for axes in bound), default=0)


def _collisions(figure) -> int:
    """Count the texts that stand on each other, or leave the figure."""
    from matplotlib.text import Text

    figure.draw_without_rendering()
    texts = [text for text in figure.findobj(Text) if text.get_visible()]
    boxes = [text.get_window_extent() for text in texts if text.get_text().strip()]
    width, height = figure.bbox.max
    outside = [b.x0 < 0 or b.y0 < 0 or b.x1 > width or b.y1 > height for b in boxes]
    return sum(outside) + sum(a.overlaps(b) for a, b in combinations(boxes, 2))


def _close_figures(_result) -> None:
    """Keep pyplot from holding every figure of a long notebook in memory."""
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@contextlib.contextmanager
def dark_ink(figure) -> Iterator[None]:
    """Show `figure` in dark ink inside the `with` block; the data keep their colours.

    Call it after a first drawing, because matplotlib makes its ticks while it draws.
    """
    changed = []
    for artist in figure.findobj():
        for name in INKS:
            getter = getattr(artist, f"get_{name}", None)
            old = None if getter is None else getter()
            new = _in_dark(artist, name, old)
            if new is not None:
                getattr(artist, f"set_{name}")(new)
                changed.append((getattr(artist, f"set_{name}"), old))
    try:
        yield
    finally:
        for setter, old in changed:
            setter(old)


def _in_dark(artist, name: str, colour):
    """Return the colour for the dark page, or None where it stays as it is."""
    from matplotlib.collections import Collection
    from matplotlib.colors import same_color
    from matplotlib.patches import FancyBboxPatch

    if colour is None:
        return None
    if isinstance(artist, Collection):
        rows = [_ink(row) for row in colour]
        if artist.get_array() is not None or not any(rows):
            return None
        return [new or tuple(old) for new, old in zip(rows, colour, strict=True)]
    is_box = isinstance(artist, FancyBboxPatch) and name == "facecolor"
    if is_box and same_color(colour[:3], "white"):
        return "none"  # the white box of a legend would glare on a dark page
    return _ink(colour)


def _ink(colour) -> tuple[float, ...] | None:
    from matplotlib.colors import to_hex, to_rgba

    if isinstance(colour, str) and colour in ("none", "auto", "inherit"):
        return None
    alpha = to_rgba(colour)[3]
    dark = DARK_INK.get(to_hex(colour))
    return to_rgba(dark, alpha) if dark and alpha else None
