"""One denoiser for all noise levels, or one for each?

Specialists are trained at a single level. A blind model is trained at all of them, and
a noise-aware one, too, but it is told each image's level. All are tested over a range
of levels, and the aware one is also told wrong levels.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from dae_tutorial.evaluate import evaluate
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import (
    add_gaussian_noise,
    add_varied_gaussian_noise,
    add_varied_gaussian_noise_with_level,
    append_noise_level,
)
from studies.experiments.recipe import mnist, mnist_test, train

TEST_LEVELS = (0.0, 0.1, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0, 1.25)
SPECIALISTS = (0.1, 0.25, 0.5, 0.75, 1.0)
LIE_AT = 0.5
TOLD_LEVELS = (0.0, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0)

SEEDS = (0, 1, 2)
PARTS = [
    *({"training": f"only {level:g}"} for level in SPECIALISTS),
    {"training": "blind"},
    {"training": "aware"},
]
TOY = {"train_images": 4000, "test_images": 300, "steps": 120}


class AwareAutoencoder(nn.Module):
    """The dense autoencoder with one more input, the noise level.

    Maps (batch, 2, 28, 28), a noisy image and its level, to (batch, 1, 28, 28).
    """

    def __init__(self):
        super().__init__()
        self.encoder = Autoencoder(input_dim=784 + 1).encoder
        self.decoder = Autoencoder(input_dim=784).decoder

    def forward(self, told: Tensor) -> Tensor:
        """Reconstruct the images that are told with their levels."""
        noisy, level = told[:, 0].flatten(start_dim=1), told[:, 1, 0, :1]
        code = self.encoder(torch.cat([noisy, level], dim=1))
        return self.decoder(code).reshape(-1, 1, *told.shape[2:])


class Told(nn.Module):
    """A noise-aware model that is told one fixed level, whatever it is given."""

    def __init__(self, model: nn.Module, level: float):
        super().__init__()
        self.model = model
        self.level = level

    def forward(self, noisy: Tensor) -> Tensor:
        """Reconstruct images, (batch, 1, 28, 28)."""
        return self.model(append_noise_level(noisy, self.level))


def study(
    *,
    seed: int,
    training: str = "aware",
    train_images: int = 20_000,
    test_images: int = 10_000,
    steps: int = 1256,
) -> list[dict]:
    """Train one model, and test it over a range of levels.

    Args:
        seed: of the training images' order, the initial weights and the noise.
        training: "blind", "aware", or "only 0.5" for a specialist at σ = 0.5.
        train_images: how many images to train on.
        test_images: how many to test on.
        steps: optimiser steps; 1256 are eight epochs.

    Returns:
        One row a test level: training, sigma, told (the level that an aware
        model is told; for others, sigma), mse, psnr, and noisy_mse of doing nothing.

    Examples:
        >>> rows = study(seed=0, **TOY)
        >>> rows[0]["training"], rows[0]["sigma"], rows[0]["told"]
        ('aware', 0.0, 0.0)
    """
    torch.manual_seed(seed)
    model = AwareAutoencoder() if training == "aware" else Autoencoder()
    images = mnist(train_images, seed=seed)
    train(model, images, corruption(training), steps=steps, seed=seed)
    test = mnist_test(test_images).loader(500)
    rows = []
    for sigma, told in questions(training):
        denoiser = Told(model, told) if training == "aware" else model
        corrupt = partial(add_gaussian_noise, noise_factor=sigma)
        scores = evaluate(denoiser, test, corrupt)
        row = {"training": training, "sigma": sigma, "told": told}
        scored = {"mse": scores.mse, "psnr": scores.psnr}
        rows.append({**row, **scored, "noisy_mse": scores.noisy_mse})
    return rows


def corruption(training: str) -> Callable[..., Tensor]:
    """Return what a model of this training is given."""
    ranges = {
        "blind": add_varied_gaussian_noise,
        "aware": add_varied_gaussian_noise_with_level,
    }
    if training in ranges:
        return ranges[training]
    return partial(
        add_gaussian_noise, noise_factor=float(training.removeprefix("only "))
    )


def questions(training: str) -> list[tuple[float, float]]:
    """Return the pairs (true level, told level) of the test."""
    honest = [(level, level) for level in TEST_LEVELS]
    lies = [(LIE_AT, told) for told in TOLD_LEVELS if told != LIE_AT]
    return honest + lies if training == "aware" else honest
