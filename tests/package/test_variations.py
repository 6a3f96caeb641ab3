"""The harder digits: what the recipe promises, and what it must leave alone."""

import math

import pytest
import torch

from dae_tutorial.evidence.variations import (
    add_image_background,
    add_random_background,
    rotate,
    shipped_photographs,
    split,
)
from dae_tutorial.loaders import load_mnist

# A correct function strays beyond five standard errors once in two million draws.
SIGMAS = 5


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def mnist():
    return load_mnist(train=False)


@pytest.fixture(scope="module")
def photographs():
    return shipped_photographs()


@pytest.fixture(scope="module", params=["rotated", "noise", "photographs"])
def vary(request, photographs):
    if request.param == "photographs":
        return lambda images, **options: add_image_background(
            images, photographs, **options
        )
    return {"rotated": rotate, "noise": add_random_background}[request.param]


def test_every_variation_returns_new_images_in_range(vary, mnist):
    digits = mnist.images[:200]
    before = digits.clone()
    varied = vary(digits, generator=seeded())
    assert varied.shape == digits.shape
    assert varied.dtype == digits.dtype
    assert varied.min() >= 0
    assert varied.max() <= 1 + 1e-6  # interpolation rounds
    assert torch.equal(digits, before), "the input was modified"
    assert not torch.equal(varied, digits)


def test_the_generator_alone_decides(vary, mnist):
    digits = mnist.images[:50]
    first = vary(digits, generator=seeded(1))
    torch.rand(7)  # moves the global state, which must not matter
    assert torch.equal(first, vary(digits, generator=seeded(1)))
    assert not torch.equal(first, vary(digits, generator=seeded(2)))


def test_each_image_has_a_disturbance_of_its_own(vary, mnist):
    same_digit = mnist.images[:1].expand(8, -1, -1, -1)
    varied = vary(same_digit, generator=seeded())
    assert len(varied.flatten(start_dim=1).unique(dim=0)) == 8


def test_no_background_darkens_a_digit(mnist, photographs):
    digits = mnist.images[:500]
    for varied in (
        add_random_background(digits, generator=seeded()),
        add_image_background(digits, photographs, generator=seeded()),
    ):
        assert (varied >= digits).all()
        assert torch.equal(varied[digits == 1], digits[digits == 1])


def test_random_background_is_uniform():
    count = 400_000
    noise = add_random_background(torch.zeros(1, 1, 400, 1000), generator=seeded())
    assert abs(noise.mean() - 1 / 2) < SIGMAS * math.sqrt(1 / 12 / count)
    # The fourth central moment of a uniform variable is 1/80.
    error = math.sqrt((1 / 80 - 1 / 144) / count)
    assert abs(noise.var() - 1 / 12) < SIGMAS * error


def test_rotation_keeps_a_digit_and_loses_no_ink(mnist):
    # MNIST's strokes lie within a circle, but for few pixels of few digits.
    digits = mnist.images[:1000]
    turned = rotate(digits, generator=seeded())
    ink = digits.sum(dim=(1, 2, 3))
    assert ((turned.sum(dim=(1, 2, 3)) - ink).abs() / ink).median() < 0.01


def test_rotation_by_all_angles_alike():
    draws = 4000
    bar = torch.zeros(draws, 1, 29, 29)
    bar[:, 0, 14, 14:24] = 1  # points to the right of the centre
    turned = rotate(bar, generator=seeded())[:, 0]
    position = torch.arange(29.0) - 14
    mass = turned.sum(dim=(1, 2))
    right = (turned.sum(dim=1) * position).sum(dim=1) / mass
    down = (turned.sum(dim=2) * position).sum(dim=1) / mass
    radius = torch.hypot(right, down)
    assert (radius - 4.5).abs().max() < 0.5, "the bar must keep its distance"
    angle = torch.atan2(down, right)
    for harmonic in (1, 2, 4):  # all vanish for uniform angles
        for wave in (torch.sin, torch.cos):
            mean = wave(harmonic * angle).mean()
            assert abs(mean) < SIGMAS * math.sqrt(1 / 2 / draws)


