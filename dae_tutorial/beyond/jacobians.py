r"""What a denoiser does to small changes of its input: its Jacobian.

The best denoiser for squared error has a symmetric one: the posterior covariance over
σ². Only with a symmetric one is x - D(x) the gradient of a penalty, as RED would like
it to be. And the spectral norm, how much the change that grows most grows, decides
whether solvers must come to rest.
"""

from collections.abc import Callable

import torch
from torch import Tensor

ROWS = 98  # of the Jacobian at a time: so many copies of the image are in memory


def denoiser_jacobian(denoise: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    r"""Return $J_{ij} = \partial D_i / \partial x_j$ at one image.

    Args:
        denoise: maps (1, channels, height, width) to the same shape; differentiable.
        image: (channels, height, width).

    Returns:
        (pixels, pixels).

    Raises:
        ValueError: if the image does not have three axes.

    Examples:
        >>> from torch.nn.functional import pad
        >>> def smear(x): return (x + pad(x, (1, 0))[..., :-1]) / 2  # to the right
        >>> denoiser_jacobian(smear, torch.zeros(1, 1, 3))
        tensor([[0.5000, 0.0000, 0.0000],
                [0.5000, 0.5000, 0.0000],
                [0.0000, 0.5000, 0.5000]])
    """
    if image.ndim != 3:
        raise ValueError(
            f"image must have shape (channels, height, width), got {tuple(image.shape)}"
        )
    rows = torch.func.jacrev(lambda one: denoise(one[None])[0], chunk_size=ROWS)(image)
    return rows.reshape(image.numel(), image.numel())


def asymmetry(jacobian: Tensor) -> float:
    r"""Return how much of a matrix is not symmetric, from 0 to 1.

    $$\frac{\lVert J - J^\top \rVert}{2\,\lVert J \rVert}$$

    Args:
        jacobian: J, (pixels, pixels), not all 0.

    Returns:
        0 for a symmetric matrix; 1 if $J^\top = -J$.

    Raises:
        ValueError: if it is not square.

    Examples:
        >>> asymmetry(torch.tensor([[1.0, 2.0], [2.0, 1.0]]))
        0.0
        >>> asymmetry(torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
        1.0

    Source: Reehorst and Schniter (2019), Regularization by denoising: clarifications
    and new interpretations, who measure it in a like way.
    """
    if jacobian.ndim != 2 or jacobian.shape[0] != jacobian.shape[1]:
        raise ValueError(f"jacobian must be square, got {tuple(jacobian.shape)}")
    return ((jacobian - jacobian.T).norm() / (2 * jacobian.norm())).item()
