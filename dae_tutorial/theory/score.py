r"""What a perfect denoiser does, where it can be written down.

Add Gaussian noise of standard deviation σ to data of density p, and the noisy points
have the density p_σ. Three things then hang together, for any p:

$$\mathbb{E}[x \mid \tilde{x}] = \tilde{x} + \sigma^2\,\nabla \ln p_\sigma(\tilde{x}),
\qquad \operatorname{Cov}[x \mid \tilde{x}]
= \sigma^2\,\frac{\partial\,\mathbb{E}[x \mid \tilde{x}]}{\partial \tilde{x}}$$

The left side of the first is the best denoiser; the gradient on its right, the score,
points to where data are dense. For two kinds of data all of this has a closed form:
mixtures of Gaussians, and finite sets, such as the images of a training set.

The noise must not be clipped: clipped noise is not Gaussian, and none of this holds.
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor


def tweedie_mean(noisy: Tensor, score: Tensor, sigma: float) -> Tensor:
    r"""Turn a score into the mean of the clean points: $\tilde{x} + \sigma^2 s$.

    Args:
        noisy: noisy points or images, any shape.
        score: the score of the noisy density there, of the same shape.
        sigma: standard deviation σ of the noise, above 0, in units of `noisy`.

    Raises:
        ValueError: if `sigma` is not positive and finite.

    Examples:
        >>> noisy = torch.tensor([[2.0, 0.0]])
        >>> tweedie_mean(noisy, -noisy / 2, sigma=1.0)  # data N(0, I): half of it
        tensor([[1., 0.]])

    Source: Robbins (1956), An empirical Bayes approach to statistics; Efron (2011),
    Tweedie's formula and selection bias.
    """
    _check_sigma(sigma)
    return noisy + sigma**2 * score


def tweedie_score(noisy: Tensor, mean: Tensor, sigma: float) -> Tensor:
    r"""Turn a posterior mean, or a denoiser's answer, into a score.

    $$s = \frac{\mathbb{E}[x \mid \tilde{x}] - \tilde{x}}{\sigma^2}$$

    It is in units of one over those of `noisy`. All else is as in `tweedie_mean`.

    Args:
        noisy: noisy points or images, any shape.
        mean: what a denoiser makes of them, of the same shape.
        sigma: the noise's standard deviation.

    Examples:
        >>> tweedie_score(torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, 0.0]]), 1.0)
        tensor([[-1.,  0.]])
    """
    _check_sigma(sigma)
    return (mean - noisy) / sigma**2


@dataclass(frozen=True)
class FiniteSet:
    """Data that can only be one of finitely many points, such as a training set.

    Attributes:
        points: (count, ...), floating point.
        log_weights: logarithms of their probabilities, (count,); alike by default.

    Raises:
        ValueError: if there are none, one is not finite, or the weights do not fit.

    Examples:
        >>> pair = FiniteSet(torch.tensor([[-1.0], [1.0]]))
        >>> pair.posterior_mean(torch.tensor([[0.0], [0.5]]), sigma=1.0)  # tanh here
        tensor([[0.0000],
                [0.4621]])
    """

    points: Tensor
    log_weights: Tensor | None = None

    def __post_init__(self):
        is_set = len(self.points) > 0 and self.points.ndim >= 2
        if not (is_set and self.points.isfinite().all()):
            raise ValueError(
                f"points must be finite, at least one, of shape (count, ...), got "
                f"shape {tuple(self.points.shape)}"
            )
        _check_weights(self.log_weights, len(self.points))

    def posterior_weights(self, noisy: Tensor, sigma: float) -> Tensor:
        """Say how likely each point is behind each noisy one: rows, (batch, count)."""
        return self._log_joint(noisy, sigma).softmax(dim=1)

    def log_density(self, noisy: Tensor, sigma: float) -> Tensor:
        """Return the logarithm of the noisy density, (batch,)."""
        return self._log_joint(noisy, sigma).logsumexp(dim=1)

    def posterior_mean(self, noisy: Tensor, sigma: float) -> Tensor:
        """Return the best denoiser's answer, of the shape of `noisy`."""
        weights = self.posterior_weights(noisy, sigma)
        return (weights @ self.points.flatten(start_dim=1)).reshape(noisy.shape)

    def score(self, noisy: Tensor, sigma: float) -> Tensor:
        """Return the gradient of `log_density`, of the shape of `noisy`."""
        return tweedie_score(noisy, self.posterior_mean(noisy, sigma), sigma)

    def posterior_covariance(self, noisy: Tensor, sigma: float) -> Tensor:
        """Return how uncertain the clean point is, (batch, dimension, dimension)."""
        weights = self.posterior_weights(noisy, sigma)
        mean = self.posterior_mean(noisy, sigma).flatten(start_dim=1)
        off = self.points.flatten(start_dim=1) - mean[:, None]  # (batch, count, dim)
        return torch.einsum("bn,bni,bnj->bij", weights, off, off)

    def draw_posterior(
        self, noisy: Tensor, sigma: float, *, generator: Generator | None = None
    ) -> Tensor:
        """Draw one of the points for each noisy one, as likely as it is behind it."""
        weights = self.posterior_weights(noisy, sigma)
        chosen = torch.multinomial(weights, 1, generator=generator)[:, 0]
        return self.points[chosen]

    def _log_joint(self, noisy: Tensor, sigma: float) -> Tensor:
        _check_sigma(sigma)
        _check_noisy(noisy, self.points.shape[1:])
        flat, known = noisy.flatten(start_dim=1), self.points.flatten(start_dim=1)
        # |x̃ - x|², as one matrix product: its rounding is small beside |x̃|² only, so
        # both are counted from the middle of the points.
        middle = known.mean(dim=0)
        flat, known = flat - middle, known - middle
        squares = flat.square().sum(1, keepdim=True) + known.square().sum(1)
        distance = (squares - 2 * flat @ known.T).clamp(min=0)
        constant = flat.shape[1] / 2 * math.log(2 * math.pi * sigma**2)
        log_weights = _or_alike(self.log_weights, known)
        return log_weights - distance / (2 * sigma**2) - constant


