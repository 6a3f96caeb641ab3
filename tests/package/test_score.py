"""The perfect denoiser, against derivatives, grids, loops and draws."""

import math

import pytest
import torch
from scipy.stats import multivariate_normal
from torch.func import jacrev, vmap

from dae_tutorial.theory.score import (
    FiniteSet,
    GaussianMixture,
    tweedie_mean,
    tweedie_score,
)

SIGMAS = [0.05, 0.4, 3.0]
WEIGHTS = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
EXACT = {"rtol": 1e-10, "atol": 1e-10}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def mixture() -> GaussianMixture:
    """Three slanted Gaussians of the plane, of unequal weights."""
    roots = normal(3, 2, 2, seed=1) / 2
    covariances = roots @ roots.mT + 0.05 * torch.eye(2, dtype=torch.float64)
    return GaussianMixture(normal(3, 2, seed=2), covariances, WEIGHTS.log())


def finite_set() -> FiniteSet:
    """Three images of two pixels, of unequal weights."""
    return FiniteSet(normal(3, 1, 1, 2, seed=3), WEIGHTS.log())


DATA = {"mixture": mixture(), "finite set": finite_set()}


@pytest.fixture(params=DATA)
def data(request) -> GaussianMixture | FiniteSet:
    return DATA[request.param]


def noisy_points(data: GaussianMixture | FiniteSet, count: int = 7) -> torch.Tensor:
    shape = getattr(data, "points", getattr(data, "means", None)).shape[1:]
    return 2 * normal(count, *shape, seed=4)


def component(data: GaussianMixture | FiniteSet, index: int, sigma: float):
    """Return one part of the noisy density, as scipy knows it."""
    unit = sigma**2 * torch.eye(2, dtype=torch.float64)
    if isinstance(data, FiniteSet):
        return multivariate_normal(data.points[index].flatten(), unit)
    return multivariate_normal(data.means[index], data.covariances[index] + unit)


def close(found: torch.Tensor, wanted: torch.Tensor, **tolerance: float) -> None:
    torch.testing.assert_close(found, wanted, **(tolerance or EXACT))


@pytest.mark.parametrize("sigma", SIGMAS)
def test_log_density_is_that_of_the_data_with_noise_added(data, sigma):
    noisy = noisy_points(data)
    flat = noisy.flatten(1).numpy()
    parts = [torch.tensor(component(data, k, sigma).logpdf(flat)) for k in range(3)]
    joint = WEIGHTS.log() + torch.stack(parts, dim=1)
    close(data.log_density(noisy, sigma), joint.logsumexp(dim=1))


@pytest.mark.parametrize("sigma", SIGMAS)
def test_score_is_the_gradient_of_the_log_density(data, sigma):
    noisy = noisy_points(data).requires_grad_()
    (gradient,) = torch.autograd.grad(data.log_density(noisy, sigma).sum(), noisy)
    close(data.score(noisy.detach(), sigma), gradient)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_posterior_covariance_is_the_jacobian_of_the_mean_times_the_variance(
    data, sigma
):
    noisy = noisy_points(data)
    jacobian = vmap(jacrev(lambda one: data.posterior_mean(one[None], sigma)[0]))
    covariance = data.posterior_covariance(noisy, sigma)
    close(covariance, sigma**2 * jacobian(noisy).reshape(-1, 2, 2))
    close(covariance, covariance.mT)
    assert (torch.linalg.eigvalsh(covariance) > -1e-12).all()


