r"""Solving for an image with a denoiser as the prior: fill in, sharpen, enlarge.

Nothing is trained here. Every solver takes turns between two steps that know nothing of
each other:

- a denoiser step, D(x, σ), which knows what images look like and nothing of the task;
- a data step, `operator.proximal`, which knows the measurement y and nothing of images.

A denoiser's answer at level σ is believed to a standard deviation of σ, and y to its
own, σ_y. So the data step has this strength, with a weight w near 1:

$$\rho = w\,\sigma_y^2 / \sigma^2$$

A level that stays the same gives the classical methods, which may come to rest.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol

import torch
from torch import Generator, Tensor

Denoiser = Callable[[Tensor, float], Tensor]
Watch = Callable[[Tensor], object]


class Operator(Protocol):
    """What a solver asks of a measurement; `operators` has some."""

    def adjoint(self, measured: Tensor) -> Tensor:
        """Hand measured numbers back to the pixels that they came from."""

    def proximal(self, images: Tensor, measured: Tensor, strength: float) -> Tensor:
        """Move images towards the measurement."""


@torch.no_grad()
def plug_and_play(
    denoise: Denoiser,
    operator: Operator,
    measured: Tensor,
    levels: Sequence[float],
    *,
    noise_sigma: float,
    weight: float = 1.0,
    watch: Watch | None = None,
) -> Tensor:
    r"""Solve with ADMM, where a denoiser stands in for the prior's own step.

    $$x \leftarrow \operatorname{prox}(v - u), \qquad v \leftarrow D(x + u, \sigma),
    \qquad u \leftarrow u + x - v$$

    u remembers by how much the two have disagreed, so that at the end they agree. At
    rest, $x = D(x - \rho^{-1} A^\top (A x - y), \sigma)$.

    Args:
        denoise: called as `denoise(x, sigma)`, once a level.
        operator: A, a mask, blur or the like.
        measured: y.
        levels: of each round, above 0, rising nowhere.
        noise_sigma: standard deviation of the measurement's noise, above 0.
        weight: of the denoiser against the data, above 0.
        watch: called with the images after each round.

    Returns:
        The denoiser's last answer, images; not cut to [0, 1].

    Raises:
        ValueError: if levels rise or a number is not positive and finite.

    Examples:
        >>> class Noisy:  # the image itself was measured
        ...     def adjoint(self, y): return y
        ...     def proximal(self, v, y, rho): return (y + rho * v) / (1 + rho)
        >>> def bell(x, sigma): return x / (1 + sigma**2)  # images are N(0, 1)
        >>> y = torch.ones(1)
        >>> plug_and_play(bell, Noisy(), y, [1.0] * 50, noise_sigma=0.5)  # E[x | y]
        tensor([0.8000])

    Source: Venkatakrishnan, Bouman and Wohlberg (2013), Plug-and-play priors for model
    based reconstruction.
    """
    strengths = _strengths(levels, noise_sigma, weight)
    v = torch.zeros_like(operator.adjoint(measured))
    u, before = torch.zeros_like(v), levels[0]
    for sigma, strength in zip(levels, strengths, strict=True):
        u = u * (sigma / before) ** 2  # it is counted in units that shrink with σ²
        x = operator.proximal(v - u, measured, strength)
        v = denoise(x + u, sigma)
        u, before = u + x - v, sigma
        _show(watch, v)
    return v


@torch.no_grad()
def regularise_by_denoising(
    denoise: Denoiser,
    operator: Operator,
    measured: Tensor,
    levels: Sequence[float],
    *,
    noise_sigma: float,
    weight: float = 1.0,
    watch: Watch | None = None,
) -> Tensor:
    r"""Solve by RED: the data step of the denoised image, again and again.

    $$x \leftarrow \operatorname{prox}(D(x, \sigma))$$

    It rests where the pull of the data equals what the denoiser would take off:

    $$A^\top (A x - y) + \rho\,(x - D(x, \sigma)) = 0$$

    If D has a symmetric Jacobian, $x - D(x)$ is the gradient of a penalty; else there
    is none. With falling levels the same two lines are half-quadratic splitting.

    Args:
        denoise: as in `plug_and_play`.
        operator: as there.
        measured: y.
        levels: of each round, above 0, rising nowhere.
        noise_sigma: standard deviation of the measurement's noise, above 0.
        weight: of the denoiser against the data, above 0.
        watch: called with the images after each round.

    Returns:
        Images after the last data step; not cut to [0, 1].

    Raises:
        ValueError: if levels rise or a number is not positive and finite.

    Examples:
        >>> class Noisy:
        ...     def adjoint(self, y): return y
        ...     def proximal(self, v, y, rho): return (y + rho * v) / (1 + rho)
        >>> def bell(x, sigma): return x / (1 + sigma**2)
        >>> y = torch.ones(1)
        >>> regularise_by_denoising(bell, Noisy(), y, [1.0] * 50, noise_sigma=0.5)
        tensor([0.8889])

    Source: Romano, Elad and Milanfar (2017), The little engine that could:
    regularization by denoising (RED), the fixed-point strategy; Zhang et al. (2021),
    Plug-and-play image restoration with deep denoiser prior, for falling levels.
    """
    strengths = _strengths(levels, noise_sigma, weight)
    x = torch.zeros_like(operator.adjoint(measured))
    for sigma, strength in zip(levels, strengths, strict=True):
        x = operator.proximal(denoise(x, sigma), measured, strength)
        _show(watch, x)
    return x


@torch.no_grad()
def diffpir(
    denoise: Denoiser,
    operator: Operator,
    measured: Tensor,
    levels: Sequence[float],
    *,
    noise_sigma: float,
    weight: float = 1.0,
    fresh: float = 1.0,
    generator: Generator | None = None,
    watch: Watch | None = None,
) -> Tensor:
    r"""Draw an image that fits: a sampler, with a data step in each round.

    $$\hat{x} = \operatorname{prox}(D(x, \sigma)), \qquad
    x \leftarrow \hat{x} + \tau \left(\sqrt{1 - \zeta}\,\frac{x - \hat{x}}{\sigma}
    + \sqrt{\zeta}\,\varepsilon\right)$$

    The answer is noised again, to the next level τ: the denoiser meets its own noise.

    Args:
        denoise: as in `plug_and_play`; trained on unclipped noise of all the levels.
        operator: as there.
        measured: y.
        levels: of each round, above 0, falling.
        noise_sigma: standard deviation of the measurement's noise, above 0.
        weight: of the denoiser against the data, above 0.
        fresh: ζ, the share of new noise, from 0 to 1.
        generator: source of all noise, on the device of `measured`.
        watch: called with the fitted answer after each round.

    Returns:
        Images after the last data step; not cut to [0, 1].

    Raises:
        ValueError: if levels rise, a number is not positive and finite, or `fresh` is
            not in [0, 1].

    Examples:
        >>> class Nothing:  # was measured
        ...     def adjoint(self, y): return y
        ...     def proximal(self, v, y, rho): return v
        >>> def bell(x, sigma): return x / (1 + sigma**2)
        >>> y, levels = torch.zeros(5000), [100 * 0.9**k for k in range(90)]
        >>> drawn = diffpir(bell, Nothing(), y, levels, noise_sigma=1.0, fresh=0.0,
        ...                 generator=Generator().manual_seed(0))
        >>> round(drawn.std().item(), 1)  # from N(0, 1) then
        1.0

    Source: Zhu et al. (2023), Denoising diffusion models for plug-and-play image
    restoration, algorithm 1.
    """
    if not 0 <= fresh <= 1:
        raise ValueError(f"fresh must be a share in [0, 1], got {fresh!r}")
    strengths = _strengths(levels, noise_sigma, weight)
    nothing = torch.zeros_like(operator.adjoint(measured))
    begin = operator.proximal(nothing, measured, strengths[0])
    x = begin + levels[0] * _noise(nothing, generator)
    for sigma, strength, tau in zip(levels, strengths, [*levels[1:], 0.0], strict=True):
        fitted = operator.proximal(denoise(x, sigma), measured, strength)
        kept = math.sqrt(1 - fresh) * (x - fitted) / sigma
        drawn = math.sqrt(fresh) * _noise(x, generator)
        x = fitted + tau * (kept + drawn)
        _show(watch, fitted)
    return x


def _strengths(
    levels: Sequence[float], noise_sigma: float, weight: float
) -> list[float]:
    """Return the strength of the data step at each level."""
    _check_positive("noise_sigma", noise_sigma)
    _check_positive("weight", weight)
    rises = any(a < b for a, b in pairwise(levels))
    if len(levels) == 0 or rises or not 0 < levels[-1] <= levels[0] < math.inf:
        raise ValueError(
            f"levels must be finite, above 0, and rise nowhere, got {list(levels)}"
        )
    return [weight * (noise_sigma / sigma) ** 2 for sigma in levels]


def _noise(like: Tensor, generator: Generator | None) -> Tensor:
    return torch.randn(
        like.shape, dtype=like.dtype, device=like.device, generator=generator
    )


def _show(watch: Watch | None, x: Tensor) -> None:
    if watch is not None:
        watch(x)


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
