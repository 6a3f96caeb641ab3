r"""Corruption: the ways to turn a clean image x into a noisy one x̃.

Every function takes a floating-point tensor of any leading shape on any device, never
modifies it, and draws its randomness from `generator=`, so that the same seed gives
the same noise. Shape, dtype and device stay as they are.
"""

import math

import torch
from torch import Generator, Tensor


def no_noise(x: Tensor, *, generator: Generator | None = None) -> Tensor:
    r"""Leave every pixel as it is: $\tilde{x} = x$.

    The control of every experiment: a twin that is trained on clean images, alike in
    all else, shows what the noise has done.

    Args:
        x: clean images, floating point, any shape and any range.
        generator: not drawn from; there so that this can stand for any corruption.

    Returns:
        The same images in a new tensor. Gradient flows to `x`.

    Raises:
        TypeError: if `x` is not a floating-point tensor.
        ValueError: if `generator` is on another device.

    Examples:
        >>> no_noise(torch.tensor([0.2, 0.8]))
        tensor([0.2000, 0.8000])
    """
    _check_images(x, generator)
    return x.clone()


def add_gaussian_noise(
    x: Tensor,
    noise_factor: float = 0.5,
    *,
    clip: bool = True,
    generator: Generator | None = None,
) -> Tensor:
    r"""Add normally distributed noise to every pixel.

    $$\tilde{x} = x + \sigma\,\varepsilon, \qquad \varepsilon \sim \mathcal{N}(0, I)$$

    and, with `clip`, cut to [0, 1]. Clipping keeps an image an image, but it makes the
    noise biased: a black pixel can only become brighter. Arguments that need zero-mean
    noise (Noise2Noise) or a Gaussian likelihood (Tweedie's formula, denoising score
    matching) hold with `clip=False` only.

    Args:
        x: clean images, floating point, any shape; in [0, 1] if `clip`.
        noise_factor: the standard deviation σ, in units of pixel value, at least 0.
        clip: cut the result to [0, 1].
        generator: source of randomness, on the device of `x`.

    Returns:
        Noisy images, a new tensor like `x`. Gradient flows to `x`, except through
        pixels that were cut.

    Raises:
        TypeError: if `x` is not a floating-point tensor.
        ValueError: if `noise_factor` is negative or not finite, if `x` lies outside
            [0, 1] while `clip` is on, or if `generator` is on another device.

    Examples:
        >>> x = torch.full((1, 4), 0.5)
        >>> add_gaussian_noise(x, 0.1, generator=torch.Generator().manual_seed(0))
        tensor([[0.6541, 0.4707, 0.2821, 0.5568]])

    Source: Vincent et al. (2010), Stacked denoising autoencoders, section 3.3.
    """
    _check_images(x, generator)
    if not (math.isfinite(noise_factor) and noise_factor >= 0):
        raise ValueError(
            f"noise_factor must be a finite number of at least 0, got {noise_factor}"
        )
    if clip:
        _check_unit_range(x)
    # Half precision is too coarse to draw in: draw in float32, then round once.
    precise = torch.promote_types(x.dtype, torch.float32)
    noise = torch.randn(x.shape, dtype=precise, device=x.device, generator=generator)
    noisy = x + noise_factor * noise
    if clip:
        noisy = noisy.clamp(0, 1)
    return noisy.to(x.dtype)


def add_masking_noise(
    x: Tensor, mask_prob: float = 0.5, *, generator: Generator | None = None
) -> Tensor:
    r"""Set each pixel to zero with probability `mask_prob`.

    $$\tilde{x}_i = m_i\,x_i, \qquad m_i \sim \mathrm{Bernoulli}(1 - p)$$

    Unlike dropout, the pixels that survive are not scaled up.

    Args:
        x: clean images, floating point, any shape and any range.
        mask_prob: the probability p of losing a pixel, from 0 to 1.
        generator: source of randomness, on the device of `x`.

    Returns:
        Noisy images, a new tensor like `x`. Gradient flows to `x` through the pixels
        that survive.

    Raises:
        TypeError: if `x` is not a floating-point tensor.
        ValueError: if `mask_prob` is not in [0, 1], or `generator` is on another
            device.

    Examples:
        >>> x = torch.ones(2, 4)
        >>> add_masking_noise(x, 0.5, generator=torch.Generator().manual_seed(0))
        tensor([[0., 1., 0., 0.],
                [0., 1., 0., 1.]])

    Source: Vincent et al. (2008), Extracting and composing robust features with
    denoising autoencoders.
    """
    _check_images(x, generator)
    _check_probability("mask_prob", mask_prob)
    uniform = torch.rand(x.shape, device=x.device, generator=generator)
    return x.masked_fill(uniform < mask_prob, 0)


