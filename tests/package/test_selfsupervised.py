"""Losses without clean images: each has the minimiser that its algebra promises.

A loss that is quadratic in a linear denoiser depends on second moments alone. So a
small sample with exactly the right moments stands for all the images and all the noise
in the world, and one Newton step finds the exact minimiser.
"""

import math

import pytest
import torch
from scipy.linalg import hadamard
from torch import nn

from dae_tutorial.beyond.selfsupervised import (
    RecorruptedPairs,
    SureLoss,
    divergence,
    sure,
    undo_extra_noise,
)
from dae_tutorial.evidence.baselines import blur
from dae_tutorial.loaders import ImageTensors, load_mnist
from dae_tutorial.model import Autoencoder
from dae_tutorial.train import fit

SIZE, SIGMA = 4, 0.7
UNIT = torch.eye(SIZE, dtype=torch.float64)
COVARIANCE = torch.tensor(
    [[2.0, 0.8, 0.1, 0.0], [0.8, 1.0, 0.3, 0.2], [0.1, 0.3, 0.7, 0.1], [0, 0.2, 0.1, 1]]
).double()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def wiener(sigma: float) -> torch.Tensor:
    """Return Σ (Σ + σ² I)⁻¹, the best linear denoiser."""
    return COVARIANCE @ torch.linalg.inv(COVARIANCE + sigma**2 * UNIT)


@pytest.fixture(scope="module")
def world():
    """Return clean images and three draws of unit noise with exact second moments."""
    drawn = torch.randn(64, 4 * SIZE, generator=seeded(), dtype=torch.float64)
    white = torch.linalg.qr(drawn).Q * math.sqrt(len(drawn))  # QᵀQ = I
    clean, *noises = white.split(SIZE, dim=1)
    return clean @ torch.linalg.cholesky(COVARIANCE).T, *noises


def minimiser(loss) -> torch.Tensor:
    """Return the W of the least `loss(W)`, which is quadratic, by a Newton step."""
    start = torch.zeros(SIZE * SIZE, dtype=torch.float64)

    def flat(weight):
        return loss(weight.reshape(SIZE, SIZE))

    gradient = torch.autograd.functional.jacobian(flat, start)
    curvature = torch.autograd.functional.hessian(flat, start)
    return -torch.linalg.solve(curvature, gradient).reshape(SIZE, SIZE)


def squared(answer, target):
    return nn.functional.mse_loss(answer, target)


def test_noise2noise_has_the_supervised_minimiser(world):
    clean, noise, other, _ = world
    noisy, second = clean + SIGMA * noise, clean + SIGMA * other
    for target in (clean, second):
        best = minimiser(lambda w, target=target: squared(noisy @ w.T, target))
        torch.testing.assert_close(best, wiener(SIGMA), atol=1e-10, rtol=0)


def test_a_noisy_target_makes_a_copier(world):
    clean, noise, *_ = world
    noisy = clean + SIGMA * noise
    best = minimiser(lambda w: squared(noisy @ w.T, noisy))
    torch.testing.assert_close(best, UNIT, atol=1e-10, rtol=0)


