"""How good is a denoising autoencoder, from doing nothing to the best that is known?

Every method meets the same noisy test images. Settings are chosen, for each noise
level, by the error on validation images that no network trained on. All of this with
clipped and with unclipped noise; and since a method that never saw the noise cannot
know what clipping does to the brightness, it is scored once more with that corrected.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from dae_tutorial.evidence.baselines import fit_linear, fit_pca, posterior_mean
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder, ConvAutoencoder, UNet
from dae_tutorial.noise import add_gaussian_noise, add_varied_gaussian_noise, no_noise
from dae_tutorial.train import Corruption
from studies.experiments.denoisers import (
    CORRECTIONS,
    FILTERS,
    Denoiser,
    best,
    measured,
)
from studies.experiments.recipe import (
    mnist_split,
    mnist_test,
    seeded,
    train,
)

Candidates = Callable[[float], dict[str, Denoiser]]
"""From σ to the settings that a method offers for it."""

TEST_SET = 10_000  # tested on images from all over it, since its halves differ
# Of several peaks the best on validation images, for the DAE on both noises and for its
# twin on clean images. The U-Net's leaves a margin: with one seed, 4e-3 had 1 % less
# error.
PEAKS = {"dense": 1.5e-2, "convolutional": 8e-3, "U-Net": 3e-3}
FEW = slice(60)  # of the validation images: enough to choose a setting


def nothing(training: ImageTensors, **recipe) -> Candidates:
    """Return the noisy image."""
    return lambda sigma: {"": lambda noisy: noisy}


def mean_image(training: ImageTensors, **recipe) -> Candidates:
    """Answer everything with the average digit."""
    answer = partial(_answer, image=training.images.mean(dim=0))
    return lambda sigma: {"": answer}


def _answer(noisy: Tensor, image: Tensor) -> Tensor:
    return image.expand_as(noisy)


def untrained(candidates: Candidates) -> Callable[..., Candidates]:
    """Make a method of a filter, which learns nothing from the training set."""
    return lambda training, **recipe: candidates


def pca(training: ImageTensors, **recipe) -> Candidates:
    """Project onto the principal components of the clean training images."""
    denoisers = {
        f"{count} components": fit_pca(training.images, count)
        for count in (16, 32, 64, 128, 256, 384)
    }
    return lambda sigma: denoisers


def best_linear(training: ImageTensors, *, clip: bool, seed: int, **_) -> Candidates:
    """Solve for the linear map of least squared error, anew for every σ."""
    generator = torch.Generator().manual_seed(seed)

    def candidates(sigma: float) -> dict[str, Denoiser]:
        clean = training.images
        noisy = add_gaussian_noise(clean, sigma, clip=clip, generator=generator)
        return {f"ridge {r}": fit_linear(noisy, clean, r) for r in (10, 100)}

    return candidates


def exact(training: ImageTensors, *, clip: bool, **recipe) -> Candidates:
    """Average the training set by how well each image explains the noisy one."""
    known = partial(posterior_mean, training=training.images, clip=clip)
    return lambda sigma: {"": partial(known, sigma=sigma)}


def dense() -> nn.Module:
    """Build the autoencoder, with images for its rows of pixels."""
    return nn.Sequential(Autoencoder(), nn.Unflatten(1, (1, 28, 28)))


def trained(
    build: Callable[[], nn.Module],
    corrupt: Corruption,
    training: ImageTensors,
    *,
    epochs: int,
    seed: int,
    peak: float = PEAKS["dense"],
) -> nn.Module:
    """Train a network; all of a kind and a seed begin alike."""
    torch.manual_seed(seed)
    steps = epochs * len(training.loader(128))
    return train(build(), training, corrupt, steps=steps, seed=seed, peak=peak).eval()


def clean_trained(training: ImageTensors, *, clip: bool, **recipe) -> Candidates:
    """Train the autoencoder without noise, once: it knows no σ."""
    model = trained(dense, no_noise, training, **recipe)
    return lambda sigma: {"": model}


def denoising(training: ImageTensors, *, clip: bool, **recipe) -> Candidates:
    """Train the same autoencoder on noisy images, anew for every σ."""

    def candidates(sigma: float) -> dict[str, Denoiser]:
        corrupt = partial(add_gaussian_noise, noise_factor=sigma, clip=clip)
        return {"": trained(dense, corrupt, training, **recipe)}

    return candidates


def blind(build: Callable[[], nn.Module], peak: float) -> Callable[..., Candidates]:
    """Make a method that trains one network for all σ from 0 to 1."""

    def method(training: ImageTensors, *, clip: bool, **recipe) -> Candidates:
        corrupt = partial(add_varied_gaussian_noise, clip=clip)
        model = trained(build, corrupt, training, peak=peak, **recipe)
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
    "conv. DAE, blind": blind(ConvAutoencoder, PEAKS["convolutional"]),
    "U-Net, blind": blind(partial(UNet, image_size=28), PEAKS["U-Net"]),
    "posterior mean": exact,
    "posterior mean, own images": exact,
}
"""All methods, by name. The last is tested on images of the training set itself."""

NONE = {"as it is": CORRECTIONS["as it is"]}
NEVER_SAW_NOISE = ("doing nothing", *FILTERS, "PCA", "clean-trained AE")
DENSE = ("clean-trained AE", "DAE")
EPOCHS = dict.fromkeys(METHODS, 1) | dict.fromkeys(("doing nothing", *FILTERS), 0)
EPOCHS |= dict.fromkeys(DENSE, 4)

SEEDS = (0, 1, 2)
PARTS = [
    {"clip": clip, "method": method, "epochs": epochs, **sigmas}
    for clip in ("clipped", "unclipped")
    for method, epochs, sigmas in (
        *((method, epochs, {}) for method, epochs in EPOCHS.items()),
        *((method, 16, {"sigmas": (0.5,)}) for method in DENSE),
    )
]
TOY = {
    "sigmas": (0.5,),
    "train_images": 2000,
    "validation_images": 100,
    "test_images": 40,
    "epochs": 16,
}
# Times differ, and a near tie between settings may fall either way.
NOT_COMPARED = ("setting", "setting_off", "seconds", "milliseconds")


def study(
    *,
    seed: int,
    clip: str = "clipped",
    method: str = "DAE",
    epochs: int = 4,
    sigmas: Sequence[float] = (0.1, 0.25, 0.5, 1.0),
    train_images: int = 50_000,
    validation_images: int = 1000,
    test_images: int = 500,
) -> list[dict]:
    """Denoise the same test images with one method, at several noise levels.

    Args:
        seed: of the drawn training images, the initial weights and all noise.
        clip: whether noise is "clipped" or "unclipped", in training and test.
        method: a name in `METHODS`.
        epochs: passes of a network over the training images, batches of 128. What is
            fitted to them in closed form makes one pass, and a filter none.
        sigmas: standard deviations of the noise.
        train_images: how many images to train or fit on.
        validation_images: how many more, to choose settings and fit offsets on.
        test_images: how many to test on.

    Returns:
        One row a noise level: clip, method, epochs, sigma; images_seen in training;
        parameters, the numbers learned or kept; seconds of the processor to train or
        fit; and what `scores` returns.

    Examples:
        >>> rows = study(seed=0, **TOY | {"method": "doing nothing", "epochs": 0})
        >>> rows[0]["method"], rows[0]["sigma"], rows[0]["images_seen"]
        ('doing nothing', 0.5, 0)
    """
    training, validation = mnist_split(train_images, validation_images, seed=seed)
    clean = mnist_test().images[:: TEST_SET // test_images][:test_images]
    if method.endswith("own images"):
        clean = training.images[:test_images]
    recipe = {"clip": clip == "clipped", "epochs": epochs, "seed": seed}
    candidates, once = timed(METHODS[method], training, **recipe)
    corrections = CORRECTIONS if method in NEVER_SAW_NOISE else NONE
    rows = []
    for sigma in sigmas:
        offered, again = timed(candidates, sigma)
        row = {"clip": clip, "method": method, "epochs": epochs, "sigma": sigma}
        row["images_seen"] = epochs * train_images
        row["parameters"] = max(map(learned, offered.values()))
        row["seconds"] = round(once + again, 2)
        noise = partial(add_gaussian_noise, noise_factor=sigma, clip=clip == "clipped")
        chosen_on = noise(validation, generator=seeded(10 + seed)), validation
        tested_on = noise(clean, generator=seeded(seed)), clean
        rows.append(row | scores(offered, corrections, chosen_on, tested_on))
    return rows


def scores(
    offered: dict[str, Denoiser],
    corrections: dict[str, Callable[..., Denoiser]],
    chosen_on: tuple[Tensor, Tensor],
    tested_on: tuple[Tensor, Tensor],
) -> dict[str, str | float]:
    """Choose a setting, and once more a setting with a correction; score both.

    Args:
        offered: a method's denoisers, by their settings.
        corrections: from `CORRECTIONS`.
        chosen_on: noisy and clean validation images, (count, 1, 28, 28).
        tested_on: noisy and clean test images.

    Returns:
        setting, the one of the least error; mse, psnr and ssim, averaged over test
        images, results cut to [0, 1]; and milliseconds an image. setting_off,
        mse_off, psnr_off and ssim_off, the same with the best correction.
    """
    few = [images[FEW] for images in chosen_on]
    setting, denoise = best(offered, *few)
    plain = off = measured(denoise, *tested_on)
    corrected = {
        (name, how): correct(offered[name], *few)
        for name in offered
        for how, correct in corrections.items()
    }
    (setting_off, how), _ = best(corrected, *few)
    if (setting_off, how) != (setting, "as it is"):
        denoise = corrections[how](offered[setting_off], *chosen_on)
        off = measured(denoise, *tested_on)
    named = f"{setting_off}; {how}".removeprefix("; ")
    row = {"setting": setting} | plain | {"setting_off": named}
    return row | {f"{name}_off": off[name] for name in ("mse", "psnr", "ssim")}


def timed[Result](
    function: Callable[..., Result], *arguments: object, **named: object
) -> tuple[Result, float]:
    """Return what a function returns, and how long the processor worked on it."""
    started = time.process_time()
    result = function(*arguments, **named)
    return result, time.process_time() - started


def learned(denoise: Denoiser) -> int:
    """Count the numbers that a denoiser has learned from images, or keeps of them.

    Examples:
        >>> learned(Autoencoder()), learned(lambda noisy: noisy)
        (209968, 0)
    """
    if isinstance(denoise, nn.Module):
        held = denoise.state_dict().values()
    else:
        held = getattr(denoise, "keywords", {}).values()
    return sum(numbers.numel() for numbers in held if isinstance(numbers, Tensor))
