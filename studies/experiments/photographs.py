"""How well do a small U-Net and classical filters denoise photographs?

Grey and colour, three noise levels, known and unknown. One network is trained for the
middle level; two for all of them at once, of which one is told the level. Filters know
the level, or estimate it from the noisy image. The noise is not clipped, as in the
literature; levels are in 255ths of the pixel range, as there.
"""

from functools import partial
from itertools import product

import torch
from skimage.restoration import estimate_sigma
from torch import Tensor, nn
from torchvision.transforms.v2.functional import center_crop, rgb_to_grayscale

from dae_tutorial.evidence.photographs import (
    TEST,
    TRAINING,
    VALIDATION,
    draw_patches,
    load_photograph,
)
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import UNet
from dae_tutorial.noise import (
    add_gaussian_noise,
    add_varied_gaussian_noise,
    add_varied_gaussian_noise_with_level,
    append_noise_level,
)
from studies.experiments.denoisers import FILTERS, Denoiser, best, measured
from studies.experiments.recipe import train

KNOWN = 25
BATCH = 16

ALL_LEVELS = {"lowest": 5 / 255, "highest": 55 / 255, "clip": False}
TOLD = "U-Net, told σ"

TRAINED = {
    "U-Net, trained at 25": partial(
        add_gaussian_noise, noise_factor=KNOWN / 255, clip=False
    ),
    "U-Net, blind": partial(add_varied_gaussian_noise, **ALL_LEVELS),
    TOLD: partial(add_varied_gaussian_noise_with_level, **ALL_LEVELS),
}
# Those of the filters whose settings are made for a level, which they estimate here.
ESTIMATING = {
    f"{name}, σ estimated": FILTERS[name] for name in ("non-local means", "wavelets")
}
METHODS = ("doing nothing", *FILTERS, *ESTIMATING, *TRAINED)

SEEDS = (0, 1, 2)
PARTS = [
    {"channels": channels, "method": method}
    for channels, method in product((1, 3), METHODS)
]
TOY = {"levels": (25,), "size": 64, "steps": 80, "patch": 24}
NOT_COMPARED = ("setting", "milliseconds")  # a near tie may fall either way


def study(
    *,
    seed: int,
    channels: int = 1,
    method: str = "U-Net, blind",
    levels: tuple[int, ...] = (15, 25, 50),
    size: int = 256,
    steps: int = 2400,
    patch: int = 32,
) -> list[dict]:
    """Denoise the middle of each held-out photograph with one method.

    Args:
        seed: of the patches, the initial weights and all noise.
        channels: 1 for grey, 3 for colour.
        method: a name in `METHODS`.
        levels: standard deviations of the noise, in 255ths.
        size: side of the square that is denoised.
        steps: optimiser steps of the U-Nets, batches of 16 patches.
        patch: side of a training patch.

    Returns:
        One row a photograph and level: channels, method, level, photograph, the
        setting that was chosen, mse, psnr, ssim and milliseconds an image.

    Examples:
        >>> rows = study(seed=0, **TOY | {"method": "doing nothing"})
        >>> rows[0]["level"], rows[0]["photograph"]
        (25, 'astronaut')
    """
    torch.manual_seed(seed)
    network = None
    if method in TRAINED:
        network = trained(method, channels, steps, patch, seed)
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for level in levels:
        corrupt = partial(
            add_gaussian_noise,
            noise_factor=level / 255,
            clip=False,
            generator=generator,
        )
        setting, denoise = chosen(method, level / 255, network, corrupt, channels)
        for name in TEST:
            clean = center_crop(photograph(name, channels), [size])[None]
            row = {"channels": channels, "method": method, "level": level}
            row |= {"photograph": name, "setting": setting}
            rows.append(row | measured(denoise, corrupt(clean), clean))
    return rows


def photograph(name: str, channels: int) -> Tensor:
    """Load a photograph in colour or in grey: (channels, height, width)."""
    colour = load_photograph(name)
    return colour if channels == 3 else rgb_to_grayscale(colour)


def trained(method: str, channels: int, steps: int, patch: int, seed: int) -> nn.Module:
    """Train a U-Net on patches, each of them seen once."""
    generator = torch.Generator().manual_seed(seed)
    photographs = [photograph(name, channels) for name in TRAINING]
    patches = draw_patches(photographs, BATCH * steps, patch, generator=generator)
    images = ImageTensors(patches, torch.zeros(len(patches)))
    inputs = channels + 1 if method == TOLD else channels
    model = UNet(in_channels=inputs, out_channels=channels)
    recipe = {"steps": steps, "seed": seed, "batch_size": BATCH, "peak": 1e-3}
    return train(model, images, TRAINED[method], **recipe).eval()


def chosen(
    method: str, sigma: float, network: nn.Module | None, corrupt, channels: int
) -> tuple[str, Denoiser]:
    """Return a method's denoiser, and the setting that suits the known photographs."""
    if method == TOLD:
        return "", lambda noisy: network(append_noise_level(noisy, sigma))
    if network is not None:
        return "", network
    if method == "doing nothing":
        return "", nn.Identity()
    known = [photograph(name, channels) for name in TRAINING + VALIDATION]
    clean = torch.stack([center_crop(image, [128]) for image in known])
    filters = FILTERS | ESTIMATING
    setting, denoise = best(filters[method](sigma), corrupt(clean), clean)
    if method in ESTIMATING:
        return setting, lambda noisy: filters[method](estimated(noisy))[setting](noisy)
    return setting, denoise


def estimated(noisy: Tensor) -> float:
    """Estimate the noise level of one image from its finest details.

    Args:
        noisy: (1, channels, height, width).

    Returns:
        The standard deviation of the noise.

    Examples:
        >>> noise = 0.1 * torch.randn(1, 1, 64, 64)
        >>> abs(estimated(0.5 + noise) - 0.1) < 0.01
        True

    Source: Donoho and Johnstone (1994), Ideal spatial adaptation by wavelet shrinkage.
    """
    pixels = noisy[0].permute(1, 2, 0).numpy()
    return float(estimate_sigma(pixels, average_sigmas=True, channel_axis=-1))
