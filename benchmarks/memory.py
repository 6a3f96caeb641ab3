"""Train for one epoch, then print the memory that it took beyond torch itself, in MB.

`python -m benchmarks.memory notebook 60000`, or `ours` instead of `notebook`.
"""

import sys

import torch
import torchvision  # noqa: F401  both columns need it: it counts as torch itself

from benchmarks.measure import resident_megabytes

torch.nn.Linear(1, 1)(torch.zeros(1)).backward()
BEFORE = resident_megabytes()


def train_notebook(count: int) -> None:
    from torch.utils.data import DataLoader, Subset

    from benchmarks import starting_notebook

    train_loader, _ = starting_notebook.get_mnist_loaders()
    if count < len(train_loader.dataset):
        train_loader = DataLoader(Subset(train_loader.dataset, range(count)), 128)
    model = starting_notebook.Autoencoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    starting_notebook.train_one_epoch(model, train_loader, optimizer)


def train_ours(count: int) -> None:
    from dae_tutorial.loaders import ImageTensors, load_mnist
    from dae_tutorial.model import Autoencoder
    from dae_tutorial.noise import add_gaussian_noise
    from dae_tutorial.train import fit

    mnist = load_mnist(train=True)
    images = ImageTensors(mnist.images[:count], mnist.labels[:count])
    loader = images.loader(128, shuffle=True)
    fit(Autoencoder(), loader, add_gaussian_noise, epochs=1, device="cpu")


if __name__ == "__main__":
    {"notebook": train_notebook, "ours": train_ours}[sys.argv[1]](int(sys.argv[2]))
    print(resident_megabytes() - BEFORE)
