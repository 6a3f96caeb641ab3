"""The ladder at toy size: who stands above whom, on the very same noisy images."""

import pytest
import torch
from torch import nn

from dae_tutorial.noise import add_gaussian_noise
from studies.experiments import denoisers, ladder


def error(method: str, **arguments) -> float:
    rows = ladder.study(seed=0, **ladder.TOY | {"method": method} | arguments)
    return rows[0]["mse"]


@pytest.fixture(scope="module")
def errors() -> dict[str, float]:
    """Return the errors of the methods that need no long training."""
    learned = ("conv. DAE, blind", "U-Net, blind")
    return {name: error(name) for name in ladder.METHODS if name not in learned}


def test_noise_in_training_pays(errors):
    """At full size the ratio is about 2, and seeds differ by a few per cent."""
    assert errors["DAE"] < 0.85 * errors["clean-trained AE"]


@pytest.mark.parametrize("name", denoisers.FILTERS)
def test_a_filter_beats_doing_nothing(errors, name):
    assert errors[name] < 0.5 * errors["doing nothing"]


def test_the_best_linear_map_beats_filters_and_pca(errors):
    """With 2,000 training images; with all of them its lead grows."""
    rivals = [errors[name] for name in (*denoisers.FILTERS, "PCA")]
    assert errors["best linear"] < 0.95 * min(rivals)


def test_memory_is_perfect_on_its_own_images_and_poor_on_others(errors):
    assert errors["posterior mean, own images"] < 1e-3
    assert errors["posterior mean"] > errors["best linear"]


def test_blind_networks_beat_doing_nothing(errors):
    found = error("U-Net, blind", steps=400)
    assert found < 0.7 * errors["doing nothing"]


def test_every_method_meets_the_same_noisy_images(monkeypatch):
    seen = []
    monkeypatch.setattr(
        ladder, "measured", lambda _, noisy, clean: seen.append(noisy) or {}
    )
    for method in ("doing nothing", "blur", "best linear"):
        torch.rand(3)  # moves the global state, which must not matter
        ladder.study(seed=0, **ladder.TOY | {"method": method})
    assert all(torch.equal(noisy, seen[0]) for noisy in seen)


def test_settings_are_not_chosen_on_test_images(monkeypatch):
    chosen_on, tested_on = [], []
    choose, measure = denoisers.best, denoisers.measured

    def spy_choice(offered, noisy, clean):
        chosen_on.append(clean)
        return choose(offered, noisy, clean)

    def spy_score(denoise, noisy, clean):
        tested_on.append(clean)
        return measure(denoise, noisy, clean)

    monkeypatch.setattr(ladder, "best", spy_choice)
    monkeypatch.setattr(ladder, "measured", spy_score)
    ladder.study(seed=0, **ladder.TOY | {"method": "blur"})
    distances = torch.cdist(*(i[0].flatten(1) for i in (chosen_on, tested_on)))
    assert distances.min() > 0.5  # pixels differ: no image is in both


def test_a_straightened_filter_has_lost_the_bias_of_clipping():
    clean = torch.zeros(20, 1, 28, 28)
    clean[:, :, 10:18, 10:18] = 1
    noisy = add_gaussian_noise(clean, 0.5, generator=torch.Generator().manual_seed(0))
    black = clean == 0
    bias = (noisy - clean)[black].mean()
    filters = denoisers.FILTERS["blur"](0.5)
    plain = filters["1.0 px"]
    straight = denoisers.straightened(plain, noisy, clean)
    assert (plain(noisy) - clean)[black].mean() > 0.8 * bias
    assert (straight(noisy) - clean)[black].mean().abs() < 0.2 * bias
    assert (straight(noisy) - clean).mean().abs() < 1e-4


def test_best_takes_the_least_error():
    clean = torch.full((2, 1, 8, 8), 0.5)
    offered = {"off": lambda x: x + 0.2, "right": nn.Identity(), "far": lambda x: x * 0}
    assert denoisers.best(offered, clean, clean)[0] == "right"


def test_scores_are_of_the_image_cut_to_its_range():
    clean = torch.ones(1, 1, 16, 16)
    scores = denoisers.measured(lambda noisy: noisy + 5, clean, clean)
    assert scores["mse"] == 0
    assert scores["psnr"] == 100  # where a perfect image would have infinity
    assert scores["ssim"] == pytest.approx(1)
    assert scores["milliseconds"] > 0
