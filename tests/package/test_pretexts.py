"""Corruptions of later methods: what they hide, what they add, and what they keep."""

import pytest
import torch

from dae_tutorial.theory.pretexts import (
    PrincipalNoise,
    add_noise_of_any_scale,
    mask_patches,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("share", "hidden"), [(0, 0), (0.75, 37), (0.5, 24), (1, 49)])
def test_each_image_loses_the_same_number_of_whole_patches(share, hidden):
    masked = mask_patches(torch.ones(20, 2, 28, 28), share, generator=seeded())
    patches = masked.reshape(20, 2, 7, 4, 7, 4).permute(0, 1, 2, 4, 3, 5).flatten(4)
    assert torch.equal(patches.amin(dim=-1), patches.amax(dim=-1))
    assert torch.equal(masked[:, 0], masked[:, 1])  # channels share their holes
    assert ((patches[:, 0, ..., 0] == 0).sum(dim=(1, 2)) == hidden).all()


def test_every_patch_is_hidden_equally_often_and_images_differ():
    masked = mask_patches(torch.ones(4_000, 1, 8, 12), 0.5, generator=seeded())
    hidden = (masked[:, 0, ::4, ::4] == 0).float()
    # A share of 4,000 has a standard error of 0.008.
    assert (hidden.mean(dim=0) - 0.5).abs().max() < 0.04
    assert len(hidden.flatten(1).unique(dim=0)) == 20  # all choices of 3 out of 6


def test_what_is_not_hidden_stays_and_the_input_too():
    images = torch.rand(5, 1, 8, 8, generator=seeded()) + 0.1
    before = images.clone()
    masked = mask_patches(images, 0.5, generator=seeded(1))
    assert torch.equal(images, before)
    assert torch.equal(masked[masked > 0], images[masked > 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.ones(4, 4),), "x must have shape"),
        ((torch.ones(1, 1, 4, 6),), "size must divide 4 and 6, got 4"),
        ((torch.ones(1, 1, 6, 4),), "size must divide 6 and 4, got 4"),
        ((torch.ones(1, 1, 4, 4), 0.5, 0), "size must divide"),
        ((torch.ones(1, 1, 4, 4), 0.5, 2.0), "size must divide"),
        ((torch.ones(1, 1, 4, 4), 1.1), "share must be in"),
        ((torch.ones(1, 1, 4, 4), -0.1), "share must be in"),
    ],
)
def test_patches_refuse_what_they_cannot_tile(arguments, message):
    with pytest.raises(ValueError, match=message):
        mask_patches(*arguments)


@pytest.fixture(scope="module")
def stretched() -> torch.Tensor:
    """Return images with standard deviations 4, 2, 1 and 0.1 along turned axes."""
    axes, _ = torch.linalg.qr(torch.randn(4, 4, generator=seeded()))
    spread = torch.tensor([4.0, 2.0, 1.0, 0.1])
    images = torch.randn(5_000, 4, generator=seeded(1)) * spread @ axes.T + 7
    return images.reshape(-1, 1, 2, 2)


def test_components_are_orthonormal_and_fall(stretched):
    corrupt = PrincipalNoise(stretched, 4, 0.0)
    directions = corrupt.directions
    assert torch.allclose(directions @ directions.T, torch.eye(4), atol=1e-5)
    assert (((stretched.flatten(1)) @ directions.T).var(dim=0).diff() < 0).all()


def test_without_noise_the_last_components_are_dropped(stretched):
    lost = PrincipalNoise(stretched, 3, 0.0)(stretched) - stretched
    # The dropped component has a standard deviation of 0.1; 1 % of sampling error.
    assert lost.square().sum(dim=(1, 2, 3)).mean().sqrt() == pytest.approx(
        0.1, rel=0.05
    )


def test_noise_lies_in_the_kept_components_and_is_equal_there(stretched):
    corrupt = PrincipalNoise(stretched, 2, 0.5)
    kept = PrincipalNoise(stretched, 2, 0.0)(stretched)
    noise = (corrupt(stretched, generator=seeded(2)) - kept).flatten(1)
    along = noise @ PrincipalNoise(stretched, 4, 0.0).directions.T
    # A standard deviation of 5,000 numbers has a standard error of 1 %.
    assert torch.allclose(along.std(dim=0), torch.tensor([0.5, 0.5, 0, 0]), atol=0.03)


def test_with_all_components_it_is_gaussian_noise_on_the_pixels(stretched):
    noisy = PrincipalNoise(stretched, 4, 0.5)(stretched, generator=seeded(2))
    covariance = torch.cov((noisy - stretched).flatten(1).T)
    assert torch.allclose(covariance, 0.25 * torch.eye(4), atol=0.02)


@pytest.mark.parametrize(
    ("count", "sigma"), [(0, 1.0), (5, 1.0), (2, -1.0), (2, float("nan"))]
)
def test_principal_noise_refuses(stretched, count, sigma):
    with pytest.raises(ValueError, match="must be"):
        PrincipalNoise(stretched, count, sigma)


def test_levels_are_uniform_in_their_logarithm_and_one_an_image():
    noisy = add_noise_of_any_scale(
        torch.ones(4_000, 1, 20, 20), 0.1, 10.0, generator=seeded()
    )
    level = (noisy - 1).flatten(1).std(dim=1).log10()
    # Uniform over [-1, 1]: standard deviation 0.577, standard error of the mean 0.009.
    assert level.mean().abs() < 0.04
    assert level.std() == pytest.approx(3**-0.5, abs=0.03)
    assert -1.1 < level.min() < -0.95
    assert 0.95 < level.max() < 1.1
    assert abs((noisy[0] - 1).mean()) < 5 * 10 ** level[0] / 20


@pytest.mark.parametrize("levels", [(0.0, 1.0), (2.0, 1.0), (1.0, float("inf"))])
def test_levels_out_of_order_are_refused(levels):
    with pytest.raises(ValueError, match="levels must satisfy"):
        add_noise_of_any_scale(torch.ones(1, 1, 2, 2), *levels)


@pytest.mark.parametrize(
    "corrupt", [mask_patches, add_noise_of_any_scale], ids=lambda f: f.__name__
)
def test_the_generator_decides(corrupt):
    images = torch.ones(9, 1, 8, 8)
    first, again, other = (corrupt(images, generator=seeded(s)) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
