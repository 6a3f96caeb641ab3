"""Can an autoencoder fill in what a block hides, and does it have to have seen blocks?

The error is split: pixels under the block have to be invented, the others only kept.
"""

from functools import partial

import torch
from torch import Tensor

from dae_tutorial.evidence.baselines import fit_mean_image
from dae_tutorial.model import Autoencoder, ConvAutoencoder
from dae_tutorial.noise import add_block_occlusion, add_gaussian_noise, no_noise
from studies.experiments.denoisers import Denoiser
from studies.experiments.recipe import mnist, mnist_test, train

MODELS = {"dense": Autoencoder, "conv": ConvAutoencoder}

# Of the dense network's steps: one step takes ten times as long. Epochs are whole ones,
# so that at full size it is one epoch instead of three.
CONV_SHARE = 1 / 6

BLOCK = 10
NOISES = {
    "clean": no_noise,
    "Gaussian": partial(add_gaussian_noise, noise_factor=0.5),
    "blocks": partial(add_block_occlusion, block_size=BLOCK),
}

SEEDS = (0, 1, 2)
PARTS = [
    {"model": "doing nothing", "train_noise": ""},
    {"model": "mean image", "train_noise": ""},
    *({"model": model, "train_noise": noise} for model in MODELS for noise in NOISES),
]
TOY = {"train_images": 2000, "test_images": 300, "steps": 200}


def study(
    *,
    seed: int,
    model: str = "dense",
    train_noise: str = "blocks",
    train_images: int = 60_000,
    test_images: int = 5000,
    steps: int = 1173,
) -> list[dict]:
    """Train one autoencoder, hide a square of each test image, and fill it in.

    Args:
        seed: of the training images' order, the initial weights, and the blocks.
        model: a name in `MODELS`, "doing nothing" or "mean image".
        train_noise: a name in `NOISES`; of no use to the last two.
        train_images: how many images to train on.
        test_images: how many to test on.
        steps: optimiser steps of the dense network, batches of 128.

    Returns:
        One row: model, train_noise, mse over all pixels, and apart over those that are
        hidden and those that are visible; the hidden ones are an eighth of all.

    Examples:
        >>> study(seed=0, **TOY | {"model": "doing nothing"})[0]["visible_mse"]
        0.0
    """
    torch.manual_seed(seed)
    clean = mnist_test(test_images).images
    noisy, hidden = occluded(clean, seed=seed)
    denoise = denoiser(model, train_noise, train_images, steps, seed)
    with torch.no_grad():
        error = (denoise(noisy).reshape(clean.shape) - clean).square()
    return [
        {
            "model": model,
            "train_noise": train_noise,
            "mse": error.mean().item(),
            "hidden_mse": error[hidden].mean().item(),
            "visible_mse": error[~hidden].mean().item(),
        }
    ]


def denoiser(
    model: str, train_noise: str, train_images: int, steps: int, seed: int
) -> Denoiser:
    """Train, or fit, or do nothing."""
    if model == "doing nothing":
        return torch.nn.Identity()
    images = mnist(train_images, seed=seed)
    if model == "mean image":
        return fit_mean_image(images.images)
    share = CONV_SHARE if model == "conv" else 1
    steps = max(1, round(share * steps))
    corrupt = NOISES[train_noise]
    return train(MODELS[model](), images, corrupt, steps=steps, seed=seed).eval()


def occluded(clean: Tensor, *, seed: int) -> tuple[Tensor, Tensor]:
    """Hide a block of each image; return the images and which pixels are hidden."""
    noisy, visible = (
        add_block_occlusion(
            images, BLOCK, generator=torch.Generator().manual_seed(seed)
        )
        for images in (clean, torch.ones_like(clean))  # the same places in both
    )
    return noisy, visible == 0
