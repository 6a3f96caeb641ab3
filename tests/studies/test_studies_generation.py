"""How samples are judged, and how copies among them are found, at toy size."""

import pytest
import torch

from dae_tutorial.theory.score import FiniteSet
from studies.experiments import generation, memorising
from studies.experiments.recipe import mnist


def judged(**part) -> dict:
    [row] = generation.study(seed=0, **{"images": 300, "reference": 1000} | part)
    return row


def known(**part) -> dict:
    [row] = memorising.study(seed=0, **memorising.TOY | part)
    return row


@pytest.fixture(scope="module")
def floor() -> dict:
    return judged(what="training images")


def test_real_images_set_the_floor(floor):
    """What is wrong with the others is seen by the distance, and by its own measure."""
    assert floor["sure"] > 0.95
    assert floor["calls"] == 0
    noisy = judged(what="noise of 0.5")
    blurred = judged(what="blur")
    gaussian = judged(what="one Gaussian")
    for worse in (noisy, blurred, gaussian):
        assert worse["frechet"] > 5 * floor["frechet"]
        assert worse["recall"] < 0.5 * floor["recall"]
    assert gaussian["sure"] < noisy["sure"] < 0.6
    # Of 300 real images the digits are as frequent as by chance: 9 ± 4.2.
    assert floor["uneven"] < 9 + 4 * 4.2 < gaussian["uneven"]


def test_a_single_gaussian_has_the_moments_of_digits():
    generator = torch.Generator().manual_seed(0)
    drawn = generation._like(mnist(4000, seed=1).images, generator=generator).flatten(1)
    real = mnist(60_000, seed=0).images.flatten(1)
    torch.testing.assert_close(drawn.mean(0), real.mean(0), atol=0.03, rtol=0)
    assert drawn.var(0).sum() == pytest.approx(real.var(0).sum().item(), rel=0.03)


@pytest.mark.parametrize(
    ("what", "levels", "guidance", "calls"),
    [
        ("Heun", 3, 1.0, 5),
        ("Heun", 3, 0.0, 5),
        ("Heun", 3, 1.5, 10),  # with the class and without
        ("Euler", 3, 1.0, 3),
        ("ancestral", 3, 1.0, 3),
        ("walkback", 3, 1.0, 3),
        ("copies", 3, 1.0, 5),
    ],
)
def test_calls_are_counted_an_image(what, levels, guidance, calls):
    row = judged(what=what, levels=levels, guidance=guidance, images=80, reference=100)
    assert row["calls"] == calls


def test_what_the_mean_image_adds_to_the_start_is_still_there_at_the_end(monkeypatch):
    ink = []

    def weigh(made, reference):
        ink.append(made.clamp(0, 1).mean())
        return {}

    monkeypatch.setattr(generation, "_judged", weigh)
    for start in ("mean", "zero"):
        judged(what="Heun", levels=9, images=100, start=start)
    assert ink[1] < 0.94 * ink[0]


def test_more_calls_of_the_network_make_better_digits():
    few, more = (judged(what="Euler", levels=levels) for levels in (4, 10))
    assert more["frechet"] < 0.7 * few["frechet"]
    assert more["recall"] > few["recall"]


def test_strong_guidance_makes_surer_digits_of_fewer_kinds():
    plain, pushed = (
        judged(what="Heun", levels=9, guidance=weight) for weight in (1.0, 2.0)
    )
    assert pushed["sure"] > plain["sure"]
    assert pushed["recall"] < plain["recall"] - 0.1


def test_the_exact_denoiser_copies_and_test_images_are_no_copies():
    row = known(denoiser="exact", images=1000)
    assert row["ratio"] < 0.01
    assert row["copied"] == 1
    assert row["test_copied"] < 0.01
    assert row["test_distance"] > 4


def test_closeness_is_told_from_both_nearest_images():
    images = torch.tensor([[0.0, 0], [1, 0], [9, 0]])
    drawn = torch.tensor([[0.1, 0], [0.2, 0], [0.3, 0]])  # 0.9, 0.8, 0.7 to the second
    test = torch.tensor([[0.0, 2.0], [0.5, 0]])
    found = memorising.closeness(drawn, test, images)
    assert found["distance"] == pytest.approx(0.2)
    assert found["test_distance"] == pytest.approx(0.5)  # torch's lower median
    assert found["ratio"] == pytest.approx(0.4)
    assert found["copied"] == pytest.approx(2 / 3)  # 0.3 is more than a third of 0.7
    assert found["test_copied"] == 0


def test_samples_are_cut_only_when_they_are_finished():
    seen, ten = [], FiniteSet(mnist(10, seed=0).images)

    def denoise(x, sigma):
        seen.append(x)
        return ten.posterior_mean(x, sigma)

    grey = torch.full((1, 28, 28), 3.0)
    drawn = memorising.draw_images(denoise, 300, 4, around=grey, seed=0)
    assert drawn.shape == (300, 1, 28, 28)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert seen[0].std() == pytest.approx(10, rel=0.01)
    assert seen[0].mean() == pytest.approx(3, abs=4 * 10 / (250 * 784) ** 0.5)
    assert len({len(images) for images in seen}) == 2  # 250, and the other 50
    other = memorising.draw_images(denoise, 300, 4, around=grey, seed=1)
    assert not torch.equal(drawn, other)


def test_sampling_starts_around_the_mean_of_the_images_that_were_trained_on(
    monkeypatch,
):
    middles = []

    def watch(shape, sigma, *, around, generator):
        middles.append(around)
        return torch.zeros(shape)

    monkeypatch.setattr(memorising, "draw_start", watch)
    known(denoiser="exact", images=10)
    assert torch.equal(middles[0], mnist(10, seed=0).images.mean(dim=0))


def test_a_network_that_trained_on_ten_images_nears_them_with_every_step():
    """Directions only: at toy size nothing is sharp."""
    short, longer = (known(steps=steps) for steps in (20, 150))
    assert longer["ratio"] < 0.97 * short["ratio"]
    assert longer["frechet"] < 0.9 * short["frechet"]
    assert short["steps"] == 20
    assert known(denoiser="exact")["steps"] == 0


def test_training_sets_of_all_sizes_get_as_many_steps(monkeypatch):
    lengths = []

    def watch(denoiser, loader, *, epochs):
        lengths.append((len(loader) * epochs, len(next(iter(loader))[0])))

    monkeypatch.setattr(memorising, "train_multilevel", watch)
    for images in (10, 2000):
        known(images=images, steps=7, samples=80, levels=2)
    assert lengths == [(7, 64), (7, 64)]
