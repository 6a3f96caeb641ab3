r"""Mending noise that is not what a method asks for: clipped, or counted.

Two noises break what rests on E[y | x] = x, or on one σ for all pixels. Clipped noise
has another mean, g(x). Counts of light (Poisson noise) have the right mean, but are the
noisier the brighter; a square root (Anscombe) evens that out, and moves the mean. The
same remedy serves both: work out g, and put results through its inverse.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor


def clipped_mean(clean: Tensor, sigma: float) -> Tensor:
    r"""Return the mean of a pixel under Gaussian noise that is clipped to [0, 1].

    $$g(x) = \mathbb{E}\,[\operatorname{clip}(x + \sigma\varepsilon)]
    = x\,(\Phi(b) - \Phi(a)) + \sigma\,(\varphi(a) - \varphi(b)) + 1 - \Phi(b)$$

    with $a = -x/\sigma$ and $b = (1 - x)/\sigma$; φ is the normal density, and Φ its
    integral.

    Args:
        clean: pixel values, any shape.
        sigma: standard deviation of the noise before clipping, above 0.

    Returns:
        The means, of that shape, between 0 and 1.

    Raises:
        ValueError: if `sigma` is not positive and finite.

    Examples:
        >>> clipped_mean(torch.tensor([0.0, 0.5, 1.0]), sigma=0.5)
        tensor([0.1952, 0.5000, 0.8048])
    """
    _check_positive("sigma", sigma)
    low, high = -clean / sigma, (1 - clean) / sigma
    inside = torch.special.ndtr(high) - torch.special.ndtr(low)
    slope = sigma * (_normal_density(low) - _normal_density(high))
    return clean * inside + slope + torch.special.ndtr(-high)


def anscombe(counts: Tensor) -> Tensor:
    r"""Even out the noise of counts: $2 \sqrt{k + 3/8}$.

    Poisson counts have a variance as large as their mean. Their square root has a
    variance near 1 for every mean above about 4; below, less.

    Args:
        counts: numbers of at least 0, any shape.

    Returns:
        The evened-out values, of that shape, with noise of σ ≈ 1.

    Examples:
        >>> means = torch.tensor([[5.0], [50.0]]).expand(2, 100_000)
        >>> counts = torch.poisson(means, generator=torch.Generator().manual_seed(0))
        >>> [f"{spread:.1f}" for spread in counts.std(dim=1).tolist()]
        ['2.2', '7.1']
        >>> [f"{spread:.1f}" for spread in anscombe(counts).std(dim=1).tolist()]
        ['1.0', '1.0']

    Source: Anscombe (1948), The transformation of Poisson, binomial and
    negative-binomial data.
    """
    return 2 * (counts + 3 / 8).sqrt()


def anscombe_mean(mean: Tensor, *, largest: int = 200) -> Tensor:
    r"""Return the mean of what `anscombe` makes of Poisson counts.

    $$g(\lambda) = \sum_k 2 \sqrt{k + 3/8}\; e^{-\lambda}\,\lambda^k / k!$$

    Args:
        mean: λ, the mean counts, at least 0, any shape.
        largest: where the sum ends, at least 6 deviations above every mean.

    Returns:
        The means, of that shape.

    Raises:
        ValueError: if `largest` is too small: what is left out would be missing.

    Examples:
        >>> means = torch.tensor([0.0, 1.0, 10.0])
        >>> anscombe_mean(means)  # below anscombe(means): a square root is concave
        tensor([1.2247, 2.1869, 6.3639])

    Source: Mäkitalo and Foi (2011), Optimal inversion of the Anscombe transformation in
    low-count Poisson image denoising.
    """
    if largest < (least := mean.max().item() + 6 * mean.max().item() ** 0.5):
        raise ValueError(f"largest must be at least {least:.0f} here, got {largest}")
    counts = torch.arange(largest + 1, dtype=mean.dtype, device=mean.device)
    rate = mean[..., None]
    chance = (torch.xlogy(counts, rate) - rate - torch.lgamma(counts + 1)).exp()
    return (chance * anscombe(counts)).sum(dim=-1)


def invert_mean(
    mean_of: Callable[[Tensor], Tensor],
    means: Tensor,
    *,
    low: float = 0.0,
    high: float = 1.0,
    points: int = 1001,
) -> Tensor:
    """Find what has the given means: the inverse of a rising function, from a table.

    Args:
        mean_of: g, rising, such as `clipped_mean` with its σ filled in.
        means: values of g, any shape; those outside its range count as its ends.
        low: least argument of g that comes into question.
        high: the largest one, above `low`.
        points: how many values of g are tabulated, at least 2; between them, the
            inverse runs straight.

    Returns:
        The arguments, between `low` and `high`, of the shape of `means`.

    Raises:
        ValueError: if `low` is not below `high`, or g does not rise.

    Examples:
        >>> from functools import partial
        >>> mean_of = partial(clipped_mean, sigma=0.5)
        >>> invert_mean(mean_of, torch.tensor([0.1, 0.5, 0.7]))  # 0.1: black at most
        tensor([0.0000, 0.5000, 0.8060])
    """
    if not low < high:
        raise ValueError(f"low must be below high, got {low} and {high}")
    argument = torch.linspace(low, high, points, dtype=means.dtype, device=means.device)
    value = mean_of(argument)
    if not (value.diff() > 0).all():
        raise ValueError("mean_of must rise everywhere between low and high")
    after = torch.searchsorted(value, means.contiguous()).clamp(1, points - 1)
    share = (means - value[after - 1]) / (value[after] - value[after - 1])
    return torch.lerp(argument[after - 1], argument[after], share.clamp(0, 1))


def _normal_density(x: Tensor) -> Tensor:
    return (-x.square() / 2).exp() / math.sqrt(2 * math.pi)


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
