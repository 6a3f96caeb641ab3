"""How the cost of training grows with image size, width, batch and data: on paper.

A few sizes are measured here. The site's page fits a power law to them, and carries it
further than this machine would go.
"""

import time
from statistics import median

import torch
from torch import nn
from torch.nn import functional

from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder, UNet
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import train_one_epoch

SIDES = (16, 28, 56, 112)
HIDDEN = (64, 128, 256, 512, 1024)
WIDTHS = (8, 16, 32, 64)
BATCHES = (32, 64, 128, 256)
COUNTS = (7_680, 15_360, 30_720, 61_440)


def cost_of_growth(rounds: int = 5, small: bool = False) -> list[dict]:
    """Measure milliseconds a training image while one thing grows and the rest stays.

    Args:
        rounds: steps that are timed for each size; the median counts.
        small: measure the two smallest sizes of each only.

    Returns:
        One row a measurement: `model`, `grows` (what is varied), `size`, `parameters`,
        `milliseconds` an image, forward, backward and optimiser.
    """
    rows = []
    for model, grows, sizes, build in _series():
        for size in sizes[:2] if small else sizes:
            network, images = build(size)
            row = {"model": model, "grows": grows, "size": size}
            row["parameters"] = sum(p.numel() for p in network.parameters())
            row["milliseconds"] = _milliseconds(network, images, rounds)
            rows.append(row)
    return rows + [_epoch(count) for count in (COUNTS[:2] if small else COUNTS)]


def _series():
    def dense_of_side(side):
        return Autoencoder(input_dim=side * side), torch.rand(128, 1, side, side)

    def dense_of_width(hidden):
        return Autoencoder(hidden_dim=hidden), torch.rand(128, 1, 28, 28)

    def dense_of_batch(batch):
        return Autoencoder(), torch.rand(batch, 1, 28, 28)

    def unet_of_side(side):
        return UNet(), torch.rand(32, 1, side, side)

    def unet_of_width(width):
        return UNet(width), torch.rand(32, 1, 28, 28)

    return (
        ("dense", "image side", SIDES, dense_of_side),
        ("dense", "hidden width", HIDDEN, dense_of_width),
        ("dense", "batch", BATCHES, dense_of_batch),
        ("U-Net", "image side", SIDES, unet_of_side),
        ("U-Net", "width", WIDTHS, unet_of_width),
    )


def _epoch(count: int) -> dict:
    """Measure an epoch over some images, noise and all: milliseconds an image."""
    model = Autoencoder()
    loader = ImageTensors(torch.rand(count, 1, 28, 28), torch.zeros(count)).loader(128)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    started = time.perf_counter()
    train_one_epoch(model, loader, optimizer, add_gaussian_noise)
    seconds = time.perf_counter() - started
    row = {"model": "dense", "grows": "images", "size": count}
    row["parameters"] = sum(parameter.numel() for parameter in model.parameters())
    return row | {"milliseconds": 1000 * seconds / count}


def _milliseconds(model: nn.Module, images: torch.Tensor, rounds: int) -> float:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

    def step() -> float:
        started = time.perf_counter()
        optimizer.zero_grad()
        output = model(images).reshape(images.shape)
        functional.mse_loss(output, images).backward()
        optimizer.step()
        return time.perf_counter() - started

    step()
    return 1000 * median(step() for _ in range(rounds)) / len(images)
