"""How far does the code of a digit move when the digit changes a little?

Distances mean nothing by themselves: a code that shrinks everything moves little. So
each is divided by the distance between the codes of different digits.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn
from torchvision.transforms.v2.functional import InterpolationMode, rotate

from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise, add_masking_noise, no_noise
from studies.experiments.recipe import mnist_split, mnist_test, seeded, train

LENGTH = 32
BATCH = 128

Features = Callable[[Tensor], Tensor]

SEEDS = (0, 1, 2)
PARTS = [{"epochs": 0}, {"epochs": 2}, {"epochs": 16}]
TOY = {
    "train_images": 4000,
    "validation_images": 200,
    "test_images": 300,
    "epochs": 5,
}


def turned(images: Tensor, degrees: float) -> Tensor:
    """Rotate images about their centre, black coming in at the corners."""
    return rotate(images, degrees, interpolation=InterpolationMode.BILINEAR)


def thicker(images: Tensor) -> Tensor:
    """Widen each stroke by a pixel on both sides: the maximum of its neighbours."""
    return nn.functional.max_pool2d(images, 3, stride=1, padding=1)


UNTRAINED = ("pixels", "random projection", "PCA")
TRAININGS = {
    "AE": no_noise,
    "DAE, clipped": partial(add_gaussian_noise, noise_factor=0.5),
    "DAE, unclipped": partial(add_gaussian_noise, noise_factor=0.5, clip=False),
    "DAE, masking": partial(add_masking_noise, mask_prob=0.5),
}
NOISES = {
    **{
        (f"Gaussian {sigma}", clip): partial(
            add_gaussian_noise, noise_factor=sigma, clip=clip == "clipped"
        )
        for sigma in (0.25, 0.5)
        for clip in ("clipped", "unclipped")
    },
    ("masking 0.5", "neither"): partial(add_masking_noise, mask_prob=0.5),
}
DEFORMATIONS = {
    "shift 1": lambda images: images.roll(1, dims=-1),
    "shift 2": lambda images: images.roll(2, dims=-1),
    "rotation 10": partial(turned, degrees=10),
    "rotation 20": partial(turned, degrees=20),
    "thicker": thicker,
}


def study(
    *,
    seed: int,
    train_images: int = 50_000,
    validation_images: int = 2000,
    test_images: int = 10_000,
    epochs: int = 16,
) -> list[dict]:
    """Compare the features of trained, fitted and random encoders.

    Args:
        seed: of the images, of all weights and of the training noise.
        train_images: how many images to train on.
        validation_images: how many more, to fit offsets on.
        test_images: how many images to change and compare.
        epochs: passes of each autoencoder over the training images; with 0, the
            features that need no training are compared.

    Returns:
        One row for each kind of features and change: features, epochs, change; clip,
        "clipped" or "unclipped", or "neither" where the change is no Gaussian noise;
        and what `compared` returns. Under noise, two noisy copies are compared; else
        an image and its deformed version.

    Examples:
        >>> rows = study(seed=0, **TOY | {"epochs": 0})
        >>> rows[0]["features"], rows[0]["change"], rows[0]["clip"]
        ('pixels', 'Gaussian 0.25', 'clipped')
    """
    images, validation = mnist_split(train_images, validation_images, seed=seed)
    test = mnist_test(test_images)
    rows = []
    for name in TRAININGS if epochs else UNTRAINED:
        encode = fitted(name, images, epochs=epochs, seed=seed)
        own = {"features": name, "epochs": epochs}
        for (change, clip), noise in NOISES.items():
            met = TRAININGS.get(name, no_noise)(validation, generator=seeded(2))
            before = (noise(validation, generator=seeded(3)) - met).mean(dim=0)
            copies = [noise(test.images, generator=seeded(draw)) for draw in (0, 1)]
            row = own | {"change": change, "clip": clip}
            rows.append(row | compared(encode, test, *copies, before))
        for change, deformed in DEFORMATIONS.items():
            row = own | {"change": change, "clip": "neither"}
            pair = test.images, deformed(test.images)
            rows.append(row | compared(encode, test, *pair, torch.zeros(())))
    return rows


def compared(
    encode: Features, test: ImageTensors, one: Tensor, other: Tensor, before: Tensor
) -> dict[str, float]:
    """Compare the features of two versions of each image.

    Args:
        encode: maps images to features, (count, length).
        test: the images themselves, with labels.
        one: a version of each, (count, 1, 28, 28).
        other: another one.
        before: how much brighter these are than the images that the features were
            made for, (1, 28, 28).

    Returns:
        moved and found, as in `stability`; moved_off, with `before` taken off both
        versions; moved_clean, from the image itself to the other version; and common,
        the share of that move, squared, which all images have in common.
    """
    original, after = encode(test.images), encode(other)
    off = stability(encode(one - before), encode(other - before), test.labels)
    move = after - original
    common = move.mean(dim=0).square().sum() / move.square().sum(dim=1).mean()
    return {
        **stability(encode(one), after, test.labels),
        "moved_off": off["moved"],
        "moved_clean": stability(original, after, test.labels)["moved"],
        "common": common.item(),
    }


def stability(before: Tensor, after: Tensor, labels: Tensor) -> dict[str, float]:
    """Score how little features change, beside how much digits differ.

    Args:
        before: features of the images, (count, length).
        after: features of the same images, changed.
        labels: (count,).

    Returns:
        moved, the mean distance between the features of an image before and after,
        over the mean distance between images of different digits before; and found,
        the share of images whose features after lie nearer to their own before than
        to those of any other image.

    Examples:
        >>> before = torch.tensor([[0.0], [10.0]])
        >>> stability(before, before + 1, torch.tensor([3, 4]))
        {'moved': 0.1, 'found': 1.0}
    """
    different = labels[:, None] != labels
    between = (torch.cdist(before, before) * different).sum() / different.sum()
    moved = (after - before).norm(dim=1).mean() / between
    nearest = torch.cdist(after, before).argmin(dim=1)
    found = (nearest == torch.arange(len(before))).float().mean()
    return {"moved": round(moved.item(), 6), "found": round(found.item(), 6)}


def fitted(name: str, images: ImageTensors, *, epochs: int, seed: int) -> Features:
    """Return an encoder by the name of its features, fitted to training images.

    Examples:
        >>> images = ImageTensors(torch.rand(50, 1, 28, 28))
        >>> encode = fitted("random projection", images, epochs=0, seed=0)
        >>> encode(images.images).shape
        torch.Size([50, 32])
    """
    if name in TRAININGS:
        torch.manual_seed(seed)
        model = Autoencoder(latent_dim=LENGTH)
        steps = epochs * math.ceil(len(images) / BATCH)
        train(model, images, TRAININGS[name], steps=steps, seed=seed, batch_size=BATCH)
        return torch.no_grad()(model.encode)
    if name == "PCA":
        pca = PCA(LENGTH, svd_solver="covariance_eigh").fit(images.images.flatten(1))
        matrix = torch.tensor(pca.components_.T, dtype=torch.float32)
    elif name == "random projection":
        generator = torch.Generator().manual_seed(seed)
        matrix = torch.randn(784, LENGTH, generator=generator)
    else:
        return lambda shown: shown.flatten(start_dim=1)
    return lambda shown: shown.flatten(start_dim=1) @ matrix