def add_salt_and_pepper_noise(
    x: Tensor, flip_prob: float = 0.25, *, generator: Generator | None = None
) -> Tensor:
    r"""Set each pixel, with probability `flip_prob`, to black or white by a fair coin.

    $$\tilde{x}_i = \begin{cases} 0 & \text{with probability } p/2 \\
    1 & \text{with probability } p/2 \\ x_i & \text{otherwise} \end{cases}$$

    Args:
        x: clean images, floating point, any shape, in [0, 1].
        flip_prob: the probability p of losing a pixel, from 0 to 1.
        generator: source of randomness, on the device of `x`.

    Returns:
        Noisy images, a new tensor like `x`. Gradient flows to `x` through the pixels
        that survive.

    Raises:
        TypeError: if `x` is not a floating-point tensor.
        ValueError: if `flip_prob` is not in [0, 1], if `x` lies outside [0, 1], or if
            `generator` is on another device.

    Examples:
        >>> x = torch.full((2, 4), 0.5)
        >>> generator = torch.Generator().manual_seed(0)
        >>> add_salt_and_pepper_noise(x, 0.5, generator=generator)
        tensor([[1.0000, 0.5000, 0.0000, 0.0000],
                [1.0000, 0.5000, 1.0000, 0.5000]])

    Source: Vincent et al. (2010), Stacked denoising autoencoders, section 3.3.
    """
    _check_images(x, generator)
    _check_probability("flip_prob", flip_prob)
    _check_unit_range(x)
    uniform = torch.rand(x.shape, device=x.device, generator=generator)
    # One draw serves twice: below p/2 is pepper, from p/2 to p is salt.
    peppered = x.masked_fill(uniform < flip_prob / 2, 0)
    return peppered.masked_fill((uniform >= flip_prob / 2) & (uniform < flip_prob), 1)


def add_block_occlusion(
    x: Tensor, block_size: int = 10, *, generator: Generator | None = None
) -> Tensor:
    """Black out one square at a random place in every image.

    All positions at which the square fits are equally likely, so pixels near the
    border are hidden less often than those in the middle.

    Args:
        x: clean images, floating point, shape (..., channels, height, width). The
            channels of an image share one square.
        block_size: side of the square in pixels, from 0 to the smaller image side.
        generator: source of randomness, on the device of `x`.

    Returns:
        Occluded images, a new tensor like `x`. Gradient flows to `x` outside the
        squares.

    Raises:
        TypeError: if `x` is not a floating-point tensor.
        ValueError: if `x` has fewer than three axes, if `block_size` does not fit, or
            if `generator` is on another device.

    Examples:
        >>> x = torch.ones(1, 1, 4, 4)
        >>> add_block_occlusion(x, 2, generator=torch.Generator().manual_seed(1))
        tensor([[[[1., 1., 1., 1.],
                  [1., 1., 0., 0.],
                  [1., 1., 0., 0.],
                  [1., 1., 1., 1.]]]])
    """
    _check_images(x, generator)
    _check_image_axes("x", x)
    height, width = x.shape[-2:]
    if not isinstance(block_size, int) or not 0 <= block_size <= min(height, width):
        raise ValueError(
            f"block_size must be an integer from 0 to {min(height, width)}, "
            f"got {block_size!r}"
        )
    draw = {"device": x.device, "generator": generator}
    one_per_image = (*x.shape[:-3], 1, 1, 1)
    top = torch.randint(height - block_size + 1, one_per_image, **draw)
    left = torch.randint(width - block_size + 1, one_per_image, **draw)
    row = torch.arange(height, device=x.device).unsqueeze(1)  # (height, 1)
    column = torch.arange(width, device=x.device)  # (width,)
    in_rows = (row >= top) & (row < top + block_size)
    in_columns = (column >= left) & (column < left + block_size)
    return x.masked_fill(in_rows & in_columns, 0)


def add_varied_gaussian_noise(
    x: Tensor,
    lowest: float = 0.0,
    highest: float = 1.0,
    *,
    clip: bool = True,
    generator: Generator | None = None,
) -> Tensor:
    r"""Add normally distributed noise of another strength to every image.

    $$\tilde{x} = x + \sigma\,\varepsilon, \qquad
    \sigma \sim \mathcal{U}(\sigma_{\min}, \sigma_{\max}), \qquad
    \varepsilon \sim \mathcal{N}(0, I)$$

    One σ is drawn for each image, and holds for all of its pixels. A model that is
    trained on such images is called blind: nobody tells it σ.

    Args:
        x: clean images, floating point, shape (..., channels, height, width); in
            [0, 1] if `clip`.
        lowest: the smallest standard deviation, in units of pixel value, at least 0.
        highest: the largest one, at least `lowest`.
        clip: cut the result to [0, 1], as in `add_gaussian_noise`.
        generator: source of randomness, on the device of `x`.

    Returns:
        Noisy images, a new tensor like `x`.

    Raises:
        TypeError: if `x` is not a floating-point tensor.
        ValueError: if `x` has fewer than three axes, if the levels are not finite,
            negative or out of order, if `x` lies outside [0, 1] while `clip` is on,
            or if `generator` is on another device.

    Examples:
        >>> x = torch.full((3, 1, 28, 28), 0.5)
        >>> generator = torch.Generator().manual_seed(0)
        >>> noisy = add_varied_gaussian_noise(x, clip=False, generator=generator)
        >>> noisy.std(dim=(1, 2, 3))  # an estimate of each image's σ
        tensor([0.5125, 0.7646, 0.0895])
    """
    noisy, _ = _vary_gaussian_noise(x, lowest, highest, clip, generator)
    return noisy


