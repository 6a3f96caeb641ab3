"""How the studies train: one recipe for all, so that only the noise differs."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dae_tutorial.loaders import ImageTensors, load_mnist
from dae_tutorial.train import Corruption, one_cycle, train_one_epoch

PEAK = 6e-3
DRAW = 1000  # of the noise in the test: met by no training, whose seeds are small


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


def mnist_split(
    train: int, validation: int, *, seed: int
) -> tuple[ImageTensors, Tensor]:
    """Draw training images of MNIST, and others to choose or to fit offsets on.

    Args:
        train: how many to train on.
        validation: how many more; both together up to 60,000.
        seed: decides which ones.

    Returns:
        The training images with their labels, and the validation images without.

    Examples:
        >>> images, validation = mnist_split(100, 20, seed=0)
        >>> len(images), validation.shape
        (100, torch.Size([20, 1, 28, 28]))
    """
    drawn = mnist(train + validation, seed=seed)
    images = ImageTensors(drawn.images[:train], drawn.labels[:train])
    return images, drawn.images[train:]


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
    betas: tuple[float, float] = (0.9, 0.999),
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
        betas: how long Adam remembers gradients and their squares.

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
    optimizer, scheduler = one_cycle(model, loader, epochs, peak, betas=betas)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        train_one_epoch(
            model, loader, optimizer, corrupt, scheduler=scheduler, generator=generator
        )
    return model


def seeded(draw: int) -> torch.Generator:
    """Return a draw of noise that no training has met, the same for all models.

    Examples:
        >>> seeded(2).initial_seed()
        1002
    """
    return torch.Generator().manual_seed(DRAW + draw)


@torch.no_grad()
def offset_off(
    denoise: Callable[[Tensor], Tensor], met: Tensor, meets: Tensor, clean: Tensor
) -> Callable[[Tensor], Tensor]:
    """Take a constant off each pixel, before a denoiser and after it.

    Before: how much brighter the images are that it meets than those of its training.
    After: how much brighter its results are than the clean images. Both are averages
    over validation images, so that no test image is looked at. So a denoiser that
    never saw clipped noise is told for free how bright it is.

    Args:
        denoise: keeps the shape of the images that it is given.
        met: validation images under the noise of its training, (count, 1, 28, 28).
        meets: the same images under the noise of the test.
        clean: the same images.

    Returns:
        The denoiser with both constants taken off; its results are cut to [0, 1].

    Examples:
        >>> clean = torch.rand(50, 1, 28, 28)
        >>> veiled = offset_off(lambda noisy: noisy + 0.1, clean, clean + 0.2, clean)
        >>> torch.allclose(veiled(clean + 0.2), clean, atol=1e-6)
        True
    """
    before = (meets - met).mean(dim=0)
    after = (denoise(meets - before) - clean).mean(dim=0)
    return lambda images: (denoise(images - before) - after).clamp(0, 1)


def without_offset(
    model: nn.Module, met: Corruption, meets: Corruption, validation: Tensor
) -> Callable[[Tensor], Tensor]:
    """Take the offset off a model that was trained on one noise and meets another.

    Args:
        model: maps images to reconstructions of any shape with as many numbers.
        met: the noise of its training.
        meets: the noise of the test.
        validation: clean images to fit the offset on, (count, 1, 28, 28).

    Returns:
        The denoiser of `offset_off`.

    Examples:
        >>> from dae_tutorial.noise import add_gaussian_noise, no_noise
        >>> images = torch.zeros(500, 1, 28, 28)
        >>> off = without_offset(nn.Flatten(), no_noise, add_gaussian_noise, images)
        >>> brightened = add_gaussian_noise(images, generator=seeded(0))
        >>> bool(off(brightened).mean() < 0.6 * brightened.mean())  # cut at 0
        True
    """
    return offset_off(
        lambda noisy: model(noisy).reshape(noisy.shape),
        met(validation, generator=seeded(1)),
        meets(validation, generator=seeded(2)),
        validation,
    )


def passed_on(difference_in: Tensor, difference_out: Tensor, where: Tensor) -> float:
    """Regress differences of outputs on those of inputs: a copier scores 1.

    Take two noisy copies of each image. What is common to both, such as the offset of
    clipped noise, is in neither difference.

    Args:
        difference_in: between two noisy copies, (batch, 1, 28, 28).
        difference_out: between their reconstructions.
        where: the pixels that count, (1, 28, 28).

    Returns:
        The slope, the share of the noise that comes out again.

    Examples:
        >>> noise = torch.randn(5, 1, 28, 28)
        >>> round(passed_on(noise, 0.25 * noise, torch.ones(1, 28, 28) > 0), 6)
        0.25
    """
    noise, change = difference_in[:, where], difference_out[:, where]
    return ((noise * change).sum() / noise.square().sum()).item()
