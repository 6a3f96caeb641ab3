r"""Drawings and pictures as MNIST's digits are: 20 × 20 pixels of ink within 28 × 28.

A network that has seen only MNIST fails on digits that are small, off their place or of
another thickness. MNIST's own digits were scaled into a square of 20 × 20 pixels, with
their proportions, and placed with their centre of mass in the middle of 28 × 28. What
is drawn today must be prepared in the same way.

Source of the preparation: LeCun, Cortes and Burges, The MNIST database of handwritten
digits.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

SIDE = 28  # of the image, in pixels
BOX = 20  # the ink's longer side
PEN = 1.3  # half of a line's thickness; so MNIST's mean ink is met
SMALLEST = 0.1  # a drawing smaller than that is not blown up further
INK = 0.2  # what is darker than that is background: paper is never quite even

Stroke = Sequence[tuple[float, float]]


def draw_strokes(strokes: Sequence[Stroke]) -> Tensor:
    r"""Turn the strokes of a pen into an image like those of MNIST.

    A pixel's ink falls from 1 to 0 within one pixel around the edge of the line:
    $\min(1, \max(0, r + \tfrac12 - d))$, with the pen's radius r and the distance d of
    the pixel's middle from the nearest stroke.

    Args:
        strokes: each a sequence of points (x, y), x to the right and y down, in any
            unit in which the drawing pad is a square of side 1. A stroke of one point
            is a dot.

    Returns:
        (1, 28, 28), float32 in [0, 1]; all 0 where nothing is drawn.

    Raises:
        ValueError: if a coordinate is not finite.

    Examples:
        >>> one = draw_strokes([[(0.5, 0.1), (0.5, 0.9)]])
        >>> (one[0] > 0.5).sum(dim=0).nonzero().flatten()  # columns that hold ink
        tensor([13, 14])
        >>> rows = (one[0] > 0.5).any(dim=1).nonzero().flatten()
        >>> rows.min(), rows.max()  # 20 rows, in the middle
        (tensor(4), tensor(23))
    """
    lines = [torch.tensor(stroke, dtype=torch.float64) for stroke in strokes if stroke]
    if not lines:
        return torch.zeros(1, SIDE, SIDE)
    points = torch.cat(lines)
    if not points.isfinite().all():
        raise ValueError("strokes must consist of finite coordinates")
    low, high = points.amin(dim=0), points.amax(dim=0)
    scale = (BOX - 2 * PEN) / max((high - low).max().item(), SMALLEST)
    lines = [(line - (low + high) / 2) * scale + SIDE / 2 for line in lines]
    away = SIDE / 2 - _centre_of_mass(_ink(lines))
    return _ink([line + away for line in lines]).float().unsqueeze(0)


def fit_picture(picture: Tensor) -> Tensor:
    """Turn a picture of something written into an image like those of MNIST.

    A picture whose edge is bright, such as paper, is inverted. Then its brightness is
    stretched to [0, 1]; what is darker than a fifth of it counts as background.

    Args:
        picture: (1, height, width), floating point, in [0, 1] with 0 for black.

    Returns:
        (1, 28, 28), float32 in [0, 1]; all 0 where the picture is of one colour.

    Raises:
        ValueError: if `picture` has another shape, or no pixels.

    Examples:
        >>> paper = torch.ones(1, 100, 80)
        >>> paper[:, 10:70, 30:36] = 0  # a dark line, high up
        >>> fit_picture(paper)[0, :, 14].nonzero().flatten()[[0, -1]]
        tensor([ 4, 23])
    """
    if picture.ndim != 3 or len(picture) != 1 or picture.numel() == 0:
        raise ValueError(
            f"picture must have shape (1, height, width), got {tuple(picture.shape)}"
        )
    ink = picture[0].double()
    edge = torch.cat([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
    ink = 1 - ink if edge.mean() > 0.5 else ink
    spread = ink.max() - ink.min()
    if spread < 1 / 255:
        return torch.zeros(1, SIDE, SIDE)
    ink = (ink - ink.min()) / spread
    ink = ink * (ink > INK)
    rows, columns = (ink.any(dim=axis).nonzero().flatten() for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _in_the_middle(_shrink(ink)).float().unsqueeze(0)


def _ink(lines: list[Tensor]) -> Tensor:
    """Return the ink of lines given in pixels, (28, 28)."""
    starts = torch.cat([line[:-1] if len(line) > 1 else line for line in lines])
    ends = torch.cat([line[1:] if len(line) > 1 else line for line in lines])
    along = ends - starts  # (segments, 2)
    middle = torch.arange(SIDE, dtype=torch.float64) + 0.5
    pixels = torch.cartesian_prod(middle, middle).flip(1).unsqueeze(1)  # (784, 1, 2)
    length = along.square().sum(dim=1).clamp(min=1e-12)
    share = ((pixels - starts) * along).sum(dim=2) / length
    nearest = starts + share.clamp(0, 1).unsqueeze(2) * along
    distance = (pixels - nearest).square().sum(dim=2).sqrt().amin(dim=1)
    return (PEN + 0.5 - distance).clamp(0, 1).reshape(SIDE, SIDE)


def _centre_of_mass(ink: Tensor) -> Tensor:
    """Return (x, y) in pixels."""
    height, width = ink.shape
    across = torch.arange(width, dtype=ink.dtype) + 0.5
    down = torch.arange(height, dtype=ink.dtype) + 0.5
    moments = torch.stack([(ink * across).sum(), (ink * down[:, None]).sum()])
    return moments / ink.sum()


def _shrink(ink: Tensor) -> Tensor:
    """Scale so that the longer side has 20 pixels; each is the mean of its area."""
    longer = max(ink.shape)
    height, width = (max(1, round(BOX * side / longer)) for side in ink.shape)
    return _shares(ink.shape[0], height) @ ink @ _shares(ink.shape[1], width).T


def _shares(before: int, after: int) -> Tensor:
    """Return (after, before): which share of each new pixel lies in each old one."""
    edges = torch.arange(after + 1, dtype=torch.float64) * before / after
    pixel = torch.arange(before, dtype=torch.float64)
    high = torch.minimum(edges[1:, None], pixel + 1)
    low = torch.maximum(edges[:-1, None], pixel)
    return (high - low).clamp(min=0) * after / before


def _in_the_middle(ink: Tensor) -> Tensor:
    """Place ink of at most 20 × 20 so that its centre of mass is in the middle."""
    x, y = _centre_of_mass(ink).tolist()
    image = torch.zeros(SIDE, SIDE, dtype=ink.dtype)
    height, width = ink.shape
    top = min(max(int(SIDE / 2 - y + 0.5), 0), SIDE - height)
    left = min(max(int(SIDE / 2 - x + 0.5), 0), SIDE - width)
    image[top : top + height, left : left + width] = ink
    return image
