"""Photographs that scikit-image and scikit-learn ship, whole or in patches.

They lie inside the installed packages, so nothing is downloaded. They are few: enough
to see a denoiser work on something other than digits, too few for a strong one.
"""

from collections.abc import Sequence

import skimage.data
import torch
from sklearn.datasets import load_sample_image
from torch import Generator, Tensor

TRAINING = ("china", "flower", "motorcycle", "immunohistochemistry")
"""Photographs to train on."""

VALIDATION = ("rocket",)
"""Photographs to choose settings on."""

TEST = ("astronaut", "chelsea", "coffee")
"""Photographs to report on."""


def load_photograph(name: str) -> Tensor:
    """Load one photograph in colour.

    Args:
        name: one of `TRAINING`, `VALIDATION` and `TEST`.

    Returns:
        (3, height, width), red, green and blue, float32 in [0, 1].

    Raises:
        ValueError: if there is no photograph of that name.

    Examples:
        >>> load_photograph("astronaut").shape
        torch.Size([3, 512, 512])
    """
    if name not in TRAINING + VALIDATION + TEST:
        known = ", ".join(sorted(TRAINING + VALIDATION + TEST))
        raise ValueError(f"name must be one of {known}; got {name!r}")
    if name in ("china", "flower"):
        pixels = load_sample_image(f"{name}.jpg")
    elif name == "motorcycle":
        pixels, _, _ = skimage.data.stereo_motorcycle()  # the left eye's view
    else:
        pixels = getattr(skimage.data, name)()
    return torch.tensor(pixels).permute(2, 0, 1).to(torch.float32) / 255


def draw_patches(
    photographs: Sequence[Tensor],
    count: int,
    size: int = 40,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Cut square patches at random places out of photographs.

    Every photograph is drawn from equally often, wherever a patch fits.

    Args:
        photographs: each (channels, height, width), all of one channel count.
        count: how many patches, at least 1.
        size: side of a patch in pixels, no larger than any photograph.
        generator: source of randomness, on the CPU.

    Returns:
        (count, channels, size, size).

    Raises:
        ValueError: if there is no photograph, one is smaller than a patch, or `count`
            is below 1.

    Examples:
        >>> photographs = [torch.rand(3, 60, 80), torch.rand(3, 100, 50)]
        >>> draw_patches(photographs, 5).shape
        torch.Size([5, 3, 40, 40])
    """
    smallest = min((min(photo.shape[-2:]) for photo in photographs), default=0)
    if not 1 <= size <= smallest:
        raise ValueError(
            f"size must be from 1 to the smallest side of any photograph, {smallest}, "
            f"got {size}"
        )
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    return torch.stack(
        [_draw_patch(photographs, size, generator) for _ in range(count)]
    )


def _draw_patch(
    photographs: Sequence[Tensor], size: int, generator: Generator | None
) -> Tensor:
    def below(bound: int) -> int:
        return int(torch.randint(bound, (), generator=generator))

    photograph = photographs[below(len(photographs))]
    height, width = photograph.shape[-2:]
    top, left = below(height - size + 1), below(width - size + 1)
    return photograph[:, top : top + size, left : left + size]
