"""Walks whose resting state can be worked out: Langevin's and walkback."""

import math

import pytest
import torch

from dae_tutorial.theory.score import FiniteSet, GaussianMixture
from dae_tutorial.theory.walks import langevin, walkback


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def bell(x, sigma, spread=1.0):
    """The posterior mean for data N(0, spread²)."""
    return x * spread**2 / (spread**2 + sigma**2)


@pytest.mark.parametrize(("sigma", "step_size"), [(1.0, 0.2), (1.0, 1.0), (0.5, 1.5)])
def test_langevin_settles_at_the_known_variance(sigma, step_size):
    noisy, step = 1 + sigma**2, step_size * sigma**2
    expected = noisy / (1 - step / (2 * noisy))
    count, frames = 100_000, []
    start = math.sqrt(expected) * torch.randn(count, 1, generator=seeded())
    options = {"steps": 40, "step_size": step_size, "generator": seeded(1)}
    end = langevin(bell, start, [sigma], watch=frames.append, **options)
    assert len(frames) == 41  # each step, and the answer in the end
    assert abs(frames[-2].var() / expected - 1) < 4 * math.sqrt(2 / count)
    assert torch.equal(end, bell(frames[-2], sigma))


def test_langevin_forgets_where_it_began():
    """It goes to the variance from above and from below."""
    expected = 2 / (1 - 0.5 / 4)
    for begin in (0.1, 4.0):
        frames = []
        start = begin * torch.randn(50_000, 1, generator=seeded())
        options = {"steps": 60, "step_size": 0.5, "generator": seeded(1)}
        langevin(bell, start, [1.0], watch=frames.append, **options)
        assert abs(frames[-2].var() / expected - 1) < 4 * math.sqrt(2 / 50_000)


def test_annealed_langevin_draws_a_mixture_of_gaussians():
    mixture = GaussianMixture(
        means=torch.tensor([[-1.0], [1.0]], dtype=torch.float64),
        covariances=torch.full((2, 1, 1), 0.3**2, dtype=torch.float64),
        log_weights=torch.tensor([0.3, 0.7], dtype=torch.float64).log(),
    )
    count = 4000
    start = 10 * torch.randn(count, 1, dtype=torch.float64, generator=seeded())
    levels = [10 * 0.8**step for step in range(25)]
    options = {"steps": 60, "step_size": 0.1, "generator": seeded(1)}
    points = langevin(mixture.posterior_mean, start, levels, **options)
    left = (points < 0).double().mean()
    # 1.1 % of the left Gaussian lies right of 0 and the other way round, in both sets.
    assert abs(left - 0.3) < 4 * math.sqrt(0.21 / count) + 0.02
    truth = mixture.draw(count, generator=seeded(2))
    spread = truth.std()
    assert abs(points.mean() - truth.mean()) < 4 * spread * math.sqrt(2 / count)
    # The kurtosis is below 3: the error of a variance is below that of a Gaussian's.
    # The last answer takes a little off: σ² of the lowest level, and steps' share.
    allowed = 4 * math.sqrt(4 / count) + (levels[-1] / 0.3) ** 2 * 0.1 + 0.02
    assert abs(points.var() / truth.var() - 1) < allowed


def test_the_levels_are_gone_through_in_turn():
    calls = []

    def watched(x, sigma):
        calls.append(sigma)
        return bell(x, sigma)

    langevin(watched, torch.ones(1, 1), [2.0, 0.5], steps=2, generator=seeded())
    assert calls == [2.0, 2.0, 0.5, 0.5, 0.5]


