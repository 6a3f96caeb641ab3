"""Pretraining: learn hidden layers without labels, then use them for a task.

Greedy, as in 2006 to 2010: each layer is the encoder of a small autoencoder that is
trained on what the layer below puts out. The stack then serves frozen, with a linear
classifier on top, or as the start of a network that is trained with labels.

How a layer is trained is the caller's: `train_layer` may be any recipe, with noise or
without.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
"""Weights of the squared norm that `choose_linear_probe` tries."""


class HiddenLayer(nn.Module):
    """An autoencoder with one hidden layer; its encoder joins the stack.

    The decoder is linear, since the inputs of upper layers know no upper bound.

    Args:
        input_dim: numbers in one input.
        width: units of the hidden layer.
        activation: class of the non-linearity after the encoder.

    Examples:
        >>> layer = HiddenLayer(784, 100)
        >>> layer(torch.rand(5, 784)).shape, layer.encoder(torch.rand(5, 784)).shape
        (torch.Size([5, 784]), torch.Size([5, 100]))
    """

    def __init__(
        self, input_dim: int, width: int, activation: type[nn.Module] = nn.ReLU
    ):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(input_dim, width), activation())
        self.decoder = nn.Linear(width, input_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct inputs.

        Args:
            x: (batch, input_dim).

        Returns:
            (batch, input_dim), any real value.
        """
        return self.decoder(self.encoder(x))