def add_varied_gaussian_noise_with_level(
    x: Tensor,
    lowest: float = 0.0,
    highest: float = 1.0,
    *,
    clip: bool = True,
    generator: Generator | None = None,
) -> Tensor:
    """Add noise of varied strength, and append each image's σ as a constant channel.

    A model that is trained on such images is called noise-aware. With the same
    generator state, the noisy images are those of `add_varied_gaussian_noise`.

    Args:
        x: as in `add_varied_gaussian_noise`.
        lowest: as there.
        highest: as there.
        clip: as there; it does not touch the channel that holds σ.
        generator: as there.

    Returns:
        (..., channels + 1, height, width): the noisy image, then its level.

    Raises:
        TypeError: as in `add_varied_gaussian_noise`.
        ValueError: as in `add_varied_gaussian_noise`.

    Examples:
        >>> x = torch.rand(16, 1, 28, 28)
        >>> add_varied_gaussian_noise_with_level(x).shape
        torch.Size([16, 2, 28, 28])

    Source: Zhang, Zuo and Zhang (2018), FFDNet: toward a fast and flexible solution
    for CNN-based image denoising.
    """
    noisy, level = _vary_gaussian_noise(x, lowest, highest, clip, generator)
    return append_noise_level(noisy, level)


def append_noise_level(noisy: Tensor, level: float | Tensor) -> Tensor:
    """Append the noise level to images, as a constant channel.

    Args:
        noisy: images, (..., channels, height, width).
        level: the standard deviation σ, one number for all images, or a tensor that
            broadcasts to (..., 1, height, width).

    Returns:
        (..., channels + 1, height, width), of the dtype of `noisy`.

    Raises:
        ValueError: if `noisy` has fewer than three axes, or if a level is negative or
            not finite.

    Examples:
        >>> told = append_noise_level(torch.rand(16, 1, 28, 28), 0.5)
        >>> told.shape, told[:, 1].unique()
        (torch.Size([16, 2, 28, 28]), tensor([0.5000]))
    """
    _check_image_axes("noisy", noisy)
    level = torch.as_tensor(level, dtype=noisy.dtype, device=noisy.device)
    if not ((level >= 0) & level.isfinite()).all():
        raise ValueError("level must be finite numbers of at least 0")
    channel = level.expand(*noisy.shape[:-3], 1, *noisy.shape[-2:])
    return torch.cat([noisy, channel], dim=-3)


def _vary_gaussian_noise(
    x: Tensor, lowest: float, highest: float, clip: bool, generator: Generator | None
) -> tuple[Tensor, Tensor]:
    """Return noisy images and their levels, (..., 1, 1, 1)."""
    _check_images(x, generator)
    _check_image_axes("x", x)
    if not 0 <= lowest <= highest < math.inf:
        raise ValueError(
            f"levels must satisfy 0 <= lowest <= highest < inf, "
            f"got lowest={lowest}, highest={highest}"
        )
    if clip:
        _check_unit_range(x)
    precise = torch.promote_types(x.dtype, torch.float32)
    one_per_image = (*x.shape[:-3], 1, 1, 1)
    draw = {"dtype": precise, "device": x.device, "generator": generator}
    level = lowest + (highest - lowest) * torch.rand(one_per_image, **draw)
    noisy = x + level * torch.randn(x.shape, **draw)
    if clip:
        noisy = noisy.clamp(0, 1)
    return noisy.to(x.dtype), level


def _check_images(x: Tensor, generator: Generator | None) -> None:
    if not isinstance(x, Tensor) or not x.is_floating_point():
        kind = f"a {x.dtype} tensor" if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(
            f"x must be a floating-point tensor, got {kind}; "
            f"for images stored as bytes, pass x.float() / 255"
        )
    if generator is not None and generator.device.type != x.device.type:
        raise ValueError(
            f"generator must be on the device of x, {x.device}, "
            f"got one on {generator.device}"
        )


def _check_image_axes(name: str, images: Tensor) -> None:
    if images.ndim < 3:
        raise ValueError(
            f"{name} must have shape (..., channels, height, width), "
            f"got {tuple(images.shape)}"
        )
    # What is drawn once an image would be drawn once for a batch without channels.
    if images.ndim == 3 and len(images) > 4:
        raise ValueError(
            f"{name} of shape {tuple(images.shape)} looks like a batch without a "
            f"channel axis, and would count as one image; pass {name}.unsqueeze(1)"
        )


def _check_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:  # false for NaN, too
        raise ValueError(f"{name} must be a probability in [0, 1], got {value}")


def _check_unit_range(x: Tensor) -> None:
    if x.numel() == 0:
        return
    low, high = (bound.item() for bound in x.detach().aminmax())
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"x must lie in [0, 1], since the result is cut to that range; "
            f"got values from {low:g} to {high:g}. Undo any normalisation first"
        )
