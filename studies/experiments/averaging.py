"""Is an average of the weights over the last steps a better network than the last one?

The U-Net under a constant learning rate and under one that falls to almost nothing,
with moving averages of its weights that forget at several speeds.
"""

from functools import partial

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from dae_tutorial.evaluate import evaluate
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import UNet
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import one_cycle, train_one_epoch
from studies.experiments.recipe import DRAW, mnist_split, mnist_test

BETAS = (0.9, 0.99)  # as the models that come with the package

SEEDS = (0, 1, 2)
PARTS = [
    {"schedule": "constant", "rate": 1e-3},
    {"schedule": "constant", "rate": 3e-3},
    {"schedule": "one cycle", "rate": 3e-3},
]
TOY = {"train_images": 800, "validation_images": 200, "test_images": 200, "epochs": 2}


def study(
    *,
    seed: int,
    schedule: str = "one cycle",
    rate: float = 3e-3,
    decays: tuple[float, ...] = (0.99, 0.997, 0.999),
    epochs: int = 2,
    train_images: int = 50_000,
    validation_images: int = 5_000,
    test_images: int = 10_000,
) -> list[dict]:
    """Train the U-Net once, on clipped noise of σ = 0.5, and average its weights.

    Args:
        seed: of the split, the images' order, the initial weights and the noise.
        schedule: "constant", or "one cycle", which ends with the run.
        rate: the learning rate, or the highest one of the cycle.
        decays: what an average keeps of itself at each step, below 1.
        epochs: passes over the training images, in batches of 32.
        train_images: how many images to train on.
        validation_images: how many more to choose a decay with.
        test_images: how many to test on.

    Returns:
        One row for the weights as they are (decay 0) and for each average: schedule,
        rate, decay, validation_mse and mse, on the test images.

    Examples:
        >>> rows = study(seed=0, **TOY)
        >>> [row["decay"] for row in rows]
        [0.0, 0.99, 0.997, 0.999]
    """
    images, validation = mnist_split(train_images, validation_images, seed=seed)
    loader = images.loader(32, shuffle=True, seed=seed)
    torch.manual_seed(seed)
    model = UNet(image_size=28).to(memory_format=torch.channels_last)
    if schedule == "constant":
        scheduler = None
        optimizer = torch.optim.Adam(model.parameters(), rate, BETAS, fused=True)
    else:
        optimizer, scheduler = one_cycle(model, loader, epochs, rate, betas=BETAS)
    averages = {
        decay: AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
        for decay in decays
    }

    def average(*_: object) -> None:
        for averaged in averages.values():
            averaged.update_parameters(model)

    optimizer.register_step_post_hook(average)
    noise = torch.Generator().manual_seed(seed)
    learn = partial(train_one_epoch, model, loader, optimizer, add_gaussian_noise)
    for _ in range(epochs):
        learn(scheduler=scheduler, generator=noise)
    sets = {
        "validation_mse": ImageTensors(validation).loader(500),
        "mse": mnist_test(test_images).loader(500),
    }
    return [
        {"schedule": schedule, "rate": rate, "decay": decay}
        | {
            name: evaluate(network, batches, add_gaussian_noise, seed=DRAW).mse
            for name, batches in sets.items()
        }
        for decay, network in {0.0: model, **averages}.items()
    ]
