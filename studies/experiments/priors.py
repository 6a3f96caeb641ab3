"""One denoiser, six tasks that it was never trained for, and what else there is.

Pixels are missing, a box is, the picture is blurred or small, and noise of 0.05 is on
all that was measured. The denoiser of all levels that comes with the package fills in
under several solvers. Beside it stand the pseudo-inverse, total variation, and the
exact answer for who knows the training images and nothing else. (The study of boxes
adds a network that was trained for its task.) Each solver's settings are the best of a
few by PSNR on validation images. As the denoiser has seen all training images, these
are test images that no score is measured on. Results are cut to [0, 1] before they are
scored.
"""

from collections.abc import Callable
from functools import cache

import torch
from torch import Generator, Tensor

from dae_tutorial.beyond.operators import LinearOperator, Mask
from dae_tutorial.evaluate import psnr
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.theory.pretrained import load_digit_features
from dae_tutorial.theory.sample_quality import DigitFeatures, frechet_distance
from studies.experiments.recipe import mnist, mnist_test
from studies.experiments.restorers import (
    METHODS,
    NOISE,
    TASKS,
    Offered,
    Solver,
    measure,
)
from studies.experiments.samples import features

SCORED = 9000  # of the test images; settings are chosen on the others
SURE = 0.9

SEEDS = (0, 1, 2)
EXACT = ("training set", "near the training set")
PARTS = [
    *({"task": task} for task in TASKS),
    {"task": "quarter size", "source": "training", "methods": EXACT},
]
TOY = {"images": 80, "validation": 4, "rounds": 3, "known": 500} | {
    "methods": ("pseudo-inverse", "plug-and-play, falling")
}


def study(
    *,
    seed: int,
    task: str = "box",
    source: str = "test",
    images: int = 80,
    validation: int = 8,
    rounds: int = 16,
    known: int = 60_000,
    methods: tuple[str, ...] = (),
) -> list[dict]:
    """Measure test images in one way, and solve for them in several.

    Args:
        seed: of the images, masks and noise.
        task: a name in `TASKS`.
        source: of the images that are scored, "test" or "training"; they are the ones
            that the exact answer knows, and the denoiser has seen.
        images: how many are scored, at least 65.
        validation: how many test images settings are chosen on.
        rounds: of each solver, a call of its denoiser each; DiffPIR has two thirds.
        known: training images that the exact answer knows.
        methods: names in `METHODS`; all by default.

    Returns:
        A row for each method, and one for the clean images themselves: task, source,
        method, setting, calls (of a denoiser, an image), psnr (no more than 100 for an
        image), consistency (the root of the mean square of y - A x̂, in units of the
        noise), frechet (to all test images), and invented (the share of images in which
        a classifier is more than 0.9 sure of a digit that it is not).

    Examples:
        >>> rows = study(seed=0, **TOY)
        >>> [(row["method"], row["calls"]) for row in rows]
        [('clean images', 0), ('pseudo-inverse', 0), ('plug-and-play, falling', 3)]
    """
    generator = Generator().manual_seed(seed)
    clean, others = drawn(source, images, validation, generator)
    test, choice = (measure(task, part, generator) for part in (clean.images, others))
    score = scorer(*test, clean)
    row = {"task": task, "source": source, "method": "clean images", "setting": ""}
    row["calls"] = 0
    rows = [row | score(clean.images)]
    for method in methods or METHODS:
        offered = METHODS[method](rounds=rounds, known=known)
        row["method"] = method
        row["setting"], solve, row["calls"] = best(offered, choice, others)
        found = solve(*test, Generator().manual_seed(seed)).clamp(0, 1)
        rows.append(row | score(found))
    return rows


def drawn(
    source: str, images: int, validation: int, generator: Generator
) -> tuple[ImageTensors, Tensor]:
    """Return images to score, with their labels, and others to choose settings on."""
    test = mnist_test()
    order = torch.randperm(SCORED, generator=generator)[:images]
    others = SCORED + torch.randperm(1000, generator=generator)[:validation]
    if source == "training":
        seed = int(torch.randint(2**31, (), generator=generator))
        return mnist(images, seed=seed), test.images[others]
    return ImageTensors(test.images[order], test.labels[order]), test.images[others]


def best(
    offered: Offered, choice: tuple[LinearOperator, Tensor], clean: Tensor
) -> tuple[str, Solver, int]:
    """Return the setting of the highest PSNR on validation images."""
    settings = list(offered)
    if len(settings) == 1:
        return settings[0]

    def score(setting: tuple[str, Solver, int]) -> float:
        found = setting[1](*choice, Generator().manual_seed(0))
        return psnr(found.clamp(0, 1), clean).mean().item()

    return max(settings, key=score)


@cache
def real_features() -> tuple[DigitFeatures, Tensor]:
    """Return the judge, and what it sees in all test images."""
    judge = load_digit_features()
    return judge, features(judge, mnist_test().images)


def scorer(
    operator: LinearOperator, measured: Tensor, clean: ImageTensors
) -> Callable[[Tensor], dict[str, float]]:
    """Return what scores images in [0, 1], against clean ones and the measurement."""
    judge, real = real_features()
    numbers = operator.seen.sum() if isinstance(operator, Mask) else measured.numel()

    def score(found: Tensor) -> dict[str, float]:
        missed = (operator.forward(found) - measured).square().sum()
        seen = features(judge, found)
        with torch.no_grad():
            sure, digits = judge.head(seen).softmax(dim=1).max(dim=1)
        wrong = (sure > SURE) & (digits != clean.labels)
        return {
            "psnr": psnr(found, clean.images).clamp(max=100).mean().item(),
            "consistency": (missed / numbers).sqrt().item() / NOISE,
            "frechet": frechet_distance(seen, real),
            "invented": wrong.double().mean().item(),
        }

    return score
