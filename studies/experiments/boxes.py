"""Does a network that was trained on boxes alone fill them better than a prior does?

The task "box" of the study of priors, with the same images, boxes and noise, and two
networks that train for that task: a U-Net from its first weights on, and the very
denoiser that the solvers use, which goes on from where its own training ended.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from dae_tutorial.beyond.operators import LinearOperator
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import UNet
from dae_tutorial.theory.multilevel import Preconditioned
from dae_tutorial.theory.pretrained import load_multilevel
from dae_tutorial.train import one_cycle, train_one_epoch
from studies.experiments import priors
from studies.experiments.recipe import mnist, train
from studies.experiments.restorers import NOISE, measure
from studies.experiments.samples import SIGMA_DATA

Denoiser = Callable[[Tensor], Tensor]

LEVEL = 0.8  # that the denoiser is told: a box is noise as strong as any

SEEDS = (0, 1, 2)
PARTS = [{}, {"begin": "denoiser", "train_images": 19_200}]
TOY = {"train_images": 256, "images": 80}


def study(
    *,
    seed: int,
    begin: str = "anew",
    train_images: int = 60_000,
    images: int = 80,
    peak: float = 2e-3,
) -> list[dict]:
    """Train a network on boxes, each image once, and fill those of test images.

    Args:
        seed: of the images, boxes, noise, and the training: as in the study of priors.
        begin: "anew", or with the "denoiser" that comes with the package.
        train_images: how many are seen, once each, in batches of 128.
        images: how many are scored.
        peak: the highest learning rate; with that of the other studies, 6e-3, one of
            three trainings failed.

    Returns:
        One row: begin, train_images, and psnr, consistency, frechet and invented as in
        the study of priors.

    Examples:
        >>> [row] = study(seed=0, **TOY)
        >>> row["train_images"], row["psnr"] < 100
        (256, True)
    """
    generator = Generator().manual_seed(seed)
    clean, _ = priors.drawn("test", images, 1, generator)
    test = measure("box", clean.images, generator)
    training = mnist(train_images, seed=seed)
    fill = {"anew": begun_anew, "denoiser": begun_as_denoiser}[begin]
    denoise = fill(training, seed=seed, peak=peak)
    with torch.no_grad():
        found = denoise(first_guess(*test)).clamp(0, 1)
    row = {"begin": begin, "train_images": train_images}
    return [row | priors.scorer(*test, clean)(found)]


def begun_anew(training: ImageTensors, *, seed: int, peak: float) -> Denoiser:
    """Train the U-Net of the package."""
    torch.manual_seed(seed)
    model = UNet(image_size=28)
    steps = -(-len(training) // 128)
    return train(model, training, corrupt, steps=steps, seed=seed, peak=peak).eval()


def begun_as_denoiser(training: ImageTensors, *, seed: int, peak: float) -> Denoiser:
    """Train on what the denoiser of all levels is, in half precision."""
    model = AtOneLevel(load_multilevel())
    loader = training.loader(128, shuffle=True, seed=seed)
    optimizer, scheduler = one_cycle(model, loader, 1, peak / 2)
    options = {"scheduler": scheduler, "autocast": torch.bfloat16}
    options["generator"] = Generator().manual_seed(seed)
    train_one_epoch(model, loader, optimizer, corrupt, **options)
    return model.eval()


class AtOneLevel(nn.Module):
    """A denoiser that is always told the same level.

    Examples:
        >>> AtOneLevel(load_multilevel())(torch.zeros(1, 1, 28, 28)).shape
        torch.Size([1, 1, 28, 28])
    """

    def __init__(self, denoise: Preconditioned):
        super().__init__()
        self.denoise = denoise

    def forward(self, noisy: Tensor) -> Tensor:
        """Answer at that level."""
        return self.denoise(noisy, LEVEL)


def corrupt(images: Tensor, *, generator: Generator) -> Tensor:
    """Return what a network is given in training."""
    return first_guess(*measure("box", images, generator))


def first_guess(operator: LinearOperator, measured: Tensor) -> Tensor:
    """Return the best linear estimate for pixels that know nothing of each other."""
    nothing = torch.zeros_like(operator.adjoint(measured))
    return operator.proximal(nothing, measured, (NOISE / SIGMA_DATA) ** 2)
