"""Train the models of `dae_tutorial.further.pretrained` again: `make weights`.

The recipes were chosen on images held out of the training set. With them, each model
learns from all 60,000 training images, and the test set is read once, at the end, for
the card. A run that is stopped goes on from its last epoch.
"""

import argparse
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import nn

from dae_tutorial.evaluate import evaluate
from dae_tutorial.further.checkpoint import Checkpoint
from dae_tutorial.further.pretrained import CLEAN_TWIN, FOLDER
from dae_tutorial.further.weights import save_weights
from dae_tutorial.loaders import get_mnist_loaders
from dae_tutorial.model import Autoencoder, ConvAutoencoder, UNet
from dae_tutorial.noise import add_gaussian_noise, no_noise
from dae_tutorial.train import Corruption, fit, one_cycle

CHECKPOINTS = Path(__file__).resolve().parents[1] / ".cache" / "checkpoints"
SIGMA = 0.5
GAUSSIAN = partial(add_gaussian_noise, noise_factor=SIGMA)
BETAS = (0.9, 0.99)  # a shorter memory than Adam's default: better in short runs


@dataclass(frozen=True)
class Recipe:
    """How one of the models is made: Adam, its learning rate up and down once."""

    model: type[nn.Module]
    epochs: int
    batch_size: int
    peak: float
    arguments: dict = field(default_factory=dict)
    seed: int = 0
    autocast: str | None = None  # a dtype of torch, for the model's products
    largest_gradient: float | None = None  # longer ones are cut to this norm
    corrupt: Corruption = GAUSSIAN  # of the training images; all are tested on Gaussian


RECIPES = {
    CLEAN_TWIN: Recipe(Autoencoder, 30, 128, 8e-3, corrupt=no_noise),
    "autoencoder": Recipe(Autoencoder, 30, 128, 8e-3),
    "conv-autoencoder": Recipe(ConvAutoencoder, 12, 64, 4e-3),
    "unet": Recipe(UNet, 6, 32, 3e-3, {"image_size": 28}),
    "unet-large": Recipe(
        UNet,
        epochs=40,
        batch_size=64,
        peak=3e-3,
        arguments={"width": 32, "image_size": 28},
        autocast="bfloat16",
        largest_gradient=0.1,  # without it, a run at this rate may diverge
    ),
}


def make(name: str) -> None:
    """Train one of the models, and write its weights with its card."""
    recipe = RECIPES[name]
    torch.manual_seed(recipe.seed)
    # Channels last in memory: convolutions on a CPU are faster that way.
    model = recipe.model(**recipe.arguments).to(memory_format=torch.channels_last)
    card = asdict(recipe) | {"model": recipe.model.__name__}
    del card["corrupt"]  # a function; what it does is said under "noise"
    train, test = get_mnist_loaders(recipe.batch_size, seed=recipe.seed)
    optimizer, scheduler = one_cycle(
        model, train, recipe.epochs, recipe.peak, betas=BETAS
    )
    if recipe.largest_gradient is not None:

        def shorten_gradient(*_: object) -> None:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.largest_gradient)

        optimizer.register_step_pre_hook(shorten_gradient)
    history = fit(
        model,
        train,
        recipe.corrupt,
        epochs=recipe.epochs,
        optimizer=optimizer,
        scheduler=scheduler,
        seed=recipe.seed,
        autocast=recipe.autocast and getattr(torch, recipe.autocast),
        checkpoint=Checkpoint(CHECKPOINTS / f"{name}.safetensors", card),
    )
    scores = evaluate(model, test, GAUSSIAN)
    card |= {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "data": "MNIST, 60,000 training images",
        "noise": f"Gaussian, standard deviation {SIGMA}, clipped to [0, 1]"
        if recipe.corrupt is GAUSSIAN
        else "none; tested on Gaussian noise like the others",
        "test": asdict(scores),
        "seconds": sum(history.seconds),
        "torch": torch.__version__,
        "licence": "MIT; MNIST has terms of its own",
    }
    save_weights(model, FOLDER / f"{name}.safetensors", card)
    print(f"{name}: test MSE {scores.mse:.5f}, {card['seconds']:.0f} s of training")


def main() -> None:
    """Make the models that were named, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RECIPES))
    for name in parser.parse_args().names or RECIPES:
        make(name)


if __name__ == "__main__":
    main()
