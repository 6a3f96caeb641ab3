"""Train the tutorial's model and draw the README's picture with it."""

import os
from pathlib import Path

import torch

from dae_tutorial.figures import visualize_reconstruction
from dae_tutorial.loaders import get_mnist_loaders
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import fit

PICTURE = Path("docs/assets/images/readme.png")


def main() -> None:
    """Write the picture, whole or not at all."""
    train_loader, test_loader = get_mnist_loaders()
    torch.manual_seed(0)
    model = Autoencoder()
    fit(model, train_loader, add_gaussian_noise, epochs=10)
    clean = next(iter(test_loader))[0][:8]
    noisy = add_gaussian_noise(clean, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        figure = visualize_reconstruction(noisy, clean, model.cpu()(noisy))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    unfinished = PICTURE.with_suffix(".unfinished.png")
    figure.savefig(unfinished, dpi=200)
    os.replace(unfinished, PICTURE)
    print(f"{PICTURE} written")


if __name__ == "__main__":
    main()
