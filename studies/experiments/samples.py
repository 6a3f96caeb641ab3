"""What studies of samples share: levels, training, half precision, and the judge."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from dae_tutorial.further.checkpoint import Checkpoint
from dae_tutorial.theory.multilevel import MultilevelPairs, Preconditioned
from dae_tutorial.theory.sample_quality import DigitFeatures
from dae_tutorial.theory.sampling import Denoiser
from dae_tutorial.train import History, fit, one_cycle

SIGMA_DATA = 0.3081  # the spread of MNIST's pixels in [0, 1]
HIGHEST, LOWEST = 10.0, 0.01  # the levels where samplers begin and end


def train_multilevel(
    denoiser: Preconditioned,
    loader: DataLoader,
    *,
    epochs: int,
    peak: float = 2e-3,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train a denoiser for all levels: Adam, one cycle, and no gradient above 1."""
    pairs, network = MultilevelPairs(loader, denoiser), denoiser.network
    # A shorter memory than Adam's default: better in short runs.
    optimizer, scheduler = one_cycle(network, pairs, epochs, peak, betas=(0.9, 0.99))

    def shorten(*_: object) -> None:  # what a hook returns would replace arguments
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)

    optimizer.register_step_pre_hook(shorten)
    return fit(
        network,
        pairs,
        None,
        epochs=epochs,
        optimizer=optimizer,
        scheduler=scheduler,
        autocast=torch.bfloat16,
        checkpoint=checkpoint,
    )


def in_half_precision(denoise: Denoiser) -> Denoiser:
    """Run a denoiser's products in bfloat16: twice as fast, and no worse here."""

    def call(x: Tensor, sigma: float) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return denoise(x, sigma).float()

    return call


@torch.no_grad()
def features(judge: DigitFeatures, images: Tensor) -> Tensor:
    """Return what the judge sees in images cut to [0, 1], (count, 64)."""
    parts = images.clamp(0, 1).split(500)
    return torch.cat([judge.features(part) for part in parts])


@torch.no_grad()
def sure(judge: DigitFeatures, seen: Tensor) -> float:
    """Return the share of images, as `features`, whose digit the judge is sure of."""
    return (judge.head(seen).softmax(dim=1).amax(dim=1) > 0.9).double().mean().item()
