"""What becomes of training without clean images when an assumption does not hold?

Clipped noise, noise that is correlated from pixel to pixel, a wrong σ, few images, and
counts of light. Each trouble has its own supervised rival on the same noisy digits.
"""

import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Generator, Tensor
from torch.nn.functional import avg_pool2d

from dae_tutorial.beyond.mending import (
    anscombe,
    anscombe_mean,
    clipped_mean,
    invert_mean,
)
from dae_tutorial.evaluate import mean_squared_error, psnr
from dae_tutorial.noise import add_gaussian_noise
from studies.experiments.noisy_training import BATCH, ask, train_without_clean
from studies.experiments.recipe import mnist, mnist_test, passed_on, seeded

SIGMA = 0.5
FEW = 320  # images, which come by 40 times
PHOTONS, DARK = 20.0, 0.1  # counts a pixel: 20 (x + 0.1), so from 2 to 22


def gaussian(clean: Tensor, *, generator: Generator) -> Tensor:
    """Add noise as every method wants it."""
    return add_gaussian_noise(clean, SIGMA, clip=False, generator=generator)


def correlated(clean: Tensor, *, generator: Generator) -> Tensor:
    """Add noise of the same σ, averaged over 3 × 3 pixels.

    Examples:
        >>> noise = correlated(torch.zeros(9, 1, 99, 99), generator=Generator())
        >>> bool(abs(noise.std() - SIGMA) < 0.01)
        True
    """
    batch, channels, height, width = clean.shape
    shape = (batch, channels, height + 2, width + 2)
    white = torch.randn(shape, generator=generator)
    return clean + SIGMA * 3 * avg_pool2d(white, 3, stride=1)


def counted(clean: Tensor, *, generator: Generator) -> Tensor:
    """Count light, and bring the counts back to the scale of the images.

    Examples:
        >>> noisy = counted(torch.full((99, 1, 9, 9), 0.5), generator=Generator())
        >>> bool(abs(noisy.mean() - 0.5) < 0.01)
        True
    """
    counts = torch.poisson(PHOTONS * (clean + DARK), generator=generator)
    return counts / PHOTONS - DARK


NOISES: dict[str, Callable[..., Tensor]] = {
    "none": gaussian,
    "clipped": partial(add_gaussian_noise, noise_factor=SIGMA),
    "correlated": correlated,
    "wrong σ": gaussian,
    "few images": gaussian,
    "counts": counted,
}

# Anscombe's values of the darkest and the brightest mean: they become 0 and 1.
LEAST, MOST = anscombe_mean(PHOTONS * (DARK + torch.tensor([0.0, 1.0]))).tolist()

SEEDS = (0, 1, 2)
PARTS = [
    *({"trouble": "clipped", "method": m} for m in ("supervised", "Noise2Noise")),
    *(
        {"trouble": "correlated", "method": m}
        for m in ("supervised", "Noise2Noise", "Noise2Self")
    ),
    *({"trouble": "wrong σ", "method": "SURE", "told": t} for t in (0.7, 1.0, 1.3)),
    *(
        {"trouble": "few images", "method": m}
        for m in ("supervised, fresh noise", "Noise2Noise", "Noise2Self")
    ),
    *(
        {"trouble": "counts", "method": m}
        for m in ("supervised", "Noise2Noise", "SURE", "SURE, evened out")
    ),
]
TOY = {"trouble": "clipped", "method": "Noise2Noise", "steps": 20, "tested": 20}
NOT_COMPARED = ("seconds",)


