"""Means under clipped and counted noise, and the way back."""

from functools import partial

import pytest
import torch

from dae_tutorial.beyond.mending import (
    anscombe,
    anscombe_mean,
    clipped_mean,
    invert_mean,
)
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import add_gaussian_noise


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("sigma", [0.1, 0.5, 1.0])
def test_the_clipped_mean_is_the_mean_of_clipped_noise(sigma):
    clean = torch.linspace(0, 1, 6).double()
    error = torch.linspace(-9, 9, 400_001).double()
    values = (clean[:, None] + sigma * error).clamp(0, 1)
    mean = torch.trapezoid(values * (-error.square() / 2).exp(), error)
    mean /= torch.trapezoid((-error.square() / 2).exp(), error)
    torch.testing.assert_close(clipped_mean(clean, sigma), mean, atol=1e-8, rtol=0)


def test_it_is_the_mean_of_this_packages_clipped_noise():
    clean = torch.full((400_000,), 0.2)
    noisy = add_gaussian_noise(clean, 0.5, generator=seeded())
    standard_error = noisy.std() / len(noisy) ** 0.5
    assert abs(noisy.mean() - clipped_mean(clean[0], 0.5)) < 4 * standard_error


@pytest.mark.parametrize(
    ("sigma", "floor"), [(0.1, 28.5), (0.25, 20.5), (0.5, 14.6), (1.0, 10.4)]
)
def test_the_floor_of_noise2noise_under_clipped_noise(sigma, floor):
    clean = load_mnist(train=False).images
    error = (clipped_mean(clean, sigma) - clean).square().flatten(1).mean(dim=1)
    assert (-10 * error.log10()).mean().item() == pytest.approx(floor, abs=0.05)


def test_the_way_back_from_clipped_means():
    clean = torch.linspace(0, 1, 777).double()
    for sigma in (0.1, 0.5, 1.0):
        back = invert_mean(
            partial(clipped_mean, sigma=sigma), clipped_mean(clean, sigma)
        )
        torch.testing.assert_close(back, clean, atol=1e-5, rtol=0)


def test_the_way_back_from_evened_out_counts_has_no_offset():
    means = torch.linspace(0.5, 30, 60).double()
    back = invert_mean(anscombe_mean, anscombe_mean(means), low=0, high=40)
    torch.testing.assert_close(back, means, atol=1e-3, rtol=0)
    naive = (anscombe_mean(means) / 2).square() - 3 / 8
    assert (
        naive[means >= 2] < means[means >= 2] - 0.2
    ).all()  # too dark, by nearly a quarter of a count


def test_evened_out_counts_have_variance_one_where_there_are_enough():
    means = torch.tensor([4.0, 10.0, 25.0]).double()
    counts = torch.arange(201).double()
    rate = means[:, None]
    chance = (torch.xlogy(counts, rate) - rate - torch.lgamma(counts + 1)).exp()
    torch.testing.assert_close(chance.sum(dim=1), torch.ones(3).double())
    second = (chance * anscombe(counts).square()).sum(dim=1)
    variance = second - anscombe_mean(means).square()
    assert ((variance - 1).abs() < 0.06).all()


def test_values_beyond_the_table_go_to_its_ends():
    ends = invert_mean(lambda x: x.square(), torch.tensor([-1.0, 0.25, 7.0]), high=2.0)
    assert torch.allclose(ends, torch.tensor([0.0, 0.5, 2.0]), atol=1e-3)


def test_what_has_no_inverse_is_refused():
    with pytest.raises(ValueError, match="mean_of must rise"):
        invert_mean(torch.cos, torch.tensor([0.5]), high=1.0)
    with pytest.raises(ValueError, match="low must be below high, got 1"):
        invert_mean(torch.sin, torch.tensor([0.5]), low=1.0)
    with pytest.raises(ValueError, match="sigma must be a finite number above 0"):
        clipped_mean(torch.zeros(1), 0.0)


def test_a_sum_that_ends_too_early_is_refused():
    with pytest.raises(ValueError, match="largest must be at least 1190 here, got 200"):
        anscombe_mean(torch.tensor([3.0, 1000.0]))
    assert abs(anscombe_mean(torch.tensor([130.0]).double()) - 22.81) < 0.01
