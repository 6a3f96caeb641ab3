"""Does it pay to learn features without labels before learning with a few?

Label curves. The same labelled digits, seen as raw pixels, random features, principal
components, and the codes of autoencoders with and without noise: frozen under a linear
classifier, and fine-tuned against the same network from scratch.
"""

import copy
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
gaussian = partial(add_gaussian_noise, noise_factor=0.5)

LABELS = (10, 30, 100, 300, 1_000, 10_000, 58_000)

# name → (the encoder that it starts from, probability of dropout)
NETWORKS = {
    "from scratch": ("stacked random", 0.0),
    "from scratch, dropout": ("stacked random", 0.5),
    "stacked AE": ("stacked AE", 0.0),
    "stacked DAE": ("stacked DAE", 0.0),
    "stacked DAE, dropout": ("stacked DAE", 0.5),
}

SEEDS = (0, 1, 2)
TOY = {
    "labels": (100,),
    "unlabelled": 2_000,
    "width": 64,
    "steps": 60,
    "fine_steps": 60,
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
    fine_steps: int = 3_000,
    held_out: tuple[int, int] = (2_000, 10_000),
) -> list[dict]:
    """Measure label curves for frozen features and for fine-tuned networks.

    Args:
        seed: of the choice of labels, the initial weights, all orders and the noise.
        labels: how many labelled images to learn from, up to 58,000; smaller sets are
            part of larger ones, and the classes are as balanced as they can be.
        unlabelled: images that the features are learned from, up to 58,000.
        width: units of each hidden layer, and the number of principal components.
        steps: optimiser steps for each hidden layer.
        fine_steps: optimiser steps for each network, at most; few labels get fewer.
        held_out: how many validation and test images, up to 2,000 and 10,000.

    Returns:
        One row a method and number of labels: use (frozen or fine-tuned), method,
        labels, validation_error that settings were chosen by, and test_error.

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
    encoders = learn_encoders(training.images[:unlabelled], width, steps, seed)
    rows = []
    for method, encoder in encoders.items():
        if method != "stacked random":  # only the start of the networks from scratch
            curve = probe(encoder, labels, labelled, validation, test)
            rows += [{"use": "frozen", "method": method, **row} for row in curve]
    for method, (start, dropout) in NETWORKS.items():
        network = with_classifier(encoders[start], width, dropout, seed=seed)
        splits = (labelled, validation, test)
        curve = fine_tune(network, labels, fine_steps, seed, *splits)
        rows += [{"use": "fine-tuned", "method": method, **row} for row in curve]
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
    images: Tensor, width: int, steps: int, seed: int
) -> dict[str, nn.Sequential]:
    """Learn every encoder of the study from images without labels."""
    stack = partial(learn_stack, images, width=width, steps=steps, seed=seed)
    plain, denoising = stack(no_noise, layers=2), stack(masking, layers=2)
    first = slice(3)  # flatten, linear, activation: the stack without its second layer
    return {
        "raw pixels": nn.Sequential(nn.Flatten()),
        "random features": stack(None, layers=1),
        "PCA": principal_components(images, width),
        "AE": plain[first],
        "DAE, masking": denoising[first],
        "DAE, Gaussian": stack(gaussian, layers=1),
        "stacked AE": plain,
        "stacked DAE": denoising,
        "stacked random": stack(None, layers=2),
    }


def learn_stack(
    images: Tensor,
    corrupt: Corruption | None,
    *,
    width: int,
    layers: int,
    steps: int,
    seed: int,
) -> nn.Sequential:
    """Pretrain a stack of equal layers; without a corruption it stays random.

    Stacks of one seed begin with the same weights, whatever the corruption.
    """
    torch.manual_seed(seed)

    def train_layer(layer: HiddenLayer, inputs: Tensor) -> None:
        if corrupt is not None:
            unlabelled = ImageTensors(inputs, torch.zeros(len(inputs)))
            train(layer, unlabelled, corrupt, steps=steps, seed=seed, peak=2e-3)

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
    network: nn.Sequential,
    counts: tuple[int, ...],
    steps: int,
    seed: int,
    labelled: Split,
    validation: Split,
    test: Split,
) -> list[dict]:
    """Train the whole network, from the same start for each number of labels."""
    rows = []
    for count in counts:
        classifier = copy.deepcopy(network)
        few = tuple(tensor[:count] for tensor in labelled)
        enough = min(steps, 200 + count // 10)
        error = train_classifier(classifier, few, validation, steps=enough, seed=seed)
        rows.append(_row(count, error, error_rate(classifier, *test)))
    return rows


def _row(labels: int, validation_error: float, test_error: float) -> dict:
    return {
        "labels": labels,
        "validation_error": validation_error,
        "test_error": test_error,
    }
