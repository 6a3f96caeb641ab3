"""Which part of a fast recipe makes it fast: the rate, the schedule, or the betas?

The starting notebook's autoencoder, trained with one of them changed, with two and with
all three, and scored on validation images after every epoch.
"""

from functools import partial

import torch

from dae_tutorial.evaluate import evaluate
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import one_cycle, train_one_epoch
from studies.experiments.recipe import DRAW, mnist_split

SEEDS = (0, 1, 2)
RECIPES = {  # schedule, rate, beta2: the first are the starting notebook's
    ("constant", 1e-3, 0.999): (8,),
    ("constant", 5e-3, 0.999): (2,),
    ("one cycle", 1e-3, 0.999): (2,),
    ("constant", 1e-3, 0.99): (2,),
    ("constant", 5e-3, 0.99): (8,),
    ("one cycle", 8e-3, 0.999): (2,),
    ("one cycle", 8e-3, 0.99): (2, 8),
}
"""From recipes to the epochs of their runs. A constant rate has no end: the first two
epochs of its long run are a short one."""

PARTS = [
    {"schedule": schedule, "rate": rate, "beta2": beta2, "epochs": epochs}
    for (schedule, rate, beta2), budgets in RECIPES.items()
    for epochs in budgets
]
TOY = {"train_images": 2000, "validation_images": 300, "epochs": 2}


def study(
    *,
    seed: int,
    schedule: str = "one cycle",
    rate: float = 8e-3,
    beta2: float = 0.99,
    epochs: int = 8,
    train_images: int = 50_000,
    validation_images: int = 10_000,
) -> list[dict]:
    """Train the autoencoder under one schedule, on clipped noise of σ = 0.5.

    Args:
        seed: of the split, the images' order, the initial weights and the noise.
        schedule: "constant", or "one cycle", which ends with the run.
        rate: the learning rate, or the highest one of the cycle.
        beta2: the second of Adam's betas; the first is 0.9, and `OneCycleLR` moves it
            from 0.95 to 0.85 and back while the rate rises and falls.
        epochs: passes over the training images.
        train_images: how many images to train on.
        validation_images: how many more to score on.

    Returns:
        One row an epoch: schedule, rate, beta2 and epochs; epoch, from 1; and mse on
        the validation images after it.

    Examples:
        >>> first, second = study(seed=0, **TOY)
        >>> second["epoch"], second["mse"] < first["mse"]
        (2, True)
    """
    images, validation = mnist_split(train_images, validation_images, seed=seed)
    validation = ImageTensors(validation).loader(500)
    loader = images.loader(128, shuffle=True, seed=seed)
    torch.manual_seed(seed)
    model = Autoencoder()
    betas = (0.9, beta2)
    if schedule == "constant":
        scheduler = None
        optimizer = torch.optim.Adam(model.parameters(), rate, betas, fused=True)
    else:
        optimizer, scheduler = one_cycle(model, loader, epochs, rate, betas=betas)
    noise = torch.Generator().manual_seed(seed)
    learn = partial(train_one_epoch, model, loader, optimizer, add_gaussian_noise)
    rows = []
    for epoch in range(1, epochs + 1):
        learn(scheduler=scheduler, generator=noise)
        row = {"schedule": schedule, "rate": rate, "beta2": beta2, "epochs": epochs}
        mse = evaluate(model, validation, add_gaussian_noise, seed=DRAW).mse
        rows.append(row | {"epoch": epoch, "mse": mse})
    return rows
