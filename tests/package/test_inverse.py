"""Solvers with linear denoisers, whose end can be worked out."""

import math

import pytest
import torch

from dae_tutorial.beyond.inverse import (
    diffpir,
    plug_and_play,
    regularise_by_denoising,
)
from dae_tutorial.beyond.operators import Blur, Downsample, Mask

SIDE, NOISE = 6, 0.3
SOLVERS = {"plug and play": plug_and_play, "RED": regularise_by_denoising}


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


OPERATORS = {
    "mask": Mask((normal(1, 1, SIDE, SIDE, seed=2) > 0).double()),
    "blur": Blur(normal(3, 5, seed=1) / 3, (SIDE, SIDE)),
    "half": Downsample(2),
}


@pytest.fixture(params=OPERATORS)
def operator(request):
    return OPERATORS[request.param]


def matrix(operator) -> torch.Tensor:
    units = torch.eye(SIDE**2, dtype=torch.float64).reshape(-1, 1, SIDE, SIDE)
    return operator.forward(units).flatten(1).T


def linear(most: float, *, diagonal: float = 8.0) -> torch.Tensor:
    """Return a matrix that is not symmetric, of spectral norm `most`."""
    weights = normal(SIDE**2, SIDE**2, seed=3)
    weights = weights + diagonal * torch.eye(SIDE**2, dtype=torch.float64)
    return most * weights / torch.linalg.matrix_norm(weights, 2)


def by(weights: torch.Tensor):
    def denoise(x, sigma):
        return (x.flatten(1) @ weights.T).reshape(x.shape)

    return denoise


def fixed_points(operator, weights, measured, strength):
    """Return where plug-and-play and RED rest, from the equations that say so."""
    a, y = matrix(operator), measured.flatten(1).T
    unit = torch.eye(SIDE**2, dtype=torch.float64)
    data, pull = a.T @ a / strength, a.T @ y / strength
    # x = W (x - Aᵀ(A x - y) / strength), and Aᵀ(A x - y) + strength (x - W x) = 0
    rest = torch.linalg.solve(unit - weights @ (unit - data), weights @ pull)
    red = torch.linalg.solve(data + unit - weights, pull)
    return {"plug and play": rest.T, "RED": red.T}


