"""What the first layer looks for: filters over corruption and training-set size.

The model is the one of the classic experiment: a single overcomplete layer of
sigmoids, more of them than pixels, trained under masking noise.
"""

import base64
from functools import partial

import torch
from torch import Tensor, nn

from dae_tutorial.noise import add_masking_noise
from studies.experiments.recipe import mnist, train

CORRUPTIONS = (0.0, 0.25, 0.5)
SIZES = (300, 3000, 30_000)
SHOWN = 4  # filters kept for the eye, evenly spread over the ranking by smoothness

SEEDS = (0, 1, 2)
PARTS = [{"train_images": count} for count in SIZES]
TOY = {"units": 128, "train_images": 4000, "steps": 500}
NOT_COMPARED = ("pictures",)


def overcomplete_layer(units: int) -> nn.Module:
    """Build 784 → units → 784 with sigmoids, for (batch, 1, 28, 28).

    Examples:
        >>> overcomplete_layer(800)(torch.rand(5, 1, 28, 28)).shape
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
    *, seed: int, train_images: int = 30_000, units: int = 800, steps: int = 938
) -> list[dict]:
    """Train one layer under each corruption and describe its filters.

    Args:
        seed: of the training images, the initial weights and the noise.
        train_images: how many images to train on, over and over.
        units: sigmoids in the layer, one filter each.
        steps: optimiser steps.

    Returns:
        One row a corruption: train_images; mask_prob, the probability of losing a
        pixel in training; smoothness and area, averaged over the filters; and
        pictures, a few filters as text for `dae_tutorial.evidence.tables.from_text`.

    Examples:
        >>> rows = study(seed=0, **TOY | {"steps": 10})
        >>> [row["mask_prob"] for row in rows]
        [0.0, 0.25, 0.5]
    """
    images = mnist(train_images, seed=seed)
    # A pixel that is black in every image leaves its weights as they began: noise.
    inked = images.images.mean(dim=0) > 0.02
    rows = []
    for mask_prob in CORRUPTIONS:
        torch.manual_seed(seed)
        model = overcomplete_layer(units)
        corrupt = partial(add_masking_noise, mask_prob=mask_prob)
        train(model, images, corrupt, steps=steps, seed=seed, batch_size=32, peak=1e-2)
        filters = model[1].weight.detach().reshape(-1, 28, 28) * inked
        row = {"train_images": train_images, "mask_prob": mask_prob}
        rows.append(row | described(filters))
    return rows


def described(filters: Tensor) -> dict[str, float | str]:
    """Average what the filters have in common, and keep a few to look at.

    Examples:
        >>> described(torch.ones(20, 28, 28))["area"]
        784.0
    """
    order = smoothness(filters).argsort()
    shown = order[torch.linspace(0, len(order) - 1, SHOWN + 2).long()[1:-1]]
    return {
        "smoothness": smoothness(filters).mean().item(),
        "area": area(filters).mean().item(),
        "pictures": as_text(filters[shown]),
    }


def smoothness(filters: Tensor) -> Tensor:
    """Correlate each filter with itself, one pixel to the right and one down.

    Args:
        filters: (count, height, width).

    Returns:
        (count,): near 1 for a smooth filter, 0 for independent pixels, -1 for a
        chequerboard.

    Examples:
        >>> smoothness(torch.ones(1, 28, 28)).round(decimals=2)
        tensor([0.9600])
    """
    right = (filters[:, :, 1:] * filters[:, :, :-1]).sum(dim=(1, 2))
    down = (filters[:, 1:] * filters[:, :-1]).sum(dim=(1, 2))
    return (right + down) / (2 * filters.square().sum(dim=(1, 2)))


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


def as_text(filters: Tensor) -> str:
    """Write filters as text, a byte a pixel; the largest weight of each becomes 127.

    Examples:
        >>> len(as_text(torch.ones(2, 28, 28)))
        2092
    """
    largest = filters.abs().amax(dim=(1, 2), keepdim=True)
    levels = (127 * filters / largest).round().to(torch.int8)
    return base64.b64encode(levels.numpy().tobytes()).decode()
