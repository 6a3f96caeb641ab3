"""Samplers with denoisers that are exact: what they draw can be worked out."""

import math
from functools import partial

import pytest
import torch

from dae_tutorial.theory.sampling import (
    draw_start,
    guided,
    heun,
    noise_levels,
    step_down,
)
from dae_tutorial.theory.score import GaussianMixture

HIGHEST, LOWEST = 20.0, 0.01
SAMPLERS = {
    "Euler": step_down,
    "ancestral": partial(step_down, fresh=1.0),
    "half fresh": partial(step_down, fresh=0.5),
    "Heun": heun,
}
MIXTURE = GaussianMixture(
    means=torch.tensor([[-1.0, 0.5], [1.5, 0.0]], dtype=torch.float64),
    covariances=torch.tensor(
        [[[0.3, 0.1], [0.1, 0.2]], [[0.1, 0.0], [0.0, 0.5]]], dtype=torch.float64
    ),
    log_weights=torch.tensor([0.3, 0.7], dtype=torch.float64).log(),
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def bell(x, sigma, spread=1.0):
    """The posterior mean for data N(0, spread²)."""
    return x * spread**2 / (spread**2 + sigma**2)


@pytest.mark.parametrize(("sampler", "order"), [(step_down, 1), (heun, 2)])
def test_the_error_falls_with_the_steps_as_the_order_says(sampler, order):
    """Beside the solution, at the last level: the step to 0 has an order of its own."""
    spread = 0.5

    def miss(count):
        levels, frames = noise_levels(count, HIGHEST, 0.1), []
        start = torch.tensor([[HIGHEST]], dtype=torch.float64)
        sampler(partial(bell, spread=spread), start, levels, watch=frames.append)
        share = (spread**2 + levels[-1] ** 2) / (spread**2 + HIGHEST**2)
        return abs(frames[-2].item() - HIGHEST * math.sqrt(share))

    slope = math.log2(miss(200) / miss(400))
    assert abs(slope - order) < 0.1


def test_calls_are_made_at_the_levels_in_turn():
    calls = []

    def watched(x, sigma):
        calls.append(sigma)
        return bell(x, sigma)

    levels, start = [4.0, 1.0, 0.2], torch.ones(1, 1)
    step_down(watched, start, levels)
    assert calls == levels
    calls.clear()
    heun(watched, start, levels)
    assert calls == [4.0, 1.0, 1.0, 0.2, 0.2]


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
def test_the_last_step_is_the_answer_and_every_step_is_shown(sampler):
    frames, levels = [], [3.0, 1.0, 0.5]
    start = torch.randn(7, 2, dtype=torch.float64, generator=seeded())
    kept = start.clone()
    end = sampler(bell, start, levels, watch=frames.append)
    assert len(frames) == len(levels)
    assert frames[-1] is end
    assert torch.allclose(end, bell(frames[-2], 0.5))
    assert torch.equal(start, kept)


def components(points):
    """Return which Gaussian of the mixture each point is likelier to be from."""
    each = [
        GaussianMixture(MIXTURE.means[i : i + 1], MIXTURE.covariances[i : i + 1])
        for i in range(2)
    ]
    log = torch.stack([one.log_density(points, 1e-6) for one in each], dim=1)
    return (log + MIXTURE.log_weights).argmax(dim=1)


def check_moments(points, truth, step_error):
    """Compare weight, mean and covariance with those of exact draws.

    Four standard errors of the difference of two such sets, and what steps of finite
    size are known to leave, as a share of the spread.
    """
    count, spread = len(points), truth.std(dim=0)
    left = [(components(some) == 0).double().mean() for some in (points, truth)]
    assert abs(left[0] - left[1]) < 4 * math.sqrt(2 * 0.21 / count) + step_error
    allowed = (4 * math.sqrt(2 / count) + step_error) * spread
    assert ((points.mean(0) - truth.mean(0)).abs() < allowed).all()
    allowed = 4 * math.sqrt(2 * 2 / count) + 2 * step_error
    off = (points.T.cov() - truth.T.cov()).abs()
    assert (off < allowed * spread.outer(spread)).all()


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_mixture_of_gaussians_is_drawn_as_it_is(name):
    count = 20_000
    start = HIGHEST * torch.randn(count, 2, generator=seeded(), dtype=torch.float64)
    levels = noise_levels(100, HIGHEST, LOWEST)
    options = {} if name == "Heun" else {"generator": seeded(1)}
    points = SAMPLERS[name](MIXTURE.posterior_mean, start, levels, **options)
    step_error = {"Heun": 0.005}.get(name, 0.03)
    check_moments(points, MIXTURE.draw(count, generator=seeded(2)), step_error)


@pytest.mark.parametrize("fresh", [0.3, 1.0])
def test_a_step_with_fresh_noise_keeps_the_density(fresh):
    """From exact draws at σ to exact draws at τ, for a step that is small."""
    sigma, tau, count = 1.0, 0.98, 400_000
    x = math.sqrt(1 + sigma**2) * torch.randn(
        count, 1, dtype=torch.float64, generator=seeded()
    )
    frames = []
    options = {"fresh": fresh, "generator": seeded(1), "watch": frames.append}
    step_down(bell, x, [sigma, tau], **options)
    variance = frames[0].var().item()
    # (1 + τ²) but for terms of the second order in the step, (σ - τ)².
    assert abs(variance / (1 + tau**2) - 1) < 4 * math.sqrt(2 / count) + 0.02**2


def test_one_ancestral_step_is_that_of_ddpm():
    """The posterior of Ho et al. (2020), equation 7, in the scaling of theirs."""
    sigma, tau, x, clean = 2.0, 0.7, 1.3, 0.4
    alpha = {level: 1 / (1 + level**2) for level in (sigma, tau)}
    step = alpha[sigma] / alpha[tau]
    mean = math.sqrt(alpha[tau]) * (1 - step) / (1 - alpha[sigma]) * clean
    scaled = x * math.sqrt(alpha[sigma])
    mean += math.sqrt(step) * (1 - alpha[tau]) / (1 - alpha[sigma]) * scaled
    variance = (1 - alpha[tau]) / (1 - alpha[sigma]) * (1 - step)

    frames, count = [], 200_000
    start = torch.full((count, 1), x, dtype=torch.float64)

    def answer(x, sigma):
        return torch.full_like(x, clean)

    options = {"fresh": 1.0, "generator": seeded(), "watch": frames.append}
    step_down(answer, start, [sigma, tau], **options)
    drawn = frames[0] * math.sqrt(alpha[tau])  # to their scaling
    assert abs(drawn.mean() - mean) < 4 * math.sqrt(variance / count)
    assert abs(drawn.var() / variance - 1) < 4 * math.sqrt(2 / count)


def test_without_fresh_noise_nothing_is_drawn():
    start = torch.randn(5, 2, generator=seeded())
    state = torch.random.get_rng_state()
    ends = [step_down(bell, start, [2.0, 0.5], generator=seeded(s)) for s in (0, 1)]
    assert torch.equal(*ends)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_fresh_noise_comes_from_the_generator():
    start = torch.randn(5, 2, generator=seeded())
    one, same, other = (
        step_down(bell, start, [2.0, 0.5], fresh=1.0, generator=seeded(s))
        for s in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
@pytest.mark.parametrize(
    "levels",
    [
        [],
        [1.0, 2.0],
        [1.0, 1.0],
        [1.0, 0.0],
        [1.0, -1.0],
        [math.inf, 1.0],
        [math.nan],
        [1.0, math.nan],
        [math.nan, 1.0],
    ],
    ids=str,
)
def test_levels_that_do_not_fall_to_above_0_are_refused(sampler, levels):
    with pytest.raises(ValueError, match="levels must be finite, fall"):
        sampler(bell, torch.ones(1, 1), levels)


@pytest.mark.parametrize("fresh", [-0.1, 1.1, math.nan, math.inf])
def test_a_share_outside_0_to_1_is_refused(fresh):
    with pytest.raises(ValueError, match="fresh must be a share"):
        step_down(bell, torch.ones(1, 1), [1.0], fresh=fresh)


def test_noise_levels_begin_and_end_where_they_should():
    levels = noise_levels(9, 10, 0.01)
    assert math.isclose(levels[0], 10)
    assert math.isclose(levels[-1], 0.01)
    roots = torch.tensor(levels, dtype=torch.float64) ** (1 / 7)
    assert torch.allclose(roots.diff(), roots.diff()[0].expand(8))
    assert torch.allclose(
        torch.tensor(noise_levels(3, 3, 1, bend=1)), torch.arange(3.0, 0, -1)
    )


@pytest.mark.parametrize("count", [1, 0, 2.0, "3"])
def test_too_few_levels_are_refused(count):
    with pytest.raises(ValueError, match="count must be an integer"):
        noise_levels(count, 10, 0.01)


@pytest.mark.parametrize(
    ("highest", "lowest"),
    [(1, 1), (1, 2), (1, 0), (1, -1), (math.inf, 1), (math.nan, 1), (1, math.nan)],
)
def test_levels_out_of_order_are_refused(highest, lowest):
    with pytest.raises(ValueError, match="levels must satisfy"):
        noise_levels(5, highest, lowest)


@pytest.mark.parametrize("bend", [0.9, math.inf, math.nan])
def test_a_bend_below_1_is_refused(bend):
    with pytest.raises(ValueError, match="bend must be"):
        noise_levels(5, 10, 0.01, bend=bend)


def test_the_start_has_the_level_that_it_is_asked_for():
    start = draw_start((10_000, 3), 7.0, generator=seeded())
    assert abs(start.std() / 7 - 1) < 4 / math.sqrt(2 * start.numel())
    assert torch.equal(start, draw_start((10_000, 3), 7.0, generator=seeded()))


def test_the_start_lies_around_what_it_is_told():
    middle = torch.tensor([1.0, -20.0, 300.0])
    plain = draw_start((5, 3), 7.0, generator=seeded())
    moved = draw_start((5, 3), 7.0, around=middle, generator=seeded())
    assert torch.equal(moved, plain + middle)
    for other in (middle[:1], middle[None]):  # they would broadcast
        with pytest.raises(ValueError, match=r"around must .* \(3,\), got"):
            draw_start((5, 3), 7.0, around=other)


def test_who_starts_around_zero_keeps_some_of_that_to_the_end():
    """On data N(μ, s²) Heun's path from N(0, σ²) ends beside μ, as the formula says."""
    mean, spread, highest = 4.0, 0.5, 10.0

    def exact(x, sigma):
        return mean + (x - mean) * spread**2 / (spread**2 + sigma**2)

    levels = noise_levels(100, highest, 1e-3)
    kept = (spread**2 / (spread**2 + highest**2)) ** 0.5
    for around, ends in ((None, mean * (1 - kept)), (torch.full((1,), mean), mean)):
        start = draw_start((20_000, 1), highest, around=around, generator=seeded())
        found = heun(exact, start, levels).mean().item()
        assert abs(found - ends) < 4 * spread / 20_000**0.5


def test_guidance_goes_from_one_answer_to_the_other_and_beyond():
    x = torch.randn(4, 2, generator=seeded())
    told, without = (partial(bell, spread=spread) for spread in (0.5, 2.0))
    for weight in (0.0, 0.5, 1.0, 3.0):
        wanted = (1 - weight) * without(x, 1.0) + weight * told(x, 1.0)
        assert torch.allclose(guided(told, without, weight)(x, 1.0), wanted)


@pytest.mark.parametrize("weight", [math.inf, math.nan])
def test_a_weight_that_is_no_number_is_refused(weight):
    with pytest.raises(ValueError, match="weight must be"):
        guided(bell, bell, weight)
