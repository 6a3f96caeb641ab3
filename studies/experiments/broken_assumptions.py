"""What becomes of training without clean images where an assumption of it is broken.

Two networks. The dense autoencoder has a narrow code, and could not copy noise if it
wanted to. The network of the study `without_clean`, convolutional, could.
"""

from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import Generator, Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from dae_tutorial.beyond.mending import (
    anscombe,
    anscombe_mean,
    clipped_mean,
    invert_mean,
)
from dae_tutorial.beyond.selfsupervised import SureLoss
from dae_tutorial.evaluate import psnr
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import fit, one_cycle
from studies.experiments.noisy_training import BATCH, ask, train_without_clean
from studies.experiments.recipe import mnist, mnist_test, passed_on, seeded

SIGMA = 0.5
PHOTONS, STRAY = 20, 0.1  # counts at white, and what falls on black, as a share of it
DENSE_BATCH, DENSE_PEAK = 128, 6e-3
FEW_STEPS = 300  # where images are few

SEEDS = (0, 1, 2)
PARTS = [
    {"broken": "clipping"},
    *({"broken": "few images", "images": count} for count in (100, 1000, 10_000)),
    {"broken": "counts"},
    {"broken": "counts, convolutional"},
    {"broken": "shared noise"},
    *({"broken": "level", "told": share} for share in (0.9, 1.1)),
]
TOY = {"images": 128, "epochs": 1, "tested": 20}


Answers = Iterable[tuple[str, Tensor, float]]
Denoiser = Callable[[Tensor], Tensor]


def study(
    *,
    seed: int,
    broken: str = "clipping",
    images: int = 0,
    epochs: int = 4,
    width: int = 2,
    told: float = 1.0,
    tested: int = 1000,
) -> list[dict]:
    """Train networks under noise that breaks an assumption, and score their answers.

    Args:
        seed: of the images, the initial weights, the order and the noise.
        broken: a name in `BREAKS`.
        images: how many to train on; by default 10,000 for the autoencoder, and 12,800
            for the convolutional network, each once, in batches of 32.
        epochs: of the autoencoder; where images are few, 300 steps.
        width: of the squares of pixels over which shared noise is averaged.
        told: what SURE is told of the level, as a share of the true one.
        tested: how many test images; with the level wrong, their noise and all but what
            SURE is told is that of the study without clean images.

    Returns:
        One row for each way of training and answering: broken, images, width, told;
        method, psnr, and copied (the share of the noise that comes out again; -1 where
        it was not measured).

    Examples:
        >>> rows = study(seed=0, **TOY)
        >>> [row["method"] for row in rows]
        ['supervised', 'Noise2Noise', 'Noise2Noise, inverse of g']
    """
    run, usual = BREAKS[broken]
    images = images or usual
    clean, test = mnist(images, seed=seed).images, mnist_test(tested).images
    key = {"broken": broken, "images": images, "width": width, "told": told}
    more = {"seed": seed, "epochs": epochs, "width": width, "told": told}
    rows = []
    for method, answer, copied in run(clean, test, **more):
        decibels = psnr(answer.clamp(0, 1), test).mean().item()
        rows.append(key | {"method": method, "psnr": decibels, "copied": copied})
    return rows


def autoencoder(
    given: Tensor,
    target: Tensor | None,
    *,
    seed: int,
    epochs: int,
    corrupt: Callable | None = None,
    sure: float | None = None,
) -> Denoiser:
    """Train on pairs (given, target), or on `given` alone, and return the denoiser."""
    torch.manual_seed(seed)
    model, criterion = Autoencoder(), None
    parts = TensorDataset(given) if target is None else TensorDataset(given, target)
    order = Generator().manual_seed(seed)
    batches = DataLoader(parts, DENSE_BATCH, shuffle=True, generator=order)
    optimizer, scheduler = one_cycle(model, batches, epochs, DENSE_PEAK)
    recipe = {"optimizer": optimizer, "scheduler": scheduler, "seed": seed}
    if sure is not None:
        draw = Generator().manual_seed(seed)
        criterion = SureLoss(model, sure, generator=draw)
    recipe |= {"criterion": criterion, "epochs": epochs, "device": "cpu"}
    fit(model, batches, corrupt, **recipe)
    model.eval()

    @torch.no_grad()
    def denoise(noisy: Tensor) -> Tensor:
        return model(noisy).reshape(noisy.shape)

    return denoise


def convolutional(
    method: str, copies: tuple[Tensor, ...], *, seed: int, sigma: float
) -> Denoiser:
    """Train the network of the study without clean images on images that come once."""
    steps = len(copies[0]) // BATCH
    recipe = {"sigma": sigma, "steps": steps, "seed": seed}
    return partial(ask, train_without_clean(method, copies, **recipe))


def drawn(seed: int) -> tuple[Generator, Generator]:
    """Return what draws noise for training, and for the test."""
    return Generator().manual_seed(seed), seeded(seed)


def clipping(
    clean: Tensor, test: Tensor, *, seed: int, epochs: int, **_: object
) -> Answers:
    """Clip both copies; go back through the inverse of the clipped mean."""
    noise = partial(add_gaussian_noise, noise_factor=SIGMA)
    draw, other = drawn(seed)
    first, second = noise(clean, generator=draw), noise(clean, generator=draw)
    noisy = noise(test, generator=other)
    recipe = {"seed": seed, "epochs": epochs}
    yield "supervised", autoencoder(first, clean, **recipe)(noisy), -1.0
    answer = autoencoder(first, second, **recipe)(noisy)
    yield "Noise2Noise", answer, -1.0
    back = invert_mean(partial(clipped_mean, sigma=SIGMA), answer)
    yield "Noise2Noise, inverse of g", back, -1.0


