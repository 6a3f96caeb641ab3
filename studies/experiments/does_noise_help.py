"""Does noise help at all? Autoencoders with and without it, alike in all else.

The autoencoder has one layer in and one layer out, so that its code is its only
width: what changes with the code size changes with nothing else.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from dae_tutorial.evaluate import mean_squared_error
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.noise import add_gaussian_noise, no_noise
from dae_tutorial.train import Corruption
from studies.experiments.recipe import (
    mnist_split,
    mnist_test,
    offset_off,
    passed_on,
    seeded,
    train,
)

SIGMA = 0.5
NOISES = {
    clip: partial(add_gaussian_noise, noise_factor=SIGMA, clip=clip == "clipped")
    for clip in ("clipped", "unclipped")
}
CODE_SIZES = (2, 8, 32, 128, 1024)
SMALL_SETS = (100, 1000)
FULL_SET = 50_000

# Of 1e-3, 3e-3 and 1e-2 the best on each model's own task, or within two per cent of
# it (but for the 128 units of the clean-trained one, where 1e-2 is better by 15).
PEAK = 3e-3
BATCH = 64

SEEDS = (0, 1, 2)
PARTS = [
    *(
        {"code_size": code_size, "epochs": epochs, "draws": ("fresh",)}
        for code_size in CODE_SIZES
        for epochs in (1, 8)
    ),
    *(
        {"code_size": code_size, "train_images": count, "epochs": 60_000 // count}
        for code_size in (32, 1024)
        for count in SMALL_SETS
    ),
]
TOY = {
    "train_images": 1280,
    "validation_images": 200,
    "test_images": 500,
    "epochs": 10,
    "draws": ("fresh",),
}


def shallow_autoencoder(code_size: int) -> nn.Sequential:
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


def start_at_mean(model: nn.Sequential, images: Tensor) -> nn.Sequential:
    """Set the last bias so that a code of zeros gives the mean image.

    Otherwise the first steps have to darken every pixel, and do it by pushing units of
    the code below zero, where the gradient of a ReLU ends: of 8 units, 4 died.

    Args:
        model: from `shallow_autoencoder`; changed in place.
        images: the training images.

    Returns:
        The model.

    Examples:
        >>> model = start_at_mean(shallow_autoencoder(2), torch.full((5, 784), 0.25))
        >>> model[3:](torch.zeros(1, 2))[0, 0, 0, :2].tolist()
        [0.25, 0.25]
    """
    mean = images.flatten(start_dim=1).mean(dim=0)
    with torch.no_grad():
        model[3].bias.copy_(mean.clamp(1e-3, 1 - 1e-3).logit())
    return model


def study(
    *,
    seed: int,
    code_size: int = 32,
    train_images: int = FULL_SET,
    validation_images: int = 2000,
    test_images: int = 10_000,
    epochs: int = 8,
    draws: Sequence[str] = ("fresh", "once"),
) -> list[dict]:
    """Train an autoencoder and its denoising twins; test them on both noises.

    Args:
        seed: of the images, the initial weights and the noise.
        code_size: width of the code.
        train_images: how many images to train on.
        validation_images: how many more, to fit offsets on.
        test_images: how many test images to score, and training images at most.
        epochs: passes over the training images.
        draws: when the noise of a denoising twin is drawn: "fresh" at each step, or
            "once" and then kept.

    Returns:
        A row for each noise and training: code_size, train_images and epochs; clip,
        "clipped" or "unclipped"; training, "clean" or a name in `draws`; train_own,
        the mean squared error on training images, with the inputs of the training;
        and what `scores` returns.

    Examples:
        >>> rows = study(seed=0, **TOY | {"epochs": 1})
        >>> [(row["clip"], row["training"]) for row in rows[:3]]
        [('clipped', 'clean'), ('clipped', 'fresh'), ('unclipped', 'clean')]
    """
    images, validation = mnist_split(train_images, validation_images, seed=seed)
    held_out = validation, mnist_test(test_images).images
    part = {"code_size": code_size, "train_images": train_images, "epochs": epochs}
    fit = partial(_trained, images.images, code_size, epochs, seed)
    twin = fit(images, no_noise)
    rows = []
    for clip, noise in NOISES.items():
        kept = noise(images.images, generator=seeded(10 + seed))
        other = noise(images.images, generator=seeded(4))
        ways = {"fresh": (images, noise), "once": (Pairs(kept, images.images), None)}
        models = {"clean": twin} | {draw: fit(*ways[draw]) for draw in draws}
        own = {"clean": images.images, "fresh": other, "once": kept}
        for training, model in models.items():
            row = part | {"clip": clip, "training": training}
            seen = own[training][:test_images], images.images[:test_images]
            met = no_noise if training == "clean" else noise
            row["train_own"] = _error(model, *seen)
            rows.append(row | scores(model, met, noise, *held_out))
    return rows


class Pairs(ImageTensors):
    """Noisy images beside their clean ones: noise that is drawn once, and kept.

    Examples:
        >>> clean = torch.zeros(5, 1, 28, 28)
        >>> noisy, target = Pairs(clean + 1, clean)[:2]
    """

    def __init__(self, noisy: Tensor, clean: Tensor):
        TensorDataset.__init__(self, noisy, clean)


def _trained(
    clean: Tensor,
    code_size: int,
    epochs: int,
    seed: int,
    batches: ImageTensors,
    corrupt: Corruption | None,
) -> nn.Sequential:
    torch.manual_seed(seed)  # the twins begin with the same weights
    model = start_at_mean(shallow_autoencoder(code_size), clean)
    steps = epochs * math.ceil(len(batches) / BATCH)
    recipe = {"steps": steps, "batch_size": BATCH, "peak": PEAK, "seed": seed}
    return train(model, batches, corrupt, **recipe)


@torch.no_grad()
def scores(
    model: nn.Sequential,
    met: Corruption,
    noise: Corruption,
    validation: Tensor,
    test: Tensor,
) -> dict[str, float]:
    """Score a model on clean images and on noisy ones.

    Args:
        model: from `shallow_autoencoder`.
        met: the noise of its training.
        noise: the noise of the test.
        validation: clean images to fit offsets on, (count, 1, 28, 28).
        test: clean images to test on.

    Returns:
        test_clean and test_noisy, the mean squared errors of clean and of noisy test
        images; test_clean_off and test_noisy_off, the same with the offset taken off;
        passed, the share of the noise that comes out again, between two noisy copies,
        at the pixels where digits have ink (all models know that the border is
        black); and alive, how many units of the code react to any of the noisy images.
    """
    noisy, copy = (noise(test, generator=seeded(draw)) for draw in (0, 1))
    off = partial(offset_off, model, met(validation, generator=seeded(2)))
    seen = noise(validation, generator=seeded(3))
    inked = test.mean(dim=0) > 0.1
    return {
        "test_clean": _error(model, test, test),
        "test_clean_off": _error(off(validation, validation), test, test),
        "test_noisy": _error(model, noisy, test),
        "test_noisy_off": _error(off(seen, validation), noisy, test),
        "passed": passed_on(noisy - copy, model(noisy) - model(copy), inked),
        "alive": (model[:3](noisy) > 0).any(dim=0).sum().item(),
    }


@torch.no_grad()
def _error(denoise: Callable[[Tensor], Tensor], inputs: Tensor, clean: Tensor) -> float:
    return mean_squared_error(denoise(inputs), clean).mean().item()
