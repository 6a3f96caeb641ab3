r"""Training a denoiser from single noisy images, by hiding from it what it must guess.

If noise is independent from pixel to pixel, the noise of a pixel cannot be guessed from
its neighbours; the pixel can. So whoever guesses a pixel without having seen it guesses
the clean one. This needs no σ, and noise of mean zero: of any kind, but not correlated.

Two ways: hide some pixels from any network (Noise2Self, Noise2Void), or build a network
that cannot see the pixel it answers for.
"""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

Denoiser = Callable[[Tensor], Tensor]


def grid_mask(noisy: Tensor, period: int, phase: int) -> Tensor:
    """Choose every pixel that is `period` rows and columns from the next.

    Args:
        noisy: images, (batch, channels, height, width).
        period: distance between chosen pixels, at least 2.
        phase: which of the period² grids.

    Returns:
        (height, width), boolean, True at the chosen pixels.

    Raises:
        ValueError: if `period` is below 2 or there is no such phase.

    Examples:
        >>> grid_mask(torch.zeros(1, 1, 2, 4), 2, phase=3).int()
        tensor([[0, 0, 0, 0],
                [0, 1, 0, 1]], dtype=torch.int32)
    """
    if not isinstance(period, int) or period < 2:
        raise ValueError(f"period must be an integer of at least 2, got {period!r}")
    if not 0 <= phase < period**2:
        raise ValueError(f"phase must be from 0 to {period**2 - 1}, got {phase!r}")
    mask = torch.zeros(noisy.shape[-2:], dtype=torch.bool, device=noisy.device)
    mask[phase // period :: period, phase % period :: period] = True
    return mask


def hide_pixels(noisy: Tensor, mask: Tensor) -> Tensor:
    """Put the mean of its eight neighbours in the place of each chosen pixel.

    Straight neighbours count twice. Chosen pixels must not touch, or the one would
    tell of the other.

    Args:
        noisy: images, (batch, channels, height, width), sides of at least 2.
        mask: (height, width), boolean.

    Returns:
        New images of the shape of `noisy`. No pixel of them depends on a chosen one.

    Raises:
        ValueError: if `noisy` does not have four axes.

    Examples:
        >>> noisy = torch.zeros(1, 1, 3, 3)
        >>> noisy[..., 1, 1], noisy[..., 0, 1] = 9.0, 1.2
        >>> hide_pixels(noisy, grid_mask(noisy, 3, phase=4))[0, 0, 1]
        tensor([0.0000, 0.2000, 0.0000])
    """
    if noisy.ndim != 4:
        raise ValueError(
            f"noisy must have shape (batch, channels, height, width), "
            f"got {tuple(noisy.shape)}"
        )
    weights = noisy.new_tensor([[1, 2, 1], [2, 0, 2], [1, 2, 1]]) / 12
    padded = functional.pad(noisy, (1, 1, 1, 1), mode="reflect")  # never the pixel
    planes = padded.flatten(0, 1).unsqueeze(1)
    means = functional.conv2d(planes, weights[None, None]).reshape(noisy.shape)
    return torch.where(mask, means, noisy)


class BlindPixelLoss(nn.Module):
    """Squared error at pixels that the model was not shown (Noise2Self).

    Batches hold noisy images alone. Pass `corrupt` to `fit`, too: it hides one of the
    grids of pixels, drawn anew for each batch, and the loss looks there and nowhere
    else. The loop must use the batch whole, as it does in a single process.

    Args:
        period: of the grid, at least 2; one pixel in period² is hidden.

    Raises:
        ValueError: if `period` is below 2.

    Examples:
        >>> from dae_tutorial.model import UNet
        >>> from dae_tutorial.train import fit
        >>> noisy = torch.randn(8, 1, 12, 12)
        >>> loss = BlindPixelLoss()
        >>> history = fit(UNet(), [noisy], loss.corrupt, criterion=loss, epochs=2)
        >>> len(history.train_loss)
        2

    Source: Batson and Royer (2019), Noise2Self. Noise2Void, by Krull, Buchholz and
    Jug (2019), puts the value of a random neighbour into the place instead of a mean.
    """

    def __init__(self, period: int = 4):
        super().__init__()
        grid_mask(torch.zeros(1, 1), period, phase=0)  # refuses what is no period
        self.period = period
        self._mask: Tensor | None = None

    def corrupt(self, noisy: Tensor, *, generator: Generator | None = None) -> Tensor:
        """Return new images, in which a grid of pixels is hidden, and remember which.

        Args:
            noisy: (batch, channels, height, width).
            generator: decides which grid, on the device of `noisy`.
        """
        options = {"generator": generator, "device": noisy.device}
        phase = int(torch.randint(self.period**2, (), **options))
        self._mask = grid_mask(noisy, self.period, phase)
        return hide_pixels(noisy, self._mask)

    def forward(self, reconstruction: Tensor, noisy: Tensor) -> Tensor:
        """Compare with the noisy images where they were hidden last.

        Raises:
            RuntimeError: if `corrupt` was not called before.
        """
        if self._mask is None:
            raise RuntimeError(
                "the loss has hidden no pixels; corrupt the images with its `corrupt`, "
                "as in fit(model, batches, loss.corrupt, criterion=loss)"
            )
        return (reconstruction - noisy)[..., self._mask].square().mean()


def answer_blindly(denoise: Denoiser, noisy: Tensor, *, period: int = 4) -> Tensor:
    """Answer for each pixel without having seen it: J-invariant inference.

    Args:
        denoise: called period² times; keeps the shape, or answers rows of pixels.
        noisy: (batch, channels, height, width).
        period: as in training.

    Returns:
        Each pixel from the one call in which it was hidden, of the shape of `noisy`.

    Examples:
        >>> noisy = torch.rand(1, 1, 8, 8)
        >>> means = hide_pixels(noisy, torch.tensor(True))  # of neighbours, everywhere
        >>> torch.equal(answer_blindly(nn.Identity(), noisy), means)
        True
    """
    answer = torch.empty_like(noisy)
    for phase in range(period**2):
        mask = grid_mask(noisy, period, phase)
        found = denoise(hide_pixels(noisy, mask)).reshape(noisy.shape)
        answer[..., mask] = found[..., mask]
    return answer


class BlindSpotNet(nn.Module):
    """A network none of whose outputs depends on the input pixel at its own place.

    The first convolution has a hole in its middle and reaches two pixels far. All
    others step by three pixels, or by none, so no way leads back: two is never three.
    The price is that one in nine of the other pixels, those a multiple of three away
    in both directions, is not seen either.

    Train it with squared error against its own input: `fit(model, pairs, None)`.

    Args:
        width: channels.
        depth: blocks that step by three pixels.
        channels: of the image.

    Examples:
        >>> model = BlindSpotNet()
        >>> model(torch.rand(2, 1, 28, 28)).shape
        torch.Size([2, 1, 28, 28])

    Source: the idea, Laine et al. (2019), High-quality self-supervised deep image
    denoising; a hole and steps, Wu et al. (2020), Unpaired learning of deep image
    denoising.
    """

    def __init__(self, width: int = 16, depth: int = 4, channels: int = 1):
        super().__init__()
        hole = torch.ones(5, 5)
        hole[2, 2] = 0
        self.register_buffer("hole", hole)
        self.enter = nn.Conv2d(channels, width, 5, padding=2)
        self.steps = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=3, dilation=3) for _ in range(depth)
        )
        self.leave = nn.Sequential(
            nn.Conv2d(width, width, 1), nn.SiLU(), nn.Conv2d(width, channels, 1)
        )

    def forward(self, noisy: Tensor) -> Tensor:
        """Denoise (batch, channels, height, width); the output is unbounded."""
        weight = self.enter.weight * self.hole
        seen = functional.conv2d(noisy, weight, self.enter.bias, padding=2)
        for step in self.steps:
            seen = seen + step(functional.silu(seen))
        return self.leave(functional.silu(seen))


