"""How good are samples, by which sampler, and for how many calls of the network?

One network, the denoiser that comes with the package, draws digits by every sampler of
the package. They are judged by the features of a classifier, beside what real images,
blurred and noisy ones, and a single Gaussian score. Samplers start from noise around
the mean image, as noisy digits lie, and for comparison around zero. Images are cut to
[0, 1] for the judge alone.
"""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Generator, Tensor

from dae_tutorial.evidence.baselines import blur
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.theory.multilevel import Preconditioned
from dae_tutorial.theory.multilevel_unet import MultilevelUNet
from dae_tutorial.theory.pretrained import load_digit_features, load_multilevel
from dae_tutorial.theory.sample_quality import frechet_distance, precision_and_recall
from dae_tutorial.theory.sampling import (
    Denoiser,
    draw_start,
    guided,
    heun,
    noise_levels,
    step_down,
)
from dae_tutorial.theory.score import FiniteSet
from dae_tutorial.theory.walks import langevin, walkback
from studies.experiments.recipe import mnist, mnist_test
from studies.experiments.samples import (
    HIGHEST,
    LOWEST,
    SIGMA_DATA,
    features,
    in_half_precision,
    sure,
    train_multilevel,
)

BATCH = 250


def unchanged(images: Tensor, *, generator: Generator) -> Tensor:
    """Return real images as they are."""
    return images


def blurred(images: Tensor, *, generator: Generator) -> Tensor:
    """Return real images after a blur of one pixel."""
    return blur(images)


def _like(images: Tensor, *, generator: Generator) -> Tensor:
    """Draw from one Gaussian, with the mean and covariance of training images."""
    flat = mnist(60_000, seed=0).images.flatten(start_dim=1).double()
    values, vectors = torch.linalg.eigh(flat.T.cov())
    noise = torch.randn(len(images), len(values), generator=generator).double()
    drawn = flat.mean(dim=0) + noise * values.clamp(min=0).sqrt() @ vectors.T
    return drawn.float().reshape(images.shape)


REAL = {
    "training images": unchanged,
    "noise of 0.1": partial(add_gaussian_noise, noise_factor=0.1, clip=False),
    "noise of 0.5": partial(add_gaussian_noise, noise_factor=0.5, clip=False),
    "blur": blurred,
    "one Gaussian": _like,
}
COUNTED = {  # sampler → numbers of levels
    "Heun": (3, 5, 9, 18),
    "Euler": (5, 10, 18, 35),
    "ancestral": (10, 18, 35),
}

SEEDS = (0, 1, 2)
PARTS = [
    *({"what": name} for name in REAL),
    {"what": "training images", "images": 2000},
    {"what": "Heun", "levels": 18, "images": 2000},
    *(
        {"what": name, "levels": levels}
        for name, several in COUNTED.items()
        for levels in several
    ),
    {"what": "Heun", "levels": 9, "guidance": 0.0},  # the class is not told
    *({"what": "Heun", "levels": 9, "guidance": weight} for weight in (1.5, 2.0, 3.0)),
    {"what": "Heun", "levels": 9, "start": "zero"},
    {"what": "Heun", "levels": 18, "start": "zero"},
    {"what": "ancestral", "levels": 35, "start": "zero"},
    {"what": "Heun", "levels": 9, "epochs": 4},
    {"what": "Langevin", "levels": 20},
    {"what": "walkback", "levels": 20},
    {"what": "copies", "levels": 18},
]
TOY = {"what": "Heun", "levels": 3, "images": 100, "reference": 300}


