"""Which network is best for the same images seen, the same time, the same size?

Four networks, each trained for several budgets. A learning rate that rises and falls
once must know its end, so each budget is a training of its own: a point on the way of
a longer one would be worse than what the network can do in that time.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from dae_tutorial.evaluate import evaluate
from dae_tutorial.model import Autoencoder, ConvAutoencoder, UNet
from dae_tutorial.noise import add_gaussian_noise
from studies.experiments.recipe import DRAW, mnist, mnist_test, train

BETAS = (0.9, 0.99)  # a shorter memory than Adam's default: better in short runs


@dataclass(frozen=True)
class Network:
    """A network and how it learns: batch and peak were chosen on validation images."""

    build: Callable[[], nn.Module]
    batch_size: int
    peak: float


def wide_network() -> nn.Module:
    """Build 784 → 1,024 → 784: dense as the autoencoder, but with no bottleneck.

    Examples:
        >>> wide_network()(torch.rand(5, 1, 28, 28)).shape
        torch.Size([5, 784])
    """
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 1024),
        nn.ReLU(),
        nn.Linear(1024, 784),
        nn.Sigmoid(),
    )


NETWORKS = {
    "dense": Network(Autoencoder, 128, 8e-3),
    "wide dense": Network(wide_network, 128, 4e-3),
    "convolutional": Network(ConvAutoencoder, 64, 4e-3),
    "U-Net": Network(partial(UNet, image_size=28), 32, 3e-3),
}

SEEDS = (0, 1, 2)
PARTS = [
    {"network": name, "clip": clip, "epochs": epochs}
    for clip, budgets in {"clipped": (1, 4, 16), "unclipped": (1,)}.items()
    for epochs in budgets
    for name in NETWORKS
    if name != "U-Net" or epochs == 1  # one epoch of it takes as long as four of others
]
TOY = {"train_images": 2000, "test_images": 300, "epochs": 4}
NOT_COMPARED = ("seconds",)


def study(
    *,
    seed: int,
    network: str = "wide dense",
    clip: str = "clipped",
    epochs: int = 4,
    train_images: int = 50_000,
    test_images: int = 10_000,
) -> list[dict]:
    """Train one network for one budget, on Gaussian noise of σ = 0.5.

    Args:
        seed: of the images' order, the initial weights and the noise.
        network: a name in `NETWORKS`.
        clip: whether noise is "clipped" or "unclipped", in training and test.
        epochs: passes over the training images, within one cycle of the rate.
        train_images: how many images to train on.
        test_images: how many to test on.

    Returns:
        One row: network, clip and epochs; parameters; seconds, the time that the
        processor spent on the training, in one thread; mse and psnr on the test
        images, and noisy_mse of doing nothing.

    Examples:
        >>> [row] = study(seed=0, **TOY | {"network": "dense"})
        >>> row["parameters"], row["mse"] < row["noisy_mse"]
        (209968, True)
    """
    recipe = NETWORKS[network]
    corrupt = partial(add_gaussian_noise, noise_factor=0.5, clip=clip == "clipped")
    images = mnist(train_images, seed=seed)
    torch.manual_seed(seed)
    # Channels last in memory: convolutions on a CPU are faster that way.
    model = recipe.build().to(memory_format=torch.channels_last)
    plan = {"batch_size": recipe.batch_size, "peak": recipe.peak, "betas": BETAS}
    steps = epochs * math.ceil(train_images / recipe.batch_size)
    started = time.process_time()
    train(model, images, corrupt, steps=steps, seed=seed, **plan)
    row = {
        "network": network,
        "clip": clip,
        "epochs": epochs,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seconds": time.process_time() - started,
    }
    test = mnist_test(test_images).loader(500)
    scores = evaluate(model, test, corrupt, seed=DRAW)
    measured = {"mse": scores.mse, "psnr": scores.psnr}
    return [row | measured | {"noisy_mse": scores.noisy_mse}]
