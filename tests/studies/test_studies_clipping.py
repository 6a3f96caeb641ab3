"""The offset of clipped noise: taken off where it is, and nothing else with it."""

from functools import partial

import pytest
import torch
from torch import nn

from dae_tutorial.evidence.baselines import fit_mean_image, fit_pca
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise, no_noise
from studies.experiments import clipping, recipe
from studies.experiments.does_noise_help import shallow_autoencoder


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def blocks() -> ImageTensors:
    """Return black images, each with a white square somewhere in the middle."""
    images = torch.zeros(600, 1, 28, 28)
    for image, (row, column) in zip(
        images, torch.randint(8, 14, (600, 2), generator=seeded(0)), strict=True
    ):
        image[:, row : row + 6, column : column + 6] = 1
    return ImageTensors(images, torch.arange(600) % 10)


def split(blocks: ImageTensors) -> tuple[torch.Tensor, ImageTensors]:
    return blocks.images[:200], ImageTensors(blocks.images[200:], blocks.labels[200:])


def scored(model, blocks, *, met=no_noise, noise="clipped", sigma=0.5) -> dict:
    meets = partial(clipping.NOISES[noise], noise_factor=sigma)
    return clipping.scores(model, met, meets, *split(blocks))


def test_what_is_added_before_and_after_a_denoiser_is_taken_off():
    clean = torch.rand(50, 1, 4, 4, generator=seeded(0))
    veil = torch.rand(1, 4, 4, generator=seeded(1))
    square = torch.square  # not linear: one constant alone cannot mend both
    off = recipe.offset_off(lambda x: square(x) + veil, clean, clean + veil, clean)
    by_hand = square(clean) - (square(clean) - clean).mean(dim=0)
    torch.testing.assert_close(off(clean + veil), by_hand.clamp(0, 1))


def test_a_denoiser_is_given_what_it_met_in_training():
    seen = []
    clean = torch.zeros(3, 1, 4, 4)
    watch = lambda images: seen.append(images) or images  # noqa: E731
    recipe.offset_off(watch, met=clean + 0.2, meets=clean + 0.1, clean=clean)
    torch.testing.assert_close(seen[0], clean + 0.2)


def test_the_offset_is_fitted_on_validation_images_alone(blocks):
    validation, test = split(blocks)
    seen = []

    class Watch(nn.Flatten):
        def forward(self, images):
            seen.append(images)
            return super().forward(images)

    before = clipping.scores(Watch(), no_noise, add_gaussian_noise, validation, test)
    doubled = ImageTensors(test.images.repeat(2, 1, 1, 1), test.labels.repeat(2))
    assert {len(images) for images in seen} == {200, 400, 80}
    after = clipping.scores(
        nn.Flatten(), no_noise, add_gaussian_noise, validation[:20], doubled
    )
    assert after["noisy_off"] > 1.02 * before["noisy_off"]  # 20 images fit it badly


def test_off_takes_the_offset_of_clipped_noise_and_nothing_of_unclipped(blocks):
    """A copier passes offset and noise on, the black frame shows the first."""
    clipped = scored(nn.Flatten(), blocks)
    unclipped = scored(nn.Flatten(), blocks, noise="unclipped")
    assert clipped["noisy_off"] < 0.8 * clipped["noisy"]
    assert unclipped["noisy_off"] == pytest.approx(unclipped["noisy"], rel=0.02)


def test_a_model_scored_with_its_offset_off_sees_what_its_training_looked_like(blocks):
    seen = []

    class Watch(nn.Flatten):
        def forward(self, images):
            seen.append(images.mean().item())
            return super().forward(images)

    scored(Watch(), blocks)
    clean = blocks.images[200:].mean().item()
    brighter = add_gaussian_noise(blocks.images[200:], generator=seeded(5)).mean()
    assert brighter > clean + 0.1
    # Clean test and validation images, also as codes; noisy ones of both, brought back.
    assert sum(abs(mean - clean) < 0.01 for mean in seen) >= 5


def test_errors_are_against_the_clean_images_and_within_the_range(blocks):
    _, test = split(blocks)
    found = scored(nn.Flatten(), blocks, noise="unclipped")
    assert found["clean"] == 0
    noisy = add_gaussian_noise(test.images, 0.5, generator=seeded(5))
    expected = (noisy - test.images).square().mean().item()
    # 400 images of 784 pixels: a standard error of about 0.3 %.
    assert found["noisy"] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("noise", clipping.NOISES)
