r"""The exact answer to a measurement, where all possible images are known.

If an image is one of a known set, such as the training images, there is nothing to
learn and nothing to iterate: Bayes' rule is a weighted mean. No method has a smaller
expected squared error *on images of that set*. On new images it is no limit at all.
"""

import math
from typing import Protocol

import torch
from torch import Tensor


class Measurement(Protocol):
    """What is asked of a measurement; `operators` has some."""

    def forward(self, images: Tensor) -> Tensor:
        """Measure images without noise."""

    def adjoint(self, measured: Tensor) -> Tensor:
        """Hand measured numbers back to the pixels that they came from."""

    def solve(self, measured: Tensor, signal: float, noise: float) -> Tensor:
        """Solve (s A Aᵀ + v) w = y, with s = `signal` and v = `noise`."""

    def energies(self, points: Tensor, signal: float, noise: float) -> Tensor:
        """Return (Ax)ᵀ (s A Aᵀ + v)⁻¹ Ax for each image."""


@torch.no_grad()
def posterior_mean_of_set(
    points: Tensor,
    operator: Measurement,
    measured: Tensor,
    *,
    noise_sigma: float,
    spread: float = 0.0,
) -> Tensor:
    r"""Return the best answer there is, if images are drawn from a known set.

    $$\hat{x} = \sum_n w_n x_n, \qquad
    w_n \propto \exp\left(-\frac{\lVert y - A x_n \rVert^2}{2 \sigma_y^2}\right)$$

    With a spread h the prior is a bell around each image of the set in place of the
    image alone: images *like* those. Then weights are those of $y$ under the covariance
    $h^2 A A^\top + \sigma_y^2$, and the mean is fitted to the data by one data step.

    Args:
        points: the set, (count, channels, height, width).
        operator: A.
        measured: y. Memory holds its batch times `count` numbers.
        noise_sigma: standard deviation of the measurement's noise, above 0.
        spread: h, in units of pixel value, at least 0.

    Returns:
        Images, of the shape of the points.

    Raises:
        ValueError: if `noise_sigma` is not positive, or `spread` is negative.

    Examples:
        >>> from dae_tutorial.beyond.operators import Mask
        >>> points = torch.tensor([[[[0.0, 0.2]]], [[[1.0, 0.8]]]])
        >>> left = Mask(torch.tensor([[[[1.0, 0.0]]]]))
        >>> seen = torch.tensor([[[[0.9, 0.0]]]])
        >>> posterior_mean_of_set(points, left, seen, noise_sigma=0.1)
        tensor([[[[1.0000, 0.8000]]]])
        >>> posterior_mean_of_set(points, left, seen, noise_sigma=0.1, spread=0.1)
        tensor([[[[0.9500, 0.8000]]]])

    Source: Bayes' rule; for the bells, Parzen (1962), On estimation of a probability
    density function and mode.
    """
    if not 0 < noise_sigma < math.inf:
        raise ValueError(f"noise_sigma must be finite and above 0, got {noise_sigma}")
    if not 0 <= spread < math.inf:
        raise ValueError(f"spread must be a finite number of at least 0, got {spread}")
    variances = spread**2, noise_sigma**2
    pull = operator.adjoint(operator.solve(measured, *variances)).flatten(start_dim=1)
    energies = operator.energies(points, *variances)
    log_weights = pull @ points.flatten(start_dim=1).T - energies / 2
    mean = log_weights.softmax(dim=1) @ points.flatten(start_dim=1)
    mean = mean.reshape(-1, *points.shape[1:])
    missed = operator.solve(measured - operator.forward(mean), *variances)
    return mean + spread**2 * operator.adjoint(missed)
