"""Why does a network that was trained blind lose, asked once with all pixels?

Noise2Self shows the mean of its neighbours in the place of a pixel that it asks for. So
add to the network any multiple of what a pixel has beyond its neighbours' mean: where
it is asked, that is nothing, and the loss stays what it was. Asked with all pixels, the
network answers otherwise. Which of these networks comes out of training, is chance.
"""

from functools import partial

import torch
from torch import Generator, Tensor, nn

from dae_tutorial.beyond.blind_spots import grid_mask, hide_pixels
from dae_tutorial.beyond.selfsupervised import divergence
from dae_tutorial.evaluate import psnr
from dae_tutorial.noise import add_gaussian_noise
from studies.experiments.noisy_training import PERIOD, ask
from studies.experiments.recipe import seeded
from studies.experiments.without_clean import held_out_images, trained

ADDED = tuple(tenths / 10 for tenths in range(-3, 8))

SEEDS = (0, 1, 2)
PARTS = [{"sigma": sigma} for sigma in (0.5, 0.25)]
TOY = {"steps": 20, "tested": 20}


def study(
    *, seed: int, sigma: float = 0.5, steps: int = 400, tested: int = 1000
) -> list[dict]:
    """Train by Noise2Self, and add what the loss does not see.

    Args:
        seed: of the images, the initial weights and all noise; images and training are
            those of the study `without_clean`.
        sigma: standard deviation of the noise.
        steps: optimiser steps, batches of 32 images.
        tested: how many test digits.

    Returns:
        One row for each multiple: sigma, added (the multiple); own (the mean slope of
        a pixel's answer against the pixel itself), loss (of Noise2Self, without a part
        that is the noise of the target, on the test images), and psnr (asked once).

    Examples:
        >>> rows = study(seed=0, **TOY)
        >>> rows[0]["added"], round(rows[1]["own"] - rows[0]["own"], 6)
        (-0.3, 0.1)
    """
    clean = held_out_images("digits", tested)
    noisy = add_gaussian_noise(clean, sigma, clip=False, generator=seeded(seed))
    model = trained("Noise2Self", "digits", sigma, steps, seed)
    answer, beyond = ask(model, noisy), noisy - around(noisy)
    slope = own_slope(model, noisy)
    rows = []
    for added in ADDED:
        loss = blind_error(model, noisy, added) - sigma**2
        row = {"sigma": sigma, "added": added, "own": slope + added, "loss": loss}
        found = (answer + added * beyond).clamp(0, 1)
        rows.append(row | {"psnr": psnr(found, clean).mean().item()})
    return rows


def around(noisy: Tensor) -> Tensor:
    """Return the mean of each pixel's neighbours.

    Examples:
        >>> around(torch.ones(1, 1, 3, 3))[0, 0, 1]
        tensor([1., 1., 1.])
    """
    return hide_pixels(noisy, torch.tensor(True))


def own_slope(model: nn.Module, noisy: Tensor) -> float:
    """Return the mean slope of each answer against its own pixel.

    Examples:
        >>> round(own_slope(lambda y: 0.3 * y, torch.rand(5, 1, 8, 8)), 4)
        0.3
    """
    coins = torch.rand(noisy.shape, generator=Generator().manual_seed(0))
    signs = (coins < 0.5).float() * 2 - 1
    slopes = divergence(partial(ask, model), noisy, signs)
    return slopes.mean().item() / noisy[0].numel()


def blind_error(model: nn.Module, noisy: Tensor, added: float) -> float:
    """Return the mean loss of Noise2Self over all grids, with a multiple added.

    Examples:
        >>> noisy = torch.rand(5, 1, 8, 8)
        >>> without, with_more = (blind_error(nn.Identity(), noisy, a) for a in (0, 9))
        >>> abs(without - with_more) < 1e-6
        True
    """
    total = 0.0
    for phase in range(PERIOD**2):
        mask = grid_mask(noisy, PERIOD, phase)
        shown = hide_pixels(noisy, mask)
        answer = ask(model, shown) + added * (shown - around(shown))
        total += (answer - noisy)[..., mask].square().mean().item()
    return total / PERIOD**2
