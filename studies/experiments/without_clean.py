"""How well does a network denoise that never saw a clean image?

Seven ways of training beside the supervised one: the same number of steps, the same
noisy images. Each image has one noisy copy, drawn once, as in life; only Noise2Noise
has a second. The noise is not clipped.
"""

import time
from functools import partial

import torch
from torch import Generator, Tensor, nn
from torchvision.transforms.v2.functional import center_crop, rgb_to_grayscale

from dae_tutorial.beyond.blind_spots import answer_blindly, give_back
from dae_tutorial.beyond.selfsupervised import undo_extra_noise
from dae_tutorial.evaluate import mean_squared_error, psnr
from dae_tutorial.evidence.photographs import (
    TEST,
    TRAINING,
    draw_patches,
    load_photograph,
)
from dae_tutorial.noise import add_gaussian_noise
from studies.experiments.noisy_training import (
    BATCH,
    NOISIER_STRENGTH,
    PERIOD,
    R2R_STRENGTH,
    ask,
    train_without_clean,
)
from studies.experiments.recipe import mnist, mnist_test, seeded

DRAWS = 8  # of extra noise, over which an answer may be averaged

METHODS = (
    "doing nothing",
    "supervised",
    "Noise2Noise",
    "Noise2Self",
    "blind spot",
    "SURE",
    "R2R",
)

SEEDS = (0, 1, 2)
PARTS = [
    *({"sigma": 0.5, "method": m} for m in (*METHODS, "noisy target", "Noisier2Noise")),
    *({"sigma": 0.25, "method": m} for m in METHODS),
    *({"data": "photographs", "sigma": 0.1, "method": m} for m in METHODS[:4]),
    *({"method": m, "steps": 800} for m in ("supervised", "Noise2Noise")),
]
TOY = {"method": "Noise2Noise", "steps": 20, "tested": 20}
NOT_COMPARED = ("seconds",)


def study(
    *,
    seed: int,
    data: str = "digits",
    sigma: float = 0.5,
    method: str = "supervised",
    steps: int = 400,
    tested: int = 1000,
) -> list[dict]:
    """Train one network in one way, and score each way of asking it.

    Args:
        seed: of the images, the initial weights and all noise.
        data: "digits", or "photographs" in grey.
        sigma: standard deviation of the noise.
        method: one of those in `PARTS`.
        steps: optimiser steps, batches of 32 images.
        tested: how many test digits.

    Returns:
        One row for each way of asking: data, sigma, method, steps; asked; mse, psnr;
        passes through the network for an answer, and seconds of training.

    Examples:
        >>> rows = study(seed=0, **TOY | {"method": "Noise2Self"})
        >>> [row["asked"] for row in rows]
        ['once', 'blindly', 'blindly, pixel given back']
    """
    clean = held_out_images(data, tested)
    noisy = add_gaussian_noise(clean, sigma, clip=False, generator=seeded(seed))
    seconds = 0.0
    answers = {"once": (0, noisy)}
    if method != "doing nothing":
        started = time.perf_counter()
        model = trained(method, data, sigma, steps, seed)
        seconds = time.perf_counter() - started
        answers = all_answers(method, model, noisy, sigma, seed)
    key = {"data": data, "sigma": sigma, "method": method, "steps": steps}
    rows = []
    for asked, (passes, answer) in answers.items():
        cut = answer.clamp(0, 1)
        decibels = psnr(cut, clean).mean().item()
        row = key | {"asked": asked}
        row |= {"mse": mean_squared_error(cut, clean).mean().item()}
        row |= {"psnr": decibels, "passes": passes}
        rows.append(row | {"seconds": seconds})
    return rows


def held_out_images(data: str, count: int) -> Tensor:
    """Return digits of the test set, or the middles of the held-out photographs."""
    if data == "digits":
        return mnist_test(count).images
    pictures = [rgb_to_grayscale(load_photograph(name)) for name in TEST]
    return torch.stack([center_crop(picture, [192]) for picture in pictures])


def training_images(data: str, count: int, seed: int) -> Tensor:
    """Return so many clean digits or patches: what nobody but the supervised sees."""
    if data == "digits":
        return mnist(count, seed=seed).images
    pictures = [rgb_to_grayscale(load_photograph(name)) for name in TRAINING]
    generator = Generator().manual_seed(seed)
    return draw_patches(pictures, count, 28, generator=generator)


def trained(method: str, data: str, sigma: float, steps: int, seed: int) -> nn.Module:
    """Train a network in one of the ways, on images that come by once."""
    clean = training_images(data, steps * BATCH, seed)
    generator = Generator().manual_seed(seed)
    noisy, second = (
        add_gaussian_noise(clean, sigma, clip=False, generator=generator)
        for _ in range(2)
    )
    recipe = {"sigma": sigma, "steps": steps, "seed": seed}
    return train_without_clean(method, (noisy, second, clean), **recipe)


Answers = dict[str, tuple[int, Tensor]]


@torch.no_grad()
def all_answers(
    method: str, model: nn.Module, noisy: Tensor, sigma: float, seed: int
) -> Answers:
    """Return every answer that a network of this method can be asked for."""
    if method == "Noise2Self":
        blind = answer_blindly(partial(ask, model), noisy, period=PERIOD)
        found = {"once": (1, ask(model, noisy)), "blindly": (PERIOD**2, blind)}
        found["blindly, pixel given back"] = (PERIOD**2, give_back(blind, noisy, sigma))
    elif method == "blind spot":
        blind = ask(model, noisy)
        found = {"blindly": (1, blind)}
        found["blindly, pixel given back"] = (1, give_back(blind, noisy, sigma))
    elif method in ("R2R", "Noisier2Noise"):
        found = noisier_answers(method, model, noisy, sigma, seed)
    else:
        found = {"once": (1, ask(model, noisy))}
    return found


def noisier_answers(method, model, noisy: Tensor, sigma: float, seed: int) -> dict:
    """Ask with extra noise, as in training: once, and several times for the mean."""
    generator = seeded(100 + seed)
    if method == "R2R":
        level, undo = R2R_STRENGTH, lambda answer, _: answer
    else:
        level = NOISIER_STRENGTH
        undo = partial(undo_extra_noise, strength=level)
    answers = []
    for _ in range(DRAWS):
        noisier = add_gaussian_noise(
            noisy, level * sigma, clip=False, generator=generator
        )
        answers.append(undo(ask(model, noisier), noisier))
    found = {"with one draw": (1, answers[0])}
    found["mean of 8 draws"] = (DRAWS, torch.stack(answers).mean(dim=0))
    if method == "R2R":
        found["once"] = (1, ask(model, noisy))
    return found
