"""How far does the code of a digit move when the digit changes a little?

Distances mean nothing by themselves: a code that shrinks everything moves little. So
each is divided by the distance between the codes of different digits.
"""

from collections.abc import Callable
from functools import partial

import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn
from torchvision.transforms.v2.functional import InterpolationMode, rotate

from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise, add_masking_noise, no_noise
from studies.experiments.recipe import mnist, mnist_test, train

LENGTH = 32

Features = Callable[[Tensor], Tensor]

SEEDS = (0, 1, 2)
TOY = {"train_images": 4000, "test_images": 300, "steps": 150}


def turned(images: Tensor, degrees: float) -> Tensor:
    """Rotate images about their centre, black coming in at the corners."""
    return rotate(images, degrees, interpolation=InterpolationMode.BILINEAR)


def thicker(images: Tensor) -> Tensor:
    """Widen each stroke by a pixel on both sides: the maximum of its neighbours."""
    return nn.functional.max_pool2d(images, 3, stride=1, padding=1)


CHANGES = {
    "Gaussian 0.25": partial(add_gaussian_noise, noise_factor=0.25),
    "Gaussian 0.5": partial(add_gaussian_noise, noise_factor=0.5),
    "masking 0.5": partial(add_masking_noise, mask_prob=0.5),
    "shift 1": lambda images, generator: images.roll(1, dims=-1),
    "shift 2": lambda images, generator: images.roll(2, dims=-1),
    "rotation 10": lambda images, generator: turned(images, 10),
    "rotation 20": lambda images, generator: turned(images, 20),
    "thicker": lambda images, generator: thicker(images),
}


def study(
    *,
    seed: int,
    train_images: int = 60_000,
    test_images: int = 1000,
    steps: int = 938,
) -> list[dict]:
    """Compare the features of trained, fitted and random encoders.

    Args:
        seed: of the training images, of all weights and of the training noise.
        train_images: how many images to train on.
        test_images: how many images to change and compare.
        steps: optimiser steps of each autoencoder.

    Returns:
        One row for each kind of features and change: moved, the mean distance between
        the features of an image and of its changed version, over the mean distance
        between images of different digits; and found, the share of changed images
        whose nearest neighbour among all unchanged ones is their own original.

    Examples:
        >>> rows = study(seed=0, **TOY | {"steps": 10})
        >>> rows[0]["features"], rows[0]["change"]
        ('pixels', 'Gaussian 0.25')
    """
    images = mnist(train_images, seed=seed)
    test = mnist_test(test_images)
    rows = []
    for name, features in _all_features(images, steps=steps, seed=seed).items():
        for change, changed in CHANGES.items():
            generator = torch.Generator().manual_seed(0)
            after = changed(test.images, generator=generator)
            scores = stability(features(test.images), features(after), test.labels)
            rows.append({"features": name, "change": change, **scores})
    return rows


def stability(before: Tensor, after: Tensor, labels: Tensor) -> dict[str, float]:
    """Score how little features change, beside how much digits differ.

    Args:
        before: features of the images, (count, length).
        after: features of the same images, changed.
        labels: (count,).

    Returns:
        moved and found, as in `study`.

    Examples:
        >>> before = torch.tensor([[0.0], [10.0]])
        >>> stability(before, before + 1, torch.tensor([3, 4]))
        {'moved': 0.1, 'found': 1.0}
    """
    between = torch.cdist(before, before)[labels[:, None] != labels].mean()
    moved = (after - before).norm(dim=1).mean() / between
    nearest = torch.cdist(after, before).argmin(dim=1)
    found = (nearest == torch.arange(len(before))).float().mean()
    return {"moved": round(moved.item(), 6), "found": round(found.item(), 6)}


def _all_features(images: ImageTensors, *, steps: int, seed: int) -> dict:
    flat = images.images[:10_000].flatten(start_dim=1)
    projection = torch.randn(784, LENGTH, generator=torch.Generator().manual_seed(seed))
    pca = PCA(LENGTH, svd_solver="covariance_eigh").fit(flat)
    components = torch.tensor(pca.components_.T, dtype=torch.float32)
    return {
        "pixels": partial(_projected, matrix=torch.eye(784)),
        "random projection": partial(_projected, matrix=projection),
        "PCA": partial(_projected, matrix=components),
        "AE": _trained(images, no_noise, steps, seed),
        "DAE, Gaussian": _trained(images, add_gaussian_noise, steps, seed),
        "DAE, masking": _trained(images, add_masking_noise, steps, seed),
    }


def _projected(images: Tensor, *, matrix: Tensor) -> Tensor:
    return images.flatten(start_dim=1) @ matrix


def _trained(images: ImageTensors, corrupt: Callable, steps: int, seed: int):
    torch.manual_seed(seed)
    model = Autoencoder(latent_dim=LENGTH)
    train(model, images, corrupt, steps=steps, seed=seed)
    return torch.no_grad()(model.encode)
