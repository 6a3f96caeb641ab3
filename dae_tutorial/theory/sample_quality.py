r"""How good are samples? Distances between sets of images, in a classifier's features.

Whether one sample is a good digit, an eye can tell. Whether ten thousand of them are
spread like the data, and not copied from it, needs numbers. Each of these compares two
sets of feature vectors; `DigitFeatures` makes them from images of digits.

The network is not the one of the published Fréchet inception distances, so the numbers
compare with each other only. Always print what real images score beside them.
"""

import torch
from torch import Tensor, nn


class DigitFeatures(nn.Module):
    """A small classifier of digits, whose last layer but one gives 64 features.

    Examples:
        >>> classifier = DigitFeatures()
        >>> classifier(torch.rand(5, 1, 28, 28)).shape
        torch.Size([5, 10])
        >>> classifier.features(torch.rand(5, 1, 28, 28)).shape
        torch.Size([5, 64])
    """

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 28 × 28 → 14 × 14
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),  # → 7 × 7
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, 64),
            nn.ReLU(),
        )
        self.head = nn.Linear(64, 10)

    def features(self, images: Tensor) -> Tensor:
        """Return (batch, 64), at least 0, for images (batch, 1, 28, 28) in [0, 1]."""
        return self.body(images)

    def forward(self, images: Tensor) -> Tensor:
        """Return a score for each digit, (batch, 10): softmax gives probabilities."""
        return self.head(self.features(images))


def frechet_distance(first: Tensor, second: Tensor) -> float:
    r"""Compare mean and covariance of two sets of features.

    $$d = \lVert \mu_1 - \mu_2 \rVert^2
    + \operatorname{tr}\!\left(C_1 + C_2 - 2\,(C_1 C_2)^{1/2}\right)$$

    It is 0 for sets of the same mean and covariance, whatever else they differ in.
    Small sets look further apart than they are: compare sets of one size.

    Args:
        first: features, (count, dimension), with more rows than columns.
        second: features, (other count, dimension).

    Returns:
        The distance, at least 0, in units of features squared.

    Raises:
        ValueError: if the shapes do not fit, or a set has fewer than two rows.

    Examples:
        >>> generator = torch.Generator().manual_seed(0)
        >>> first = torch.randn(10_000, 4, generator=generator)
        >>> round(frechet_distance(first, first + 1), 3)  # four times 1²
        4.0

    Source: Heusel et al. (2017), GANs trained by a two time-scale update rule
    converge to a local Nash equilibrium, equation 6.
    """
    _check_features(first, second)
    first, second = first.double(), second.double()
    shift = (first.mean(0) - second.mean(0)).square().sum()
    covariances = [
        features.T.cov().reshape(2 * features.shape[1:])  # of one column: a number
        for features in (first, second)
    ]
    # The square roots of the eigenvalues of C₁C₂, which are real and at least 0.
    roots = torch.linalg.eigvals(covariances[0] @ covariances[1]).real.clamp(min=0)
    spread = covariances[0].trace() + covariances[1].trace() - 2 * roots.sqrt().sum()
    return (shift + spread).clamp(min=0).item()


def precision_and_recall(
    real: Tensor, samples: Tensor, *, neighbours: int = 3
) -> tuple[float, float]:
    """Say how many samples look real, and how much of what is real they cover.

    Around each feature vector of a set lies a ball that reaches to its third nearest
    neighbour in the set. Precision is the share of samples inside a ball of a real
    image; recall, the share of real images inside a ball of a sample.

    Args:
        real: features, (count, dimension).
        samples: features, (other count, dimension).
        neighbours: k, at least 1 and below both counts.

    Returns:
        Precision and recall, each from 0 to 1.

    Raises:
        ValueError: if the shapes do not fit, or `neighbours` does not.

    Examples:
        >>> real = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
        >>> precision, recall = precision_and_recall(real, real / 10)  # near the mean
        >>> precision > 0.95, recall < 0.2
        (True, True)

    Source: Kynkäänniemi et al. (2019), Improved precision and recall metric for
    assessing generative models, equation 2.
    """
    _check_features(real, samples)
    count = min(len(real), len(samples))
    if not isinstance(neighbours, int) or not 1 <= neighbours < count:
        raise ValueError(
            f"neighbours must be an integer from 1 to {count - 1}, got {neighbours!r}"
        )
    return (
        _share_inside(samples, real, neighbours),
        _share_inside(real, samples, neighbours),
    )


def nearest_distances(images: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Find the nearest of some images to each of others, by their pixels.

    Args:
        images: (count, ...).
        others: (other count, ...), of the same shape an image, such as training images.

    Returns:
        Distances, (count,), the root of the sum of squared differences, and which of
        `others` is the nearest, (count,).

    Raises:
        ValueError: if the shapes do not fit, or there are no others.

    Examples:
        >>> distances, which = nearest_distances(
        ...     torch.tensor([[0.9, 0.0]]), torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
        >>> distances, which
        (tensor([0.1000]), tensor([1]))
    """
    if len(others) == 0 or images.shape[1:] != others.shape[1:]:
        raise ValueError(
            f"images and others must have images of one shape, "
            f"got {tuple(images.shape)} and {tuple(others.shape)}"
        )
    images, others = images.flatten(start_dim=1), others.flatten(start_dim=1)
    found = [torch.cdist(part, others).min(dim=1) for part in images.split(500)]
    distances = torch.cat([part.values for part in found])
    return distances, torch.cat([part.indices for part in found])


def _share_inside(points: Tensor, centres: Tensor, neighbours: int) -> float:
    """Return the share of points that lie inside the ball of any centre."""
    radii = torch.cat(
        [
            torch.cdist(part, centres).kthvalue(neighbours + 1, dim=1).values
            for part in centres.split(500)  # the nearest of all is the centre itself
        ]
    )
    inside = [
        (torch.cdist(part, centres) <= radii).any(dim=1) for part in points.split(500)
    ]
    return torch.cat(inside).double().mean().item()


def _check_features(first: Tensor, second: Tensor) -> None:
    for features in (first, second):
        if features.ndim != 2 or len(features) < 2:
            raise ValueError(
                f"features must have shape (count, dimension) with at least two rows, "
                f"got {tuple(features.shape)}"
            )
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"both sets must have as many features, got {first.shape[1]} and "
            f"{second.shape[1]}"
        )