def test_walkback_with_exact_draws_keeps_a_discrete_distribution():
    """By quadrature: the transition matrix of corrupt, then draw from the posterior.

    On the whole line the trapezoid rule is exact to rounding for such smooth curves.
    """
    points = torch.tensor([[-1.0], [0.2], [1.5]], dtype=torch.float64)
    shares = torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64)
    data, sigma = FiniteSet(points, shares.log()), 0.6
    line = torch.linspace(-12, 12, 4001, dtype=torch.float64)[:, None]
    posterior = data.posterior_weights(line, sigma)  # (place, to)
    likelihood = torch.exp(-((line - points.T) ** 2) / (2 * sigma**2))
    likelihood = likelihood / (sigma * math.sqrt(2 * math.pi))  # (place, from)
    transition = torch.trapezoid(
        likelihood[:, :, None] * posterior[:, None, :], line[:, 0], dim=0
    )
    assert torch.allclose(transition.sum(dim=1), torch.ones_like(shares), atol=1e-12)
    assert ((shares @ transition - shares).abs() < 1e-12).all()
    assert transition[0, 0] < 0.99  # and it does move


def test_walkback_with_draws_keeps_shares_and_with_means_does_not():
    points = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    shares = torch.tensor([0.3, 0.7], dtype=torch.float64)
    data, count = FiniteSet(points, shares.log()), 20_000
    start = points[torch.multinomial(shares, count, True, generator=seeded())]
    generator = seeded(1)

    def draw(x, sigma):
        return data.draw_posterior(x, sigma, generator=generator)

    drawn = walkback(draw, start, 1.0, steps=10, generator=generator)
    left = (drawn < 0).double().mean()
    assert abs(left - 0.3) < 4 * math.sqrt(2 * 0.21 / count)
    means = walkback(data.posterior_mean, start, 1.0, steps=10, generator=seeded(1))
    assert (means < 0).double().mean() < 0.25


@pytest.mark.parametrize(("spread", "sigma"), [(1.0, 0.5), (2.0, 3.0)])
def test_walkback_with_the_posterior_mean_settles_too_low(spread, sigma):
    expected, count = spread**4 / (2 * spread**2 + sigma**2), 100_000
    start = spread * torch.randn(count, 1, generator=seeded())

    def denoise(x, sigma):
        return bell(x, sigma, spread)

    end = walkback(denoise, start, sigma, steps=60, generator=seeded(1))
    assert abs(end.var() / expected - 1) < 4 * math.sqrt(2 / count)


def test_walkback_shows_each_step_and_leaves_the_start_alone():
    frames, start = [], torch.ones(3, 2)
    end = walkback(bell, start, 0.5, steps=4, generator=seeded(), watch=frames.append)
    assert len(frames) == 4
    assert frames[-1] is end
    assert torch.equal(start, torch.ones(3, 2))


@pytest.mark.parametrize("walk", [langevin, walkback])
def test_the_generator_decides_the_walk(walk):
    start = torch.ones(3, 2)
    level = [0.5] if walk is langevin else 0.5
    one, same, other = (
        walk(bell, start, level, generator=seeded(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    "levels",
    [[], [1.0, 2.0], [1.0, 1.0], [1.0, 0.0], [math.inf], [math.nan], [1.0, math.nan]],
    ids=str,
)
def test_levels_that_do_not_fall_are_refused(levels):
    with pytest.raises(ValueError, match="levels must be finite, fall"):
        langevin(bell, torch.ones(1, 1), levels)


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.inf, math.nan])
def test_walkback_refuses_levels_that_are_not_above_0(sigma):
    with pytest.raises(ValueError, match="levels must be finite"):
        walkback(bell, torch.ones(1, 1), sigma)


@pytest.mark.parametrize("steps", [0, -1, 1.0])
def test_less_than_one_step_is_refused(steps):
    with pytest.raises(ValueError, match="steps must be an integer"):
        langevin(bell, torch.ones(1, 1), [1.0], steps=steps)
    with pytest.raises(ValueError, match="steps must be an integer"):
        walkback(bell, torch.ones(1, 1), 1.0, steps=steps)


@pytest.mark.parametrize("step_size", [0.0, 2.0, -0.1, math.nan])
def test_a_step_that_would_not_settle_is_refused(step_size):
    with pytest.raises(ValueError, match="step_size must be in"):
        langevin(bell, torch.ones(1, 1), [1.0], step_size=step_size)
