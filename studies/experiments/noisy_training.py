"""One network, trained in many ways: what the study without clean images is about.

The network is `BlindSpotNet`, with its hole filled for all methods but one. So nothing
but the hole tells a network with a blind spot from the others.
"""

from functools import partial

import torch
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from dae_tutorial.beyond.blind_spots import BlindPixelLoss, BlindSpotNet
from dae_tutorial.beyond.selfsupervised import RecorruptedPairs, SureLoss
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import fit, one_cycle

WIDTH = 8
BATCH = 32
PEAK = 1e-2
PERIOD = 2  # of hidden pixels: a quarter of them at a time
R2R_STRENGTH, NOISIER_STRENGTH = 0.8, 1.0
CHUNK = 250  # images answered at a time


def train_without_clean(
    method: str,
    copies: tuple[Tensor, Tensor, Tensor],
    *,
    sigma: float,
    steps: int,
    seed: int,
) -> nn.Module:
    """Train a network on noisy images that are drawn once, in one of the ways.

    Args:
        method: one of the names in `prepared`.
        copies: noisy images, a second noisy copy of each, and the clean images, all
            (count, 1, height, width). Most ways use the first alone.
        sigma: what the method is told of the noise.
        steps: optimiser steps of 32 images, a multiple of the batches in `copies`.
        seed: of the initial weights, the order, and what noise the method adds.

    Returns:
        The network, in evaluation mode.

    Examples:
        >>> copies = (torch.rand(64, 1, 8, 8),) * 3
        >>> model = train_without_clean("R2R", copies, sigma=0.1, steps=2, seed=0)
        >>> model.training
        False
    """
    torch.manual_seed(seed)
    model = network(method)
    batches, corrupt, criterion = prepared(method, model, copies, sigma, seed)
    epochs = steps // len(batches)
    recipe = {"epochs": epochs, "seed": seed, "device": "cpu", "criterion": criterion}
    optimizer, scheduler = one_cycle(model, batches, epochs, PEAK, betas=(0.9, 0.99))
    recipe |= {"optimizer": optimizer, "scheduler": scheduler}
    fit(model, batches, corrupt, **recipe)
    return model.eval()


def network(method: str) -> BlindSpotNet:
    """Return the untrained network, which sees every pixel but where it must not.

    Examples:
        >>> int(network("Noise2Noise").hole.sum() - network("blind spot").hole.sum())
        1
    """
    # Channels last in memory: convolutions on a CPU are faster that way.
    model = BlindSpotNet(WIDTH).to(memory_format=torch.channels_last)
    if method != "blind spot":
        model.hole.fill_(1)
    return model


def prepared(
    method: str,
    model: nn.Module,
    copies: tuple[Tensor, Tensor, Tensor],
    sigma: float,
    seed: int,
) -> tuple:
    """Return what `fit` is given: batches, corruption and criterion.

    Examples:
        >>> copies = (torch.zeros(4, 1, 8, 8),) * 3
        >>> prepared("Noise2Noise", nn.Identity(), copies, 0.1, seed=0)[1:]
        (None, None)
    """
    noisy, second, clean = copies
    draw = Generator().manual_seed(seed)
    alone = ImageTensors(noisy).loader(BATCH, shuffle=True, seed=seed)
    blind = BlindPixelLoss(PERIOD)
    level = NOISIER_STRENGTH * sigma
    more = partial(add_gaussian_noise, noise_factor=level, clip=False)
    return {
        "supervised": (pairs(noisy, clean, seed), None, None),
        "Noise2Noise": (pairs(noisy, second, seed), None, None),
        "noisy target": (pairs(noisy, noisy, seed), None, None),
        "Noise2Self": (alone, blind.corrupt, blind),
        "blind spot": (pairs(noisy, noisy, seed), None, None),
        "SURE": (
            pairs(noisy, noisy, seed),
            None,
            SureLoss(model, sigma, generator=draw),
        ),
        "Noisier2Noise": (alone, more, None),
        "R2R": (RecorruptedPairs(alone, sigma, R2R_STRENGTH), None, None),
    }[method]


def pairs(noisy: Tensor, target: Tensor, seed: int) -> DataLoader:
    """Return shuffled batches of (noisy, target).

    Examples:
        >>> noisy = torch.zeros(5, 1, 2, 2)
        >>> [part.shape for part in next(iter(pairs(noisy, noisy, seed=0)))]
        [torch.Size([5, 1, 2, 2]), torch.Size([5, 1, 2, 2])]
    """
    order = Generator().manual_seed(seed)
    dataset = TensorDataset(noisy, target)
    return DataLoader(dataset, BATCH, shuffle=True, generator=order)


@torch.no_grad()
def ask(model: nn.Module, images: Tensor) -> Tensor:
    """Answer many images, a few at a time.

    Examples:
        >>> ask(nn.Identity(), torch.zeros(300, 1, 2, 2)).shape
        torch.Size([300, 1, 2, 2])
    """
    return torch.cat([model(part) for part in images.split(CHUNK)])
