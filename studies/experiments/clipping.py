"""Clipped or not? How much of each verdict is the offset that clipping adds.

Clipped noise is brighter than the image by a fixed amount where the image is black. A
network that trains on it learns to take that off; its rivals cannot. So each is scored
on clipped and on unclipped noise, and once more with its offset taken off.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from dae_tutorial.evaluate import mean_squared_error
from dae_tutorial.evidence.baselines import fit_pca
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise, add_masking_noise, no_noise
from dae_tutorial.train import Corruption
from studies.experiments import does_noise_help as shallow
from studies.experiments.recipe import (
    PEAK,
    mnist_split,
    mnist_test,
    offset_off,
    passed_on,
    seeded,
    train,
)
from studies.experiments.stable_features import stability

SIGMA = 0.5
NOISES = {
    "clipped": add_gaussian_noise,
    "unclipped": partial(add_gaussian_noise, clip=False),
}
TRAININGS = {
    "clean": no_noise,
    "masking": partial(add_masking_noise, mask_prob=0.5),
    **{name: partial(add, noise_factor=SIGMA) for name, add in NOISES.items()},
}
GAUSSIAN = ("clean", *NOISES)

SHALLOW = {f"{size} units": size for size in (8, 32, 128, 1024)}

SEEDS = (0, 1, 2)
PARTS = [
    *(
        {"network": name, "epochs": epochs, "trainings": GAUSSIAN, "levels": (SIGMA,)}
        for name in SHALLOW
        for epochs in (1, 4, 8)
    ),
    *({"network": "dense", "epochs": epochs} for epochs in (1, 2, 4, 8, 16)),
    {"network": "PCA", "trainings": ("clean",), "epochs": 0},
]
TOY = {
    "train_images": 2000,
    "validation_images": 200,
    "test_images": 400,
    "epochs": 4,
}


def study(
    *,
    seed: int,
    network: str = "dense",
    epochs: int = 4,
    trainings: Sequence[str] = tuple(TRAININGS),
    levels: Sequence[float] = (0.1, 0.25, SIGMA),
    train_images: int = 50_000,
    validation_images: int = 2000,
    test_images: int = 10_000,
) -> list[dict]:
    """Train one network on several noises, and score each on both Gaussian noises.

    Args:
        seed: of the drawn images, the initial weights and the training noise.
        network: a name in `SHALLOW`, "dense", or "PCA" for 32 principal components.
        epochs: passes over the training images; PCA needs none.
        trainings: names in `TRAININGS`.
        levels: standard deviations of the noise in the test.
        train_images: how many images to train on.
        validation_images: how many more to fit offsets on.
        test_images: how many to test on.

    Returns:
        One row for each training, test noise and level: network, epochs, training,
        noise ("clipped" or "unclipped"), sigma; and the scores of `scores`.

    Examples:
        >>> rows = study(seed=0, **TOY | {"epochs": 1})
        >>> rows[0]["training"], rows[0]["noise"], rows[0]["sigma"]
        ('clean', 'clipped', 0.1)
    """
    images, validation = mnist_split(train_images, validation_images, seed=seed)
    test = mnist_test(test_images)
    rows = []
    for training in trainings:
        corrupt = TRAININGS[training]
        model = trained(network, corrupt, images, epochs=epochs, seed=seed)
        for noise, add in NOISES.items():
            for sigma in levels:
                row = {"network": network, "epochs": epochs, "training": training}
                meets = partial(add, noise_factor=sigma)
                found = scores(model, corrupt, meets, validation, test)
                rows.append(row | {"noise": noise, "sigma": sigma} | found)
    return rows


def trained(
    network: str, corrupt: Corruption, images: ImageTensors, *, epochs: int, seed: int
) -> nn.Module:
    """Train a network by its name; all trainings of a seed begin alike."""
    if network == "PCA":
        return fit_pca(images.images, 32)
    batch_size, peak = (
        (shallow.BATCH, shallow.PEAK) if network in SHALLOW else (128, PEAK)
    )
    torch.manual_seed(seed)
    if network in SHALLOW:
        model = shallow.shallow_autoencoder(SHALLOW[network])
        shallow.start_at_mean(model, images.images)
    else:
        model = Autoencoder()
    steps = epochs * math.ceil(len(images) / batch_size)
    recipe = {"steps": steps, "batch_size": batch_size, "peak": peak, "seed": seed}
    return train(model, images, corrupt, **recipe).eval()


@torch.no_grad()
def scores(
    model: nn.Module,
    met: Corruption,
    meets: Corruption,
    validation: Tensor,
    test: ImageTensors,
) -> dict[str, float]:
    """Score a model on one noise, as it is and with its offset taken off.

    Args:
        model: maps images to reconstructions.
        met: the noise of its training.
        meets: the noise of the test.
        validation: clean images to fit offsets on, (count, 1, 28, 28).
        test: clean images with labels. Codes are compared on every fifth.

    Returns:
        clean and noisy, the mean squared errors on clean and on noisy test images;
        clean_off and noisy_off, the same with the offset taken off; passed and
        passed_copies, the share of the noise that comes out again, by the clean image
        and a noisy copy and by two noisy copies; moved, moved_off and moved_copies,
        how far codes move: from clean to noisy, the same with the common shift taken
        off, and from one noisy copy to another.
    """

    def reconstruct(images: Tensor) -> Tensor:
        return model(images).reshape(images.shape)

    noisy, copy = (meets(test.images, generator=seeded(draw)) for draw in (0, 1))
    off = partial(offset_off, reconstruct, met(validation, generator=seeded(2)))
    seen = meets(validation, generator=seeded(3))
    errors = {
        "clean": reconstruct(test.images),
        "clean_off": off(validation, validation)(test.images),
        "noisy": reconstruct(noisy),
        "noisy_off": off(seen, validation)(noisy),
    }
    inked = test.images.mean(dim=0) > 0.1  # all models know that the border is black
    share = partial(passed_on, where=inked)
    return {
        **{name: _error(image, test.images) for name, image in errors.items()},
        "passed": share(noisy - test.images, errors["noisy"] - errors["clean"]),
        "passed_copies": share(noisy - copy, errors["noisy"] - reconstruct(copy)),
        **_moves(encoder(model), meets, validation, test),
    }


def encoder(model: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return what maps images to codes, (batch, length).

    PCA's reconstructions serve as its codes: they lie as far apart.
    """
    if isinstance(model, Autoencoder):
        return model.encode
    if isinstance(model, nn.Sequential):
        return model[:3]
    return lambda images: model(images).flatten(start_dim=1)


def _moves(
    encode: Callable, meets: Corruption, validation: Tensor, test: ImageTensors
) -> dict[str, float]:
    clean, labels = test.images[::5], test.labels[::5]
    codes, noisy, copy = (
        encode(images)
        for images in (
            clean,
            *(meets(clean, generator=seeded(draw)) for draw in (0, 1)),
        )
    )
    seen = meets(validation, generator=seeded(3))
    shift = (encode(seen) - encode(validation)).mean(dim=0)
    return {
        "moved": stability(codes, noisy, labels)["moved"],
        "moved_off": stability(codes, noisy - shift, labels)["moved"],
        "moved_copies": stability(noisy, copy, labels)["moved"],
    }


def _error(image: Tensor, clean: Tensor) -> float:
    """Score images cut to [0, 1], where networks' own results lie anyway."""
    return mean_squared_error(image.clamp(0, 1), clean).mean().item()
