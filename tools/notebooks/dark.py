"""Redraw a matplotlib figure's ink for a dark page, and put it back."""

import contextlib
from collections.abc import Iterator

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Patch
from matplotlib.text import Text

# Light ink → dark ink: text and axes, muted text, and matplotlib's own black.
DARK_INK = {
    "#1f2937": "#e5e7eb",
    "#6b7280": "#9ca3af",
    "#000000": "#e5e7eb",
}

# The setters of each kind of artist that may carry ink.
INKED = (
    (Text, ("color",)),
    (Line2D, ("color", "markeredgecolor", "markerfacecolor")),
    (Patch, ("edgecolor", "facecolor")),
    (Collection, ("edgecolor", "facecolor")),
)


@contextlib.contextmanager
def dark_ink(figure: Figure) -> Iterator[None]:
    """Show `figure` in dark ink inside the `with` block.

    Only ink changes: the colours of data and of images stay what they are. Call
    it after a first drawing, because matplotlib makes its ticks while it draws.
    """
    undo = []
    for artist in figure.findobj():
        for kind, properties in INKED:
            if isinstance(artist, kind):
                undo += [_swap(artist, name) for name in properties]
    try:
        yield
    finally:
        for restore in undo:
            restore()


def _swap(artist: Artist, name: str):
    setter = getattr(artist, f"set_{name}")
    old = getattr(artist, f"get_{name}")()
    new = _swapped(artist, name, old)
    if new is None:
        return lambda: None
    setter(new)
    return lambda: setter(old)


def _swapped(artist: Artist, name: str, colour):
    """Return the colour for the dark page, or None where it stays as it is."""
    if isinstance(artist, Collection):
        rows = [_swapped_one(row) for row in colour]
        if all(row is None for row in rows) or artist.get_array() is not None:
            return None
        return [
            old if new is None else new for old, new in zip(colour, rows, strict=True)
        ]
    is_box = isinstance(artist, FancyBboxPatch) and name == "facecolor"
    if is_box and np.allclose(colour[:3], 1):
        return "none"  # the white box of a legend would glare on a dark page
    return _swapped_one(colour)


def _swapped_one(colour) -> tuple[float, ...] | None:
    if isinstance(colour, str) and colour in ("none", "auto", "inherit"):
        return None
    *rgb, alpha = to_rgba(colour)
    if alpha == 0:
        return None
    for light, dark in DARK_INK.items():
        if np.allclose(rgb, to_rgba(light)[:3], atol=1 / 512):
            return to_rgba(dark, alpha)
    return None
