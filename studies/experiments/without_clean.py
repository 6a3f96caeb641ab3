"""How well does a network denoise that never saw a clean image?

Eight ways of training beside the supervised one: the same network, the same number of
steps, the same noisy images. Each image has one noisy copy, drawn once, as in life;
only Noise2Noise has a second. The noise is not clipped.
"""

import time
from functools import partial
from itertools import product

import torch
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms.v2.functional import center_crop, rgb_to_grayscale

from dae_tutorial.beyond.blind_spots import (
    BlindPixelLoss,
    BlindSpotNet,
    answer_blindly,
    give_back,
)
from dae_tutorial.beyond.selfsupervised import (
    RecorruptedPairs,
    SureLoss,
    undo_extra_noise,
)
from dae_tutorial.evaluate import mean_squared_error, psnr
from dae_tutorial.evidence.photographs import (
    TEST,
    TRAINING,
    draw_patches,
    load_photograph,
)
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import UNet
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.theory.score import FiniteSet
from dae_tutorial.train import fit, one_cycle
from studies.experiments.recipe import mnist, mnist_test, seeded

BATCH = 32
PEAK = 8e-3
R2R_STRENGTH, NOISIER_STRENGTH = 0.8, 1.0
DRAWS = 8  # of extra noise, over which an answer may be averaged
CHUNK = 250  # images answered at a time

UNTRAINED = ("doing nothing", "exact")
TRAINED = (
    "supervised",
    "Noise2Noise",
    "noisy target",
    "Noise2Self",
    "blind spot",
    "blind spot, supervised",
    "SURE",
    "Noisier2Noise",
    "R2R",
)
LONG = {"data": "digits", "sigma": 0.5, "steps": 2400}

SEEDS = (0, 1, 2)
PARTS = [
    *(
        {"data": "digits", "sigma": sigma, "method": method}
        for sigma, method in product((0.25, 0.5), UNTRAINED + TRAINED)
    ),
    *({"data": "photographs", "sigma": 0.1, "method": method} for method in TRAINED),
    {"data": "photographs", "sigma": 0.1, "method": "doing nothing"},
    *(LONG | {"method": method} for method in ("supervised", "Noise2Noise", "R2R")),
]
TOY = {"method": "Noise2Noise", "steps": 20, "tested": 20}
NOT_COMPARED = ("seconds",)


