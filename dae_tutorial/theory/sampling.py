r"""Drawing new images with a denoiser: only the way of calling it changes.

Every function here takes any `denoise(x, sigma)` that answers noisy images with their
posterior mean. It starts from noise of a high level and comes down through a list of
levels, σ₁ > σ₂ > … > σₙ, and from σₙ to 0 in a last step. Noise is never clipped, and
the images that come out have the shape of `start`, and are not cut to [0, 1]. `watch`
is called with the images after each step: with `watch=frames.append` a list keeps them.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor
from tqdm import tqdm

Denoiser = Callable[[Tensor, float], Tensor]


def noise_levels(
    count: int, highest: float, lowest: float, *, bend: float = 7.0
) -> list[float]:
    r"""Return falling noise levels that lie denser the lower they are.

    $$\sigma_i = \left(\sigma_{\max}^{1/\rho} + \tfrac{i}{n - 1}
    \left(\sigma_{\min}^{1/\rho} - \sigma_{\max}^{1/\rho}\right)\right)^{\rho}$$

    Args:
        count: how many, at least 2.
        highest: the first level, several times the spread of the data, in its units.
        lowest: the last level before 0, above 0 and below `highest`.
        bend: the exponent, at least 1: 1 gives equal steps, 7 nearly equal ratios.

    Raises:
        ValueError: if one of them is out of its range.

    Examples:
        >>> [round(level, 3) for level in noise_levels(5, 10, 0.01)]
        [10.0, 3.03, 0.718, 0.117, 0.01]

    Source: Karras et al. (2022), Elucidating the design space of diffusion-based
    generative models, equation 5.
    """
    if not isinstance(count, int) or count < 2:
        raise ValueError(f"count must be an integer of at least 2, got {count!r}")
    if not 0 < lowest < highest < math.inf:
        raise ValueError(
            f"levels must satisfy 0 < lowest < highest < inf, got lowest={lowest}, "
            f"highest={highest}"
        )
    if not 1 <= bend < math.inf:
        raise ValueError(f"bend must be a finite number of at least 1, got {bend!r}")
    first, last = highest ** (1 / bend), lowest ** (1 / bend)
    shares = (step / (count - 1) for step in range(count))
    return [(first + share * (last - first)) ** bend for share in shares]


def draw_start(
    shape: Sequence[int],
    sigma: float,
    *,
    around: Tensor | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Draw noise of the highest level, float32, where every sampler begins.

    Noisy data lie around the data's mean: the higher the level, the less that matters.

    Args:
        shape: of the images, such as (16, 1, 28, 28).
        sigma: the first of the levels, the noise's standard deviation.
        around: the mean of the data, of the shape of one image; zero by default.
        generator: source of randomness.

    Raises:
        ValueError: if `around` does not have the shape of an image.

    Examples:
        >>> middle = torch.full((1, 28, 28), 5.0)
        >>> start = draw_start((100, 1, 28, 28), 10, around=middle)
        >>> round(start.mean().item()), round(start.std().item())
        (5, 10)
    """
    noise = sigma * torch.randn(*shape, generator=generator)
    if around is None:
        return noise
    if around.shape != noise.shape[1:]:
        raise ValueError(
            f"around must have the shape of an image, {tuple(noise.shape[1:])}, "
            f"got {tuple(around.shape)}"
        )
    return noise + around


@torch.no_grad()
def step_down(
    denoise: Denoiser,
    start: Tensor,
    levels: Sequence[float],
    *,
    fresh: float = 0.0,
    generator: Generator | None = None,
    watch: Callable[[Tensor], object] | None = None,
) -> Tensor:
    r"""Go down by Euler steps, with a share of fresh noise: DDIM, DDPM, and between.

    From level σ to the next one τ, part of the noise is kept and part is drawn anew:

    $$x_\tau = D + a\,(x_\sigma - D) + b\,\varepsilon, \qquad
    b = \eta\,\tau\sqrt{1 - \tau^2 / \sigma^2}, \qquad
    a = \frac{\sqrt{\tau^2 - b^2}}{\sigma}, \qquad D = D(x_\sigma, \sigma)$$

    With η = 0 nothing is drawn: these are Euler's steps along the probability-flow
    equation dx/dσ = (x - D)/σ, and DDIM. With η = 1, x_τ is drawn as if D were the
    clean image: ancestral sampling, DDPM. In the last step τ is 0, and x becomes D.

    Args:
        denoise: called as `denoise(x, sigma)`, once a level.
        start: noise of the first level, as `draw_start` draws it.
        levels: falling noise levels, above 0.
        fresh: η, the share of fresh noise, from 0 to 1.
        generator: source of the fresh noise, on the device of `start`.
        watch: called with the images after each step.

    Raises:
        ValueError: if `levels` or `fresh` are not as said.

    Examples:
        >>> def bell(x, sigma): return x / (1 + sigma**2)  # the data are N(0, 1)
        >>> start = draw_start((5000, 1), 100, generator=Generator().manual_seed(0))
        >>> for count in 50, 100:  # half the steps, twice the error
        ...     levels = noise_levels(count, 100, 0.01)
        ...     print(f"{step_down(bell, start, levels).std():.2f}")
        0.94
        0.97

    Source: Song, Meng and Ermon (2021), Denoising diffusion implicit models, equation
    16; Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models.
    """
    _check_levels(levels)
    if not 0 <= fresh <= 1:
        raise ValueError(f"fresh must be a share in [0, 1], got {fresh!r}")
    x = start
    for sigma, tau in _steps(levels):
        clean = denoise(x, sigma)
        drawn = fresh * tau * math.sqrt(1 - (tau / sigma) ** 2)
        kept = math.sqrt(tau**2 - drawn**2) / sigma
        x = clean + kept * (x - clean)
        if drawn > 0:
            x = x + drawn * _noise(x, generator)
        _show(watch, x)
    return x


