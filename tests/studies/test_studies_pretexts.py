"""One encoder under six corruptions: the same start, and no test image in a choice."""

import pytest
import torch

from dae_tutorial.theory.pretexts import PrincipalNoise
from studies.experiments import pretexts
from studies.experiments.variations import make

pytestmark = pytest.mark.slow


def test_all_trainings_of_a_seed_begin_alike_and_differ_in_the_noise(monkeypatch):
    began = []

    def watch(model, images, corrupt, **recipe):
        began.append((model.encoder[0].weight.clone(), corrupt, recipe))
        return model

    monkeypatch.setattr(pretexts, "train", watch)
    images = torch.rand(20, 1, 28, 28)
    for method in pretexts.PRETEXTS:
        pretexts.candidates(method, images, 16, 8, 1, seed=3)
    weights, corruptions, recipes = zip(*began, strict=True)
    assert len(began) == 10
    assert all(torch.equal(weight, weights[0]) for weight in weights)
    assert all(recipe == recipes[0] for recipe in recipes)
    noisy = [c(images, generator=torch.Generator().manual_seed(0)) for c in corruptions]
    assert torch.equal(noisy[0], images)  # the twin
    assert not any(
        torch.equal(one, other) for i, one in enumerate(noisy) for other in noisy[:i]
    )
    assert all(other.min() < 0 for other in (noisy[1], noisy[9]))  # not clipped


def test_untrained_features_are_those_that_training_starts_from():
    images = torch.rand(4, 1, 28, 28)
    (encoder,) = pretexts.candidates("untrained", images, 16, 8, 1, seed=3).values()
    start = pretexts.untrained(16, 8, seed=3)
    assert torch.equal(encoder(images), start.encode(images))


def test_the_strength_with_the_lower_validation_error_is_chosen(monkeypatch):
    """With all labels hidden from one of two encoders, the other must be chosen."""

    class Blind(torch.nn.Flatten):
        def forward(self, images):
            return 0 * super().forward(images)[:, :5]

    offered = {0.75: Blind(), 0.5: torch.nn.Flatten()}
    monkeypatch.setattr(pretexts, "candidates", lambda *_: offered)
    (row,) = pretexts.study(seed=0, **pretexts.TOY)
    assert row["strength"] == 0.5
    assert row["test_error"] < 0.6


def test_components_are_those_of_the_training_images():
    images = torch.rand(100, 1, 28, 28)
    corrupt = pretexts.principal(images, 0.5)
    assert isinstance(corrupt, PrincipalNoise)
    assert corrupt.directions.shape == (pretexts.COMPONENTS, 784)
    assert torch.equal(corrupt.mean, images.flatten(1).mean(dim=0))


@pytest.mark.parametrize("method", [*pretexts.BASELINES, *pretexts.PRETEXTS])
def test_every_method_gives_a_row_for_each_number_of_labels(method):
    sizes = pretexts.TOY | {"labels": (20, 100), "method": method}
    rows = pretexts.study(seed=0, **sizes)
    assert [row["labels"] for row in rows] == [20, 100]
    assert all(0 <= row["test_error"] < 0.9 for row in rows)
    offered = pretexts.PRETEXTS.get(method, (None, (0.0,)))[1]
    assert rows[0]["strength"] in offered


def test_noise_makes_better_features_than_none(monkeypatch):
    """At toy size already, on rotated digits, in each of three seeds."""
    monkeypatch.setitem(pretexts.PRETEXTS, "Gaussian", (pretexts.gaussian, (1.0,)))
    sizes = {"sizes": (2_000, 500, 2_000), "hidden": 128, "steps": 250}
    part = {"variation": "rotated", "labels": (1_000,)}
    for seed in range(3):
        twin, noisy = (
            pretexts.study(seed=seed, method=method, **sizes | part)[0]["test_error"]
            for method in ("clean (twin)", "Gaussian")
        )
        # Two errors on the same 2,000 images: a standard error of some 0.01.
        assert noisy < twin - 0.01, seed


def test_labels_count_from_the_training_images_alone():
    train, validation, test = make("basic", (50, 20, 20), seed=0)
    flat = [part[0].flatten(1) for part in (train, validation, test)]
    nearest = torch.cdist(flat[1], torch.cat([flat[0], flat[2]])).amin()
    assert nearest > 0  # no image is in two sets
