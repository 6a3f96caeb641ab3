"""How good is a denoising autoencoder, from doing nothing to the best that is known?

Every method meets the same noisy test images. Settings are chosen, for each noise
level, by the error on validation images that no network trained on.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import nn

from dae_tutorial.evidence.baselines import (
    fit_linear,
    fit_mean_image,
    fit_pca,
    posterior_mean,
)
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder, ConvAutoencoder, UNet
from dae_tutorial.noise import add_gaussian_noise, add_varied_gaussian_noise, no_noise
from studies.experiments.denoisers import (
    FILTERS,
    Denoiser,
    best,
    measured,
    straightened,
)
from studies.experiments.recipe import mnist_split, mnist_test, train

Candidates = Callable[[float], dict[str, Denoiser]]
"""From σ to the settings that a method offers for it."""

TEST_SET = 10_000  # tested on images from all over it, since its halves differ


def nothing(training: ImageTensors, *, seed: int, steps: int) -> Candidates:
    """Return the noisy image."""
    return lambda sigma: {"": lambda noisy: noisy}


def mean_image(training: ImageTensors, *, seed: int, steps: int) -> Candidates:
    """Answer everything with the average digit."""
    denoise = fit_mean_image(training.images)
    return lambda sigma: {"": denoise}


def untrained(candidates: Candidates) -> Callable[..., Candidates]:
    """Make a method of a filter, which learns nothing from the training set."""
    return lambda training, *, seed, steps: candidates


def pca(training: ImageTensors, *, seed: int, steps: int) -> Candidates:
    """Project onto the principal components of the clean training images."""
    denoisers = {
        f"{count} components": fit_pca(training.images, count)
        for count in (16, 32, 64, 128, 256, 384)
    }
    return lambda sigma: denoisers


def best_linear(training: ImageTensors, *, seed: int, steps: int) -> Candidates:
    """Solve for the linear map of least squared error, anew for every σ."""
    generator = torch.Generator().manual_seed(seed)

    def candidates(sigma: float) -> dict[str, Denoiser]:
        noisy = add_gaussian_noise(training.images, sigma, generator=generator)
        return {"ridge 100": fit_linear(noisy, training.images, 100.0)}

    return candidates


def exact(training: ImageTensors, *, seed: int, steps: int) -> Candidates:
    """Average the training set by how well each image explains the noisy one."""
    return lambda sigma: {
        "": partial(posterior_mean, training=training.images, sigma=sigma)
    }


def clean_trained(training: ImageTensors, *, seed: int, steps: int) -> Candidates:
    """Train the autoencoder without noise, once: it knows no σ."""
    model = train(Autoencoder(), training, no_noise, steps=steps, seed=seed)
    return lambda sigma: {"": model}


def denoising(training: ImageTensors, *, seed: int, steps: int) -> Candidates:
    """Train the same autoencoder on noisy images, anew for every σ."""

    def candidates(sigma: float) -> dict[str, Denoiser]:
        torch.manual_seed(seed)
        corrupt = partial(add_gaussian_noise, noise_factor=sigma)
        return {"": train(Autoencoder(), training, corrupt, steps=steps, seed=seed)}

    return candidates


def blind(build: Callable[[], nn.Module], share: float) -> Callable[..., Candidates]:
    """Make a method that trains one network for all σ from 0 to 1.

    Args:
        build: returns a new network.
        share: of the steps that the dense networks take; whole epochs, so that at
            full size both of them take one.
    """

    def method(training: ImageTensors, *, seed: int, steps: int) -> Candidates:
        model = train(
            build(),
            training,
            add_varied_gaussian_noise,
            steps=max(1, round(share * steps)),
            seed=seed,
            peak=4e-3,
        )
        return lambda sigma: {"": model}

    return method


METHODS = {
    "doing nothing": nothing,
    "mean image": mean_image,
    **{name: untrained(candidates) for name, candidates in FILTERS.items()},
    "PCA": pca,
    "best linear": best_linear,
    "clean-trained AE": clean_trained,
    "DAE": denoising,
    "conv. DAE, blind": blind(ConvAutoencoder, 1 / 4),
    "U-Net, blind": blind(partial(UNet, image_size=28), 1 / 8),
    "posterior mean": exact,
    "posterior mean, own images": exact,
}
"""All methods, by name. The last is tested on images of the training set itself."""

SEEDS = (0, 1, 2)
PARTS = [{"method": name} for name in METHODS]
TOY = {
    "sigmas": (0.5,),
    "train_images": 2000,
    "validation_images": 10,
    "test_images": 40,
    "steps": 250,
}
NOT_COMPARED = ("setting", "milliseconds")  # a near tie may fall either way


def study(
    *,
    seed: int,
    method: str = "DAE",
    sigmas: Sequence[float] = (0.1, 0.25, 0.5, 1.0),
    train_images: int = 50_000,
    validation_images: int = 50,
    test_images: int = 200,
    steps: int = 1564,
) -> list[dict]:
    """Denoise the same test images with one method, at several noise levels.

    Args:
        seed: of the drawn training images, the initial weights and all noise.
        method: a name in `METHODS`.
        sigmas: standard deviations of the noise, which is clipped to [0, 1].
        train_images: how many images to train or fit on.
        validation_images: how many more to choose settings on.
        test_images: how many to test on.
        steps: optimiser steps of the dense networks, batches of 128.

    Returns:
        One row a noise level: method, sigma, the setting that was chosen, mse, psnr
        and ssim, averaged over images, and milliseconds an image.

    Examples:
        >>> rows = study(seed=0, **TOY | {"method": "doing nothing"})
        >>> rows[0]["method"], rows[0]["sigma"]
        ('doing nothing', 0.5)
    """
    torch.manual_seed(seed)
    training, validation = mnist_split(train_images, validation_images, seed=seed)
    clean = mnist_test().images[:: TEST_SET // test_images][:test_images]
    if method.endswith("own images"):
        clean = training.images[:test_images]
    candidates = METHODS[method](training, seed=seed, steps=steps)
    rows = []
    for sigma in sigmas:
        offered = candidates(sigma)
        generator = torch.Generator().manual_seed(seed)
        seen = add_gaussian_noise(validation, sigma, generator=generator)
        if method in FILTERS:
            offered = {s: straightened(f, seen, validation) for s, f in offered.items()}
        setting, denoise = best(offered, seen, validation)
        noisy = add_gaussian_noise(clean, sigma, generator=generator)
        row = {"method": method, "sigma": sigma, "setting": setting}
        rows.append(row | measured(denoise, noisy, clean))
    return rows
