"""What the study of priors compares: tasks, and ways to solve them, with settings."""

from collections.abc import Callable, Iterator
from functools import cache, partial

import torch
from torch import Generator, Tensor

from dae_tutorial.beyond.inverse import (
    diffpir,
    plug_and_play,
    regularise_by_denoising,
)
from dae_tutorial.beyond.operators import (
    Blur,
    Downsample,
    LinearOperator,
    Mask,
    gaussian_kernel,
)
from dae_tutorial.beyond.set_prior import posterior_mean_of_set
from dae_tutorial.evidence.baselines import total_variation
from dae_tutorial.noise import add_block_occlusion, add_masking_noise
from dae_tutorial.theory.pretrained import load_multilevel
from dae_tutorial.theory.sampling import Denoiser, noise_levels
from studies.experiments.recipe import mnist
from studies.experiments.samples import in_half_precision

NOISE = 0.05  # standard deviation of the noise on each measured number


def missing(images: Tensor, generator: Generator, share: float) -> Mask:
    """Hide a share of all pixels, others in each image."""
    ones = torch.ones_like(images)
    return Mask(add_masking_noise(ones, share, generator=generator))


def box(images: Tensor, generator: Generator) -> Mask:
    """Hide a square of 14 × 14 pixels, at another place in each image."""
    return Mask(add_block_occlusion(torch.ones_like(images), 14, generator=generator))


TASKS: dict[str, Callable[[Tensor, Generator], LinearOperator]] = {
    "half missing": partial(missing, share=0.5),
    "80 % missing": partial(missing, share=0.8),
    "box": box,
    "blur": lambda images, generator: Blur(gaussian_kernel(1.5)),
    "half size": lambda images, generator: Downsample(2),
    "quarter size": lambda images, generator: Downsample(4),
}

Solver = Callable[[LinearOperator, Tensor, Generator], Tensor]
Offered = Iterator[tuple[str, Solver, int]]
"""Pairs of a name and what is on offer: a setting, a solver, and its calls."""


def measure(
    task: str, clean: Tensor, generator: Generator
) -> tuple[LinearOperator, Tensor]:
    """Return what measured some images, and what it measured."""
    operator = TASKS[task](clean, generator)
    seen = operator.forward(clean)
    noisy = seen + NOISE * torch.randn(seen.shape, generator=generator)
    return operator, operator.forward(noisy) if isinstance(operator, Mask) else noisy


def pseudo_inverse(**_: object) -> Offered:
    """Offer what explains the measurement and is smallest."""
    yield "", lambda operator, measured, generator: operator.pseudo_inverse(measured), 0


def by_total_variation(*, rounds: int, **_: object) -> Offered:
    """Offer plug-and-play with the exact step of total variation."""
    for weight in (0.01, 0.03, 0.1, 0.3):

        def denoise(x: Tensor, sigma: float, weight: float = weight) -> Tensor:
            return total_variation(x, weight=weight)

        solve = _solving(plug_and_play, denoise, [0.2] * rounds, 1.0)
        yield f"weight {weight}", solve, rounds


def at_one_level(solver: Callable, *, rounds: int, **_: object) -> Offered:
    """Offer a solver with a level that stays the same."""
    for sigma in (0.2, 0.4, 0.8):
        for weight in (0.3, 3.0, 30.0):
            solve = _solving(solver, _network(), [sigma] * rounds, weight)
            yield f"σ {sigma}, weight {weight}", solve, rounds


def at_falling_levels(solver: Callable, *, rounds: int, **_: object) -> Offered:
    """Offer a solver with levels that fall to half the noise of the measurement."""
    levels = noise_levels(rounds, 10.0, NOISE / 2)
    for weight in (0.1, 0.3, 1.0, 3.0):
        solve = _solving(solver, _network(), levels, weight)
        yield f"weight {weight}", solve, rounds


def by_diffpir(draws: int, *, rounds: int, **_: object) -> Offered:
    """Offer the mean of some draws by DiffPIR."""
    count = 2 * rounds // 3
    levels = noise_levels(count, 10.0, NOISE / 2)
    for weight in (0.3, 1.0, 3.0):
        one = _solving(diffpir, _network(), levels, weight, fresh=1.0)
        yield f"weight {weight}", _mean_of(draws, one), draws * count


@cache
def known_images(count: int) -> Tensor:
    """Return training images: all of them, at full size."""
    return mnist(count, seed=0).images


def by_training_set(spreads: tuple[float, ...], *, known: int, **_: object) -> Offered:
    """Offer the exact answer, if images are training images, or near them."""
    points = known_images(known)
    for spread in spreads:

        def solve(
            operator: LinearOperator,
            measured: Tensor,
            generator: Generator,
            spread: float = spread,
        ) -> Tensor:
            return posterior_mean_of_set(
                points, operator, measured, noise_sigma=NOISE, spread=spread
            )

        yield f"spread {spread}" if spread else "", solve, 0


METHODS: dict[str, Callable[..., Offered]] = {
    "pseudo-inverse": pseudo_inverse,
    "total variation": by_total_variation,
    "plug-and-play, one level": partial(at_one_level, plug_and_play),
    "plug-and-play, falling": partial(at_falling_levels, plug_and_play),
    "RED, one level": partial(at_one_level, regularise_by_denoising),
    "RED, falling": partial(at_falling_levels, regularise_by_denoising),
    "DiffPIR": partial(by_diffpir, 1),
    "DiffPIR, mean of 4": partial(by_diffpir, 4),
    "training set": partial(by_training_set, (0.0,)),
    "near the training set": partial(by_training_set, (0.3, 0.5)),
}


@cache
def _network() -> Denoiser:
    return in_half_precision(load_multilevel())


def _solving(
    solver: Callable,
    denoise: Denoiser,
    levels: list[float],
    weight: float,
    **more: float,
) -> Solver:
    """Bind all but the measurement."""

    def solve(
        operator: LinearOperator, measured: Tensor, generator: Generator
    ) -> Tensor:
        noise = {"generator": generator} if solver is diffpir else {}
        settings = {"noise_sigma": NOISE, "weight": weight} | more | noise
        return solver(denoise, operator, measured, levels, **settings)

    return solve


def _mean_of(draws: int, solve: Solver) -> Solver:
    def solve_often(
        operator: LinearOperator, measured: Tensor, generator: Generator
    ) -> Tensor:
        drawn = [solve(operator, measured, generator) for _ in range(draws)]
        return torch.stack(drawn).mean(dim=0)

    return solve_often