def test_a_mixture_agrees_with_sums_over_a_fine_grid():
    """Bayes' rule, with an integral that knows nothing of Gaussians."""
    data, sigma = mixture(), 0.4
    axis = torch.linspace(-8, 8, 801, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    clean = torch.distributions.MultivariateNormal(data.means, data.covariances)
    log_prior = (WEIGHTS.log() + clean.log_prob(grid[:, None])).logsumexp(dim=1)
    noisy = noisy_points(data, count=3)
    close_by = -(noisy[:, None] - grid).square().sum(dim=2) / (2 * sigma**2)
    share = (log_prior + close_by).softmax(dim=1)
    mean = share @ grid
    off = grid - mean[:, None]
    covariance = torch.einsum("bn,bni,bnj->bij", share, off, off)
    close(data.posterior_mean(noisy, sigma), mean, rtol=1e-8, atol=1e-8)
    close(data.posterior_covariance(noisy, sigma), covariance, rtol=1e-8, atol=1e-8)


def test_a_finite_set_agrees_with_loops():
    data, sigma = finite_set(), 0.4
    noisy = noisy_points(data)
    for one, found, mean in zip(
        noisy,
        data.posterior_weights(noisy, sigma),
        data.posterior_mean(noisy, sigma),
        strict=True,
    ):
        likely = [
            weight * math.exp(-(one - point).square().sum() / (2 * sigma**2))
            for weight, point in zip(WEIGHTS, data.points, strict=True)
        ]
        shares = torch.stack(likely) / sum(likely)
        close(found, shares)
        close(mean, sum(s * x for s, x in zip(shares, data.points, strict=True)))


def test_what_is_left_of_the_noise_has_nothing_to_do_with_the_input(data):
    """Only so is no other answer better. It would not hold with another σ."""
    sigma, count = 0.4, 40_000
    if isinstance(data, GaussianMixture):
        clean = data.draw(count, generator=seeded())
    else:
        chosen = torch.multinomial(WEIGHTS, count, True, generator=seeded())
        clean = data.points[chosen]
    noisy = clean + sigma * normal(*clean.shape, seed=5)
    off = (clean - data.posterior_mean(noisy, sigma)).flatten(1)
    for weight in (torch.ones(1, 2), noisy.flatten(1), noisy.flatten(1).sin()):
        product = off * weight
        assert (product.mean(0).abs() < 4 * product.std(0) / count**0.5).all()
    square = off.square().sum(1)
    trace = data.posterior_covariance(noisy, sigma).diagonal(dim1=1, dim2=2).sum(1)
    assert (square - trace).mean().abs() < 4 * (square - trace).std() / count**0.5


METHODS = ["log_density", "posterior_mean", "score", "posterior_covariance"]


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_answered_point_by_point(data, method):
    noisy, ask = noisy_points(data), getattr(data, method)
    close(ask(noisy, 0.4), torch.cat([ask(one[None], 0.4) for one in noisy]))


@pytest.mark.parametrize("method", METHODS)
def test_single_precision_agrees_with_double(data, method):
    fields = [field.float() for field in vars(data).values()]
    single, noisy = type(data)(*fields), noisy_points(data)
    found = getattr(single, method)(noisy.float(), 0.4)
    assert found.dtype == torch.float32
    close(found.double(), getattr(data, method)(noisy, 0.4), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_single_precision_survives_small_noise_and_far_points(data, method):
    """A likelihood of exp(-10⁷) is zero in any precision: its logarithm is not."""
    fields = [field.float() for field in vars(data).values()]
    single, noisy = type(data)(*fields), noisy_points(data)
    far = torch.cat([noisy, 10 * noisy])
    found = getattr(single, method)(far.float(), 2e-3)
    assert found.isfinite().all()
    if method != "score":  # as well as single precision knows (mean - noisy) / σ²
        wanted = getattr(data, method)(far, 2e-3)
        close(found.double(), wanted, rtol=1e-3, atol=1e-3)


def test_a_set_far_from_zero_keeps_its_precision():
    points = torch.tensor([[1000.0], [1001.0]])
    near = FiniteSet(points - 1000).posterior_mean(torch.tensor([[0.6]]), 0.3)
    far = FiniteSet(points).posterior_mean(torch.tensor([[1000.6]]), 0.3)
    close(far - 1000, near, rtol=0, atol=2e-4)  # 1000.6 itself is off by 2e-5


@pytest.mark.parametrize("method", METHODS)
def test_a_point_of_weight_two_thirds_is_there_twice(data, method):
    first, *rest = (field[:2] for field in list(vars(data).values())[:-1])
    weighted = type(data)(
        first, *rest, torch.tensor([2, 1]).double().log() - math.log(3)
    )
    twice = [field[[0, 0, 1]] for field in (first, *rest)]
    noisy = noisy_points(data)
    by_weight = getattr(weighted, method)(noisy, 0.7)
    close(by_weight, getattr(type(data)(*twice), method)(noisy, 0.7))


@pytest.mark.parametrize("method", METHODS)
def test_a_mixture_of_needles_is_a_finite_set(method):
    points = finite_set()
    flat = points.points.flatten(1)
    thin = 1e-12 * torch.eye(2, dtype=torch.float64).expand(3, 2, 2)
    needles = GaussianMixture(flat, thin, WEIGHTS.log())
    noisy = noisy_points(points)
    found = getattr(needles, method)(noisy.flatten(1), 0.4)
    wanted = getattr(points, method)(noisy, 0.4)
    close(found.flatten(), wanted.flatten(), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_for_one_gaussian_the_best_denoiser_is_a_matrix(sigma):
    covariance = mixture().covariances[:1]
    bell = GaussianMixture(torch.zeros(1, 2).double(), covariance)
    noisy = noisy_points(bell)
    unit = torch.eye(2, dtype=torch.float64)
    gain = covariance[0] @ torch.linalg.inv(covariance[0] + sigma**2 * unit)
    close(bell.posterior_mean(noisy, sigma), noisy @ gain.T)


def test_tweedie_goes_both_ways(data):
    noisy, sigma = noisy_points(data), 0.4
    score, mean = data.score(noisy, sigma), data.posterior_mean(noisy, sigma)
    close(tweedie_mean(noisy, score, sigma), mean)
    close(tweedie_score(noisy, mean, sigma), score)
    close(tweedie_mean(noisy, torch.ones_like(noisy), 0.5), noisy + 0.25)


def test_draws_of_a_mixture_have_its_mean_and_covariance():
    data, count = mixture(), 40_000
    drawn = data.draw(count, generator=seeded())
    assert drawn.dtype == torch.float64
    mean = WEIGHTS @ data.means
    off = data.means - mean
    spread = data.covariances + off[:, :, None] * off[:, None]
    covariance = torch.einsum("k,kij->ij", WEIGHTS, spread)
    found = drawn - mean
    products = found[:, :, None] * found[:, None]
    assert (found.mean(0).abs() < 4 * drawn.std(0) / count**0.5).all()
    margin = 4 * products.std(0) / count**0.5
    assert ((products.mean(0) - covariance).abs() < margin).all()


def test_draws_from_the_posterior_come_as_often_as_they_should():
    data, sigma, count = finite_set(), 0.8, 10_000
    noisy = noisy_points(data, count=1)
    shares = data.posterior_weights(noisy, sigma)[0]
    assert shares.max() < 0.95  # else there would be nothing to draw
    repeated = noisy.expand(count, -1, -1, -1)
    drawn = data.draw_posterior(repeated, sigma, generator=seeded())
    found = (drawn[:, None] == data.points).flatten(2).all(dim=2).double().mean(0)
    margin = 4 * (shares * (1 - shares) / count).sqrt()
    assert ((found - shares).abs() < margin).all()
    again = data.draw_posterior(repeated, sigma, generator=seeded())
    assert torch.equal(drawn, again)
    assert not torch.equal(
        drawn, data.draw_posterior(repeated, sigma, generator=seeded(1))
    )


@pytest.mark.parametrize("sigma", [0, -0.1, math.nan, math.inf])
def test_a_level_that_is_no_level_is_refused(data, sigma):
    noisy = noisy_points(data)
    with pytest.raises(ValueError, match="sigma must be"):
        tweedie_mean(noisy, noisy, sigma)
    with pytest.raises(ValueError, match="sigma must be"):
        tweedie_score(noisy, noisy, sigma)
    for method in METHODS:
        with pytest.raises(ValueError, match="sigma must be"):
            getattr(data, method)(noisy, sigma)


@pytest.mark.parametrize("method", METHODS)
def test_points_of_another_shape_are_refused(data, method):
    noisy = noisy_points(data)
    for wrong in (noisy[..., :1], noisy[0], torch.zeros(7, 3).double()):
        with pytest.raises(ValueError, match="noisy must have shape"):
            getattr(data, method)(wrong, 0.4)


@pytest.mark.parametrize(
    "points", [torch.zeros(0, 2), torch.zeros(2), torch.tensor([[1.0], [math.nan]])]
)
def test_a_set_without_points_is_refused(points):
    with pytest.raises(ValueError, match="points must be finite"):
        FiniteSet(points)


@pytest.mark.parametrize(
    ("means", "covariances"),
    [
        (torch.zeros(0, 2), torch.zeros(0, 2, 2)),
        (torch.zeros(2), torch.eye(2)[None]),
        (torch.zeros(2, 2), torch.eye(2)[None]),
        (torch.zeros(1, 3), torch.eye(2)[None]),
        (torch.full((1, 2), math.nan), torch.eye(2)[None]),
        (torch.zeros(1, 2), torch.full((1, 2, 2), math.inf)),
    ],
)
def test_a_mixture_that_does_not_fit_is_refused(means, covariances):
    with pytest.raises(ValueError, match="means and covariances must be finite"):
        GaussianMixture(means, covariances)


@pytest.mark.parametrize(
    "weights", [[0.5, 0.4, 0.2], [0.5, 0.5], [[0.5, 0.3, 0.2]], [math.nan, 0.5, 0.5]]
)
def test_weights_that_are_no_probabilities_are_refused(data, weights):
    fields = list(vars(data).values())[:-1]
    with pytest.raises(ValueError, match="log_weights must be"):
        type(data)(*fields, torch.tensor(weights).double().log())
