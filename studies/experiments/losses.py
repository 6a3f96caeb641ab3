"""What does the loss do to the picture?

Autoencoders that are alike but for their training loss, each scored by several
measures on the same noisy test images.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from dae_tutorial.evaluate import mean_squared_error, psnr
from dae_tutorial.further.losses import EmphasisedLoss, emphasised_error
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise, add_masking_noise
from dae_tutorial.train import fit, one_cycle
from studies.experiments.recipe import PEAK, mnist, mnist_test

NOISES = {
    "Gaussian": partial(add_gaussian_noise, noise_factor=0.5),
    "masking": partial(add_masking_noise, mask_prob=0.5),
}
PLAIN = {"MSE": nn.MSELoss, "BCE": nn.BCELoss, "L1": nn.L1Loss}
INTACT = {"double emphasis": 0.5, "full emphasis": 0.0}  # weights of intact pixels

SEEDS = (0, 1, 2)
PARTS = [
    *({"noise": "masking", "loss": loss} for loss in (*PLAIN, *INTACT)),
    *({"noise": "Gaussian", "loss": loss} for loss in (*PLAIN, "double emphasis")),
]
TOY = {"train_images": 4000, "test_images": 300, "epochs": 5}


def study(
    *,
    seed: int,
    noise: str = "masking",
    loss: str = "MSE",
    train_images: int = 20_000,
    test_images: int = 10_000,
    epochs: int = 8,
) -> list[dict]:
    """Train under one loss, and score by all measures.

    Args:
        seed: of the training images' order, the initial weights and the noise.
        noise: a name in `NOISES`, for training and test alike.
        loss: a name in `PLAIN` or `INTACT`.
        train_images: how many images to train on.
        test_images: how many to test on.
        epochs: passes over the training images.

    Returns:
        Two rows, of the model and of doing nothing (whose loss is "nothing"), with
        the measures of `measure`, averaged over the test images.

    Examples:
        >>> model, nothing = study(seed=0, **TOY)
        >>> nothing["loss"], model["mse"] < nothing["mse"]
        ('nothing', True)
    """
    model = trained(seed, noise, loss, mnist(train_images, seed=seed), epochs)
    clean = mnist_test(test_images).images
    noisy = NOISES[noise](clean, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        reconstruction = model.eval()(noisy).reshape(clean.shape)
    return [
        {"noise": noise, "loss": name, **measure(image, clean, noisy)}
        for name, image in ((loss, reconstruction), ("nothing", noisy))
    ]


def trained(
    seed: int, noise: str, loss: str, images: ImageTensors, epochs: int
) -> nn.Module:
    """Train an autoencoder under one of the losses."""
    torch.manual_seed(seed)
    model = Autoencoder()
    criterion, corrupt = prepared(loss, NOISES[noise])
    loader = images.loader(128, shuffle=True, seed=seed)
    optimizer, scheduler = one_cycle(model, loader, epochs, PEAK)
    fit(
        model,
        loader,
        corrupt,
        epochs=epochs,
        optimizer=optimizer,
        scheduler=scheduler,
        criterion=criterion,
        device="cpu",
        seed=seed,
    )
    return model


def prepared(
    loss: str, corrupt: Callable[..., Tensor]
) -> tuple[nn.Module, Callable[..., Tensor]]:
    """Return a loss by its name, and the corruption to train it with."""
    if loss in PLAIN:
        return PLAIN[loss](), corrupt
    emphasised = EmphasisedLoss(corrupt, intact=INTACT[loss])
    return emphasised, emphasised.corrupt


def measure(image: Tensor, clean: Tensor, noisy: Tensor) -> dict[str, float]:
    """Score images by each of the losses, and say how grey and how bright they are.

    Args:
        image: reconstructions, or the noisy images, (count, 1, 28, 28), in [0, 1].
        clean: the same shape.
        noisy: the same shape.

    Returns:
        mse, bce and l1; corrupted and intact, the two parts of the MSE; psnr of the
        average image in dB; grey, the share of pixels from 0.1 to 0.9, and grey_clean,
        that of the clean images; ink, the brightness as a share of the clean one.
    """
    part = partial(emphasised_error, image, clean, noisy)
    values = {
        "mse": mean_squared_error(image, clean).mean(),
        "bce": nn.functional.binary_cross_entropy(image, clean),
        "l1": nn.functional.l1_loss(image, clean),
        "corrupted": part(corrupted=1, intact=0),
        "intact": part(corrupted=0, intact=1),
        "psnr": psnr(image, clean).mean(),
        "grey": _grey(image),
        "grey_clean": _grey(clean),
        "ink": image.mean() / clean.mean(),
    }
    return {name: float(value) for name, value in values.items()}


def _grey(image: Tensor) -> Tensor:
    return ((image > 0.1) & (image < 0.9)).float().mean()
