"""Does pretraining pay where it was made for: on harder digits?

MNIST in four variations, after Larochelle et al. (2007) and Vincent et al. (2008,
2010): 10,000 labelled digits to learn from, 2,000 to choose with, 50,000 to test on.
"""

from functools import partial

import torch
from torch import Generator, Tensor, nn

from dae_tutorial.evidence.pretrain import (
    choose_linear_probe,
    error_rate,
    train_classifier,
)
from dae_tutorial.evidence.variations import (
    add_image_background,
    add_random_background,
    rotate,
    shipped_photographs,
    split,
)
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import add_masking_noise, no_noise
from studies.experiments.pretraining import learn_stack, with_classifier

# name → (what the stack is pretrained on, None for not at all; dropout)
NETWORKS = {
    "from scratch": (None, 0.0),
    "from scratch, dropout": (None, 0.2),
    "stacked AE": (no_noise, 0.0),
    "stacked DAE, 25 %": (partial(add_masking_noise, mask_prob=0.25), 0.0),
    "stacked DAE, 50 %": (partial(add_masking_noise, mask_prob=0.5), 0.0),
}

VARIATIONS = ("basic", "rotated", "random background", "image background")

SEEDS = (0, 1, 2)
PARTS = [{"variation": variation} for variation in VARIATIONS]
TOY = {"sizes": (500, 200, 500), "width": 64, "steps": 40, "fine_steps": 40}


def study(
    *,
    seed: int,
    variation: str = "basic",
    sizes: tuple[int, int, int] = (10_000, 2_000, 50_000),
    width: int = 256,
    layers: int = 3,
    steps: int = 600,
    fine_steps: int = 700,
) -> list[dict]:
    """Compare networks from scratch with pretrained ones on one variation.

    Args:
        seed: of the digits, their disturbance, the initial weights, all orders and
            the noise.
        variation: a name in `VARIATIONS`.
        sizes: images to learn from, to choose with and to test on.
        width: units of each hidden layer.
        layers: hidden layers.
        steps: optimiser steps to pretrain each layer.
        fine_steps: optimiser steps to train each network with labels.

    Returns:
        One row a method: variation, method, validation_error, test_error.

    Examples:
        >>> rows = study(seed=0, **TOY)
        >>> [row["method"] for row in rows][:3]
        ['linear classifier', 'from scratch', 'from scratch, dropout']
    """
    train, validation, test = make(variation, sizes, seed)
    flat = [
        (images.flatten(start_dim=1), labels) for images, labels in (train, validation)
    ]
    classifiers = {
        "linear classifier": nn.Sequential(nn.Flatten(), choose_linear_probe(*flat))
    }
    for method, (corrupt, dropout) in NETWORKS.items():
        shape = {"width": width, "layers": layers}
        stack = learn_stack(train[0], corrupt, steps=steps, seed=seed, **shape)
        network = with_classifier(stack, width, dropout, seed=seed)
        train_classifier(network, train, validation, steps=fine_steps, seed=seed)
        classifiers[method] = network
    return [
        {
            "variation": variation,
            "method": method,
            "validation_error": error_rate(classifier, *validation),
            "test_error": error_rate(classifier, *test),
        }
        for method, classifier in classifiers.items()
    ]


def make(
    variation: str, sizes: tuple[int, int, int], seed: int
) -> list[tuple[Tensor, Tensor]]:
    """Make the three sets of one variation from all 70,000 digits.

    Args:
        variation: a name in `VARIATIONS`.
        sizes: images in each set.
        seed: decides which digits, and how they are disturbed.

    Returns:
        (images, labels) to learn from, to choose with and to test on.

    Examples:
        >>> [tuple(images.shape) for images, _ in make("rotated", (5, 3, 2), seed=0)]
        [(5, 1, 28, 28), (3, 1, 28, 28), (2, 1, 28, 28)]
    """
    parts = [load_mnist(train=train) for train in (True, False)]
    images = torch.cat([part.images for part in parts])
    labels = torch.cat([part.labels for part in parts])
    generator = torch.Generator().manual_seed(seed)
    dealt = split(images, labels, sizes, generator=generator)
    return [(disturb(variation, digits, generator), names) for digits, names in dealt]


def disturb(variation: str, digits: Tensor, generator: Generator) -> Tensor:
    """Apply a variation to clean digits, (count, 1, 28, 28)."""
    if variation == "rotated":
        return rotate(digits, generator=generator)
    if variation == "random background":
        return add_random_background(digits, generator=generator)
    if variation == "image background":
        return add_image_background(digits, shipped_photographs(), generator=generator)
    return digits
