"""What the first layer looks for: filters over corruption and length of training.

The model is the one of the classic experiment, a single layer of sigmoids, trained
under masking noise. Three measures describe its filters: how wide their grain is, on
how many pixels their weight lies, and how large a window holds half of it.
"""

import base64
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dae_tutorial.noise import add_masking_noise
from studies.experiments.recipe import mnist, train

CORRUPTIONS = (0.0, 0.25, 0.5, 0.75)
SHOWN = 4  # filters kept for the eye, evenly spread over the ranking by width

SEEDS = (0, 1, 2)
PARTS = [
    {"train_images": 300},
    {"train_images": 3000},
    {"train_images": 30_000},
    {"steps": 4 * 938},
    {"units": 128},
]
TOY = {"units": 128, "train_images": 4000, "steps": 500}
NOT_COMPARED = ("pictures",)


def one_layer(units: int) -> nn.Module:
    """Build 784 → units → 784 with sigmoids, for (batch, 1, 28, 28).

    Examples:
        >>> one_layer(256)(torch.rand(5, 1, 28, 28)).shape
        torch.Size([5, 1, 28, 28])
    """
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, units),
        nn.Sigmoid(),
        nn.Linear(units, 784),
        nn.Sigmoid(),
        nn.Unflatten(1, (1, 28, 28)),
    )


def study(
    *, seed: int, train_images: int = 30_000, units: int = 256, steps: int = 938
) -> list[dict]:
    """Train one layer under each corruption and describe its filters.

    Args:
        seed: of the training images, the initial weights and the noise.
        train_images: how many images to train on, over and over.
        units: sigmoids in the layer, one filter each.
        steps: optimiser steps, of 32 images.

    Returns:
        One row a corruption: train_images, units and steps; mask_prob, the
        probability of losing a pixel in training; width, area and window in pixels,
        averaged over the filters; area_learned, the area of what training added to
        the initial weights; and pictures, a few filters as text for
        `dae_tutorial.evidence.tables.from_text`.

    Examples:
        >>> rows = study(seed=0, **TOY | {"steps": 10})
        >>> [row["mask_prob"] for row in rows]
        [0.0, 0.25, 0.5, 0.75]
    """
    images = mnist(train_images, seed=seed)
    # A pixel that is black in every image leaves its weights as they began: noise.
    inked = images.images.mean(dim=0) > 0.02
    settings = {"train_images": train_images, "units": units, "steps": steps}
    rows = []
    for mask_prob in CORRUPTIONS:
        torch.manual_seed(seed)
        model = one_layer(units)
        initial = model[1].weight.detach().reshape(-1, 28, 28) * inked
        corrupt = partial(add_masking_noise, mask_prob=mask_prob)
        train(model, images, corrupt, steps=steps, seed=seed, batch_size=32, peak=1e-2)
        filters = model[1].weight.detach().reshape(-1, 28, 28) * inked
        learned = {"area_learned": area(filters - initial).mean().item()}
        rows.append(settings | {"mask_prob": mask_prob} | learned | described(filters))
    return rows


def described(filters: Tensor) -> dict[str, float | str]:
    """Average what the filters have in common, and keep a few to look at.

    Examples:
        >>> described(torch.ones(20, 28, 28))["area"]
        784.0
    """
    order = width(filters).argsort()
    shown = order[torch.linspace(0, len(order) - 1, SHOWN + 2).long()[1:-1]]
    return {
        "width": width(filters).mean().item(),
        "area": area(filters).mean().item(),
        "window": window(filters).float().mean().item(),
        "pictures": as_text(filters[shown]),
    }


def width(filters: Tensor) -> Tensor:
    """Measure the grain of filters: how wide is what they are made of?

    Correlate each filter with itself, moved to the right or down, and find where that
    falls to half. Twice this move is the full width at half maximum. It does not ask
    where in the filter a stroke lies, how many there are, or of which sign.

    Args:
        filters: (count, 28, 28).

    Returns:
        (count,), in pixels: 1 for single pixels and for speckle, 28 for a flat filter.

    Examples:
        >>> width(torch.ones(1, 28, 28)).round()
        tensor([28.])
    """
    # Padded to twice its size, a filter that is moved does not come in again.
    power = torch.fft.rfft2(filters, s=(56, 56)).abs().square()
    overlap = torch.fft.irfft2(power, s=(56, 56))
    likeness = (overlap[:, 0, :28] + overlap[:, :28, 0]) / (2 * overlap[:, :1, 0])
    below = (likeness < 0.5).int().argmax(dim=1, keepdim=True)  # the first such move
    before, after = likeness.gather(1, below - 1), likeness.gather(1, below)
    return 2 * (below - 1 + (before - 0.5) / (before - after)).squeeze(dim=1)


def area(filters: Tensor) -> Tensor:
    r"""Count the pixels over which a filter spreads: its participation ratio.

    $$\frac{\left(\sum_i w_i^2\right)^2}{\sum_i w_i^4}$$

    Args:
        filters: (count, height, width).

    Returns:
        (count,), in pixels: 1 if all its weight is on one pixel.

    Examples:
        >>> area(torch.ones(1, 28, 28))
        tensor([784.])
    """
    squares = filters.square().flatten(start_dim=1)
    return squares.sum(dim=1).square() / squares.square().sum(dim=1)


def window(filters: Tensor) -> Tensor:
    """Find the smallest square window that holds half of a filter's squared weight.

    Args:
        filters: (count, 28, 28).

    Returns:
        (count,), the side in pixels: small for a local filter.

    Examples:
        >>> window(torch.ones(1, 28, 28))  # 20 × 20 of 784 are half and a little more
        tensor([20])
    """
    squares = filters.square().unsqueeze(1)
    half = squares.sum(dim=(1, 2, 3)) / 2
    most = [
        F.avg_pool2d(squares, side, stride=1, divisor_override=1).amax(dim=(1, 2, 3))
        for side in range(1, 29)
    ]
    return 1 + (torch.stack(most, dim=1) < half.unsqueeze(1)).sum(dim=1)


def as_text(filters: Tensor) -> str:
    """Write filters as text, a byte a pixel; the largest weight of each becomes 127.

    Examples:
        >>> len(as_text(torch.ones(2, 28, 28)))
        2092
    """
    largest = filters.abs().amax(dim=(1, 2), keepdim=True)
    levels = (127 * filters / largest).round().to(torch.int8)
    return base64.b64encode(levels.numpy().tobytes()).decode()
