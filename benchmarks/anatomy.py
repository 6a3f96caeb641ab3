"""Where the time of a training step goes, part by part."""

from collections.abc import Callable
from itertools import pairwise
from statistics import median

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Subset

from benchmarks import starting_notebook
from benchmarks.measure import seconds_of
from dae_tutorial.loaders import ImageTensors, load_mnist
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import train_one_epoch


def parts_of_an_epoch(images: int = 60_000, rounds: int = 5) -> list[dict]:
    """Time each part of an epoch of the dense model on its own, in turns.

    The parts are: the bare matrix products that forward and backward pass cannot do
    without; what forward and backward take beyond these (activations, loss,
    bookkeeping of gradients); the optimiser; the noise; the batches; and what is left
    of the whole, which is the loop itself. The last may come out below zero where the
    noise of the measurement is larger than it.

    Args:
        images: training images an epoch, at least 128.
        rounds: how often each is timed.

    Returns:
        One row a part: `part`, `seconds` an epoch (median), `share` of the whole.
    """
    mnist = load_mnist(train=True)
    dataset = ImageTensors(mnist.images[:images], mnist.labels[:images])
    loader = dataset.loader(128, shuffle=True)
    actions = _actions(loader, dataset.images[:128])
    seconds = {name: [] for name in actions}
    for _ in range(rounds):
        for name, (action, times) in actions.items():
            seconds[name].append(_time(action, times))
    taken = {name: median(values) for name, values in seconds.items()}
    whole = taken.pop("whole epoch")
    taken["activations, loss and gradients"] = taken.pop("passes") - taken["products"]
    taken["matrix products"] = taken.pop("products")
    taken["the rest of the loop"] = whole - sum(taken.values())
    taken["whole epoch"] = whole
    return [
        {"part": part, "seconds": value, "share": value / whole}
        for part, value in taken.items()
    ]


def decoding_share(images: int = 60_000) -> float:
    """Return which share of an epoch the starting notebook spends on its batches.

    That is reading, decoding and stacking images, one at a time: its loader is gone
    through with and without training.

    Args:
        images: training images an epoch, at least 128.
    """
    everything, _ = starting_notebook.get_mnist_loaders()
    loader = DataLoader(Subset(everything.dataset, range(images)), 128)
    model = starting_notebook.Autoencoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    alone = _time(lambda: [None for _ in loader], 1)
    whole = _time(
        lambda: starting_notebook.train_one_epoch(model, loader, optimizer), 1
    )
    return alone / whole


def _actions(loader, clean) -> dict[str, tuple[Callable[[], object], int]]:
    """Name each action, and say how often an epoch needs it."""
    model, steps = Autoencoder(), len(loader)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def passes() -> None:
        optimizer.zero_grad()
        functional.mse_loss(model(clean), clean.flatten(1)).backward()

    passes()  # so that the optimiser has gradients to work with
    return {
        "optimiser": (optimizer.step, steps),
        "noise": (lambda: add_gaussian_noise(clean), steps),
        "batches": (lambda: [None for _ in loader], 1),
        "passes": (passes, steps),
        "products": (_products(len(clean)), steps),
        "whole epoch": (
            lambda: train_one_epoch(model, loader, optimizer, add_gaussian_noise),
            1,
        ),
    }


def _products(batch: int) -> Callable[[], None]:
    """Return a function that does the matrix products of one step, and no more."""
    widths = (784, 128, 32, 128, 784)
    inputs = [torch.rand(batch, width) for width in widths]
    weights = [torch.rand(b, a) for a, b in pairwise(widths)]

    def multiply() -> None:
        for layer, weight in enumerate(weights):
            inputs[layer] @ weight.T  # forward
            inputs[layer + 1].T @ inputs[layer]  # gradient of the weights
            if layer > 0:
                inputs[layer + 1] @ weight  # gradient of the layer's input

    return multiply


def _time(action: Callable[[], object], times: int) -> float:
    action()
    return seconds_of(lambda: [action() for _ in range(times)])
