"""Every figure of the site: tensors and results in, a matplotlib Figure out.

Nothing here trains, and only a batch that was not given is loaded. Each function draws
on the axes that it is given, or makes a figure of its own in the site's style, and
returns the Figure; none calls `show`.
"""

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

INK = {"light": "#1f2937", "dark": "#e5e7eb"}
"""Colour of text and lines, by the brightness of the page."""

COLOURS = {"blue": "#2563eb", "orange": "#ea580c", "teal": "#0d9488"}
"""Colours of data: told apart with any colour vision, on light and on dark pages."""

STYLE = {
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "font.size": 12,
    "text.color": INK["light"],
    "axes.edgecolor": INK["light"],
    "axes.labelcolor": INK["light"],
    "axes.titlecolor": INK["light"],
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": plt.cycler(color=COLOURS.values()),
    "xtick.color": INK["light"],
    "ytick.color": INK["light"],
    "lines.linewidth": 2,
    "legend.frameon": False,
}
"""The site's matplotlib style, for `plt.style.use` or `plt.rc_context`."""

WIDTH = 5.6  # inches: small enough for captions to be read on a telephone
GAP = 3  # pixels between neighbouring images
HEADROOM = 9  # pixels above an image, for its caption


def visualize_batch(
    images: Tensor | None = None,
    labels: Tensor | None = None,
    *,
    batch_size: int = 16,
    columns: int = 8,
    axes: Axes | None = None,
) -> Figure:
    """Show images in a grid, with their labels; without any, digits of MNIST.

    Args:
        images: (batch, 1, height, width), in [0, 1]; values outside are shown as the
            nearest of the two. By default, a batch of MNIST's training images.
        labels: (batch,), written above the images.
        batch_size: how many digits to load, at least 1, where `images` are not given.
        columns: images in a row, at least 1.
        axes: drawn on, if given.

    Returns:
        The figure.

    Raises:
        TypeError: if `images` is not a tensor.
        ValueError: if `images` is empty or misshapen, if `labels` are fewer or more
            or come without images, or if `batch_size` or `columns` is below 1.
        RuntimeError: if MNIST is not there and cannot be downloaded.

    Examples:
        >>> figure = visualize_batch()
        >>> len(figure.axes[0].texts)  # the labels
        16
        >>> import torch
        >>> figure = visualize_batch(torch.rand(16, 1, 28, 28), torch.arange(16))
        >>> type(figure).__name__
        'Figure'
    """
    if images is None:
        images, labels = _digits(batch_size, labels=labels)
    _check_images("images", images)
    captions = None if labels is None else _captions(labels, images)
    if not isinstance(columns, int) or columns < 1:
        raise ValueError(f"columns must be an integer of at least 1, got {columns!r}")
    rows = [images[start : start + columns] for start in range(0, len(images), columns)]
    above = None
    if captions is not None:
        above = [captions[i : i + columns] for i in range(0, len(captions), columns)]
    return _draw_rows(rows, above=above, axes=axes)


def visualize_noisy_batch(
    images: Tensor | None = None,
    noisy: Tensor | None = None,
    labels: Tensor | None = None,
    *,
    batch_size: int = 16,
    axes: Axes | None = None,
) -> Figure:
    """Show clean images above their noisy versions; without any, noisy digits.

    Noisy images that are passed in are shown as they are, so that the figure shows the
    very noise that the model is given.

    Args:
        images: clean images, (batch, 1, height, width), in [0, 1]. Without them, a
            batch of MNIST's training images is loaded, and a grid of their noisy
            versions is shown.
        noisy: the same shape. By default, Gaussian noise is added to `images`.
        labels: (batch,), written above the clean images.
        batch_size: how many digits to load, at least 1, where `images` are not given.
        axes: drawn on, if given.

    Returns:
        The figure.

    Raises:
        ValueError: if the shapes differ, if `noisy` comes without `images`, or as in
            `visualize_batch`.
        TypeError: as in `visualize_batch`.
        RuntimeError: as in `visualize_batch`.

    Examples:
        >>> import torch
        >>> clean = torch.rand(8, 1, 28, 28)
        >>> figure = visualize_noisy_batch(clean, torch.rand_like(clean))
        >>> [name.get_text() for name in figure.axes[0].get_yticklabels()]
        ['clean', 'noisy']
    """
    if images is None:
        images, labels = _digits(batch_size, labels=labels, noisy=noisy)
        return visualize_batch(_with_noise(images), labels, axes=axes)
    _check_images("images", images)
    noisy = _with_noise(images) if noisy is None else noisy
    captions = None if labels is None else _captions(labels, images)
    return compare_images(
        {"clean": images, "noisy": noisy}, captions=captions, axes=axes
    )


