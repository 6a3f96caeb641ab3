"""How the studies train: one recipe for all, so that only the noise differs."""

import torch
from torch import nn

from dae_tutorial.loaders import ImageTensors, load_mnist
from dae_tutorial.train import Corruption, one_cycle, train_one_epoch

PEAK = 6e-3


def mnist(count: int, *, seed: int) -> ImageTensors:
    """Draw training images of MNIST.

    Args:
        count: how many, up to 60,000.
        seed: decides which ones.

    Returns:
        The images with their labels, in random order.

    Examples:
        >>> len(mnist(100, seed=0))
        100
    """
    everything = load_mnist(train=True)
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(everything), generator=generator)[:count]
    return ImageTensors(everything.images[chosen], everything.labels[chosen])


def mnist_test(count: int = 10_000) -> ImageTensors:
    """Return the first `count` test images, the same for every seed.

    Examples:
        >>> len(mnist_test(100))
        100
    """
    test = load_mnist(train=False)
    return ImageTensors(test.images[:count], test.labels[:count])


def train(
    model: nn.Module,
    images: ImageTensors,
    corrupt: Corruption,
    *,
    steps: int,
    seed: int,
    batch_size: int = 128,
    peak: float = PEAK,
) -> nn.Module:
    """Train with Adam under a one-cycle schedule, for a number of steps.

    Counting steps, not epochs, gives a small training set the same amount of work as
    a large one. The last epoch is a whole one, so there may be a few steps more.

    Args:
        model: trained in place.
        images: the clean training images.
        corrupt: called as `corrupt(images, generator=generator)`.
        steps: optimiser steps, at least 1.
        seed: seed of the order of the images and of the noise.
        batch_size: images a step.
        peak: the highest learning rate of the cycle.

    Returns:
        The model.

    Examples:
        >>> from dae_tutorial.model import Autoencoder
        >>> from dae_tutorial.noise import add_gaussian_noise
        >>> images = mnist(256, seed=0)
        >>> model = train(Autoencoder(), images, add_gaussian_noise, steps=2, seed=0)
    """
    loader = images.loader(batch_size, shuffle=True, seed=seed)
    epochs = -(-steps // len(loader))
    optimizer, scheduler = one_cycle(model, loader, epochs, peak)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        train_one_epoch(
            model, loader, optimizer, corrupt, scheduler=scheduler, generator=generator
        )
    return model
