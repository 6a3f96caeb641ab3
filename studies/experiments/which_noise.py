"""Which noise should a denoiser train on, if it will meet another one?

Nine autoencoders, alike but for the noise that they train on, and each tested on
every noise; and one more that trains on a mixture of them all. Gaussian noise is
clipped, in training and test, and then nowhere; and since a model that never met
clipped noise cannot know its offset, each is scored with its offset taken off, too.
"""

import math
from functools import cache, partial

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
from dae_tutorial.train import Corruption
from studies.experiments.recipe import (
    DRAW,
    mnist_split,
    mnist_test,
    train,
    without_offset,
)

CLIPS = ("clipped", "unclipped")
OTHERS = {
    "masking 0.25": partial(add_masking_noise, mask_prob=0.25),
    "masking 0.5": partial(add_masking_noise, mask_prob=0.5),
    "masking 0.75": partial(add_masking_noise, mask_prob=0.75),
    "salt-and-pepper 0.25": partial(add_salt_and_pepper_noise, flip_prob=0.25),
    "blocks 10": partial(add_block_occlusion, block_size=10),
}


def gaussian(clip: str, *levels: float) -> dict[str, Corruption]:
    """Return Gaussian noises by their names."""
    return {
        f"Gaussian {level:g}": partial(
            add_gaussian_noise, noise_factor=level, clip=clip == "clipped"
        )
        for level in levels
    }


# Of each kind: the noises that are trained on, and the further levels of the test.
NOISES = {
    clip: {"clean": no_noise, **gaussian(clip, 0.25, 0.5, 1.0), **OTHERS}
    for clip in CLIPS
}
SWEEP = {clip: gaussian(clip, 0.1, 0.375, 0.75, 1.25, 1.5) for clip in CLIPS}


def mixture(clip: str, clean: Tensor, *, generator: Generator) -> Tensor:
    """Give each noise an equal share of the batch; the batches are shuffled."""
    noises = NOISES[clip].values()
    shares = clean.tensor_split(len(noises))
    return torch.cat(
        [
            corrupt(share, generator=generator)
            for corrupt, share in zip(noises, shares, strict=True)
        ]
    )


TRAIN_NOISES = {
    clip: {**NOISES[clip], "mixture": partial(mixture, clip)} for clip in CLIPS
}

SEEDS = (0, 1, 2)
PARTS = [{"train_noise": name} for name in TRAIN_NOISES["clipped"]]
TOY = {
    "train_images": 4000,
    "validation_images": 200,
    "test_images": 500,
    "epochs": 5,
}


def study(
    *,
    seed: int,
    train_noise: str = "Gaussian 0.5",
    train_images: int = 50_000,
    validation_images: int = 2000,
    test_images: int = 10_000,
    epochs: int = 8,
) -> list[dict]:
    """Train on one noise and test on all, with Gaussian noise clipped and unclipped.

    Args:
        seed: of the drawn images, their order, the initial weights and the noise.
        train_noise: a name in `TRAIN_NOISES`.
        train_images: how many images to train on.
        validation_images: how many more to fit offsets on.
        test_images: how many to test on.
        epochs: passes over the training images.

    Returns:
        One row for each kind of Gaussian noise and each test noise: train_noise,
        clip ("clipped" or "unclipped"), test_noise; mse and psnr of the
        reconstructions; mse_off, with the offset taken off; noisy_mse of the noisy
        images themselves.

    Examples:
        >>> rows = study(seed=0, **TOY)
        >>> rows[0]["train_noise"], rows[0]["clip"], rows[0]["test_noise"]
        ('Gaussian 0.5', 'clipped', 'clean')
    """
    images, validation = mnist_split(train_images, validation_images, seed=seed)
    test = mnist_test(test_images).loader(500)

    @cache  # what trains without Gaussian noise is the same model in both
    def trained(corrupt: Corruption) -> Autoencoder:
        torch.manual_seed(seed)
        steps = epochs * math.ceil(train_images / 128)
        return train(Autoencoder(), images, corrupt, steps=steps, seed=seed).eval()

    rows = []
    for clip in CLIPS:
        met = TRAIN_NOISES[clip][train_noise]
        model = trained(met)
        for name, meets in {**NOISES[clip], **SWEEP[clip]}.items():
            scores = evaluate(model, test, meets, seed=DRAW)
            corrected = without_offset(model, met, meets, validation)
            off = evaluate(corrected, test, meets, seed=DRAW)
            row = {"train_noise": train_noise, "clip": clip, "test_noise": name}
            row |= {"mse": scores.mse, "psnr": scores.psnr, "mse_off": off.mse}
            rows.append(row | {"noisy_mse": scores.noisy_mse})
    return rows