def study(
    *,
    seed: int,
    data: str = "digits",
    sigma: float = 0.5,
    method: str = "supervised",
    steps: int = 600,
    tested: int = 1000,
) -> list[dict]:
    """Train one network in one way, and score each way of asking it.

    Args:
        seed: of the images, the initial weights and all noise.
        data: "digits", or "photographs" in grey.
        sigma: standard deviation of the noise.
        method: a name in `UNTRAINED` or `TRAINED`.
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
    if method in UNTRAINED:
        answers = untrained_answers(method, noisy, clean, sigma, seed)
    else:
        started = time.perf_counter()
        model = trained(method, data, sigma, steps, seed)
        seconds = time.perf_counter() - started
        answers = trained_answers(method, model, noisy, sigma, seed)
    key = {"data": data, "sigma": sigma, "method": method, "steps": steps}
    rows = []
    for asked, (passes, answer, truth) in answers.items():
        cut, truth = answer.clamp(0, 1), clean if truth is None else truth
        row = key | {
            "asked": asked,
            "mse": mean_squared_error(cut, truth).mean().item(),
        }
        row |= {"psnr": psnr(cut, truth).mean().item(), "passes": passes}
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
    """Train a network in one of the ways, on images that come by once or twice."""
    count = min(steps * BATCH, 38_400)
    clean = training_images(data, count, seed)
    torch.manual_seed(seed)
    model = BlindSpotNet() if method.startswith("blind spot") else UNet()
    batches, corrupt, criterion = prepared(method, model, clean, sigma, seed)
    epochs = steps * BATCH // count
    recipe = {"epochs": epochs, "seed": seed, "device": "cpu", "criterion": criterion}
    optimizer, scheduler = one_cycle(model, batches, epochs, PEAK, betas=(0.9, 0.99))
    recipe |= {"optimizer": optimizer, "scheduler": scheduler}
    fit(model, batches, corrupt, **recipe)
    return model.eval()


def prepared(method: str, model: nn.Module, clean: Tensor, sigma: float, seed: int):
    """Return what `fit` is given: batches, corruption and criterion."""
    generator = Generator().manual_seed(seed)
    more = partial(add_gaussian_noise, clip=False, generator=generator)
    noisy, second = more(clean, sigma), more(clean, sigma)
    alone = ImageTensors(noisy).loader(BATCH, shuffle=True, seed=seed)
    blind = BlindPixelLoss()
    noisier = partial(
        add_gaussian_noise, noise_factor=NOISIER_STRENGTH * sigma, clip=False
    )
    return {
        "supervised": (pairs(noisy, clean, seed), None, None),
        "Noise2Noise": (pairs(noisy, second, seed), None, None),
        "noisy target": (pairs(noisy, noisy, seed), None, None),
        "Noise2Self": (alone, blind.corrupt, blind),
        "blind spot": (pairs(noisy, noisy, seed), None, None),
        "blind spot, supervised": (pairs(noisy, clean, seed), None, None),
        "SURE": (
            pairs(noisy, noisy, seed),
            None,
            SureLoss(model, sigma, generator=generator),
        ),
        "Noisier2Noise": (alone, noisier, None),
        "R2R": (RecorruptedPairs(alone, sigma, R2R_STRENGTH), None, None),
    }[method]


def pairs(noisy: Tensor, target: Tensor, seed: int) -> DataLoader:
    """Return shuffled batches of (noisy, target)."""
    order = Generator().manual_seed(seed)
    dataset = TensorDataset(noisy, target)
    return DataLoader(dataset, BATCH, shuffle=True, generator=order)


Answers = dict[str, tuple[int, Tensor, Tensor | None]]


@torch.no_grad()
def untrained_answers(
    method: str, noisy: Tensor, clean: Tensor, sigma: float, seed: int
) -> Answers:
    """Return the noisy images, or the mean of all training images, weighted right.

    The latter is the best there is for images of that set; so it is asked for some of
    those, too.
    """
    if method == "doing nothing":
        return {"once": (0, noisy, None)}
    memory = FiniteSet(mnist(60_000, seed=seed).images)
    known = memory.points[: len(noisy)]
    told = add_gaussian_noise(known, sigma, clip=False, generator=seeded(seed))
    test, training = (
        torch.cat([memory.posterior_mean(part, sigma) for part in images.split(CHUNK)])
        for images in (noisy, told)
    )
    return {"test images": (0, test, None), "its own images": (0, training, known)}


@torch.no_grad()
def trained_answers(
    method: str, model: nn.Module, noisy: Tensor, sigma: float, seed: int
) -> Answers:
    """Return every answer that a network of this method can be asked for."""

    def ask(images: Tensor) -> Tensor:
        return torch.cat([model(part) for part in images.split(CHUNK)])

    if method == "Noise2Self":
        blind = answer_blindly(ask, noisy)
        found = {"once": (1, ask(noisy)), "blindly": (16, blind)}
        found["blindly, pixel given back"] = (16, give_back(blind, noisy, sigma))
    elif method.startswith("blind spot"):
        blind = ask(noisy)
        found = {"blindly": (1, blind)}
        found["blindly, pixel given back"] = (1, give_back(blind, noisy, sigma))
    elif method in ("R2R", "Noisier2Noise"):
        found = noisier_answers(method, ask, model, noisy, sigma, seed)
    else:
        found = {"once": (1, ask(noisy))}
    return {asked: (*answer, None) for asked, answer in found.items()}


def noisier_answers(method, ask, model, noisy: Tensor, sigma: float, seed: int) -> dict:
    """Ask with extra noise, as in training: once, and several times for the mean."""
    generator = seeded(100 + seed)
    if method == "R2R":
        level, undo = R2R_STRENGTH, lambda answer, _: answer
    else:
        level, undo = NOISIER_STRENGTH, partial(undo_extra_noise, strength=1.0)
        # It guesses at a noisy image, whose pixels the U-Net must not cut to [0, 1].
        model.train()
    answers = []
    for _ in range(DRAWS):
        noisier = add_gaussian_noise(
            noisy, level * sigma, clip=False, generator=generator
        )
        answers.append(undo(ask(noisier), noisier))
    found = {"with one draw": (1, answers[0])}
    found["mean of 8 draws"] = (DRAWS, torch.stack(answers).mean(dim=0))
    if method == "R2R":
        found["once"] = (1, ask(noisy))
    return found