def give_back(
    blind: Tensor, noisy: Tensor, sigma: float, *, levels: int = 20
) -> Tensor:
    r"""Let each pixel's own noisy value count again, where σ is known.

    $$\hat{x}_i = b_i + k\,(y_i - b_i), \qquad k = \frac{v}{v + \sigma^2}, \qquad
    v = \mathbb{E}\,(b_i - y_i)^2 - \sigma^2$$

    The blind answer b errs by v on average, the pixel by σ², and the two errors are
    independent. v is measured for answers of each brightness apart: a clear black needs
    no help, a grey does.

    Args:
        blind: answers that did not see the pixel, any shape; many pixels, best of all.
        noisy: y, of that shape.
        sigma: σ, above 0.
        levels: how many steps of brightness from 0 to 1 part the answers, at least 1.

    Returns:
        The better answer, of that shape.

    Raises:
        ValueError: if `sigma` is not positive and finite.

    Examples:
        >>> noise = torch.randn(2, 10_000, generator=Generator().manual_seed(0))
        >>> blind, noisy = 0.5 + 0.1 * noise[0], 0.5 + 0.1 * noise[1]  # equally good
        >>> round(float(give_back(blind, noisy, 0.1, levels=2).std()), 2)
        0.07
    """
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma must be a finite number above 0, got {sigma!r}")
    level = (blind.clamp(0, 1) * (levels - 1)).round().long().flatten()
    squares = (blind - noisy).square().flatten()
    total = blind.new_zeros(levels).index_add(0, level, squares)
    error = total / level.bincount(minlength=levels).clamp(min=1) - sigma**2
    share = error.clamp(min=0) / (error.clamp(min=0) + sigma**2)
    return blind + share[level].reshape(blind.shape) * (noisy - blind)