def few_images(clean: Tensor, test: Tensor, *, seed: int, **_: object) -> Answers:
    """Take as many steps, however few the images are."""
    noise = partial(add_gaussian_noise, noise_factor=SIGMA, clip=False)
    draw, other = drawn(seed)
    first, second = noise(clean, generator=draw), noise(clean, generator=draw)
    noisy = noise(test, generator=other)
    epochs = round(FEW_STEPS / -(-len(clean) // DENSE_BATCH))
    recipe = {"seed": seed, "epochs": epochs}
    fresh = autoencoder(clean, None, corrupt=noise, **recipe)
    yield "supervised, fresh noise", fresh(noisy), -1.0
    yield "supervised", autoencoder(first, clean, **recipe)(noisy), -1.0
    yield "Noise2Noise", autoencoder(first, second, **recipe)(noisy), -1.0


def counted(
    clean: Tensor, test: Tensor, seed: int
) -> tuple[tuple[Tensor, Tensor, Tensor], float]:
    """Return counts of two copies and of the test, and their level if it were one."""

    def count(images: Tensor, generator: Generator) -> Tensor:
        return torch.poisson(PHOTONS * (images + STRAY), generator=generator)

    draw, other = drawn(seed)
    counts = count(clean, draw), count(clean, draw), count(test, other)
    return counts, ((clean + STRAY).mean() / PHOTONS).sqrt().item()


def counts(
    clean: Tensor, test: Tensor, *, seed: int, epochs: int, **_: object
) -> Answers:
    """Train the autoencoder on counts of light."""

    def train(method, given, target, sigma):
        told = sigma if method == "SURE" else None
        return autoencoder(given, target, seed=seed, epochs=epochs, sure=told)

    yield from by_counts(train, clean, test, seed)


def counts_convolutional(
    clean: Tensor, test: Tensor, *, seed: int, **_: object
) -> Answers:
    """Train the convolutional network on counts of light."""

    def train(method, given, target, sigma):
        return convolutional(method, (given, target, target), seed=seed, sigma=sigma)

    yield from by_counts(train, clean, test, seed)


def by_counts(train: Callable, clean: Tensor, test: Tensor, seed: int) -> Answers:
    """Tell SURE one level, or even the noise out before."""
    (first, second, noisy), level = counted(clean, test, seed)
    given, target, asked = (c / PHOTONS - STRAY for c in (first, second, noisy))
    for method, wanted in (("supervised", clean), ("Noise2Noise", target)):
        yield method, train(method, given, wanted, level)(asked), -1.0
    yield "SURE, one σ for all", train("SURE", given, given, level)(asked), -1.0
    low, high = anscombe_mean(PHOTONS * (STRAY + torch.tensor([0.0, 1.0]))).tolist()
    span = high - low
    given, asked = ((anscombe(c) - low) / span for c in (first, noisy))
    even = low + span * train("SURE", given, given, 1 / span)(asked)
    square = (even / 2).square() - 3 / 8
    yield "SURE, evened out, squared", square / PHOTONS - STRAY, -1.0
    ends = {"low": PHOTONS * STRAY, "high": PHOTONS * (1 + STRAY)}
    inverse = invert_mean(anscombe_mean, even, **ends)
    yield "SURE, evened out, inverse of g", inverse / PHOTONS - STRAY, -1.0


def shared_noise(
    clean: Tensor, test: Tensor, *, seed: int, width: int, **_: object
) -> Answers:
    """Average noise over squares, so that neighbours share it."""
    draw, other = drawn(seed)
    first, second = (clean + averaged(clean, width, draw) for _ in range(2))
    noisy, again = (test + averaged(test, width, other) for _ in range(2))
    everywhere = torch.ones_like(test[0], dtype=torch.bool)
    yield "doing nothing", noisy, 1.0
    for method in ("supervised", "Noise2Noise", "SURE", "blind spot"):
        copies = (first, second, clean)
        denoise = convolutional(method, copies, seed=seed, sigma=SIGMA)
        answer = denoise(noisy)
        copied = passed_on(noisy - again, answer - denoise(again), everywhere)
        yield method, answer, copied


def level(
    clean: Tensor, test: Tensor, *, seed: int, told: float, **_: object
) -> Answers:
    """Tell SURE a wrong level."""
    noise = partial(add_gaussian_noise, noise_factor=SIGMA, clip=False)
    draw, other = drawn(seed)
    noisy = noise(clean, generator=draw)
    copies = (noisy, noisy, noisy)
    denoise = convolutional("SURE", copies, seed=seed, sigma=told * SIGMA)
    yield "SURE", denoise(noise(test, generator=other)), -1.0


def averaged(images: Tensor, width: int, generator: Generator) -> Tensor:
    """Draw noise averaged over squares, as strong again as white noise.

    Examples:
        >>> noise = averaged(torch.zeros(2000, 1, 9, 9), 2, Generator().manual_seed(0))
        >>> round(noise.std().item(), 2)
        0.5
        >>> beside = (noise[..., 1:] * noise[..., :-1]).mean() / noise.var()
        >>> round(beside.item(), 1), noise.shape[-1]
        (0.5, 9)
    """
    *count, height, across = images.shape
    wider = (*count, height + width - 1, across + width - 1)
    white = SIGMA * torch.randn(wider, generator=generator)
    return width * functional.avg_pool2d(white, width, stride=1)


BREAKS: dict[str, tuple[Callable[..., Answers], int]] = {
    "clipping": (clipping, 10_000),
    "few images": (few_images, 10_000),
    "counts": (counts, 10_000),
    "counts, convolutional": (counts_convolutional, 12_800),
    "shared noise": (shared_noise, 12_800),
    "level": (level, 12_800),
}
