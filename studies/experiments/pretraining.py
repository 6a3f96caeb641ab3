"""Does it pay to learn features without labels before learning with a few?

Label curves. The same labelled digits, seen as raw pixels, random features, principal
components, and the codes of autoencoders with and without noise: frozen under a linear
classifier, and fine-tuned against the same network from scratch. Each side's learning
rate is tuned on validation images.
"""

import copy
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from dae_tutorial.evidence.pretrain import (
    HiddenLayer,
    choose_linear_probe,
    error_rate,
    extract_features,
    pretrain_stack,
    train_classifier,
)
from dae_tutorial.loaders import ImageTensors, get_mnist_splits
from dae_tutorial.noise import add_gaussian_noise, add_masking_noise, no_noise
from dae_tutorial.train import Corruption
from studies.experiments.recipe import train

masking = partial(add_masking_noise, mask_prob=0.25)
clipped = partial(add_gaussian_noise, noise_factor=0.5)
unclipped = partial(add_gaussian_noise, noise_factor=0.5, clip=False)

LABELS = (10, 30, 100, 300, 1_000, 10_000)

# name → (the noise that each layer learns from, layers)
LEARNED = {
    "AE": (no_noise, 1),
    "DAE, masking": (masking, 1),
    "DAE, Gaussian clipped": (clipped, 1),
    "DAE, Gaussian unclipped": (unclipped, 1),
    "stacked AE": (no_noise, 2),
    "stacked DAE": (masking, 2),
}
RATES = (2e-3, 6e-3, 2e-2, 6e-2)

# name → (the encoder that it starts from, probability of dropout)
NETWORKS = {
    "from scratch": ("stacked random", 0.0),
    "from scratch, dropout": ("stacked random", 0.5),
    "stacked AE": ("stacked AE", 0.0),
    "stacked DAE": ("stacked DAE", 0.0),
    "stacked DAE, dropout": ("stacked DAE", 0.5),
}
FINE_RATES = (7e-4, 2e-3, 6e-3)

SEEDS = (0, 1, 2)
TOY = {
    "labels": (100,),
    "unlabelled": 2_000,
    "width": 64,
    "steps": 60,
    "fine_steps": 60,
    "rates": (2e-3,),
    "fine_rates": (2e-3,),
    "held_out": (500, 500),
}

Split = tuple[Tensor, Tensor]


def study(
    *,
    seed: int,
    labels: tuple[int, ...] = LABELS,
    unlabelled: int = 58_000,
    width: int = 256,
    steps: int = 2_000,
    fine_steps: int = 1_200,
    rates: tuple[float, ...] = RATES,
    fine_rates: tuple[float, ...] = FINE_RATES,
    held_out: tuple[int, int] = (2_000, 10_000),
) -> list[dict]:
    """Measure label curves for frozen features and for fine-tuned networks.

    For each rate there is a row: which one counts, its validation error decides. A
    network starts from the encoder whose frozen features have the least validation
    error with as many labels.

    Args:
        seed: of the choice of labels, the initial weights, all orders and the noise.
        labels: how many labelled images to learn from, up to 58,000; smaller sets are
            part of larger ones, and the classes are as balanced as they can be.
        unlabelled: images that the features are learned from, up to 58,000.
        width: units of each hidden layer, and the number of principal components.
        steps: optimiser steps for each hidden layer.
        fine_steps: optimiser steps for each network, at most; few labels get fewer.
        rates: peaks of the learning rate, for the layers of an encoder.
        fine_rates: peaks of the learning rate, for a network with labels.
        held_out: how many validation and test images, up to 2,000 and 10,000.

    Returns:
        One row a method, number of labels and rate: use (frozen or fine-tuned), method,
        rate (0 where nothing was trained before the labels came), labels,
        validation_error that settings were chosen by, and test_error.

    Examples:
        >>> rows = study(seed=0, **TOY)
        >>> rows[0]["use"], rows[0]["method"], rows[0]["labels"]
        ('frozen', 'raw pixels', 100)
    """
    training, *others = (
        loader.dataset for loader in get_mnist_splits(validation_size=2_000, seed=0)
    )
    validation, test = (
        (part.images[:count], part.labels[:count])
        for part, count in zip(others, held_out, strict=True)
    )
    chosen = balanced(training.labels, max(labels), seed)
    labelled = (training.images[chosen], training.labels[chosen])
    splits = (labelled, validation, test)
    encoders = learn_encoders(training.images[:unlabelled], width, steps, rates, seed)
    frozen = {
        (method, rate): probe(encoder, labels, *splits)
        for (method, rate), encoder in encoders.items()
    }
    rows = [
        {"use": "frozen", "method": method, "rate": rate, **row}
        for (method, rate), curve in frozen.items()
        if method != "stacked random"  # only the start of the networks from scratch
        for row in curve
    ]
    for method, (start, dropout) in NETWORKS.items():
        starts = {
            key: with_classifier(encoder, width, dropout, seed=seed)
            for key, encoder in encoders.items()
            if key[0] == start
        }
        best = [
            starts[min(starts, key=lambda key: frozen[key][place]["validation_error"])]
            for place in range(len(labels))
        ]
        for rate in fine_rates:
            curve = fine_tune(best, labels, fine_steps, rate, seed, *splits)
            named = {"use": "fine-tuned", "method": method, "rate": rate}
            rows += [named | row for row in curve]
    return rows


