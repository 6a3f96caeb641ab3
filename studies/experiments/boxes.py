"""Does a network that was trained on boxes alone fill them better than a prior does?

The task "box" of the study of priors, with the same images, boxes and noise, and a
U-Net that has trained for that task and for nothing else.
"""

import torch
from torch import Generator, Tensor

from dae_tutorial.beyond.operators import LinearOperator
from dae_tutorial.model import UNet
from studies.experiments import priors
from studies.experiments.recipe import mnist, train
from studies.experiments.restorers import NOISE, measure
from studies.experiments.samples import SIGMA_DATA

SEEDS = (0, 1, 2)
TOY = {"train_images": 256, "images": 80}


def study(
    *, seed: int, train_images: int = 60_000, images: int = 80, peak: float = 2e-3
) -> list[dict]:
    """Train a network on boxes, each image once, and fill those of test images.

    Args:
        seed: of the images, boxes, noise, and the training: as in the study of priors.
        train_images: how many are seen, once each, in batches of 128.
        images: how many are scored.
        peak: the highest learning rate; with that of the other studies, 6e-3, one of
            three trainings failed.

    Returns:
        One row: train_images, and psnr, consistency, frechet and invented as in the
        study of priors.

    Examples:
        >>> [row] = study(seed=0, **TOY)
        >>> row["train_images"], row["psnr"] < 100
        (256, True)
    """
    generator = Generator().manual_seed(seed)
    clean, _ = priors.drawn("test", images, 1, generator)
    test = measure("box", clean.images, generator)
    torch.manual_seed(seed)
    model = UNet(image_size=28)
    steps = -(-train_images // 128)
    training = mnist(train_images, seed=seed)
    train(model, training, corrupt, steps=steps, seed=seed, peak=peak).eval()
    with torch.no_grad():
        found = model(first_guess(*test)).clamp(0, 1)
    return [{"train_images": train_images} | priors.scorer(*test, clean)(found)]


def corrupt(images: Tensor, *, generator: Generator) -> Tensor:
    """Return what a network is given in training."""
    return first_guess(*measure("box", images, generator))


def first_guess(operator: LinearOperator, measured: Tensor) -> Tensor:
    """Return the best linear estimate for pixels that know nothing of each other."""
    nothing = torch.zeros_like(operator.adjoint(measured))
    return operator.proximal(nothing, measured, (NOISE / SIGMA_DATA) ** 2)
