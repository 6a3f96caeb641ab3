"""Does noise help at all? Autoencoders with and without it, alike in all else.

The autoencoder has one layer in and one layer out, so that its code is its only
width: what changes with the code size changes with nothing else.
"""

from functools import partial

import torch
from torch import Tensor, nn

from dae_tutorial.evaluate import mean_squared_error
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.noise import add_gaussian_noise
from studies.experiments.recipe import mnist, mnist_test, train

SIGMA = 0.5
CODE_SIZES = (2, 8, 32, 128, 1024)
SMALL_SETS = (100, 1000, 10_000)
FULL_SET = 60_000

# Enough to see each of all images once. A narrow code bears larger steps; twins share
# their size.
STEPS = 938
NARROW, WIDE = 1e-2, 3e-3

SEEDS = (0, 1, 2)
PARTS = [
    {
        "code_size": code_size,
        "train_images": train_images,
        "peak": WIDE if code_size == max(CODE_SIZES) else NARROW,
    }
    for code_size, train_images in [
        *((code_size, FULL_SET) for code_size in CODE_SIZES),
        *((code_size, count) for code_size in (32, 1024) for count in SMALL_SETS),
    ]
]
TOY = {"train_images": 1280, "test_images": 500, "steps": 200}


def shallow_autoencoder(code_size: int) -> nn.Module:
    """Build 784 → code → 784 for images of shape (batch, 1, 28, 28).

    Examples:
        >>> shallow_autoencoder(2)(torch.rand(5, 1, 28, 28)).shape
        torch.Size([5, 1, 28, 28])
    """
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, code_size),
        nn.ReLU(),
        nn.Linear(code_size, 784),
        nn.Sigmoid(),
        nn.Unflatten(1, (1, 28, 28)),
    )


def study(
    *,
    seed: int,
    code_size: int = 32,
    train_images: int = FULL_SET,
    test_images: int = 2000,
    steps: int = STEPS,
    peak: float = NARROW,
) -> list[dict]:
    """Train an autoencoder and its denoising twin; test both on clean and noisy images.

    Args:
        seed: of the training images, the initial weights and the noise.
        code_size: width of the code.
        train_images: how many images to train on, over and over.
        test_images: how many images of each set to score.
        steps: optimiser steps.
        peak: the highest learning rate.

    Returns:
        Two rows, the first for the autoencoder and the second for the denoising one:
        the arguments; train_noise, the standard deviation of its noise; mean squared
        errors against the clean images, named by set and input, such as test_noisy;
        nothing, the error of the noisy test images themselves; and passed, the share
        of the noise that comes out again.

    Examples:
        >>> without, with_noise = study(seed=0, **TOY | {"steps": 20})
        >>> without["train_noise"], with_noise["train_noise"]
        (0.0, 0.5)
    """
    images = mnist(train_images, seed=seed)
    seen = ImageTensors(images.images[:test_images], images.labels[:test_images])
    test = mnist_test(test_images)
    rows = []
    for train_noise in (0.0, SIGMA):
        torch.manual_seed(seed)  # the twins begin with the same weights
        model = shallow_autoencoder(code_size)
        corrupt = partial(add_gaussian_noise, noise_factor=train_noise)
        train(model, images, corrupt, steps=steps, seed=seed, batch_size=64, peak=peak)
        rows.append(
            {
                "code_size": code_size,
                "train_images": train_images,
                "train_noise": train_noise,
                **_errors(model, seen, "train"),
                **_errors(model, test, "test"),
                **_noise_passed_on(model, test),
            }
        )
    return rows


@torch.no_grad()
def _errors(model: nn.Module, images: ImageTensors, name: str) -> dict[str, float]:
    clean = images.images
    inputs = {"clean": clean, "noisy": _noisy(clean)}
    return {
        f"{name}_{kind}": mean_squared_error(model(image), clean).mean().item()
        for kind, image in inputs.items()
    }


@torch.no_grad()
def _noise_passed_on(model: nn.Module, images: ImageTensors) -> dict[str, float]:
    """Regress what the noise changes in the output on the noise: a copier scores 1.

    Only pixels where digits have ink count: every model has learned that the border
    is black, and lets nothing pass there.
    """
    clean = images.images
    noisy = _noisy(clean)
    inked = clean.mean(dim=0) > 0.1  # (1, 28, 28)
    noise = (noisy - clean)[:, inked]
    change = (model(noisy) - model(clean))[:, inked]
    return {
        "nothing": mean_squared_error(noisy, clean).mean().item(),
        "passed": ((noise * change).sum() / noise.square().sum()).item(),
    }


def _noisy(clean: Tensor) -> Tensor:
    """Add the noise of the evaluation: the same for every model and seed."""
    return add_gaussian_noise(clean, SIGMA, generator=torch.Generator().manual_seed(0))
