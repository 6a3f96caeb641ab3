"""Harder digits: MNIST turned by any angle, or laid over noise or photographs.

The recipe follows the variations of Larochelle et al. (2007), which Vincent et al.
(2008, 2010) made the measure of pretraining: few training images, many test images,
and disturbances that have nothing to do with the label. Everything is drawn from
`generator=`, so the same seed gives the same images.
"""

import math
from collections.abc import Sequence

import torch
from skimage import color, data, util
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

PHOTOGRAPHS = (
    "astronaut",
    "brick",
    "camera",
    "cat",
    "clock",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "rocket",
)
"""The photographs behind the digits: names of functions of `skimage.data`."""


def split(
    images: Tensor,
    labels: Tensor,
    sizes: Sequence[int] = (10_000, 2_000, 50_000),
    *,
    generator: Generator | None = None,
) -> list[tuple[Tensor, Tensor]]:
    """Deal images out at random into sets that share none of them.

    The default sizes are those of the variations: 10,000 images to train with, 2,000
    to choose with and 50,000 to test on. That is more than the training set of MNIST
    holds, so the original recipe draws from its training and test images together.

    Args:
        images: (count, ...).
        labels: (count,).
        sizes: images in each set, together at most `count`.
        generator: source of randomness.

    Returns:
        One (images, labels) pair for each of `sizes`, copied from the input.

    Raises:
        ValueError: if images and labels are not equally many, if a size is not a
            positive integer, or if there are not enough images.

    Examples:
        >>> images, labels = torch.rand(10, 1, 28, 28), torch.arange(10)
        >>> generator = torch.Generator().manual_seed(0)
        >>> train, test = split(images, labels, (3, 2), generator=generator)
        >>> train[1], test[1]
        (tensor([4, 1, 7]), tensor([5, 3]))

    Source: Larochelle et al. (2007), An empirical evaluation of deep architectures on
    problems with many factors of variation.
    """
    if len(images) != len(labels):
        raise ValueError(
            f"images and labels must be equally many, "
            f"got {len(images)} images and {len(labels)} labels"
        )
    if any(not isinstance(size, int) or size < 1 for size in sizes):
        raise ValueError(f"sizes must be positive integers, got {tuple(sizes)}")
    if sum(sizes) > len(images):
        raise ValueError(
            f"sizes must sum to at most the {len(images)} images, got {sum(sizes)}"
        )
    order = torch.randperm(len(images), generator=generator)[: sum(sizes)]
    return [(images[part], labels[part]) for part in order.split(list(sizes))]