def study(
    *,
    seed: int,
    what: str = "Heun",
    levels: int = 0,
    guidance: float = 1.0,
    start: str = "mean",
    epochs: int = 32,
    images: int = 1000,
    reference: int = 10_000,
) -> list[dict]:
    """Make images in one way, and compare them with test images.

    Args:
        seed: of all that is drawn.
        what: a sampler, one of `REAL`, or "copies", which is Heun's method with the
            exact posterior mean over as many training images.
        levels: noise levels of the sampler; for walkback, its rounds.
        guidance: weight of the class; 1 tells it, 0 does not.
        start: whether the first noise lies around the "mean" image or around "zero".
        epochs: of the network's training; 32 takes the one that comes with the package.
        images: how many.
        reference: how many test images they are compared with.

    Returns:
        One row: what, levels, guidance, start, epochs, images, calls (of the network,
        an image), frechet, precision, recall and sure (the share of images of which
        the classifier is more than 0.9 sure), and uneven (the chi-squared statistic of
        how often it sees each digit, beside the shares of the test images).

    Examples:
        >>> [row] = study(seed=0, **TOY)
        >>> row["calls"]
        5
    """
    generator = Generator().manual_seed(seed)
    drawn = mnist(images, seed=int(torch.randint(2**31, (), generator=generator)))
    calls = 0

    def counted(denoise: Denoiser) -> Denoiser:
        def call(x: Tensor, sigma: float) -> Tensor:
            nonlocal calls
            calls += len(x)
            return denoise(x, sigma)

        return call

    if what in REAL:
        made = REAL[what](drawn.images, generator=generator)
    else:
        network = load_multilevel() if epochs == 32 else _trained(epochs, seed)
        middle = mnist(60_000, seed=0).images.mean(dim=0) * (start == "mean")
        sample = partial(_sample, what, levels, middle, generator)
        asked = _denoisers(what, network, guidance, drawn, counted)
        made = torch.cat([sample(denoise, part) for denoise, part in asked])
    row = {"what": what, "levels": levels, "guidance": guidance}
    row |= {"start": start, "epochs": epochs, "images": images}
    return [row | {"calls": calls // images} | _judged(made, reference)]


def _trained(epochs: int, seed: int) -> Preconditioned:
    """Train a network as the package's was trained, for fewer epochs."""
    torch.manual_seed(seed)
    denoiser = Preconditioned(MultilevelUNet(32, classes=10), SIGMA_DATA, classes=10)
    loader = mnist(60_000, seed=seed).loader(128, shuffle=True, seed=seed)
    train_multilevel(denoiser, loader, epochs=epochs)
    return denoiser.eval()


def _judged(made: Tensor, reference: int) -> dict[str, float]:
    """Compare images with as many test images as are asked for."""
    judge = load_digit_features()
    real, found = (
        features(judge, part) for part in (mnist_test(reference).images, made)
    )
    count = min(len(found), len(real))
    precision, recall = precision_and_recall(real[:count], found[:count])
    digits, true = (judge.head(part).argmax(dim=1) for part in (found, real))
    return {
        "frechet": frechet_distance(found, real),
        "precision": precision,
        "recall": recall,
        "sure": sure(judge, found),
        "uneven": _uneven(digits, true),
    }


def _denoisers(
    what: str,
    network: Preconditioned,
    guidance: float,
    drawn: ImageTensors,
    counted: Callable[[Denoiser], Denoiser],
) -> Iterator[tuple[Denoiser, Tensor]]:
    """Yield a denoiser for each batch of clean images, told their classes."""
    batches = drawn.images.split(BATCH)
    if what == "copies":
        memory = counted(FiniteSet(drawn.images).posterior_mean)
        yield from ((memory, part) for part in batches)
        return
    without = counted(in_half_precision(network))
    for part, labels in zip(batches, drawn.labels.split(BATCH), strict=True):
        told = counted(in_half_precision(_told(network, labels, guidance)))
        yield _steered(told, without, guidance), part


def _told(network: Callable, labels: Tensor, guidance: float) -> Denoiser:
    return network if guidance == 0 else lambda x, sigma: network(x, sigma, labels)


def _steered(denoise: Denoiser, without: Denoiser, guidance: float) -> Denoiser:
    return denoise if guidance in (0, 1) else guided(denoise, without, guidance)


@torch.no_grad()
def _sample(
    what: str,
    count: int,
    middle: Tensor,
    generator: Generator,
    denoise: Denoiser,
    clean: Tensor,
) -> Tensor:
    """Draw images with one of the samplers; walkback starts from clean ones."""
    if what == "walkback":
        return walkback(denoise, clean, 0.5, steps=count, generator=generator)
    levels = noise_levels(count, HIGHEST, LOWEST)
    start = draw_start(clean.shape, HIGHEST, around=middle, generator=generator)
    if what == "Langevin":
        step = {"steps": 5, "step_size": 0.5}
        return langevin(denoise, start, levels, **step, generator=generator)
    if what == "ancestral":
        return step_down(denoise, start, levels, fresh=1.0, generator=generator)
    return (step_down if what == "Euler" else heun)(denoise, start, levels)


def _uneven(found: Tensor, real: Tensor) -> float:
    """Return chi-squared for the counts of the ten digits: about 9 by chance."""
    expected = real.bincount(minlength=10) * len(found) / len(real)
    return ((found.bincount(minlength=10) - expected) ** 2 / expected).sum().item()