@dataclass(frozen=True)
class GaussianMixture:
    """Data drawn from one of several Gaussians.

    Attributes:
        means: (count, dimension), floating point.
        covariances: (count, dimension, dimension), symmetric and positive.
        log_weights: logarithms of their probabilities, (count,); alike by default.

    Raises:
        ValueError: if shapes do not fit, or numbers are not finite.

    Examples:
        >>> bell = GaussianMixture(torch.zeros(1, 2), torch.eye(2)[None])
        >>> bell.posterior_mean(torch.tensor([[2.0, 0.0]]), sigma=1.0)
        tensor([[1., 0.]])
    """

    means: Tensor
    covariances: Tensor
    log_weights: Tensor | None = None

    def __post_init__(self):
        count, dimension = self.means.shape if self.means.ndim == 2 else (0, 0)
        fit = count > 0 and self.covariances.shape == (count, dimension, dimension)
        if not (fit and (self.means.sum() + self.covariances.sum()).isfinite()):
            raise ValueError(
                f"means and covariances must be finite, of shapes (count, dimension) "
                f"and (count, dimension, dimension), got {tuple(self.means.shape)} and "
                f"{tuple(self.covariances.shape)}"
            )
        _check_weights(self.log_weights, count)

    def draw(self, count: int, *, generator: Generator | None = None) -> Tensor:
        """Draw clean points, (count, dimension)."""
        weights = _or_alike(self.log_weights, self.means).exp()
        chosen = weights.multinomial(count, replacement=True, generator=generator)
        means, spread = self.means[chosen], torch.linalg.cholesky(self.covariances)
        standard = torch.empty_like(means).normal_(generator=generator)
        return means + (spread[chosen] @ standard[..., None])[..., 0]

    def log_density(self, noisy: Tensor, sigma: float) -> Tensor:
        """Return the logarithm of the noisy density, (batch,)."""
        return self._each(noisy, sigma)[0].logsumexp(dim=1)

    def posterior_mean(self, noisy: Tensor, sigma: float) -> Tensor:
        """Return the best denoiser's answer, (batch, dimension)."""
        log_joint, means, _ = self._each(noisy, sigma)
        return torch.einsum("bk,bki->bi", log_joint.softmax(dim=1), means)

    def score(self, noisy: Tensor, sigma: float) -> Tensor:
        """Return the gradient of `log_density`, (batch, dimension)."""
        return tweedie_score(noisy, self.posterior_mean(noisy, sigma), sigma)

    def posterior_covariance(self, noisy: Tensor, sigma: float) -> Tensor:
        """Return how uncertain the clean point is, (batch, dimension, dimension)."""
        log_joint, means, covariances = self._each(noisy, sigma)
        weights = log_joint.softmax(dim=1)
        off = means - torch.einsum("bk,bki->bi", weights, means)[:, None]
        between = torch.einsum("bk,bki,bkj->bij", weights, off, off)
        return between + torch.einsum("bk,kij->bij", weights, covariances)

    def _each(self, noisy: Tensor, sigma: float) -> tuple[Tensor, Tensor, Tensor]:
        """Return log p(x̃, k), and each Gaussian's posterior means and covariances."""
        _check_sigma(sigma)
        _check_noisy(noisy, self.means.shape[1:])
        unit = torch.eye(self.means.shape[1], dtype=noisy.dtype, device=noisy.device)
        noisy_covariances = self.covariances + sigma**2 * unit
        gain = torch.linalg.solve(noisy_covariances, self.covariances)  # they commute
        off = noisy[:, None] - self.means  # (batch, count, dimension)
        normal = torch.distributions.MultivariateNormal(self.means, noisy_covariances)
        log_weights = _or_alike(self.log_weights, self.means)
        log_joint = log_weights + normal.log_prob(noisy[:, None])
        means = self.means + torch.einsum("kij,bkj->bki", gain.mT, off)
        return log_joint, means, sigma**2 * gain


def _or_alike(log_weights: Tensor | None, points: Tensor) -> Tensor:
    """Return what is given, or the logarithms of equal probabilities."""
    if log_weights is not None:
        return log_weights
    return points.new_full((len(points),), -math.log(len(points)))


def _check_sigma(sigma: float) -> None:
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma must be a finite number above 0, got {sigma!r}")


def _check_weights(log_weights: Tensor | None, count: int) -> None:
    if log_weights is None:
        return
    total = log_weights.exp().sum().item()
    if log_weights.shape != (count,) or not math.isclose(total, 1, abs_tol=1e-5):
        raise ValueError(
            f"log_weights must be the logarithms of {count} probabilities that sum to "
            f"1, got shape {tuple(log_weights.shape)} and sum {total:.6g}"
        )


def _check_noisy(noisy: Tensor, shape: torch.Size) -> None:
    if noisy.ndim < 2 or noisy.shape[1:] != shape:
        raise ValueError(
            f"noisy must have shape (batch, {', '.join(map(str, shape))}), "
            f"got {tuple(noisy.shape)}"
        )
