"""Do samples copy training images, and how does that depend on how many there are?

One small network is trained for all noise levels, with as many steps and as large
batches on 10 images as on 60,000, and draws new ones. How far do they lie from the
nearest training image, and how far do test images? Beside it stands the best denoiser
that there can be for exactly those training images, which copies, and the larger
network that comes with the package. Samplers start from noise around the mean of the
training images, as noisy ones lie.
"""

import torch
from torch import Generator, Tensor
from torch.utils.data import DataLoader, RandomSampler

from dae_tutorial.loaders import ImageTensors
from dae_tutorial.theory.multilevel import Preconditioned
from dae_tutorial.theory.multilevel_unet import MultilevelUNet
from dae_tutorial.theory.pretrained import load_digit_features, load_multilevel
from dae_tutorial.theory.sample_quality import frechet_distance
from dae_tutorial.theory.sampling import Denoiser, draw_start, heun, noise_levels
from dae_tutorial.theory.score import FiniteSet
from studies.experiments.recipe import mnist, mnist_test
from studies.experiments.samples import (
    HIGHEST,
    LOWEST,
    SIGMA_DATA,
    features,
    train_multilevel,
)

COPY = 1 / 3  # nearest training image, as a share of the distance to the second nearest

SEEDS = (0, 1, 2)
SIZES = (10, 100, 1000, 10_000, 60_000)
PARTS = [
    {"denoiser": "shipped", "images": 60_000},
    *({"denoiser": "exact", "images": size} for size in SIZES[:4]),
    *({"denoiser": "trained", "images": size} for size in SIZES),
    {"denoiser": "trained", "images": 100, "steps": 500},
]
TOY = {"images": 10, "steps": 150, "width": 8, "levels": 6, "samples": 100}


def study(
    *,
    seed: int,
    denoiser: str = "trained",
    images: int = 60_000,
    steps: int = 2000,
    width: int = 16,
    levels: int = 18,
    samples: int = 1000,
    batch_size: int = 64,
) -> list[dict]:
    """Draw images with a denoiser that knows some training images.

    Args:
        seed: of the choice of images, the training and the samples.
        denoiser: "trained" here, "shipped" with the package, or "exact", the posterior
            mean over the training images.
        images: how many training images it knows; the shipped one, all 60,000.
        steps: of the training.
        width: of the network that is trained here.
        levels: noise levels of Heun's method.
        samples: how many images are drawn, and how many test images stand beside them.
        batch_size: of the training.

    Returns:
        One row: denoiser, images, steps (0 where nothing is trained here), samples,
        distance and test_distance (medians of how far samples and test images lie from
        their nearest training image), ratio (of the two), copied and test_copied (the
        share whose nearest training image is nearer than a third of the second
        nearest), and frechet (to all test images).

    Examples:
        >>> [row] = study(seed=0, **TOY | {"denoiser": "exact"})
        >>> row["ratio"] < 0.05, row["copied"]
        (True, 1.0)
    """
    known = mnist(images, seed=seed)
    if denoiser == "trained":
        denoise = _trained(known, width, steps, batch_size, seed)
    elif denoiser == "shipped":
        denoise, steps = load_multilevel(), 0
    else:
        denoise, steps = FiniteSet(known.images).posterior_mean, 0
    middle = known.images.mean(dim=0)
    drawn = draw_images(denoise, samples, levels, around=middle, seed=seed)
    row = {"denoiser": denoiser, "images": images, "steps": steps, "samples": samples}
    row |= closeness(drawn, mnist_test(samples).images, known.images)
    judge = load_digit_features()
    row["frechet"] = frechet_distance(
        *(features(judge, part) for part in (drawn, mnist_test().images))
    )
    return [row]


def closeness(drawn: Tensor, test: Tensor, known: Tensor) -> dict[str, float]:
    """Say how near samples lie to training images, and how near test images do.

    Args:
        drawn: samples, (count, ...).
        test: images that no denoiser has seen, (other count, ...).
        known: training images, at least two.

    Returns:
        distance, test_distance, ratio, copied, test_copied: see `study`.
    """
    near, far = _two_nearest(drawn, known)
    test_near, test_far = _two_nearest(test, known)
    distance, test_distance = near.median().item(), test_near.median().item()
    return {
        "distance": distance,
        "test_distance": test_distance,
        "ratio": distance / test_distance,
        "copied": (near < COPY * far).double().mean().item(),
        "test_copied": (test_near < COPY * test_far).double().mean().item(),
    }


@torch.no_grad()
def draw_images(
    denoise: Denoiser, count: int, levels: int, *, around: Tensor, seed: int
) -> Tensor:
    """Draw images with Heun's method, cut to [0, 1]; (count, *around.shape)."""
    start = draw_start(
        (count, *around.shape),
        HIGHEST,
        around=around,
        generator=Generator().manual_seed(seed),
    )
    falling = noise_levels(levels, HIGHEST, LOWEST)
    parts = [heun(denoise, part, falling) for part in start.split(250)]
    return torch.cat(parts).clamp(0, 1)


def _trained(
    known: ImageTensors, width: int, steps: int, batch_size: int, seed: int
) -> Preconditioned:
    """Train on images drawn with replacement: a step costs the same for any number."""
    torch.manual_seed(seed)
    denoiser = Preconditioned(MultilevelUNet(width, classes=0), SIGMA_DATA)
    generator = Generator().manual_seed(seed)
    sampler = RandomSampler(
        known, replacement=True, num_samples=steps * batch_size, generator=generator
    )
    loader = DataLoader(known, batch_size, sampler=sampler, generator=generator)
    train_multilevel(denoiser, loader, epochs=1)
    return denoiser.eval()


def _two_nearest(images: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Return the distances to the nearest and the second nearest, each (count,)."""
    images, known = images.flatten(start_dim=1), known.flatten(start_dim=1)
    parts = [
        torch.cdist(part, known).topk(2, largest=False).values
        for part in images.split(250)
    ]
    return torch.cat(parts).unbind(dim=1)