class Linear(nn.Module):
    """D(y) = W y, for a weight that a test differentiates by."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def forward(self, noisy):
        return noisy @ self.weight.T


def test_sure_has_the_supervised_minimiser(world, monkeypatch):
    """Its probes are rows of a Hadamard matrix: their second moments are exact, too."""
    clean, noise, *_ = world
    noisy = clean + SIGMA * noise
    signs = torch.tensor(hadamard(SIZE)).repeat(len(noisy) // SIZE, 1)
    monkeypatch.setattr(torch, "rand", lambda *_, **__: (1 - signs) / 2)

    def loss(weight):
        model = Linear(weight)
        return SureLoss(model, SIGMA)(model(noisy), noisy)

    torch.testing.assert_close(minimiser(loss), wiener(SIGMA), atol=1e-8, rtol=0)


def test_sure_is_the_mean_squared_error_of_a_linear_denoiser(world, monkeypatch):
    clean, noise, *_ = world
    noisy = clean + SIGMA * noise
    model = Linear(torch.rand(SIZE, SIZE, generator=seeded(1)).double())
    signs = torch.tensor(hadamard(SIZE)).repeat(len(noisy) // SIZE, 1)
    monkeypatch.setattr(torch, "rand", lambda *_, **__: (1 - signs) / 2)
    estimate = sure(model, noisy, SIGMA).mean()
    torch.testing.assert_close(
        estimate, squared(model(noisy), clean), rtol=1e-9, atol=0
    )


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_recorrupted_pairs_have_the_minimiser_for_the_noisier_image(
    world, strength, monkeypatch
):
    clean, noise, more, _ = world
    noisy = clean + SIGMA * noise
    monkeypatch.setattr(torch, "randn", lambda *_, **__: more)
    loader = ImageTensors(torch.zeros(1, 1)).loader(1)
    pairs = RecorruptedPairs(loader, SIGMA, strength)
    pairs.loader = [noisy]
    ((first, second),) = pairs
    best = minimiser(lambda w: squared(first @ w.T, second))
    level = SIGMA * math.sqrt(1 + strength**2)
    torch.testing.assert_close(best, wiener(level), atol=1e-10, rtol=0)


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_extra_noise_undone_is_the_posterior_mean(world, strength):
    clean, noise, more, _ = world
    noisy = clean + SIGMA * noise
    noisier = noisy + strength * SIGMA * more
    best = minimiser(lambda w: squared(noisier @ w.T, noisy))
    undone = undo_extra_noise(noisier @ best.T, noisier, strength)
    level = SIGMA * math.sqrt(1 + strength**2)
    torch.testing.assert_close(undone, noisier @ wiener(level).T, atol=1e-10, rtol=0)


def test_noisier2noise_and_r2r_are_one_loss(world):
    """With the correction inside the model, the losses differ by a factor alone."""
    clean, noise, more, _ = world
    noisy, strength = clean + SIGMA * noise, 0.6
    noisier = noisy + strength * SIGMA * more
    target = noisy - SIGMA * more / strength
    guess = torch.rand(noisy.shape, generator=seeded(2)).double()
    one = squared(undo_extra_noise(guess, noisier, strength), target)
    other = squared(guess, noisy) * ((1 + strength**2) / strength**2) ** 2
    torch.testing.assert_close(one, other, rtol=1e-12, atol=0)


def test_divergence_of_a_linear_denoiser_is_its_trace():
    weight = torch.randn(30, 30, generator=seeded(), dtype=torch.float64)
    noisy = torch.randn(1, 30, generator=seeded(1), dtype=torch.float64)
    unit = torch.eye(30, dtype=torch.float64)
    along = [divergence(Linear(weight), noisy, axis[None]) for axis in unit]
    # A longer step leaves less to rounding; a linear map has no curvature to fear.
    exact = [divergence(Linear(weight), noisy, axis[None], step=1.0) for axis in unit]
    assert abs(sum(exact).item() - weight.trace().item()) < 1e-10
    assert abs(sum(along).item() - weight.trace().item()) < 1e-8


def test_the_step_is_short_enough_for_a_curved_denoiser():
    noisy = torch.linspace(-2, 2, 50, dtype=torch.float64)[None]
    signs = torch.ones_like(noisy)
    exact = (1 / noisy.cosh().square()).sum(dim=1)
    torch.testing.assert_close(
        divergence(torch.tanh, noisy, signs), exact, rtol=1e-3, atol=0
    )


def test_sure_agrees_with_the_true_error_on_a_thousand_digits():
    """Within 2 %: here four standard errors of SURE are about 1.5 %."""
    clean = load_mnist(train=False).images[:1000]
    sigma, generator = 0.25, seeded()
    noisy = clean + sigma * torch.randn(clean.shape, generator=generator)

    def denoise(noisy):
        return blur(noisy, width=0.6)

    true = (denoise(noisy) - clean).square().flatten(1).mean(dim=1)
    estimate = sure(denoise, noisy, sigma, generator=generator)
    standard_error = (estimate - true).std() / math.sqrt(len(clean))
    assert 4 * standard_error < 0.02 * true.mean()
    assert abs(estimate.mean() - true.mean()) < 0.02 * true.mean()


def test_gradient_reaches_the_model_through_both_calls():
    model = nn.Linear(3, 3, dtype=torch.float64)
    noisy = torch.randn(500, 3, generator=seeded(), dtype=torch.float64)
    SureLoss(model, 1.0, generator=seeded(1))(model(noisy), noisy).backward()
    residual = 2 * (model(noisy) - noisy).T @ noisy / noisy.numel()
    more = model.weight.grad - residual.detach()
    # 2σ²/N times the mean of b bᵀ: exact on the diagonal, chance elsewhere.
    torch.testing.assert_close(
        more.diagonal(), torch.ones(3).double() * 2 / 3, rtol=1e-9, atol=0
    )
    assert more.fill_diagonal_(0).abs().max() < 5 * 2 / 3 / math.sqrt(500)


def test_each_pass_draws_other_noise_and_the_seed_decides():
    def two_passes():
        images = ImageTensors(torch.zeros(6, 1, 4, 4))
        pairs = RecorruptedPairs(images.loader(3, seed=5), SIGMA)
        assert len(pairs) == 2
        return [torch.cat([first for first, _ in pairs]) for _ in range(2)]

    first, second = two_passes()
    assert not torch.equal(first, second)
    assert torch.equal(first, two_passes()[0])


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.inf, math.nan])
def test_levels_must_be_positive(wrong):
    noisy, loader = torch.zeros(1, 2), ImageTensors(torch.zeros(1, 2)).loader(1)
    for name, call in {
        "sigma": lambda: sure(nn.Identity(), noisy, wrong),
        "sigma ": lambda: SureLoss(nn.Identity(), wrong),
        " sigma": lambda: RecorruptedPairs(loader, wrong),
        "strength": lambda: RecorruptedPairs(loader, 1.0, wrong),
        "strength ": lambda: undo_extra_noise(noisy, noisy, wrong),
        "step": lambda: divergence(nn.Identity(), noisy, noisy, step=wrong),
    }.items():
        with pytest.raises(ValueError, match=f"{name.strip()} must be a finite number"):
            call()


def test_a_probe_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"probe must have the shape of noisy, \(1, 2"):
        divergence(nn.Identity(), torch.zeros(1, 2), torch.zeros(2))


def test_a_model_that_answers_rows_trains_as_one_that_answers_images():
    """And scores the same: rows are the same pixels in another shape."""
    noisy = torch.rand(6, 1, 28, 28, generator=seeded())
    losses = []
    for ending in (nn.Identity(), nn.Unflatten(1, (1, 28, 28))):
        torch.manual_seed(0)
        model = nn.Sequential(Autoencoder(), ending)
        loss = SureLoss(model, 0.5, generator=seeded(1))
        batches = [(noisy, noisy)] * 2
        losses += fit(model, batches, None, criterion=loss, device="cpu").train_loss
        losses += sure(model, noisy, 0.5, generator=seeded(2)).tolist()
    assert losses[: len(losses) // 2] == losses[len(losses) // 2 :]


def test_answers_of_another_size_are_refused():
    """They would be broadcast, and compare every pixel with every other."""
    noisy = torch.zeros(2, 1, 4, 4)
    for wrong in (torch.zeros(2, 1), torch.zeros(2, 1, 1, 4), torch.zeros(1, 16)):
        with pytest.raises(ValueError, match=r"denoise must return images as noisy, "):
            sure(lambda _, wrong=wrong: wrong, noisy, 1.0)
        with pytest.raises(ValueError, match="or one row of pixels for each, got"):
            divergence(lambda _, wrong=wrong: wrong, noisy, noisy, answer=noisy)


def test_a_model_that_answers_by_chance_is_refused():
    """Its chance, divided by a short step, would be taken for a steep slope."""
    noisy = torch.rand(4, 8, generator=seeded())
    dropping = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.1))
    for model, options in (
        (dropping, {}),
        (nn.Linear(8, 8), {"autocast": torch.bfloat16}),
    ):
        loss = SureLoss(model, 1.0)
        with pytest.raises(ValueError, match="no dropout, no autocast"):
            fit(model, [(noisy, noisy)], None, criterion=loss, device="cpu", **options)
    assert SureLoss(dropping.eval(), 1.0)(dropping(noisy), noisy).isfinite()


def test_pairs_come_from_any_batches():
    torch.manual_seed(0)
    ((first, second),) = RecorruptedPairs([torch.zeros(2, 1, 3, 3)], SIGMA)
    torch.testing.assert_close(first / 0.5, -0.5 * second)
