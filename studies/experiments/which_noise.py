"""Which noise should a denoiser train on, if it will meet another one?

Nine autoencoders, alike but for the noise that they train on, and each tested on
every noise; and one more that trains on a mixture of them all.
"""

from functools import partial

import torch
from torch import Generator, Tensor

from dae_tutorial.evaluate import evaluate
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import (
    add_block_occlusion,
    add_gaussian_noise,
    add_masking_noise,
    add_salt_and_pepper_noise,
    no_noise,
)
from studies.experiments.recipe import mnist, mnist_test, train

NOISES = {
    "clean": no_noise,
    "Gaussian 0.25": partial(add_gaussian_noise, noise_factor=0.25),
    "Gaussian 0.5": partial(add_gaussian_noise, noise_factor=0.5),
    "Gaussian 1": partial(add_gaussian_noise, noise_factor=1.0),
    "masking 0.25": partial(add_masking_noise, mask_prob=0.25),
    "masking 0.5": partial(add_masking_noise, mask_prob=0.5),
    "masking 0.75": partial(add_masking_noise, mask_prob=0.75),
    "salt-and-pepper 0.25": partial(add_salt_and_pepper_noise, flip_prob=0.25),
    "blocks 10": partial(add_block_occlusion, block_size=10),
}

# The further levels of the sweep; those above belong to it, too.
SWEEP = {
    f"Gaussian {level:g}": partial(add_gaussian_noise, noise_factor=level)
    for level in (0.1, 0.375, 0.75, 1.25, 1.5)
}


def mixture(clean: Tensor, *, generator: Generator) -> Tensor:
    """Give each noise an equal share of the batch; the batches are shuffled."""
    shares = clean.tensor_split(len(NOISES))
    return torch.cat(
        [
            corrupt(share, generator=generator)
            for corrupt, share in zip(NOISES.values(), shares, strict=True)
        ]
    )


TRAIN_NOISES = {**NOISES, "mixture": mixture}

SEEDS = (0, 1, 2)
PARTS = [{"train_noise": name} for name in TRAIN_NOISES]
TOY = {"train_images": 4000, "test_images": 500, "steps": 150}


def study(
    *,
    seed: int,
    train_noise: str = "Gaussian 0.5",
    train_images: int = 60_000,
    test_images: int = 2000,
    steps: int = 1407,
) -> list[dict]:
    """Train on one noise and test on all.

    Args:
        seed: of the training images' order, the initial weights and the noise.
        train_noise: a name in `TRAIN_NOISES`.
        train_images: how many images to train on.
        test_images: how many to test on.
        steps: optimiser steps.

    Returns:
        One row a test noise: train_noise, test_noise, mse and psnr of the
        reconstructions, noisy_mse of the noisy images themselves.

    Examples:
        >>> rows = study(seed=0, **TOY)
        >>> rows[0]["train_noise"], rows[0]["test_noise"]
        ('Gaussian 0.5', 'clean')
    """
    torch.manual_seed(seed)
    model = Autoencoder()
    images = mnist(train_images, seed=seed)
    train(model, images, TRAIN_NOISES[train_noise], steps=steps, seed=seed)
    test = mnist_test(test_images).loader(500)
    rows = []
    for name, corrupt in {**NOISES, **SWEEP}.items():
        scores = evaluate(model, test, corrupt)
        row = {"train_noise": train_noise, "test_noise": name, "mse": scores.mse}
        rows.append({**row, "psnr": scores.psnr, "noisy_mse": scores.noisy_mse})
    return rows