def pretrain_stack(
    images: Tensor,
    widths: Sequence[int],
    train_layer: Callable[[HiddenLayer, Tensor], object],
    *,
    activation: type[nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """Stack hidden layers, each trained on the output of those below.

    Args:
        images: (count, ...), without labels.
        widths: units of each hidden layer, from the bottom up.
        train_layer: called as `train_layer(layer, inputs)`, inputs of shape
            (count, input_dim); trains the autoencoder `layer` in place. One that does
            nothing leaves the layers random.
        activation: class of the non-linearity after each layer.

    Returns:
        The stack: images (batch, ...) in, features (batch, widths[-1]) out.

    Raises:
        ValueError: if `widths` is empty.

    Examples:
        >>> def leave_random(layer, inputs):
        ...     print("a layer for inputs of shape", tuple(inputs.shape))
        >>> stack = pretrain_stack(torch.rand(6, 1, 28, 28), (50, 20), leave_random)
        a layer for inputs of shape (6, 784)
        a layer for inputs of shape (6, 50)
        >>> stack(torch.rand(2, 1, 28, 28)).shape
        torch.Size([2, 20])

    Source: Vincent et al. (2010), Stacked denoising autoencoders, section 3.5.
    """
    if not widths:
        raise ValueError("widths must name at least one layer, got none")
    stack = nn.Sequential(nn.Flatten())
    inputs = images.flatten(start_dim=1)
    for width in widths:
        layer = HiddenLayer(inputs.shape[1], width, activation)
        train_layer(layer, inputs)
        stack.extend(layer.encoder)
        inputs = extract_features(layer.encoder, inputs)
    return stack


@torch.no_grad()
def extract_features(
    encoder: nn.Module, images: Tensor, *, batch_size: int = 1000
) -> Tensor:
    """Put images through an encoder in evaluation mode, without gradients.

    Args:
        encoder: maps (batch, ...) to (batch, features); is left in the mode it came in.
        images: (count, ...), on the encoder's device.
        batch_size: images at once, at least 1.

    Returns:
        (count, features).

    Examples:
        >>> extract_features(nn.Flatten(), torch.rand(7, 1, 28, 28)).shape
        torch.Size([7, 784])
    """
    modes = [(part, part.training) for part in encoder.modules()]
    encoder.eval()
    try:
        return torch.cat([encoder(batch) for batch in images.split(batch_size)])
    finally:
        for part, mode in modes:  # one by one: some may be frozen
            part.training = mode


def error_rate(classifier: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images whose highest score is not at their label.

    Args:
        classifier: maps (batch, ...) to scores, (batch, classes).
        images: (count, ...), or features.
        labels: (count,), int64.

    Returns:
        From 0 to 1.

    Examples:
        >>> error_rate(nn.Identity(), torch.eye(4), torch.tensor([0, 1, 2, 0]))
        0.25
    """
    scores = extract_features(classifier, images)
    return (scores.argmax(dim=1) != labels).sum().item() / len(labels)


def fit_linear_probe(
    features: Tensor,
    labels: Tensor,
    *,
    penalty: float = 1e-3,
    classes: int = 10,
    iterations: int = 50,
) -> nn.Linear:
    r"""Fit a linear classifier on frozen features: multinomial logistic regression.

    The features are centred and divided by one number, their overall root mean
    square, so that a penalty means the same for each kind of features.

    Args:
        features: (count, features).
        labels: (count,), int64, below `classes`.
        penalty: weight of half the squared norm of the classifier's weights.
        classes: how many there are; not every one needs to be among the labels.
        iterations: of L-BFGS, at most.

    Returns:
        A classifier for features as they came in.

    Examples:
        >>> features = torch.tensor([[0.0, 5.0], [1.0, 5.0]])
        >>> probe = fit_linear_probe(features, torch.tensor([0, 1]), classes=2)
        >>> probe(features).argmax(dim=1)
        tensor([0, 1])
    """
    mean = features.mean(dim=0)
    scale = (features - mean).square().mean().sqrt().clamp_min(1e-6)
    scaled = (features - mean) / scale
    probe = nn.Linear(features.shape[1], classes)
    nn.init.zeros_(probe.weight)  # the loss is convex: any start will do
    nn.init.zeros_(probe.bias)
    optimizer = torch.optim.LBFGS(
        probe.parameters(), max_iter=iterations, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        norm = probe.weight.square().sum()
        total = cross_entropy(probe(scaled), labels) + penalty / 2 * norm
        total.backward()
        return total

    optimizer.step(loss)
    with torch.no_grad():  # fold the scaling into the classifier
        probe.weight /= scale
        probe.bias -= probe.weight @ mean
    return probe


def choose_linear_probe(
    train: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    *,
    penalties: Sequence[float] = PENALTIES,
) -> nn.Linear:
    """Fit a linear probe for each penalty, and keep the best on validation features.

    Args:
        train: (features, labels) to fit.
        validation: (features, labels) to choose with.
        penalties: what to try.

    Returns:
        The probe with the lowest validation error.

    Examples:
        >>> features, labels = torch.eye(10), torch.arange(10)
        >>> probe = choose_linear_probe((features, labels), (features, labels))
        >>> error_rate(probe, features, labels)
        0.0
    """
    probes = [fit_linear_probe(*train, penalty=penalty) for penalty in penalties]
    return min(probes, key=lambda probe: error_rate(probe, *validation))


def train_classifier(
    classifier: nn.Module,
    train: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    *,
    steps: int = 1000,
    batch_size: int = 128,
    peak: float = 2e-3,
    checks: int = 10,
    seed: int = 0,
) -> float:
    """Train a network on labels: Adam, one cycle, and the best of several checks.

    Args:
        classifier: maps images to scores, (batch, classes); trained in place. Start it
            from a pretrained stack to fine-tune, or from scratch.
        train: (images, labels) to learn from.
        validation: (images, labels) to stop with.
        steps: optimiser steps.
        batch_size: images a step, or all of them if they are fewer.
        peak: the highest learning rate of the cycle.
        checks: times that the validation error is looked at, evenly spaced.
        seed: seed of the order of the images.

    Returns:
        The lowest validation error; the classifier has the weights that reached it.

    Examples:
        >>> images, labels = torch.eye(10), torch.arange(10)
        >>> data = (images, labels)
        >>> train_classifier(nn.Linear(10, 10), data, data, steps=50, peak=0.1)
        0.0
    """
    images, labels = train
    optimizer = torch.optim.Adam(classifier.parameters(), lr=peak, fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, total_steps=steps)
    best, weights = float("inf"), {}
    batches = _shuffled(len(images), min(batch_size, len(images)), steps, seed)
    for step, batch in enumerate(batches, start=1):
        optimizer.zero_grad()
        cross_entropy(classifier(images[batch]), labels[batch]).backward()
        optimizer.step()
        cycle.step()
        if step * checks // steps > (step - 1) * checks // steps:
            error = error_rate(classifier, *validation)
            if error < best:
                best, weights = error, _copy(classifier)
    classifier.load_state_dict(weights)
    return best


def _shuffled(count: int, batch_size: int, steps: int, seed: int) -> Sequence[Tensor]:
    """Indices of `steps` batches, from one random order of all images after another."""
    generator = torch.Generator().manual_seed(seed)
    rounds = -(-steps * batch_size // count)
    orders = [torch.randperm(count, generator=generator) for _ in range(rounds)]
    return torch.cat(orders)[: steps * batch_size].split(batch_size)


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}