def visualize_reconstruction(
    noisy: Tensor,
    clean: Tensor,
    reconstruction: Tensor,
    *,
    axes: Axes | None = None,
) -> Figure:
    """Show noisy, original and reconstructed images, row above row.

    Args:
        noisy: what the model was given, (batch, 1, height, width).
        clean: what it should return, the same shape.
        reconstruction: what it returned, the same shape, or one row of pixels an
            image, (batch, pixels).
        axes: drawn on, if given.

    Returns:
        The figure.

    Raises:
        ValueError: if the shapes differ.

    Examples:
        >>> import torch
        >>> images = torch.rand(8, 1, 28, 28)
        >>> figure = visualize_reconstruction(images, images, images)
        >>> [name.get_text() for name in figure.axes[0].get_yticklabels()]
        ['noisy', 'original', 'reconstructed']
    """
    rows = {"noisy": noisy, "original": clean, "reconstructed": reconstruction}
    return compare_images(rows, axes=axes)


def compare_images(
    rows: dict[str, Tensor],
    *,
    captions: Sequence[str] | None = None,
    below: dict[str, Sequence[str]] | None = None,
    axes: Axes | None = None,
) -> Figure:
    """Show named rows of images, one image of each row in every column.

    Args:
        rows: name → images, (batch, 1, height, width), all of one shape. All but one
            may be rows of pixels, (batch, pixels), as dense models return them.
        captions: texts above the first row, one an image.
        below: name of a row → texts below its images, such as their scores.
        axes: drawn on, if given.

    Returns:
        The figure.

    Raises:
        ValueError: if `rows` is empty, shapes differ, or `below` names no row.

    Examples:
        >>> import torch
        >>> digits = torch.rand(4, 1, 28, 28)
        >>> figure = compare_images({"clean": digits, "negative": 1 - digits})
        >>> len(figure.axes)
        1
    """
    if not rows:
        raise ValueError("rows must hold at least one row of images, got none")
    rows = _as_images(rows)
    unknown = set(below or ()) - set(rows)
    if unknown:
        raise ValueError(f"below must name rows, got {', '.join(sorted(unknown))}")
    return _draw_rows(
        list(rows.values()),
        above=[captions or (), *[()] * (len(rows) - 1)],
        below=[(below or {}).get(name, ()) for name in rows],
        names=list(rows),
        axes=axes,
    )


def plot_loss(
    train_loss: Sequence[float],
    validation: Sequence[float] = (),
    *,
    axes: Axes | None = None,
) -> Figure:
    """Plot the loss after each epoch, labelled at the line's end.

    Args:
        train_loss: one number an epoch.
        validation: one number an epoch, or nothing.
        axes: drawn on, if given.

    Returns:
        The figure.

    Raises:
        ValueError: if `train_loss` is empty, or `validation` has another length.

    Examples:
        >>> figure = plot_loss([0.05, 0.03, 0.02])
        >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
        ('epoch', 'loss')
    """
    if len(train_loss) == 0:
        raise ValueError("train_loss must hold at least one number, got none")
    if len(validation) not in (0, len(train_loss)):
        raise ValueError(
            f"validation must be empty or as long as train_loss, {len(train_loss)}, "
            f"got {len(validation)}"
        )
    axes = axes or _new_axes((WIDTH, 3.4))
    epochs = np.arange(1, len(train_loss) + 1)
    for name, losses in (("training", train_loss), ("validation", validation)):
        if len(losses) == 0:
            continue
        axes.plot(epochs, losses, marker="o", markersize=4, label=name)
        axes.annotate(
            name,
            (epochs[-1], losses[-1]),
            xytext=(8, 8 if name == "training" else -8),
            textcoords="offset points",
            va="center",
            color=axes.xaxis.label.get_color(),
        )
    axes.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
    axes.xaxis.get_major_locator().set_params(integer=True)
    return axes.figure


def _new_axes(figsize: tuple[float, float]) -> Axes:
    with plt.rc_context(STYLE):
        # Not through pyplot: it would keep every figure alive until closed.
        figure = Figure(figsize=figsize, layout="constrained")
        return figure.subplots()


