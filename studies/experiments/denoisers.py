"""What the studies of denoisers share: filters with their settings, and scoring."""

import time
from collections.abc import Callable, Hashable
from functools import partial

import torch
from torch import Tensor, nn

from dae_tutorial.evaluate import mean_squared_error, psnr, ssim
from dae_tutorial.evidence.baselines import (
    blur,
    median,
    non_local_means,
    total_variation,
    wavelet,
)
from studies.experiments.recipe import offset_off

Denoiser = Callable[[Tensor], Tensor]


def blurs(sigma: float) -> dict[str, Denoiser]:
    """Return blurs of several widths."""
    return {f"{w} px": partial(blur, width=w) for w in (0.3, 0.4, 0.6, 1.0, 1.5, 2.0)}


def medians(sigma: float) -> dict[str, Denoiser]:
    """Return medians over squares of three sizes."""
    return {f"{size} px": partial(median, size=size) for size in (3, 5, 7)}


def variations(sigma: float) -> dict[str, Denoiser]:
    """Return total variation at several weights."""
    weights = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0)
    return {f"weight {w}": partial(total_variation, weight=w) for w in weights}


def similarities(sigma: float) -> dict[str, Denoiser]:
    """Return non-local means that trust σ more or less, and average more or less."""
    return {
        f"{trust} σ, strength {strength}": partial(
            non_local_means, sigma=trust * sigma, strength=strength
        )
        for trust in (0.15, 0.3, 0.6, 1.0)
        for strength in (0.4, 0.8)
    }


def wavelets(sigma: float) -> dict[str, Denoiser]:
    """Return wavelets that trust σ more or less."""
    return {
        f"{trust} σ, {levels} levels": partial(
            wavelet, sigma=trust * sigma, levels=levels
        )
        for trust in (0.25, 0.5, 0.75, 1.0)
        for levels in (1, 2)
    }


FILTERS = {
    "blur": blurs,
    "median": medians,
    "total variation": variations,
    "non-local means": similarities,
    "wavelets": wavelets,
}
"""Filters by name: each maps σ to denoisers, named by their settings."""


@torch.no_grad()
def straightened(denoise: Denoiser, noisy: Tensor, clean: Tensor) -> Denoiser:
    """Follow a denoiser by the straight line that fits its results best.

    Clipped noise brightens black pixels and darkens white ones, and a filter that
    averages keeps both. Gain and offset take most of it out.
    """
    result = denoise(noisy)
    spread = result - result.mean()
    gain = (spread * (clean - clean.mean())).mean() / spread.square().mean()
    offset = clean.mean() - gain * result.mean()
    return lambda images: gain * denoise(images) + offset


def constants_off(denoise: Denoiser, noisy: Tensor, clean: Tensor) -> Denoiser:
    """Take a constant off each pixel, before a denoiser and after it."""
    return offset_off(denoise, clean, noisy, clean)


def both(denoise: Denoiser, noisy: Tensor, clean: Tensor) -> Denoiser:
    """Follow a denoiser by a straight line, and take constants off that."""
    return constants_off(straightened(denoise, noisy, clean), noisy, clean)


CORRECTIONS = {
    "as it is": lambda denoise, noisy, clean: denoise,
    "constants": constants_off,
    "line and constants": both,
}
"""What a denoiser that never saw the noise is given, so that it does not lose to an
offset that is no fault of its own: each is fitted on validation images."""


@torch.no_grad()
def best[Setting: Hashable](
    offered: dict[Setting, Denoiser], noisy: Tensor, clean: Tensor
) -> tuple[Setting, Denoiser]:
    """Return the setting of the least error, and its denoiser."""
    if len(offered) == 1:
        return next(iter(offered.items()))

    def error(item: tuple[Setting, Denoiser]) -> float:
        return mean_squared_error(item[1](noisy).clamp(0, 1), clean).mean().item()

    return min(offered.items(), key=error)


@torch.no_grad()
def measured(denoise: Denoiser, noisy: Tensor, clean: Tensor) -> dict[str, float]:
    """Score a denoiser, its results cut to [0, 1], and take its time.

    An image without any error counts as 100 dB, since a table holds no infinity.
    """
    if isinstance(denoise, nn.Module):
        denoise.eval()
    started = time.perf_counter()
    found = denoise(noisy).clamp(0, 1)
    seconds = time.perf_counter() - started
    scores = {"mse": mean_squared_error, "psnr": psnr, "ssim": ssim}
    averages = {
        name: score(found, clean).clamp(max=100).mean().item()
        for name, score in scores.items()
    }
    return averages | {"milliseconds": 1000 * seconds / len(clean)}
