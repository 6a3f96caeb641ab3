r"""Three corruptions that later methods pretrain with, for any denoising autoencoder.

Patches that are hidden, as for masked autoencoders; noise in the space of principal
components, as for latent denoising autoencoders; and Gaussian noise whose level is
another for each image, as for diffusion models. Nothing is clipped.
"""

import math

import torch
from torch import Generator, Tensor


def mask_patches(
    x: Tensor,
    share: float = 0.75,
    size: int = 4,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Black out a share of the square patches that tile each image.

    Each image loses the same number of patches, the share rounded to whole ones, and
    which ones is drawn for each. Its channels lose the same ones.

    Args:
        x: clean images, floating point, (batch, channels, height, width).
        share: of the patches that are hidden, from 0 to 1.
        size: side of a patch in pixels; it must divide height and width.
        generator: source of randomness, on the device of `x`.

    Returns:
        The images with holes, a new tensor like `x`.

    Raises:
        ValueError: if `x` does not have four axes, `size` does not tile it, or `share`
            is not in [0, 1].

    Examples:
        >>> generator = Generator().manual_seed(0)
        >>> mask_patches(torch.ones(1, 1, 4, 4), 0.5, size=2, generator=generator)
        tensor([[[[1., 1., 1., 1.],
                  [1., 1., 1., 1.],
                  [0., 0., 0., 0.],
                  [0., 0., 0., 0.]]]])

    Source: He et al. (2022), Masked autoencoders are scalable vision learners. There,
    the encoder does not see the hidden patches at all; here, it sees them black.
    """
    if x.ndim != 4:
        raise ValueError(
            f"x must have shape (batch, channels, height, width), got {tuple(x.shape)}"
        )
    batch, _, height, width = x.shape
    if not isinstance(size, int) or size < 1 or height % size or width % size:
        raise ValueError(f"size must divide {height} and {width}, got {size!r}")
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in [0, 1], got {share}")
    rows, columns = height // size, width // size
    uniform = torch.rand(batch, rows * columns, device=x.device, generator=generator)
    rank = uniform.argsort(dim=1).argsort(dim=1)
    hidden = (rank < round(share * rows * columns)).reshape(batch, 1, rows, columns)
    hidden = hidden.repeat_interleave(size, dim=2).repeat_interleave(size, dim=3)
    return x.masked_fill(hidden, 0)


class PrincipalNoise:
    r"""Adds noise to the principal components of images, and drops all but the first.

    $$\tilde{x} = \mu + \sum_{k=1}^{d} \left(v_k^\top (x - \mu)
    + \sigma\,\varepsilon_k\right) v_k$$

    All components get noise of the same σ, so the last of them, in which images vary
    least, drown first. With all components, d = N, this is Gaussian noise on the
    pixels: to turn the axes does not change it.

    Args:
        images: to find mean and components from, (count, ...).
        count: d, how many components are kept.
        sigma: standard deviation of the noise in each, in the units of the pixels.

    Attributes:
        mean: (pixels,).
        directions: (count, pixels), orthonormal, by falling variance.

    Raises:
        ValueError: if `count` is not between 1 and the number of pixels, or `sigma` is
            negative or not finite.

    Examples:
        >>> images = torch.rand(50, 1, 4, 4, generator=Generator().manual_seed(0))
        >>> corrupt = PrincipalNoise(images, count=16, sigma=0.0)
        >>> torch.allclose(corrupt(images), images, atol=1e-5)  # nothing dropped
        True

    Source: Chen, Liu, Xie and He (2024), Deconstructing denoising diffusion models for
    self-supervised learning. There, the components are those of patches.
    """

    def __init__(self, images: Tensor, count: int, sigma: float):
        pixels = images.flatten(start_dim=1)
        if not 1 <= count <= pixels.shape[1]:
            raise ValueError(
                f"count must be from 1 to {pixels.shape[1]}, got {count!r}"
            )
        if not 0 <= sigma < math.inf:
            raise ValueError(
                f"sigma must be a finite number of at least 0, got {sigma}"
            )
        self.mean, self.sigma = pixels.mean(dim=0), sigma
        _, directions = torch.linalg.eigh(torch.cov(pixels.T))  # from small to large
        self.directions = directions.T.flip(0)[:count].contiguous()

    def __call__(self, x: Tensor, *, generator: Generator | None = None) -> Tensor:
        """Corrupt images.

        Args:
            x: clean images, (batch, ...), of the size of those it was made from.
            generator: source of randomness, on the device of `x`.

        Returns:
            Noisy images, of the shape of `x`; any real value.
        """
        codes = (x.flatten(start_dim=1) - self.mean) @ self.directions.T
        noise = torch.randn(codes.shape, device=x.device, generator=generator)
        noisy = (codes + self.sigma * noise) @ self.directions + self.mean
        return noisy.reshape(x.shape)


def add_noise_of_any_scale(
    x: Tensor,
    lowest: float = 0.05,
    highest: float = 2.0,
    *,
    generator: Generator | None = None,
) -> Tensor:
    r"""Add Gaussian noise whose level is drawn for each image, over orders of size.

    $$\tilde{x} = x + \sigma\,\varepsilon, \qquad
    \ln \sigma \sim \mathcal{U}(\ln \sigma_{\min}, \ln \sigma_{\max})$$

    Args:
        x: clean images, floating point, (batch, ...).
        lowest: the smallest standard deviation, in units of pixel value, above 0.
        highest: the largest one, at least `lowest`.
        generator: source of randomness, on the device of `x`.

    Returns:
        Noisy images, a new tensor like `x`; any real value.

    Raises:
        ValueError: if the levels are not positive, finite and in order.

    Examples:
        >>> generator = Generator().manual_seed(0)
        >>> noisy = add_noise_of_any_scale(torch.zeros(3, 1000), generator=generator)
        >>> noisy.std(dim=1)  # an estimate of each image's σ
        tensor([0.3210, 0.8565, 0.0684])
    """
    if not 0 < lowest <= highest < math.inf:
        raise ValueError(
            f"levels must satisfy 0 < lowest <= highest < inf, "
            f"got lowest={lowest}, highest={highest}"
        )
    draw = {"device": x.device, "dtype": x.dtype, "generator": generator}
    uniform = torch.rand(len(x), *[1] * (x.ndim - 1), **draw)
    level = lowest * (highest / lowest) ** uniform
    return x + level * torch.randn(x.shape, **draw)
