"""The exact answer, against Bayes' rule in a loop and a mixture of Gaussians."""

import math

import pytest
import torch

from dae_tutorial.beyond.operators import Blur, Downsample, Mask
from dae_tutorial.beyond.set_prior import posterior_mean_of_set
from dae_tutorial.theory.score import FiniteSet, GaussianMixture

SIDE, NOISE = 4, 0.4


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


POINTS = normal(5, 1, SIDE, SIDE, seed=1) / 8  # close, so that several weigh
OPERATORS = {
    "mask": Mask((normal(1, 1, SIDE, SIDE, seed=2) > 0).double()),
    "masks": Mask((normal(3, 1, SIDE, SIDE, seed=3) > 0).double()),
    "blur": Blur(normal(3, 3, seed=4) / 2, (SIDE, SIDE)),
    "half": Downsample(2),
}


@pytest.fixture(params=OPERATORS)
def measured(request):
    """Return an operator and three measurements with noise."""
    operator = OPERATORS[request.param]
    clean = operator.forward(POINTS[:3])
    noisy = clean + NOISE * normal(*clean.shape, seed=5)
    return operator, operator.forward(noisy) if isinstance(operator, Mask) else noisy


def close(found, wanted):
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)


def test_bayes_rule_in_a_loop(measured):
    """A σ² that is left out, or a mask, and the weights are others."""
    operator, y = measured
    found = posterior_mean_of_set(POINTS, operator, y, noise_sigma=NOISE)
    for which in range(3):
        likely = []
        for point in POINTS:
            seen = operator.forward(point.expand(3, -1, -1, -1))[which]
            off = (y[which] - seen).square().sum()
            likely.append(math.exp(-off / (2 * NOISE**2)))
        shares = [one / sum(likely) for one in likely]
        assert max(shares) < 0.99, "a test of weights needs more than one"
        wanted = sum(s * p for s, p in zip(shares, POINTS, strict=True))
        close(found[which], wanted)


def test_a_spread_agrees_with_a_mixture_of_gaussians(measured):
    """The joint law of image and measurement, image by image, with full matrices."""
    operator, y = measured
    spread = 0.3
    found = posterior_mean_of_set(POINTS, operator, y, noise_sigma=NOISE, spread=spread)
    units = torch.eye(SIDE**2, dtype=torch.float64).reshape(-1, 1, SIDE, SIDE)
    for which in range(3):
        columns = [operator.forward(u.expand(3, 1, -1, -1))[which] for u in units]
        a = torch.stack([column.flatten() for column in columns], dim=1)
        unit = torch.eye(len(a), dtype=torch.float64)
        covariance = spread**2 * a @ a.T + NOISE**2 * unit
        seen = POINTS.flatten(1) @ a.T
        off = y[which].flatten() - seen
        solved = torch.linalg.solve(covariance, off.T).T
        shares = (-(off * solved).sum(1) / 2).softmax(0)
        each = POINTS.flatten(1) + spread**2 * solved @ a
        close(found[which].flatten(), shares @ each)


def test_everything_seen_is_denoising():
    """Then both modules of the package must say the same."""
    all_seen, noisy = Mask(torch.ones(1, 1, SIDE, SIDE)), normal(6, 1, SIDE, SIDE)
    found = posterior_mean_of_set(POINTS, all_seen, noisy, noise_sigma=NOISE)
    close(found, FiniteSet(POINTS).posterior_mean(noisy, NOISE))
    spread, flat = 0.3, POINTS.flatten(1)
    covariances = spread**2 * torch.eye(SIDE**2, dtype=torch.float64)
    mixture = GaussianMixture(flat, covariances.expand(5, -1, -1))
    found = posterior_mean_of_set(
        POINTS, all_seen, noisy, noise_sigma=NOISE, spread=spread
    )
    close(found.flatten(1), mixture.posterior_mean(noisy.flatten(1), NOISE))


def test_nothing_seen_is_the_mean_image():
    nothing = Mask(torch.zeros(1, 1, SIDE, SIDE, dtype=torch.float64))
    y = torch.zeros(2, 1, SIDE, SIDE, dtype=torch.float64)
    found = posterior_mean_of_set(POINTS, nothing, y, noise_sigma=NOISE, spread=0.1)
    close(found, POINTS.mean(0).expand_as(y))


def test_no_answer_is_better_on_images_of_the_set():
    """Its error has nothing to do with what it was given: no function mends it."""
    operator, count = OPERATORS["half"], 40_000
    generator = torch.Generator().manual_seed(0)
    chosen = torch.randint(5, (count,), generator=generator)
    clean = operator.forward(POINTS)[chosen]
    y = clean + NOISE * normal(*clean.shape, seed=6)
    found = posterior_mean_of_set(POINTS, operator, y, noise_sigma=NOISE)
    off = (POINTS[chosen] - found).flatten(1)
    for given in (torch.ones(1, 1), y.flatten(1)[:, :1], y.flatten(1)[:, 1:2].sin()):
        product = off * given
        assert (product.mean(0).abs() < 4.5 * product.std(0) / count**0.5).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"noise_sigma": 0.0}, "noise_sigma must be finite and above 0"),
        ({"noise_sigma": 0.1, "spread": -0.1}, "spread must be a finite number"),
    ],
)
def test_what_cannot_be_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        posterior_mean_of_set(
            POINTS, OPERATORS["half"], torch.zeros(1, 1, 2, 2), **arguments
        )