def rotate(images: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Turn every image by an angle of its own, uniform over the full circle.

    Args:
        images: (batch, 1, height, width), floating point; outside is black.
        generator: source of randomness.

    Returns:
        The turned images, a new tensor like `images`; pixels are interpolated
        bilinearly, and what leaves the frame is lost.

    Raises:
        ValueError: if `images` is misshapen.

    Examples:
        >>> images = torch.zeros(2, 1, 28, 28)
        >>> images[:, :, 13:15, 4:24] = 1  # a bar
        >>> turned = rotate(images, generator=torch.Generator().manual_seed(0))
        >>> turned.shape, torch.equal(turned[0], turned[1])
        (torch.Size([2, 1, 28, 28]), False)
    """
    _check_images(images)
    angle = 2 * math.pi * torch.rand(len(images), generator=generator)
    cosine, sine, still = angle.cos(), angle.sin(), torch.zeros_like(angle)
    turn = torch.stack([cosine, -sine, still, sine, cosine, still], dim=1)
    turn = turn.reshape(-1, 2, 3).to(images.dtype)  # nothing is shifted
    grid = affine_grid(turn, list(images.shape), align_corners=False)
    return grid_sample(images, grid, align_corners=False)


def add_random_background(
    images: Tensor, *, generator: Generator | None = None
) -> Tensor:
    """Put every image in front of pixels drawn uniformly from [0, 1].

    Of digit and background the brighter pixel wins, so no stroke gets darker.

    Args:
        images: (batch, 1, height, width), floating point, in [0, 1].
        generator: source of randomness.

    Returns:
        A new tensor like `images`, in [0, 1].

    Raises:
        ValueError: if `images` is misshapen.

    Examples:
        >>> digits = torch.zeros(1, 1, 2, 3)
        >>> add_random_background(digits, generator=torch.Generator().manual_seed(0))
        tensor([[[[0.4963, 0.7682, 0.0885],
                  [0.1320, 0.3074, 0.6341]]]])
    """
    _check_images(images)
    noise = torch.rand(images.shape, generator=generator)
    return torch.maximum(images, noise.to(images.dtype))


def add_image_background(
    images: Tensor,
    photographs: Sequence[Tensor],
    *,
    min_deviation: float = 0.1,
    generator: Generator | None = None,
) -> Tensor:
    """Put every image in front of a patch of a photograph.

    Photograph and place are random; flat patches, such as cloudless sky, are passed
    over. Of digit and background the brighter pixel wins, so no stroke gets darker.

    Args:
        images: (batch, 1, height, width), floating point, in [0, 1].
        photographs: grey images in [0, 1], (rows, columns) each, at least as large as
            `images`; every one is equally likely.
        min_deviation: standard deviation that the pixels of a patch must exceed.
        generator: source of randomness.

    Returns:
        A new tensor like `images`, in [0, 1].

    Raises:
        ValueError: if `images` is misshapen, if there are no photographs, or if one
            is too small or has no patch with enough contrast.

    Examples:
        >>> digits = torch.zeros(4, 1, 28, 28)
        >>> stripes = torch.arange(64.0).remainder(2).expand(64, 64)
        >>> generator = torch.Generator().manual_seed(0)
        >>> patches = add_image_background(digits, [stripes], generator=generator)
        >>> patches.shape, patches.mean()
        (torch.Size([4, 1, 28, 28]), tensor(0.5000))
    """
    _check_images(images)
    if not photographs:
        raise ValueError("photographs must hold at least one image, got none")
    height, width = images.shape[-2:]
    chosen = torch.randint(len(photographs), (len(images),), generator=generator)
    background = torch.empty_like(images)
    for number, photograph in enumerate(photographs):
        corners = _textured_corners(photograph, height, width, min_deviation)
        behind = chosen == number
        draw = torch.randint(len(corners), (int(behind.sum()),), generator=generator)
        row, column = corners[draw].T
        windows = photograph.unfold(0, height, 1).unfold(1, width, 1)  # a view
        background[behind, 0] = windows[row, column].to(images.dtype)
    return torch.maximum(images, background)


def shipped_photographs() -> list[Tensor]:
    """Load the photographs of `PHOTOGRAPHS`, which come with scikit-image.

    The variations of 2007 used 20 pictures from the web, which were not published on
    their own, so these can only be like them.

    Returns:
        Grey images, float32 in [0, 1], of shape (rows, columns) each.

    Examples:
        >>> photographs = shipped_photographs()
        >>> len(photographs), photographs[0].shape
        (10, torch.Size([512, 512]))
    """
    pictures = [util.img_as_float32(getattr(data, name)()) for name in PHOTOGRAPHS]
    grey = [color.rgb2gray(one) if one.ndim == 3 else one for one in pictures]
    return [torch.from_numpy(one) for one in grey]


def _textured_corners(
    photograph: Tensor, height: int, width: int, min_deviation: float
) -> Tensor:
    """Top left corners of all patches with enough contrast: (count, 2)."""
    if (
        photograph.ndim != 2
        or photograph.shape[0] < height
        or photograph.shape[1] < width
    ):
        raise ValueError(
            f"photographs must have shape (rows, columns) of at least "
            f"({height}, {width}), got {tuple(photograph.shape)}"
        )
    # In double precision: variance is a small difference of two means.
    pixels = photograph.double().unsqueeze(0)
    mean, mean_square = (
        _window_means(power, height, width)[0] for power in (pixels, pixels.square())
    )
    corners = (mean_square - mean.square() > min_deviation**2).nonzero()
    if len(corners) == 0:
        raise ValueError(
            f"every photograph must have a patch whose pixels deviate by more than "
            f"{min_deviation}, got one that has none"
        )
    return corners


def _window_means(pixels: Tensor, height: int, width: int) -> Tensor:
    # Rows first, then columns: 28 + 28 additions a window, not 28 · 28.
    columns = avg_pool2d(pixels, (height, 1), stride=1)
    return avg_pool2d(columns, (1, width), stride=1)


def _check_images(images: Tensor) -> None:
    if images.ndim != 4 or images.shape[1] != 1:
        raise ValueError(
            f"images must have shape (batch, 1, height, width), "
            f"got {tuple(images.shape)}"
        )
