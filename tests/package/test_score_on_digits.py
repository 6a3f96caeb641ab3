"""The exact denoiser at real size: all 60,000 training images of MNIST."""

import pytest
import torch

from dae_tutorial.evidence.baselines import posterior_mean
from dae_tutorial.loaders import load_mnist
from dae_tutorial.theory.sample_quality import nearest_distances
from dae_tutorial.theory.score import FiniteSet

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def training() -> torch.Tensor:
    return load_mnist(train=True).images


@pytest.fixture(scope="module")
def images(training: torch.Tensor) -> torch.Tensor:
    """Five training and five test images."""
    return torch.cat([training[::12_000], load_mnist(train=False).images[::2000]])


def noisy(images: torch.Tensor, sigma: float) -> torch.Tensor:
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return images + sigma * noise


@pytest.mark.parametrize("sigma", [1.0, 5.0])
def test_the_posterior_mean_is_that_of_the_classical_denoiser(training, images, sigma):
    """Which computes the likelihood in another way, and has tests of its own."""
    given, known = noisy(images, sigma).double(), training.double()
    answer = FiniteSet(known).posterior_mean(given, sigma)
    other = posterior_mean(given, known, sigma, clip=False)
    torch.testing.assert_close(answer, other, atol=1e-10, rtol=0)
    # In single precision a squared distance, here some 800 at σ = 1, is off by 1e-4.
    single = FiniteSet(training).posterior_mean(given.float(), sigma)
    torch.testing.assert_close(single.double(), other, atol=1e-4, rtol=0)


def test_under_great_noise_the_answer_is_the_mean_image(training, images):
    sigma = 1e4
    answer = FiniteSet(training).posterior_mean(noisy(images, sigma), sigma)
    # Log-likelihoods of x and x' differ by about |x - x'| / σ, which is 0.001 here.
    mean = training.mean(dim=0).expand_as(answer)
    torch.testing.assert_close(answer, mean, atol=1e-3, rtol=0)


def test_under_little_noise_the_answer_is_the_nearest_image(training, images):
    given = noisy(images, 0.02)
    answer = FiniteSet(training).posterior_mean(given, 0.02)
    nearest = training[nearest_distances(given, training)[1]]
    torch.testing.assert_close(answer, nearest, atol=1e-5, rtol=0)
    assert torch.equal(nearest[:5], images[:5])  # a training image is its own
    assert not torch.equal(nearest[5:], images[5:])  # a test image cannot be


def test_single_precision_is_enough_for_the_score_at_the_lowest_level(training, images):
    sigma = 0.05
    given = noisy(images, sigma)
    single = FiniteSet(training).score(given, sigma)
    double = FiniteSet(training.double()).score(given.double(), sigma)
    off = (single - double).flatten(start_dim=1).norm(dim=1)
    assert (off / double.flatten(start_dim=1).norm(dim=1)).max() < 1e-5
