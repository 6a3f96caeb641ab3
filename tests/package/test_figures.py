"""Figures: the right pixels at the right place, and no side effects."""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from dae_tutorial.figures import (
    compare_images,
    plot_loss,
    visualize_batch,
    visualize_noisy_batch,
    visualize_reconstruction,
)
from dae_tutorial.loaders import get_mnist_loaders

DIGITS = torch.rand(8, 1, 28, 28)
DRAWINGS = {
    "batch": lambda **where: visualize_batch(DIGITS, torch.arange(8), **where),
    "noisy": lambda **where: visualize_noisy_batch(DIGITS, DIGITS, **where),
    "reconstruction": lambda **where: visualize_reconstruction(
        DIGITS, DIGITS, DIGITS, **where
    ),
    "loss": lambda **where: plot_loss([3, 2, 1], [3, 2, 2], **where),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_returns_a_figure_and_leaves_pyplot_alone(draw, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("show was called"))
    before = dict(plt.rcParams)
    figure = draw()
    assert isinstance(figure, Figure)
    assert plt.get_fignums() == []
    assert dict(plt.rcParams) == before
    figure.canvas.draw()


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_draws_on_given_axes(draw):
    figure, (left, right) = plt.subplots(1, 2)
    assert draw(axes=right) is figure
    assert right.has_data()
    assert not left.has_data()
    plt.close(figure)


def mosaic(figure):
    return np.asarray(figure.axes[0].images[0].get_array().filled(np.nan))


def test_images_appear_in_reading_order():
    levels = torch.arange(1, 7).reshape(6, 1, 1, 1) / 10
    figure = visualize_batch(levels.expand(6, 1, 4, 4), columns=3)
    pixels = mosaic(figure)
    seen = [pixels[pixels.shape[0] // 3, x] for x in (1, 8, 15)]
    seen += [pixels[-1, x] for x in (1, 8, 15)]
    assert seen == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])


def test_rows_are_in_the_order_of_their_names():
    noisy, clean, rebuilt = (torch.full((2, 1, 4, 4), v) for v in (0.1, 0.2, 0.3))
    figure = visualize_reconstruction(noisy, clean, rebuilt)
    column = mosaic(figure)[:, 0]
    values = list(dict.fromkeys(column[~np.isnan(column)].tolist()))
    assert values == pytest.approx([0.1, 0.2, 0.3])


def test_labels_are_written_above_their_images():
    figure = visualize_batch(DIGITS, torch.tensor([5, 0, 4, 1, 9, 2, 1, 3]))
    assert [text.get_text() for text in figure.axes[0].texts] == list("50419213")


def test_grey_levels_do_not_depend_on_the_batch():
    figure = visualize_batch(torch.full((2, 1, 4, 4), 0.4))
    assert figure.axes[0].images[0].get_clim() == (0, 1)


def test_works_with_gradients_and_half_precision():
    images = torch.rand(2, 1, 4, 4, dtype=torch.bfloat16, requires_grad=True)
    visualize_batch(images)


@pytest.mark.parametrize("shape", [(0, 1, 28, 28), (28, 28), (2, 3, 28, 28)])
def test_wrong_images(shape):
    with pytest.raises(ValueError, match="images must have shape"):
        visualize_batch(torch.rand(shape))


def test_wrong_labels_and_columns():
    with pytest.raises(ValueError, match="labels must be as many as images, 8, got 3"):
        visualize_batch(DIGITS, torch.arange(3))
    with pytest.raises(ValueError, match="columns must be an integer of at least 1"):
        visualize_batch(DIGITS, columns=0)


def test_rows_must_agree():
    with pytest.raises(ValueError, match="rows must all have one shape"):
        visualize_noisy_batch(DIGITS, DIGITS[:3])
    with pytest.raises(ValueError, match="rows must hold at least one row"):
        compare_images({})


def test_rows_of_pixels_are_drawn_as_images():
    flat = visualize_reconstruction(DIGITS, DIGITS, DIGITS.flatten(1) / 2)
    whole = visualize_reconstruction(DIGITS, DIGITS, DIGITS / 2)
    assert np.array_equal(mosaic(flat), mosaic(whole), equal_nan=True)
    flat = compare_images({"flat": DIGITS.flatten(1), "whole": DIGITS})
    assert np.array_equal(*np.split(mosaic(flat), [31]), equal_nan=True)


@pytest.mark.parametrize("shape", [(8, 783), (7, 784), (8, 28, 28), (6272,), (8, 1)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="rows must all have one shape, or hold one"):
        visualize_reconstruction(DIGITS, DIGITS, torch.zeros(shape))


def test_rows_of_pixels_alone_do_not_say_how_wide_an_image_is():
    with pytest.raises(ValueError, match="flat must have shape"):
        compare_images({"flat": DIGITS.flatten(1)})


def test_without_images_a_batch_of_digits_is_shown():
    """As in the starting notebook: 16 digits in two rows, with their labels."""
    images, labels = next(iter(get_mnist_loaders(16)[0]))
    figure = visualize_batch()
    assert np.array_equal(
        mosaic(figure), mosaic(visualize_batch(images, labels)), equal_nan=True
    )
    written = [int(text.get_text()) for text in figure.axes[0].texts]
    assert written == labels.tolist()
    assert len(visualize_batch(batch_size=3).axes[0].texts) == 3


def test_without_images_a_batch_of_noisy_digits_is_shown():
    clean, noisy = mosaic(visualize_batch()), visualize_noisy_batch(batch_size=16)
    assert len(noisy.axes[0].texts) == 16
    difference = (mosaic(noisy) - clean)[~np.isnan(clean)]
    assert 0.25 < difference.std() < 0.5  # σ is 0.5, and clipping takes some of it
    assert len(visualize_noisy_batch(batch_size=4).axes[0].texts) == 4


def test_without_noisy_images_noise_is_added():
    clean = torch.full((2, 1, 4, 4), 0.5)
    pixels = mosaic(visualize_noisy_batch(clean))
    above, below = pixels[3:7, :4], pixels[10:14, :4]
    assert (above == 0.5).all()
    assert (below != 0.5).any()


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (partial(visualize_batch, labels=torch.arange(3)), "labels"),
        (partial(visualize_noisy_batch, labels=torch.arange(3)), "labels"),
        (partial(visualize_noisy_batch, noisy=DIGITS), "noisy"),
    ],
)
def test_what_belongs_to_images_comes_with_them(draw, name):
    with pytest.raises(ValueError, match=f"{name} must come with images"):
        draw()


def test_images_that_are_no_tensor():
    for draw in (visualize_batch, visualize_noisy_batch):
        with pytest.raises(TypeError, match="images must be a tensor, got int"):
            draw(16)
    with pytest.raises(ValueError, match="batch_size must be an integer of at least 1"):
        visualize_batch(batch_size=0)


def test_wrong_losses():
    with pytest.raises(ValueError, match="train_loss must hold at least one number"):
        plot_loss([])
    with pytest.raises(ValueError, match="validation must be empty or as long as"):
        plot_loss([1, 2], [1])


def test_texts_below_stand_under_their_row():
    digits = torch.rand(2, 1, 28, 28)
    rows = {"noisy": digits, "clean": digits}
    figure = compare_images(rows, below={"clean": ["20 dB", "21 dB"]})
    axes = figure.axes[0]
    height = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert list(height) == ["20 dB", "21 dB"]
    assert all(y > axes.get_yticks()[1] for y in height.values())


def test_texts_below_a_row_that_is_not_there():
    rows = {"noisy": torch.rand(1, 1, 28, 28)}
    with pytest.raises(ValueError, match="below must name rows, got clean"):
        compare_images(rows, below={"clean": ["20 dB"]})