@torch.no_grad()
def heun(
    denoise: Denoiser,
    start: Tensor,
    levels: Sequence[float],
    *,
    watch: Callable[[Tensor], object] | None = None,
) -> Tensor:
    """Go down along the probability-flow equation, looking ahead at each step.

    The slope where a step arrives is averaged with the slope where it began. So the
    error falls with the square of the step, for two calls of the denoiser. The last
    step, to 0, is one of Euler's.

    Args:
        denoise: called as `denoise(x, sigma)`, twice a level, once at the last.
        start: as in `step_down`.
        levels: as in `step_down`.
        watch: as in `step_down`.

    Examples:
        >>> def bell(x, sigma): return x / (1 + sigma**2)
        >>> start = draw_start((5000, 1), 100, generator=Generator().manual_seed(0))
        >>> print(f"{heun(bell, start, noise_levels(50, 100, 0.01)).std():.2f}")
        1.00

    Source: Karras et al. (2022), algorithm 1.
    """
    _check_levels(levels)
    x = start
    for sigma, tau in _steps(levels):
        slope = (x - denoise(x, sigma)) / sigma
        ahead = x + (tau - sigma) * slope
        if tau > 0:
            slope = (slope + (ahead - denoise(ahead, tau)) / tau) / 2
        x = x + (tau - sigma) * slope
        _show(watch, x)
    return x


def guided(denoise: Denoiser, without: Denoiser, weight: float) -> Denoiser:
    r"""Push a denoiser that is told the class further away from one that is not.

    $$D_w = D_{\varnothing} + w\,(D_c - D_{\varnothing})$$

    With w = 1 it is the one that is told, with 0 the other. Above 1, images become
    more typical of their class, and less varied. It calls both.

    Args:
        denoise: told the class.
        without: not told.
        weight: w, finite.

    Raises:
        ValueError: if `weight` is not finite.

    Examples:
        >>> towards = guided(lambda x, s: x + 1, lambda x, s: x, weight=3)
        >>> towards(torch.zeros(2), 1.0)
        tensor([3., 3.])

    Source: Ho and Salimans (2022), Classifier-free diffusion guidance.
    """
    if not math.isfinite(weight):
        raise ValueError(f"weight must be a finite number, got {weight!r}")

    def denoise_guided(x: Tensor, sigma: float) -> Tensor:
        base = without(x, sigma)
        return base + weight * (denoise(x, sigma) - base)

    return denoise_guided


def _steps(levels: Sequence[float]) -> tqdm:
    """Return pairs of each level and the next; after the last comes 0."""
    pairs = list(zip(levels, [*levels[1:], 0.0], strict=True))
    return tqdm(pairs, desc="sampling", unit="level", leave=False)


def _noise(x: Tensor, generator: Generator | None) -> Tensor:
    return torch.randn(x.shape, dtype=x.dtype, device=x.device, generator=generator)


def _show(watch: Callable[[Tensor], object] | None, x: Tensor) -> None:
    if watch is not None:
        watch(x)


def _check_levels(levels: Sequence[float]) -> None:
    falls = all(a > b for a, b in pairwise([*levels, 0.0]))  # so the last > 0
    if len(levels) == 0 or not falls or not math.isfinite(levels[0]):
        raise ValueError(
            f"levels must be finite, fall, and stay above 0, got {list(levels)}"
        )