@pytest.mark.parametrize("weight", [0.5, 2.0])
@pytest.mark.parametrize("name", SOLVERS)
def test_a_linear_denoiser_leads_to_the_closed_form(operator, name, weight):
    """Wrong by a sign, a square or a missing mask, and it rests elsewhere."""
    weights, sigma = linear(0.9), 0.4
    measured = normal(*operator.forward(normal(2, 1, SIDE, SIDE)).shape, seed=4)
    if isinstance(operator, Mask):
        measured = operator.forward(measured)
    found = SOLVERS[name](
        by(weights),
        operator,
        measured,
        [sigma] * 800,
        noise_sigma=NOISE,
        weight=weight,
    )
    strength = weight * NOISE**2 / sigma**2
    wanted = fixed_points(operator, weights, measured, strength)[name]
    torch.testing.assert_close(found.flatten(1), wanted, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_change_of_level_does_not_move_the_fixed_point(operator, name):
    """Memory of another level, not rescaled, would only be forgotten more slowly."""
    weights = linear(0.9)
    measured = operator.forward(normal(2, 1, SIDE, SIDE, seed=4))
    levels = [1.0, 0.8, 0.6] + [0.4] * 800
    found = SOLVERS[name](by(weights), operator, measured, levels, noise_sigma=NOISE)
    strength = NOISE**2 / 0.4**2
    wanted = fixed_points(operator, weights, measured, strength)[name]
    torch.testing.assert_close(found.flatten(1), wanted, rtol=1e-8, atol=1e-8)


def test_memory_is_counted_in_the_units_of_the_level():
    """For the step of a real prior, |x|² / 2, each level has one and the same optimum.

    Begun there, plug-and-play stays there while levels fall, and only then.
    """
    operator, frames = OPERATORS["blur"], []

    def ridge(x, sigma):  # arg min |z - x|² / 2σ² + |z|² / 2
        return x / (1 + sigma**2)

    a = matrix(operator)
    measured = operator.forward(normal(1, 1, SIDE, SIDE, seed=4))
    unit = torch.eye(SIDE**2, dtype=torch.float64)
    wanted = torch.linalg.solve(
        a.T @ a + NOISE**2 * unit, a.T @ measured.flatten()
    ).reshape(1, 1, SIDE, SIDE)
    levels = [1.0] * 500 + [0.7, 0.5, 0.3]
    plug_and_play(
        ridge, operator, measured, levels, noise_sigma=NOISE, watch=frames.append
    )
    for frame in frames[-4:]:
        torch.testing.assert_close(frame, wanted, rtol=1e-8, atol=1e-8)


def test_a_denoiser_that_stretches_can_drive_it_away():
    operator = OPERATORS["mask"]
    measured, sizes = operator.forward(normal(1, 1, SIDE, SIDE, seed=4)), []
    regularise_by_denoising(
        by(linear(1.5, diagonal=50)),
        operator,
        measured,
        [0.4] * 200,
        noise_sigma=NOISE,
        watch=lambda x: sizes.append(x.norm().item()),
    )
    assert sizes[-1] > 100 * sizes[20] > 0


def moments(operator, measured, levels, fresh):
    """Follow mean and covariance through DiffPIR, with matrices, for D = x / (1 + σ²).

    Written from the paper's three lines: answer, fit, noise again.
    """
    a, y = matrix(operator), measured.flatten()
    unit = torch.eye(SIDE**2, dtype=torch.float64)
    inverses = [torch.linalg.inv(a.T @ a + (NOISE / s) ** 2 * unit) for s in levels]
    mean = inverses[0] @ a.T @ y
    covariance = levels[0] ** 2 * unit
    for sigma, tau, inverse in zip(levels, [*levels[1:], 0], inverses, strict=True):
        gain = inverse * (NOISE / sigma) ** 2 / (1 + sigma**2)
        kept = (1 - fresh) ** 0.5 * tau / sigma
        through = gain + kept * (unit - gain)
        mean = through @ mean + (1 - kept) * inverse @ a.T @ y
        covariance = through @ covariance @ through.T + fresh * tau**2 * unit
    return mean, covariance


@pytest.mark.parametrize("fresh", [0.0, 0.3, 1.0])
def test_diffpir_has_the_moments_of_its_three_lines(operator, fresh):
    measured = operator.forward(normal(1, 1, SIDE, SIDE, seed=4))
    levels, count = [2.0, 1.0, 0.5, 0.2], 20_000
    drawn = diffpir(
        lambda x, sigma: x / (1 + sigma**2),
        operator,
        measured.expand(count, *measured.shape[1:]),
        levels,
        noise_sigma=NOISE,
        fresh=fresh,
        generator=torch.Generator().manual_seed(0),
    ).flatten(1)
    mean, covariance = moments(operator, measured, levels, fresh)
    error = (covariance.diagonal() / count).sqrt()
    assert ((drawn.mean(0) - mean).abs() < 5 * error + 1e-9).all()
    spread = covariance.diagonal() + 1e-12
    assert ((drawn.var(0) / spread - 1).abs() < 5 * (2 / count) ** 0.5).all()


def test_where_nothing_is_measured_diffpir_draws_from_the_prior():
    nothing = Mask(torch.zeros(1, 1, SIDE, SIDE, dtype=torch.float64))
    drawn = diffpir(
        lambda x, sigma: x / (1 + sigma**2),  # of images that are N(0, 1)
        nothing,
        torch.zeros(2000, 1, SIDE, SIDE, dtype=torch.float64),
        [20 * 0.9**step for step in range(80)],
        noise_sigma=NOISE,
        fresh=0.0,
        generator=torch.Generator().manual_seed(0),
    )
    assert abs(drawn.mean()) < 4 / math.sqrt(drawn.numel())
    assert 0.93 < drawn.std() < 1.01  # Euler's steps lose a little


@pytest.mark.parametrize("fresh", [0.0, 0.5, 1.0])
def test_diffpir_shows_the_denoiser_noise_of_the_level_it_names(fresh):
    nothing, met = Mask(torch.zeros(1, 1, SIDE, SIDE)), []

    def zero(x, sigma):
        met.append((x.std().item(), sigma))
        return torch.zeros_like(x)

    diffpir(
        zero,
        nothing,
        torch.zeros(500, 1, SIDE, SIDE),
        [4.0, 1.0, 0.2],
        noise_sigma=NOISE,
        fresh=fresh,
        generator=torch.Generator().manual_seed(0),
    )
    assert [sigma for _, sigma in met] == [4.0, 1.0, 0.2]
    for deviation, sigma in met:
        assert deviation == pytest.approx(sigma, rel=4 / math.sqrt(2 * 500 * SIDE**2))


def test_without_fresh_noise_only_the_start_is_drawn():
    operator = OPERATORS["half"]
    measured = operator.forward(normal(1, 1, SIDE, SIDE))
    ends = []
    for fresh in (0.0, 1.0):
        generator = torch.Generator().manual_seed(0)
        solved = diffpir(
            lambda x, sigma: x / (1 + sigma**2),
            operator,
            torch.cat([measured, measured]),
            [3.0, 1.0, 0.3],
            noise_sigma=NOISE,
            fresh=fresh,
            generator=generator,
        )
        ends.append(solved)
    assert not torch.allclose(ends[0], ends[1])
    assert not torch.allclose(ends[0][0], ends[0][1])  # another start, another image


@pytest.mark.parametrize("solve", [*SOLVERS.values(), diffpir])
def test_every_round_calls_once_and_is_shown(solve):
    calls, frames = [], []

    def denoise(x, sigma):
        calls.append(sigma)
        return x / 2

    operator = OPERATORS["half"]
    measured = operator.forward(normal(2, 1, SIDE, SIDE))
    kept = measured.clone()
    levels = [1.0, 0.5, 0.5, 0.1] if solve is not diffpir else [1.0, 0.5, 0.1]
    found = solve(
        denoise, operator, measured, levels, noise_sigma=0.1, watch=frames.append
    )
    assert calls == levels
    assert len(frames) == len(levels)
    assert torch.equal(frames[-1], found)
    assert torch.equal(measured, kept)


BAD = [
    ({"levels": []}, "levels must be finite, above 0, and rise nowhere"),
    ({"levels": [0.1, 0.2]}, "levels must be finite, above 0, and rise nowhere"),
    ({"levels": [0.1, 0.0]}, "levels must be finite, above 0, and rise nowhere"),
    ({"levels": [math.inf, 1.0]}, "levels must be finite, above 0, and rise nowhere"),
    ({"noise_sigma": 0.0}, "noise_sigma must be a finite number above 0, got 0.0"),
    ({"weight": -1.0}, "weight must be a finite number above 0, got -1.0"),
]


@pytest.mark.parametrize("solve", [*SOLVERS.values(), diffpir])
@pytest.mark.parametrize(("change", "message"), BAD)
def test_what_cannot_be_is_named(solve, change, message):
    arguments = {"levels": [0.5, 0.1], "noise_sigma": 0.1} | change
    measured = torch.zeros(1, 1, SIDE // 2, SIDE // 2)
    with pytest.raises(ValueError, match=message):
        solve(lambda x, sigma: x, OPERATORS["half"], measured, **arguments)


def test_a_share_of_noise_is_a_share():
    measured = torch.zeros(1, 1, SIDE // 2, SIDE // 2)
    with pytest.raises(ValueError, match="fresh must be a share in"):
        diffpir(
            lambda x, sigma: x,
            OPERATORS["half"],
            measured,
            [0.5],
            noise_sigma=0.1,
            fresh=1.5,
        )
