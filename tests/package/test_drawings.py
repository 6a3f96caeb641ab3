"""Drawings come out as MNIST's digits are."""

import math

import pytest
import torch
from hypothesis import given, settings, strategies as st

from dae_tutorial.further.drawings import draw_strokes, fit_picture
from dae_tutorial.loaders import load_mnist
from tests.laboratory.digits import DRAWN_DIGITS

coordinate = st.floats(0, 1)
strokes = st.lists(
    st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=6),
    min_size=1,
    max_size=4,
)


def centre_of_mass(image):
    places = torch.arange(28) + 0.5
    ink = image[0] / image.sum()
    return (ink.sum(dim=0) * places).sum(), (ink.sum(dim=1) * places).sum()


def box(image):
    rows, columns = (image[0] > 0.5).nonzero().T
    return (rows.max() - rows.min() + 1).item(), (
        columns.max() - columns.min() + 1
    ).item()


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_fills_twenty_pixels_around_its_centre_of_mass(digit):
    image = draw_strokes(DRAWN_DIGITS[digit])
    assert image.shape == (1, 28, 28)
    assert 18 <= max(box(image)) <= 20
    x, y = centre_of_mass(image)
    assert abs(x - 14) < 0.1
    assert abs(y - 14) < 0.1


def test_ink_is_as_plentiful_as_on_mnist():
    """Within a third of the spread from one of MNIST's digits to the next."""
    drawn = torch.stack([draw_strokes(digit) for digit in DRAWN_DIGITS]).mean()
    inks = load_mnist(train=False).images.mean(dim=(1, 2, 3))
    assert abs(drawn - inks.mean()) < inks.std() / 3


@settings(deadline=None)
@given(strokes, st.floats(0.2, 3), st.floats(-2, 2), st.floats(-2, 2))
def test_neither_place_nor_size_matters(lines, size, right, down):
    points = torch.tensor([point for line in lines for point in line])
    if (points.amax(dim=0) - points.amin(dim=0)).max() < 0.55:
        return  # below a tenth of the pad, size does matter
    moved = [[(size * x + right, size * y + down) for x, y in line] for line in lines]
    assert torch.allclose(draw_strokes(lines), draw_strokes(moved), atol=1e-4)


@settings(deadline=None)
@given(strokes)
def test_pixels_lie_in_the_unit_range(lines):
    image = draw_strokes(lines)
    assert ((image >= 0) & (image <= 1)).all()
    assert image.sum() > 1


def test_a_dot_is_a_dot_and_nothing_is_nothing():
    dot = draw_strokes([[(0.9, 0.1)]])
    assert 3 < dot.sum() < 12
    assert dot[0, 13:15, 13:15].min() > 0.9
    for nothing in ([], [[]]):
        assert draw_strokes(nothing).count_nonzero() == 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_coordinates_are_finite(value):
    with pytest.raises(ValueError, match="strokes must consist of finite"):
        draw_strokes([[(0.5, value)]])


@pytest.mark.parametrize("which", range(5))
def test_neither_paper_nor_size_nor_place_matters(which):
    digit = load_mnist(train=False).images[which]
    large = digit.repeat_interleave(5, dim=1).repeat_interleave(5, dim=2)
    paper = torch.ones(1, 300, 200)
    paper[:, 20:160, 50:190] = 1 - large
    fitted, again = fit_picture(digit), fit_picture(paper)
    assert (again - fitted).square().mean() < fitted.square().mean() / 50
    assert max(abs(place - 14) for place in centre_of_mass(again)) <= 0.51
    rows, columns = (again[0].any(dim=axis).sum() for axis in (1, 0))
    assert max(rows, columns) == 20


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 5))
def test_any_picture_fits(height, width, seed):
    picture = torch.rand(
        1, height, width, generator=torch.Generator().manual_seed(seed)
    )
    image = fit_picture(picture)
    assert image.shape == (1, 28, 28)
    assert ((image >= 0) & (image <= 1 + 1e-6)).all()


def test_one_colour_is_nothing():
    assert fit_picture(torch.full((1, 9, 9), 0.3)).count_nonzero() == 0


@pytest.mark.parametrize("shape", [(28, 28), (3, 28, 28), (1, 0, 5)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="picture must have shape"):
        fit_picture(torch.zeros(shape))
