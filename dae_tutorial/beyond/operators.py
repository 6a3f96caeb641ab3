r"""What a measurement keeps of an image: some pixels, a blur, a smaller picture.

Each is a linear map A with noise of standard deviation σ added to what it gives:

$$y = A x + \sigma\,\varepsilon$$

A solver needs two directions. Forward goes from the image to the measurement. The
adjoint hands each measured number back to the pixels that it came from. For each map
here $A A^\top$ is simple, in pixels or in waves, so a data step is solved exactly and
at once.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional


class LinearOperator:
    r"""A linear map of images, with its adjoint and an inverse that noise cannot break.

    A subclass gives `forward`, `adjoint` and `solve`; the rest follows:

    $$(s A A^\top + v)^{-1} y \quad\text{is}\quad \texttt{solve(y, s, v)}$$

    It has a meaning: $s A A^\top + v$ is the covariance of measurements, if pixels vary
    with variance s, each on its own, and the noise has variance v.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Measure images, (batch, channels, height, width), without noise."""
        raise NotImplementedError

    def adjoint(self, measured: Tensor) -> Tensor:
        """Hand each measured number back to the pixels that it came from."""
        raise NotImplementedError

    def solve(self, measured: Tensor, signal: float, noise: float) -> Tensor:
        """Solve (s A Aᵀ + v) w = y for w, with s = `signal` and v = `noise`."""
        raise NotImplementedError

    def pseudo_inverse(self, measured: Tensor) -> Tensor:
        r"""Return the smallest image that explains it all: $A^\top(AA^\top)^+ y$.

        It believes the noise, puts nothing where nothing was measured, and is not cut
        to [0, 1].
        """
        return self.adjoint(self.solve(measured, 1.0, 0.0))

    def proximal(self, images: Tensor, measured: Tensor, strength: float) -> Tensor:
        r"""Move images as far towards the measurement as is worth its price.

        $$\arg\min_x \tfrac12 \lVert y - A x \rVert^2
        + \tfrac{\rho}{2} \lVert x - v \rVert^2
        = v + A^\top (A A^\top + \rho)^{-1} (y - A v)$$

        What the measurement misses in v is handed back to the pixels. If v is off by a
        standard deviation of τ, the best strength is $\rho = \sigma^2 / \tau^2$.

        Args:
            images: v, where one would be without the measurement.
            measured: y.
            strength: of v against y, at least 0; at 0, y is believed wholly.

        Returns:
            Images, of the shape of `images`.

        Raises:
            ValueError: if `strength` is negative or not finite.
        """
        if not 0 <= strength < math.inf:
            raise ValueError(
                f"strength must be a finite number of at least 0, got {strength!r}"
            )
        missed = measured - self.forward(images)
        return images + self.adjoint(self.solve(missed, 1.0, strength))

    def energies(self, points: Tensor, signal: float, noise: float) -> Tensor:
        r"""Return $(Ax)^\top (sAA^\top + v)^{-1} Ax$ for each image, (count,)."""
        seen = self.forward(points)
        return (seen * self.solve(seen, signal, noise)).flatten(start_dim=1).sum(dim=1)


class Mask(LinearOperator):
    """Some pixels are seen, the others are not, and are 0 in the measurement.

    Args:
        seen: 1 where a pixel is seen and 0 where not, (batch, channels, height, width),
            or with a batch of 1, for all images alike.

    Raises:
        ValueError: if `seen` has other values, or another number of axes.

    Examples:
        >>> mask = Mask(torch.tensor([[[[1.0, 0.0]]]]))
        >>> mask.forward(torch.tensor([[[[0.3, 0.9]]]]))
        tensor([[[[0.3000, 0.0000]]]])
        >>> there, seen = torch.full((1, 1, 1, 2), 0.5), torch.tensor([[[[0.3, 0.0]]]])
        >>> mask.proximal(there, seen, strength=1.0)  # half way, where it is seen
        tensor([[[[0.4000, 0.5000]]]])
    """

    def __init__(self, seen: Tensor):
        if seen.ndim != 4 or not ((seen == 0) | (seen == 1)).all():
            raise ValueError(
                f"seen must hold zeros and ones, (batch, channels, height, width), got "
                f"shape {tuple(seen.shape)}"
            )
        self.seen = seen

    def forward(self, images: Tensor) -> Tensor:
        """Black out what is not seen."""
        return self.seen * images

    adjoint = forward

    def solve(self, measured: Tensor, signal: float, noise: float) -> Tensor:
        """Divide each pixel by a number: A Aᵀ is the mask itself."""
        return measured * _inverse(signal * self.seen + noise)

    def energies(self, points: Tensor, signal: float, noise: float) -> Tensor:
        """Return energies for each mask and each image, (masks, count)."""
        weights = (self.seen * _inverse(signal * self.seen + noise)).to(points)
        return weights.flatten(start_dim=1) @ points.square().flatten(start_dim=1).T


class Blur(LinearOperator):
    """Each pixel becomes a weighted mean of its surroundings, which wrap at the border.

    Args:
        kernel: the weights, (rows, columns), both odd.
        shape: height and width of the images.

    Raises:
        ValueError: if the kernel is not odd on both sides or larger than the images.

    Examples:
        >>> smear = Blur(torch.tensor([[0.0, 0.5, 0.5]]), shape=(1, 5))
        >>> dot = torch.tensor([[[[0.0, 0.0, 1.0, 0.0, 0.0]]]])
        >>> smear.forward(dot).round(decimals=3).abs()  # to the right
        tensor([[[[0.0000, 0.0000, 0.5000, 0.5000, 0.0000]]]])
        >>> smear.adjoint(dot).round(decimals=3).abs()  # and back to the left
        tensor([[[[0.0000, 0.5000, 0.5000, 0.0000, 0.0000]]]])
    """

    def __init__(self, kernel: Tensor, shape: tuple[int, int] = (28, 28)):
        sides = tuple(kernel.shape)
        fits = len(sides) == 2 and all(
            side % 2 == 1 and side <= most
            for side, most in zip(sides, shape, strict=True)
        )
        if not fits:
            raise ValueError(
                f"kernel must have two odd sides, no longer than {tuple(shape)}, got "
                f"{sides}"
            )
        placed = kernel.new_zeros(shape)
        placed[: sides[0], : sides[1]] = kernel
        middle = placed.roll((-(sides[0] // 2), -(sides[1] // 2)), dims=(0, 1))
        self.factors = torch.fft.rfft2(middle)  # what becomes of each wave

    def forward(self, images: Tensor) -> Tensor:
        """Weaken each wave, and shift it."""
        return _times(images, self.factors)

    def adjoint(self, measured: Tensor) -> Tensor:
        """Weaken each wave as much, and shift it back."""
        return _times(measured, self.factors.conj())

    def solve(self, measured: Tensor, signal: float, noise: float) -> Tensor:
        """Divide each wave by a number."""
        power = self.factors.abs().square()
        return _times(measured, _inverse(signal * power + noise))


class Downsample(LinearOperator):
    """Each square of pixels becomes one pixel, its mean.

    Args:
        factor: side of the squares, at least 1; height and width are multiples of it.

    Raises:
        ValueError: if `factor` is not a positive integer.

    Examples:
        >>> half = Downsample(2)
        >>> half.forward(torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]]))
        tensor([[[[0.5000]]]])
        >>> half.pseudo_inverse(torch.tensor([[[[0.5]]]]))
        tensor([[[[0.5000, 0.5000],
                  [0.5000, 0.5000]]]])
    """

    def __init__(self, factor: int):
        if not isinstance(factor, int) or factor < 1:
            raise ValueError(f"factor must be a positive integer, got {factor!r}")
        self.factor = factor

    def forward(self, images: Tensor) -> Tensor:
        """Average over squares: (batch, channels, height / factor, width / factor)."""
        return functional.avg_pool2d(images, self.factor)

    def adjoint(self, measured: Tensor) -> Tensor:
        """Share each number out among the pixels of its square."""
        shares = measured / self.factor**2
        rows = shares.repeat_interleave(self.factor, dim=-2)
        return rows.repeat_interleave(self.factor, dim=-1)

    def solve(self, measured: Tensor, signal: float, noise: float) -> Tensor:
        """Divide by one number: a mean of f² pixels varies 1/f² as much as each."""
        return measured / (signal / self.factor**2 + noise)


def gaussian_kernel(width: float) -> Tensor:
    """Return the weights of a Gaussian blur, which sum to one.

    Args:
        width: standard deviation in pixels, above 0.

    Returns:
        (side, side), float32, to three deviations from the middle.

    Raises:
        ValueError: if `width` is not positive and finite.

    Examples:
        >>> gaussian_kernel(0.4).round(decimals=2)
        tensor([[0.0000, 0.0400, 0.0000],
                [0.0400, 0.8400, 0.0400],
                [0.0000, 0.0400, 0.0000]])
    """
    if not 0 < width < math.inf:
        raise ValueError(f"width must be a finite number above 0, got {width!r}")
    reach = max(1, round(3 * width))
    steps = torch.arange(-reach, reach + 1, dtype=torch.float32)
    weights = (-(steps**2) / (2 * width**2)).exp()
    return torch.outer(weights, weights) / weights.sum() ** 2


def _inverse(values: Tensor) -> Tensor:
    """Return 1 / values, and 0 where rounding alone makes them differ from 0."""
    least = torch.finfo(values.dtype).eps * values.max()
    return torch.where(values > least, 1 / values.clamp(min=least), 0.0)


def _times(images: Tensor, factors: Tensor) -> Tensor:
    waves = torch.fft.rfft2(images) * factors.to(images.dtype.to_complex())
    return torch.fft.irfft2(waves, s=images.shape[-2:])
