"""Does it matter for features *what* is taken from the image in pretraining?

One small encoder, and only the corruption changes: Gaussian noise, masked pixels,
masked patches, noise on principal components, noise of all levels, and none. Then a
linear classifier on the frozen code.
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise, add_masking_noise, no_noise
from dae_tutorial.theory.pretexts import (
    PrincipalNoise,
    add_noise_of_any_scale,
    mask_patches,
)
from dae_tutorial.train import Corruption
from studies.experiments.pretraining import balanced, principal_components, probe
from studies.experiments.recipe import train
from studies.experiments.variations import make

COMPONENTS = 64  # that are kept under noise on principal components

Split = tuple[Tensor, Tensor]


def code(model: Autoencoder) -> nn.Module:
    """Return the encoder of an autoencoder, as a network of its own."""
    return nn.Sequential(nn.Flatten(), model.encoder)


def gaussian(images: Tensor, sigma: float) -> Corruption:
    """Make noise of one level on every pixel, not clipped."""
    return partial(add_gaussian_noise, noise_factor=sigma, clip=False)


def masking(images: Tensor, probability: float) -> Corruption:
    """Make noise that hides single pixels."""
    return partial(add_masking_noise, mask_prob=probability)


def patches(images: Tensor, share: float) -> Corruption:
    """Make noise that hides patches of 4 × 4 pixels."""
    return partial(mask_patches, share=share)


def principal(images: Tensor, sigma: float) -> Corruption:
    """Make noise on the first principal components of the training images."""
    return PrincipalNoise(images, COMPONENTS, sigma)


def all_levels(images: Tensor, highest: float) -> Corruption:
    """Make noise of a level that is drawn for each image, and not told."""
    return partial(add_noise_of_any_scale, highest=highest)


def clean(images: Tensor, strength: float) -> Corruption:
    """Make no noise: the twin of all the others."""
    return no_noise


# name → (what makes the corruption, strengths to choose from on validation images)
PRETEXTS = {
    "clean (twin)": (clean, (0.0,)),
    "Gaussian": (gaussian, (0.5, 1.0)),
    "masked pixels": (masking, (0.5, 0.75)),
    "masked patches": (patches, (0.5, 0.75)),
    "PCA noise": (principal, (0.5, 1.0)),
    "all levels": (all_levels, (2.0,)),
}
BASELINES = ("raw pixels", "untrained", "PCA")

SEEDS = (0, 1, 2)
PARTS = [
    {"variation": variation, "method": method}
    for variation in ("basic", "rotated")
    for method in (*BASELINES, *PRETEXTS)
]
TOY = {
    "sizes": (1_000, 300, 500),
    "labels": (100,),
    "hidden": 64,
    "width": 32,
    "steps": 30,
}


def study(
    *,
    seed: int,
    variation: str = "basic",
    method: str = "Gaussian",
    sizes: tuple[int, int, int] = (20_000, 2_000, 10_000),
    labels: Sequence[int] = (100, 1_000, 20_000),
    hidden: int = 256,
    width: int = 128,
    steps: int = 1_000,
    choose_with: int = 1_000,
) -> list[dict]:
    """Learn features under one corruption, and measure what a linear probe reads.

    Args:
        seed: of the digits, their disturbance, the initial weights, all orders and the
            noise.
        variation: "basic", "rotated", or another of the study `variations`.
        method: a name in `PRETEXTS` or in `BASELINES`.
        sizes: images to learn from, to choose with and to test on.
        labels: how many labelled images to fit the probe on; smaller sets are part of
            larger ones, and the classes are as balanced as they can be.
        hidden: units of the hidden layer on each side of the code.
        width: numbers in a code, and of principal components for "PCA".
        steps: optimiser steps, batches of 128.
        choose_with: labels of the probe by whose validation error the strength is
            chosen, if there are so many.

    Returns:
        One row a number of labels: variation, method, the strength that was chosen,
        labels, validation_error, test_error.

    Examples:
        >>> rows = study(seed=0, **TOY | {"method": "raw pixels"})
        >>> rows[0]["method"], rows[0]["strength"], rows[0]["labels"]
        ('raw pixels', 0.0, 100)
    """
    training, validation, test = make(variation, sizes, seed)
    order = balanced(training[1], len(training[1]), seed)
    training = (training[0][order], training[1][order])
    encoders = candidates(method, training[0], hidden, width, steps, seed)

    def error(strength: float) -> float:
        few = (min(choose_with, len(order)),)
        splits = (training, validation, validation)
        return probe(encoders[strength], few, *splits)[0]["validation_error"]

    chosen = min(encoders, key=error) if len(encoders) > 1 else next(iter(encoders))
    curve = probe(encoders[chosen], tuple(labels), training, validation, test)
    row = {"variation": variation, "method": method, "strength": chosen}
    return [row | measured for measured in curve]


def candidates(
    method: str, images: Tensor, hidden: int, width: int, steps: int, seed: int
) -> dict[float, nn.Module]:
    """Return encoders of a method by strength; all begin with the same weights."""
    if method == "raw pixels":
        return {0.0: nn.Flatten()}
    if method == "PCA":
        return {0.0: principal_components(images, width)}
    if method == "untrained":
        return {0.0: code(untrained(hidden, width, seed))}
    corruption, strengths = PRETEXTS[method]
    unlabelled = ImageTensors(images, torch.zeros(len(images)))
    recipe = {"steps": steps, "seed": seed, "peak": 2e-3}
    return {
        strength: code(
            train(
                untrained(hidden, width, seed),
                unlabelled,
                corruption(images, strength),
                **recipe,
            )
        )
        for strength in strengths
    }


def untrained(hidden: int, width: int, seed: int) -> Autoencoder:
    """Return an autoencoder with the initial weights of a seed."""
    torch.manual_seed(seed)
    return Autoencoder(28 * 28, hidden, width)
