r"""Wandering with a denoiser: Langevin's steps, and walkback.

Both shake an image and let a denoiser `denoise(x, sigma)` pull it back, again and
again, at one level or at several. The noise is never clipped. `watch` is called with
the images after each step; with `watch=frames.append` a list keeps them all.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor
from tqdm import tqdm


@torch.no_grad()
def langevin(
    denoise: Callable[[Tensor, float], Tensor],
    start: Tensor,
    levels: Sequence[float],
    *,
    steps: int = 10,
    step_size: float = 0.1,
    generator: Generator | None = None,
    watch: Callable[[Tensor], object] | None = None,
) -> Tensor:
    r"""Wander uphill along the score, shaken at each step, while the level falls.

    $$x \leftarrow x + \epsilon\, s(x, \sigma) + \sqrt{2 \epsilon}\,\varepsilon, \qquad
    s = \frac{D(x, \sigma) - x}{\sigma^2}, \qquad \epsilon = c\,\sigma^2$$

    At a fixed level, many small steps draw from the noisy density: for one that is
    N(0, V), they settle at variance V / (1 - ε / 2V). The last step removes what noise
    is left: the images become D.

    Args:
        denoise: called as `denoise(x, sigma)`, `steps` times a level and once more.
        start: noise of the first level.
        levels: falling noise levels, above 0; one alone is not annealed.
        steps: steps at each level, at least 1.
        step_size: c, the step as a share of σ², above 0 and below 2.
        generator: source of randomness, on the device of `start`.
        watch: called with the images after each step.

    Returns:
        Images, of the shape of `start`; not cut to [0, 1].

    Raises:
        ValueError: if levels do not fall, or are not positive and finite, `steps` is
            below 1, or `step_size` is not in (0, 2).

    Examples:
        >>> def bell(x, sigma): return x / (1 + sigma**2)
        >>> generator = Generator().manual_seed(0)
        >>> start = 10 * torch.randn(5000, 1, generator=generator)
        >>> levels = [10 * 0.75**step for step in range(20)]
        >>> x = langevin(bell, start, levels, steps=100, generator=generator)
        >>> round(x.std().item(), 1)
        1.0

    Source: Song and Ermon (2019), Generative modeling by estimating gradients of the
    data distribution, algorithm 1.
    """
    _check_levels(levels)
    _check_count("steps", steps)
    if not 0 < step_size < 2:
        raise ValueError(f"step_size must be in (0, 2), got {step_size!r}")
    x = start
    for sigma in tqdm(levels, desc="sampling", unit="level", leave=False):
        for _ in range(steps):
            x = x + step_size * (denoise(x, sigma) - x)  # ε · score
            x = x + math.sqrt(2 * step_size) * sigma * _noise(x, generator)
            _show(watch, x)
    x = denoise(x, levels[-1])
    _show(watch, x)
    return x


@torch.no_grad()
def walkback(
    denoise: Callable[[Tensor, float], Tensor],
    start: Tensor,
    sigma: float,
    *,
    steps: int = 10,
    generator: Generator | None = None,
    watch: Callable[[Tensor], object] | None = None,
) -> Tensor:
    r"""Corrupt and denoise in turn: what one may do with a plain DAE.

    $$x \leftarrow D(x + \sigma \varepsilon, \sigma)$$

    It draws from the data only if `denoise` *draws* a clean image from the posterior.
    With the posterior mean, which a DAE gives, it does not: each round also averages.
    On data N(0, s²) it settles at variance s⁴ / (2s² + σ²), less than half.

    Args:
        denoise: called as `denoise(x, sigma)`, once a step.
        start: clean images to walk from.
        sigma: level of the noise, above 0.
        steps: at least 1.
        generator: source of randomness, on the device of `start`.
        watch: called with the images after each step.

    Returns:
        Images, of the shape of `start`.

    Raises:
        ValueError: if `sigma` is not positive and finite, or `steps` below 1.

    Examples:
        >>> def bell(x, sigma): return x / (1 + sigma**2)
        >>> generator = Generator().manual_seed(0)
        >>> start = torch.randn(5000, 1, generator=generator)
        >>> x = walkback(bell, start, sigma=1.0, steps=20, generator=generator)
        >>> round(x.var().item(), 2)  # the data have 1, and this tends to 1/3
        0.33

    Source: Bengio, Yao, Alain and Vincent (2013), Generalized denoising auto-encoders
    as generative models.
    """
    _check_levels([sigma])
    _check_count("steps", steps)
    x = start
    for _ in tqdm(range(steps), desc="walking", unit="step", leave=False):
        x = denoise(x + sigma * _noise(x, generator), sigma)
        _show(watch, x)
    return x


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


def _check_count(name: str, count: int) -> None:
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {count!r}")
