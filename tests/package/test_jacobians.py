"""Jacobians of denoisers that are known, and of the one that must be symmetric."""

import pytest
import torch

from dae_tutorial.beyond.jacobians import asymmetry, denoiser_jacobian
from dae_tutorial.theory.multilevel import Preconditioned
from dae_tutorial.theory.multilevel_unet import MultilevelUNet
from dae_tutorial.theory.score import FiniteSet


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def test_a_linear_map_is_its_own_jacobian():
    weights, image = normal(12, 12), normal(2, 2, 3, seed=1)

    def denoise(x):
        return (x.flatten(1) @ weights.T).reshape(x.shape)

    torch.testing.assert_close(denoiser_jacobian(denoise, image), weights)


def test_small_changes_are_what_it_says():
    image, change = normal(1, 3, 4), 1e-6 * normal(1, 3, 4, seed=1)

    def denoise(x):
        return (x * x.sum()).sin()

    moved = (denoise((image + change)[None]) - denoise((image - change)[None])) / 2
    found = denoiser_jacobian(denoise, image) @ change.flatten()
    torch.testing.assert_close(found, moved.flatten(), rtol=1e-6, atol=1e-12)


def test_the_exact_posterior_mean_has_a_symmetric_jacobian():
    """It is the posterior covariance over σ²."""
    points, sigma = normal(20, 1, 4, 4), 0.8
    exact, image = FiniteSet(points), normal(1, 4, 4, seed=1)
    jacobian = denoiser_jacobian(lambda x: exact.posterior_mean(x, sigma), image)
    assert asymmetry(jacobian) < 1e-12
    covariance = exact.posterior_covariance(image[None], sigma)[0]
    torch.testing.assert_close(jacobian, covariance / sigma**2, rtol=1e-9, atol=1e-12)
    wrong = denoiser_jacobian(lambda x: exact.posterior_mean(x * x.abs(), sigma), image)
    assert asymmetry(wrong) > 0.01


def test_a_network_has_one_too():
    torch.manual_seed(0)
    network = Preconditioned(MultilevelUNet(width=8, classes=0), 0.3)
    for part in network.parameters():  # fresh ones answer 0
        torch.nn.init.normal_(part, std=0.1)
    image = normal(1, 28, 28).float()
    jacobian = denoiser_jacobian(lambda x: network(x, 0.5), image)
    assert jacobian.shape == (784, 784)
    assert asymmetry(jacobian) > 0.01


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_asymmetry_is_the_share_of_what_turns(share):
    square = normal(6, 6)
    even, odd = (square + square.T) / 2, (square - square.T) / 2
    mixed = share * odd / odd.norm() + (1 - share**2) ** 0.5 * even / even.norm()
    assert asymmetry(mixed) == pytest.approx(share, abs=1e-12)


def test_shapes_are_named():
    with pytest.raises(ValueError, match="image must have shape"):
        denoiser_jacobian(lambda x: x, torch.zeros(1, 1, 3, 3))
    with pytest.raises(ValueError, match="jacobian must be square"):
        asymmetry(torch.zeros(2, 3))
