"""One denoiser for all noise levels, or one for each?

Specialists are trained at a single level. A blind model is trained at all of them, and
a noise-aware one, too, but it is told each image's level. All are tested over a range
of levels, and the aware one is also told wrong levels. All of this with clipped and
with unclipped noise.
"""

import math
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
from dae_tutorial.train import Corruption
from studies.experiments.recipe import (
    DRAW,
    mnist_split,
    mnist_test,
    train,
    without_offset,
)
from studies.experiments.which_noise import CLIPS

TEST_LEVELS = (0.0, 0.1, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0, 1.25)
SPECIALISTS = (0.1, 0.25, 0.5, 0.75, 1.0)
LIE_AT = 0.5
TOLD_LEVELS = (0.0, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0)

SEEDS = (0, 1, 2)
TRAININGS = (*(f"only {level:g}" for level in SPECIALISTS), "blind", "aware")
PARTS = [{"clip": clip, "training": name} for clip in CLIPS for name in TRAININGS]
TOY = {
    "train_images": 4000,
    "validation_images": 200,
    "test_images": 300,
    "epochs": 4,
}


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
    clip: str = "clipped",
    training: str = "aware",
    train_images: int = 50_000,
    validation_images: int = 2000,
    test_images: int = 10_000,
    epochs: int = 8,
) -> list[dict]:
    """Train one model, and test it over a range of levels.

    Args:
        seed: of the drawn images, their order, the initial weights and the noise.
        clip: whether noise is "clipped" or "unclipped", in training and test.
        training: "blind", "aware", or "only 0.5" for a specialist at σ = 0.5.
        train_images: how many images to train on.
        validation_images: how many more to fit offsets on.
        test_images: how many to test on.
        epochs: passes over the training images.

    Returns:
        One row a test level: clip, training, sigma, told (the level that an aware
        model is told; for others, sigma), mse and psnr; mse_off, for a specialist with
        the offset taken off, for others mse again; and noisy_mse of doing nothing.

    Examples:
        >>> rows = study(seed=0, **TOY)
        >>> rows[0]["training"], rows[0]["sigma"], rows[0]["told"]
        ('aware', 0.0, 0.0)
    """
    images, validation = mnist_split(train_images, validation_images, seed=seed)
    torch.manual_seed(seed)
    model = AwareAutoencoder() if training == "aware" else Autoencoder()
    met = corruption(training, clip)
    steps = epochs * math.ceil(train_images / 128)
    train(model, images, met, steps=steps, seed=seed).eval()
    test = mnist_test(test_images).loader(500)
    rows = []
    for sigma, told in questions(training):
        denoiser = Told(model, told) if training == "aware" else model
        meets = corruption(f"only {sigma}", clip)
        scores = off = evaluate(denoiser, test, meets, seed=DRAW)
        if training.startswith("only"):
            corrected = without_offset(model, met, meets, validation)
            off = evaluate(corrected, test, meets, seed=DRAW)
        row = {"clip": clip, "training": training, "sigma": sigma, "told": told}
        row |= {"mse": scores.mse, "psnr": scores.psnr, "mse_off": off.mse}
        rows.append(row | {"noisy_mse": scores.noisy_mse})
    return rows


def corruption(training: str, clip: str) -> Corruption:
    """Return what a model of this training is given."""
    ranges = {
        "blind": add_varied_gaussian_noise,
        "aware": add_varied_gaussian_noise_with_level,
    }
    clipped = clip == "clipped"
    if training in ranges:
        return partial(ranges[training], clip=clipped)
    level = float(training.removeprefix("only "))
    return partial(add_gaussian_noise, noise_factor=level, clip=clipped)


def questions(training: str) -> list[tuple[float, float]]:
    """Return the pairs (true level, told level) of the test."""
    honest = [(level, level) for level in TEST_LEVELS]
    lies = [(LIE_AT, told) for told in TOLD_LEVELS if told != LIE_AT]
    return honest + lies if training == "aware" else honest