def test_a_copier_passes_all_noise_on_and_the_mean_image_none(blocks, noise):
    copier = scored(nn.Flatten(), blocks, noise=noise)
    assert copier["passed"] == pytest.approx(1)
    assert copier["passed_copies"] == pytest.approx(1)
    half = recipe.passed_on(torch.ones(2, 3), torch.ones(2, 3) / 2, torch.ones(3) > 0)
    assert half == 0.5
    ignorant = fit_mean_image(blocks.images)
    noisy = torch.randn(4, 1, 28, 28, generator=seeded(0))
    change = ignorant(noisy) - ignorant(-noisy)
    assert recipe.passed_on(noisy, change, torch.ones(1, 28, 28) > 0) == 0


def test_two_copies_do_not_take_the_offset_for_noise(blocks):
    """This model answers brightness alone: it darkens all pixels, passes no noise."""

    class Darken(nn.Module):
        def forward(self, images):
            return (0.5 - images.mean(dim=(1, 2, 3), keepdim=True)).expand_as(images)

    found = scored(Darken(), blocks)
    assert found["passed"] < -0.05
    # The mean of 784 pixels moves with each of them by 1 / 784.
    assert abs(found["passed_copies"]) < 0.01


def test_a_shift_that_all_codes_share_is_taken_off(blocks):
    copier = scored(nn.Flatten(), blocks, sigma=0.1)
    assert copier["moved_off"] < 0.9 * copier["moved"]
    free = scored(nn.Flatten(), blocks, sigma=0.1, noise="unclipped")
    assert free["moved_off"] == pytest.approx(free["moved"], rel=0.02)
    # Two draws lie √2 times as far apart as one of them from the image, and between
    # noisy images of different digits the noise of both adds to the distance.
    ratio = 2**0.5 * free["moved"]
    expected = ratio / (1 + ratio**2) ** 0.5
    assert free["moved_copies"] == pytest.approx(expected, rel=0.03)


def test_codes_are_those_of_each_network():
    images = torch.rand(3, 1, 28, 28, generator=seeded(0))
    dense, shallow = Autoencoder(), shallow_autoencoder(8)
    assert torch.equal(clipping.encoder(dense)(images), dense.encode(images))
    assert clipping.encoder(shallow)(images).shape == (3, 8)
    assert torch.equal(shallow[3:](clipping.encoder(shallow)(images)), shallow(images))


def test_reconstructions_of_pca_lie_as_far_apart_as_its_codes(blocks):
    pca = fit_pca(blocks.images, 5)
    codes = clipping.encoder(pca)(blocks.images)
    assert torch.linalg.matrix_rank(codes - codes.mean(dim=0), atol=1e-3) == 5


def test_all_trainings_of_a_seed_begin_alike_and_see_their_noise(monkeypatch):
    began = []

    def watch(model, images, corrupt, **recipe):
        began.append((model[1].weight.clone(), corrupt, recipe))
        return model

    monkeypatch.setattr(clipping, "train", watch)
    part = {"network": "8 units", "trainings": clipping.GAUSSIAN, "levels": (0.5,)}
    rows = clipping.study(seed=3, **clipping.TOY | part)
    weights, corruptions, recipes = zip(*began, strict=True)
    assert all(torch.equal(weight, weights[0]) for weight in weights)
    assert recipes[0] == recipes[1] == recipes[2]
    assert recipes[0]["steps"] == 4 * 32  # 2,000 images in batches of 64
    black = torch.zeros(10, 1, 28, 28)
    clean, clipped, unclipped = (c(black, generator=seeded(0)) for c in corruptions)
    assert torch.equal(clean, black)
    assert torch.equal(clipped, unclipped.clamp(0, 1))
    assert unclipped.std() == pytest.approx(0.5, rel=0.05)
    assert [(row["training"], row["noise"]) for row in rows] == [
        (training, noise) for training in clipping.GAUSSIAN for noise in clipping.NOISES
    ]


def test_the_clipped_dae_knows_an_offset_that_its_twin_does_not():
    """At toy size already: half of the twin's excess error is the offset."""
    part = {"network": "32 units", "trainings": clipping.GAUSSIAN, "levels": (0.5,)}
    rows = clipping.study(seed=0, **clipping.TOY | part)
    found = {(row["training"], row["noise"]): row for row in rows}
    twin, dae = found["clean", "clipped"], found["clipped", "clipped"]
    assert twin["noisy_off"] < 0.9 * twin["noisy"]
    assert dae["noisy_off"] > 0.98 * dae["noisy"]
    assert dae["clean"] > 1.5 * twin["clean"]
    assert found["unclipped", "unclipped"]["clean"] < 1.2 * twin["clean"]
