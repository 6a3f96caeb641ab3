"""Which denoisers have a symmetric Jacobian, and how far do they stretch a change?

RED takes x - D(x) for the gradient of a penalty, which it is only if the Jacobian of D
is symmetric. And no solver that takes turns with D must come to rest if D makes a
change larger.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Generator, Tensor

from dae_tutorial.beyond.jacobians import asymmetry, denoiser_jacobian
from dae_tutorial.evidence.baselines import fit_linear
from dae_tutorial.theory.pretrained import load_multilevel
from dae_tutorial.theory.score import FiniteSet
from studies.experiments.recipe import mnist, mnist_test


def exact(sigma: float, known: int, seed: int) -> Callable[[Tensor], Tensor]:
    """Return the posterior mean over some training images."""
    points = FiniteSet(mnist(known, seed=seed).images.double())
    return partial(points.posterior_mean, sigma=sigma)


def network(sigma: float, known: int, seed: int) -> Callable[[Tensor], Tensor]:
    """Return the denoiser that comes with the package."""
    return partial(load_multilevel().double(), sigma=sigma)


def linear(sigma: float, known: int, seed: int) -> Callable[[Tensor], Tensor]:
    """Return the matrix that does best on some training images with noise."""
    clean = mnist(known, seed=seed).images
    generator = Generator().manual_seed(seed)
    noise = torch.randn(clean.shape, generator=generator)
    return fit_linear(clean + sigma * noise, clean, ridge=1e-3).double()


DENOISERS = {"exact": exact, "network": network, "linear": linear}

SEEDS = (0, 1, 2)
LEVELS = (0.4, 0.8)
PARTS = [
    {"denoiser": denoiser, "known": known, "images": images, "sigma": sigma}
    for denoiser, known, images in (
        ("exact", 2000, 4),
        ("network", 60_000, 1),
        ("linear", 800, 1),  # a matrix is the same at all images
        ("linear", 60_000, 1),
    )
    for sigma in LEVELS
]
TOY = {"known": 20, "images": 1, "sigma": 1.6}


def study(
    *,
    seed: int,
    denoiser: str = "network",
    known: int = 60_000,
    sigma: float = 0.4,
    images: int = 1,
) -> list[dict]:
    """Compute a denoiser's Jacobian at noisy test images, in double precision.

    Args:
        seed: of the images, the noise and the training images.
        denoiser: a name in `DENOISERS`.
        known: how many training images it was made from; the network from all.
        sigma: the level of the noise, and what the denoiser is told.
        images: how many test images.

    Returns:
        One row: denoiser, known, sigma, images, asymmetry (from 0 to 1, of all of their
        Jacobians together), and means of norm (the spectral norm: how much the change
        that grows most grows) and gain (the largest real part of an eigenvalue).

    Examples:
        >>> [row] = study(seed=0, **TOY | {"denoiser": "exact"})
        >>> row["asymmetry"] < 1e-6
        True
    """
    generator = Generator().manual_seed(seed)
    test = mnist_test().images
    clean = test[torch.randperm(len(test), generator=generator)[:images]].double()
    noise = torch.randn(clean.shape, generator=generator, dtype=torch.float64)
    denoise = DENOISERS[denoiser](sigma, known, seed)
    found = [denoiser_jacobian(denoise, image) for image in clean + sigma * noise]
    norms = [torch.linalg.matrix_norm(one, 2).item() for one in found]
    gains = [torch.linalg.eigvals(one).real.max().item() for one in found]
    row = {"denoiser": denoiser, "known": known, "sigma": sigma, "images": images}
    row["asymmetry"] = asymmetry(torch.block_diag(*found))
    return [row | {"norm": sum(norms) / images, "gain": sum(gains) / images}]