def _draw_rows(
    rows: list[Tensor],
    *,
    above: Sequence[Sequence[str]] | None = None,
    below: Sequence[Sequence[str]] | None = None,
    names: Sequence[str] = (),
    axes: Axes | None = None,
) -> Figure:
    """Draw all images as one mosaic, so that any axes will do and pixels align.

    `above` and `below` hold the texts of each row, none where they are empty.
    """
    nothing = [()] * len(rows)
    above, below = above or nothing, below or nothing
    height, width = rows[0].shape[-2:]
    heads = [HEADROOM if texts else GAP for texts in above]
    feet = [HEADROOM if texts else 0 for texts in below]
    bottoms = np.cumsum([h + height + f for h, f in zip(heads, feet, strict=True)])
    tops = bottoms - feet - height
    mosaic = _mosaic(rows, tops, int(bottoms[-1]))
    wide = WIDTH - 1.2 if names else WIDTH  # names stand to the left of the mosaic
    axes = axes or _new_axes((WIDTH, wide * mosaic.shape[0] / mosaic.shape[1] + 0.1))
    for top, over, under in zip(tops, above, below, strict=True):
        _write_row(axes, over, top - 2, width, "bottom")
        _write_row(axes, under, top + height + 1, width, "top")
    axes.imshow(mosaic, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_yticks((tops + height / 2)[: len(names)], names)
    return _bare(axes)


def _mosaic(rows: list[Tensor], tops: np.ndarray, bottom: int) -> np.ndarray:
    """Place images in rows that begin at `tops`; NaN, drawn as nothing, between."""
    height, width = rows[0].shape[-2:]
    columns = max(len(row) for row in rows)
    mosaic = np.full((bottom, columns * (width + GAP) - GAP), np.nan)
    for row, top in zip(rows, tops, strict=True):
        for column, image in enumerate(row):
            left = column * (width + GAP)
            pixels = image[0].detach().cpu().float().numpy()
            mosaic[top : top + height, left : left + width] = pixels
    return mosaic


def _write_row(
    axes: Axes, texts: Sequence[str], y: float, width: int, side: str
) -> None:
    """Write each text over or under the middle of its column."""
    colour = axes.xaxis.label.get_color()
    for column, text in enumerate(texts):
        x = column * (width + GAP) + width / 2
        axes.text(x, y, text, ha="center", va=side, color=colour)


def _bare(axes: Axes) -> Figure:
    """Leave nothing of the axes but the names of the rows."""
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    # The layout is right from the second drawing on: the first one shrinks the axes
    # to square pixels only after it has made room for the names.
    axes.figure.draw_without_rendering()
    return axes.figure


def _digits(batch_size: int, **given: Tensor | None) -> tuple[Tensor, Tensor]:
    """Load a batch of MNIST, with its labels, where no images were given."""
    # Imported here, so that a copy of this file alone draws whatever it is given.
    from dae_tutorial.loaders import get_mnist_loaders

    for name, value in given.items():
        if value is not None:
            raise ValueError(f"{name} must come with images, got {name} alone")
    train_loader, _ = get_mnist_loaders(batch_size)
    return next(iter(train_loader))


def _as_images(rows: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give rows of pixels the shape of the images among them."""
    for name, images in rows.items():
        _check_tensor(name, images)
    shapes = {name: tuple(images.shape) for name, images in rows.items()}
    shape = next(iter(shapes.values()))
    shape = next((found for found in shapes.values() if len(found) == 4), shape)
    flat = (*shape[:1], math.prod(shape[1:]))
    if not set(shapes.values()) <= {shape, flat}:
        raise ValueError(
            f"rows must all have one shape, or hold one row of pixels an image, "
            f"got {shapes}"
        )
    rows = {name: images.reshape(shape) for name, images in rows.items()}
    for name, images in rows.items():
        _check_images(name, images)
    return rows


def _with_noise(images: Tensor) -> Tensor:
    from dae_tutorial.noise import add_gaussian_noise  # see `_digits`

    return add_gaussian_noise(images)


def _captions(labels: Tensor, images: Tensor) -> list[str]:
    if len(labels) != len(images):
        raise ValueError(
            f"labels must be as many as images, {len(images)}, got {len(labels)}"
        )
    return [str(int(label)) for label in labels]


def _check_images(name: str, images: Tensor) -> None:
    _check_tensor(name, images)
    if images.ndim != 4 or images.shape[1] != 1 or len(images) == 0:
        raise ValueError(
            f"{name} must have shape (batch, 1, height, width) with at least one "
            f"image, got {tuple(images.shape)}"
        )


def _check_tensor(name: str, images: Tensor) -> None:
    if not isinstance(images, Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(images).__name__}")