def study(
    *,
    seed: int,
    trouble: str = "none",
    method: str = "supervised",
    told: float = 1.0,
    steps: int = 400,
    tested: int = 1000,
) -> list[dict]:
    """Train one network under one trouble, and score it with and without a remedy.

    Args:
        seed: of the images, the initial weights and all noise.
        trouble: a name in `NOISES`.
        method: as in `train_without_clean`; "SURE, evened out" trains on what Anscombe
            makes of the counts.
        told: the σ that the method is told, in units of the true one.
        steps: optimiser steps, batches of 32 images.
        tested: how many test digits.

    Returns:
        One row for each remedy: trouble, method, told, steps; remedy; mse, psnr;
        copied, the share of the noise that comes out again; and seconds of training.

    Examples:
        >>> [row["remedy"] for row in study(seed=0, **TOY)]
        ['none', 'inverse of g']
    """
    noise = NOISES[trouble]
    clean = mnist(FEW if trouble == "few images" else steps * BATCH, seed=seed).images
    draw = Generator().manual_seed(seed)
    copies = (noise(clean, generator=draw), noise(clean, generator=draw), clean)
    started = time.perf_counter()
    remedies = trained(method, copies, trouble, told, steps, seed)
    seconds = time.perf_counter() - started
    test = mnist_test(tested).images
    one, other = (noise(test, generator=seeded(draw)) for draw in (seed, 100 + seed))
    everywhere = torch.ones(test.shape[1:], dtype=torch.bool)
    rows = []
    for remedy, denoise in remedies.items():
        answers = [denoise(noisy).clamp(0, 1) for noisy in (one, other)]
        row = {"trouble": trouble, "method": method, "told": told, "steps": steps}
        row |= {"remedy": remedy}
        row |= {"mse": mean_squared_error(answers[0], test).mean().item()}
        row |= {"psnr": psnr(answers[0], test).mean().item()}
        copied = passed_on(one - other, answers[0] - answers[1], everywhere)
        rows.append(row | {"copied": copied, "seconds": seconds})
    return rows


def trained(
    method: str,
    copies: tuple[Tensor, Tensor, Tensor],
    trouble: str,
    told: float,
    steps: int,
    seed: int,
) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return a denoiser for each remedy, "none" the first of them."""
    recipe = {"steps": steps, "seed": seed}
    if method == "SURE, evened out":
        even = tuple(evened_out(images) for images in copies[:2])
        sigma = 1 / (MOST - LEAST)
        model = train_without_clean("SURE", (*even, even[0]), sigma=sigma, **recipe)
        return {
            "squared": lambda noisy: squared(ask(model, evened_out(noisy))),
            "inverse of g": lambda noisy: back(ask(model, evened_out(noisy))),
        }
    sigma = told * SIGMA
    if trouble == "counts":  # the root of the mean variance
        sigma = ((copies[0] + DARK).mean().item() / PHOTONS) ** 0.5
    model = train_without_clean(method, copies, sigma=sigma, **recipe)
    denoisers = {"none": partial(ask, model)}
    if trouble == "clipped":
        mean_of = partial(clipped_mean, sigma=SIGMA)
        denoisers["inverse of g"] = lambda noisy: invert_mean(
            mean_of, ask(model, noisy)
        )
    return denoisers


def evened_out(noisy: Tensor) -> Tensor:
    """Apply Anscombe to counted images, such that clean ones lie in [0, 1].

    Examples:
        >>> dark, bright = evened_out(torch.tensor([[0.0], [1.0]])).flatten()
        >>> bool(abs(dark) < 0.05), bool(abs(bright - 1) < 0.05)
        (True, True)
    """
    return (anscombe(PHOTONS * (noisy + DARK)) - LEAST) / (MOST - LEAST)


def back(even: Tensor) -> Tensor:
    """Undo `evened_out` for means of many values.

    Examples:
        >>> back(torch.tensor([0.0, 1.0]))
        tensor([0., 1.])
    """
    values = LEAST + (MOST - LEAST) * even
    ends = {"low": PHOTONS * DARK, "high": PHOTONS * (1 + DARK)}
    return invert_mean(anscombe_mean, values, **ends) / PHOTONS - DARK


def squared(even: Tensor) -> Tensor:
    """Undo `evened_out` for single values: squaring undoes the root.

    Examples:
        >>> bool(squared(evened_out(torch.tensor([0.5]))) - 0.5 < 1e-5)
        True
    """
    values = LEAST + (MOST - LEAST) * even
    return ((values / 2).square() - 3 / 8) / PHOTONS - DARK