def test_flat_patches_are_passed_over():
    half_flat = torch.zeros(60, 60)
    half_flat[:, 30:] = torch.rand(60, 30) / 2
    patches = add_image_background(
        torch.zeros(300, 1, 28, 28), [half_flat], min_deviation=0.1, generator=seeded()
    )
    assert (patches.flatten(start_dim=1).std(dim=1, correction=0) > 0.1).all()
    free = add_image_background(
        torch.zeros(300, 1, 28, 28), [half_flat], min_deviation=0, generator=seeded()
    )
    assert (free.flatten(start_dim=1).std(dim=1) < 0.1).any()


def test_every_photograph_is_used_alike():
    levels = [torch.rand(40, 40) / 10 + level for level in (0.1, 0.4, 0.7)]
    draws = 3000
    patches = add_image_background(
        torch.zeros(draws, 1, 28, 28), levels, min_deviation=0, generator=seeded()
    )
    mean = patches.mean(dim=(1, 2, 3))
    shares = torch.stack(
        [(mean - level - 0.05).abs() < 0.1 for level in (0.1, 0.4, 0.7)]
    )
    error = math.sqrt(1 / 3 * 2 / 3 / draws)
    assert (shares.float().mean(dim=1) - 1 / 3).abs().max() < SIGMAS * error


def test_patches_are_cut_from_the_photograph():
    photograph = torch.rand(40, 50)
    patch = add_image_background(
        torch.zeros(1, 1, 28, 28), [photograph], generator=seeded()
    )[0, 0]
    windows = photograph.unfold(0, 28, 1).unfold(1, 28, 1)
    assert (windows == patch).all(dim=(2, 3)).sum() == 1


def test_photographs_are_grey_and_large_enough(photographs):
    for photograph in photographs:
        assert photograph.ndim == 2
        assert min(photograph.shape) >= 200
        assert 0 <= photograph.min() < photograph.max() <= 1
        assert photograph.std() > 0.05


def test_splits_share_no_image_and_keep_labels_with_images():
    images = torch.arange(1000.0).reshape(-1, 1, 1, 1)
    parts = split(images, torch.arange(1000), (500, 100, 300), generator=seeded())
    assert [len(labels) for _, labels in parts] == [500, 100, 300]
    for part, labels in parts:
        assert torch.equal(part.flatten().long(), labels)
    everything = torch.cat([labels for _, labels in parts])
    assert len(everything.unique()) == 900
    assert not torch.equal(everything.sort().values, everything), "not shuffled"


def test_splits_have_the_same_balance_of_classes(mnist):
    shares = torch.bincount(mnist.labels) / len(mnist)
    for part, labels in split(
        mnist.images, mnist.labels, (5000, 2000), generator=seeded()
    ):
        assert len(part) == len(labels)
        found = torch.bincount(labels, minlength=10) / len(labels)
        error = (shares * (1 - shares) / len(labels)).sqrt()
        assert ((found - shares).abs() < SIGMAS * error).all()


@pytest.mark.parametrize("sizes", [(0,), (-1, 2), (1.5,), (6, 5)])
def test_splits_must_be_possible(sizes):
    with pytest.raises(ValueError, match="sizes must"):
        split(torch.rand(10, 1), torch.arange(10), sizes)


def test_splits_need_a_label_for_each_image():
    with pytest.raises(ValueError, match="10 images and 9 labels"):
        split(torch.rand(10, 1), torch.arange(9), (1,))


def test_misshapen_images_are_refused(vary):
    with pytest.raises(ValueError, match=r"images must have shape .*got \(4, 784\)"):
        vary(torch.rand(4, 784))


@pytest.mark.parametrize(
    ("photographs", "message"),
    [
        ([], "got none"),
        ([torch.rand(20, 40)], r"at least \(28, 28\), got \(20, 40\)"),
        ([torch.rand(40, 40, 3)], r"got \(40, 40, 3\)"),
        ([torch.full((40, 40), 0.5)], "deviate by more than 0.1"),
    ],
)
def test_photographs_must_serve(photographs, message):
    with pytest.raises(ValueError, match=message):
        add_image_background(torch.zeros(2, 1, 28, 28), photographs)
