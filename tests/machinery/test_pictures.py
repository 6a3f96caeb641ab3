"""The kernel draws a figure for light and dark pages, and for telephones if it can."""

import base64

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from tools.notebooks.kernel import NARROW, PICTURES, figure_bundle


def plot(width=5.6, ticks="abc"):
    figure = Figure(figsize=(width, 2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1, 2], [1, 3, 2])
    axes.set_xticks(range(len(ticks)), ticks)
    return figure


def pictures_of(figure) -> dict[str, dict]:
    data, _ = figure_bundle(figure)
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    return data[PICTURES]


def test_a_plot_is_vectors_wide_and_narrow():
    pictures = pictures_of(plot())
    assert list(pictures) == [
        f"{width}-{scheme}.svg"
        for width in ("wide", "narrow")
        for scheme in ("light", "dark")
    ]
    wide, narrow = pictures["wide-light.svg"], pictures["narrow-light.svg"]
    assert (wide["width"], wide["height"]) == (560, 200)
    assert (narrow["width"], narrow["height"]) == (round(100 * NARROW), 200)
    start = base64.b64decode(wide["content"]).partition(b"<svg")[2].partition(b">")[0]
    assert b"viewBox" in start
    assert b"width" not in start, "opened alone, it fills the window"


@pytest.mark.parametrize(
    "figure",
    [
        plot(width=3),
        plot(ticks=["a name of some length", "another, longer one", "and a third"]),
    ],
    ids=["is narrow as it is", "names would collide"],
)
def test_no_narrow_picture_is_made_where_it_does_not_serve(figure):
    assert list(pictures_of(figure)) == ["light.svg", "dark.svg"]


def test_pixels_stay_pixels_twice_as_sharp_as_the_page():
    with plt.rc_context({"font.size": 12}):
        figure = Figure(figsize=(5.6, 2), layout="constrained")
        panels = figure.subplots(1, 3)
    for axes in panels:
        axes.imshow(np.eye(9))
        axes.set_axis_off()
    pictures = pictures_of(figure)
    assert all(name.endswith(".png") for name in pictures)
    light = base64.b64decode(pictures["wide-light.png"]["content"])
    assert light[16:24] == bytes([0, 0, 4, 96, 0, 0, 1, 144])  # 1120 × 400
    assert pictures["narrow-light.png"]["height"] < 200, "it keeps its proportions"


def test_what_has_proportions_keeps_them_on_a_telephone():
    figure = Figure(figsize=(5.6, 5.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1])
    axes.set_aspect("equal")
    narrow = pictures_of(figure)["narrow-light.svg"]
    assert (narrow["width"], narrow["height"]) == (343, 343)


def test_drawing_leaves_the_figure_as_it_was_and_gives_the_same_bytes_again():
    figure = plot()
    engine = figure.get_layout_engine()
    first = pictures_of(figure)
    assert figure.get_layout_engine() is engine
    assert tuple(figure.get_size_inches()) == (5.6, 2)
    assert pictures_of(figure) == first


def test_many_points_are_smaller_as_pixels():
    figure = Figure(figsize=(3, 2))
    rng = np.random.default_rng(0)
    figure.subplots().plot(*rng.random((2, 30_000)), ".")
    assert list(pictures_of(figure)) == ["light.png", "dark.png"]