def balanced(labels: Tensor, count: int, seed: int) -> Tensor:
    """Draw indices so that any first part of them holds each class equally often.

    Args:
        labels: (images,), int64.
        count: indices to draw.
        seed: decides which.

    Returns:
        (count,), as long as no class runs out.

    Examples:
        >>> labels = torch.tensor([0, 0, 0, 0, 1, 1])
        >>> labels[balanced(labels, 4, seed=0)].sort().values
        tensor([0, 0, 1, 1])
    """
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    seen = one_hot(labels[order]).cumsum(dim=0)  # (images, classes)
    occurrence = seen.gather(1, labels[order].unsqueeze(1)).squeeze(1)
    return order[occurrence.argsort(stable=True)][:count]


def learn_encoders(
    images: Tensor, width: int, steps: int, rates: Sequence[float], seed: int
) -> dict[tuple[str, float], nn.Sequential]:
    """Learn every encoder of the study from images without labels, at each rate."""
    learn = partial(learn_stack, images, width=width, steps=steps, seed=seed)
    encoders = {
        ("raw pixels", 0.0): nn.Sequential(nn.Flatten()),
        ("random features", 0.0): learn(None, layers=1),
        ("PCA", 0.0): principal_components(images, width),
        ("stacked random", 0.0): learn(None, layers=2),
    }
    stacks = {
        (corrupt, rate): learn(corrupt, layers=layers, peak=rate)
        for corrupt, layers in dict(LEARNED.values()).items()  # the deepest of each
        for rate in rates
    }
    for method, (corrupt, layers) in LEARNED.items():
        depth = slice(1 + 2 * layers)  # flatten, then linear and activation each
        for rate in rates:
            encoders[method, rate] = stacks[corrupt, rate][depth]
    return encoders


def learn_stack(
    images: Tensor,
    corrupt: Corruption | None,
    *,
    width: int,
    layers: int,
    steps: int,
    seed: int,
    peak: float = 2e-3,
) -> nn.Sequential:
    """Pretrain a stack of equal layers; without a corruption it stays random.

    Stacks of one seed begin with the same weights, whatever the corruption.
    """
    torch.manual_seed(seed)

    def train_layer(layer: HiddenLayer, inputs: Tensor) -> None:
        if corrupt is not None:
            unlabelled = ImageTensors(inputs, torch.zeros(len(inputs)))
            train(layer, unlabelled, corrupt, steps=steps, seed=seed, peak=peak)

    return pretrain_stack(images, [width] * layers, train_layer)


def principal_components(images: Tensor, count: int) -> nn.Sequential:
    """Return the projection on the directions of largest variance, as an encoder."""
    pixels = images.flatten(start_dim=1)
    _, directions = torch.linalg.eigh(torch.cov(pixels.T))  # from small to large
    projection = nn.Linear(pixels.shape[1], count, bias=False)
    projection.weight.data = directions[:, -count:].T.contiguous()
    return nn.Sequential(nn.Flatten(), projection)


def probe(
    encoder: nn.Module,
    counts: tuple[int, ...],
    labelled: Split,
    validation: Split,
    test: Split,
) -> list[dict]:
    """Put a linear classifier on frozen features, for each number of labels."""
    splits = (labelled, validation, test)
    features, held_out, unseen = (
        (extract_features(encoder, images), labels) for images, labels in splits
    )
    rows = []
    for count in counts:
        few = tuple(tensor[:count] for tensor in features)
        classifier = choose_linear_probe(few, held_out)
        validation_error = error_rate(classifier, *held_out)
        rows.append(_row(count, validation_error, error_rate(classifier, *unseen)))
    return rows


def with_classifier(
    encoder: nn.Sequential, width: int, dropout: float, *, seed: int
) -> nn.Sequential:
    """Copy an encoder, and put dropout behind its layers and a classifier on top.

    Classifiers of one seed begin with the same weights.
    """
    torch.manual_seed(seed)
    network = nn.Sequential()
    for module in copy.deepcopy(encoder):
        network.append(module)
        if not isinstance(module, nn.Flatten | nn.Linear):
            network.append(nn.Dropout(dropout))
    return network.append(nn.Linear(width, 10))


def fine_tune(
    networks: Sequence[nn.Sequential],
    counts: tuple[int, ...],
    steps: int,
    peak: float,
    seed: int,
    labelled: Split,
    validation: Split,
    test: Split,
) -> list[dict]:
    """Train a whole network for each number of labels; those given stay as they are."""
    rows = []
    for network, count in zip(networks, counts, strict=True):
        classifier = copy.deepcopy(network)
        few = tuple(tensor[:count] for tensor in labelled)
        plan = {"steps": min(steps, 200 + count // 10), "peak": peak, "seed": seed}
        error = train_classifier(classifier, few, validation, **plan)
        rows.append(_row(count, error, error_rate(classifier, *test)))
    return rows


def _row(labels: int, validation_error: float, test_error: float) -> dict:
    return {
        "labels": labels,
        "validation_error": validation_error,
        "test_error": test_error,
    }
