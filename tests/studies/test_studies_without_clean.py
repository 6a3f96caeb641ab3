"""Training without clean images, at toy size: who beats whom, and fair comparisons."""

import pytest
import torch

from studies.experiments import noisy_training, without_clean

pytestmark = pytest.mark.slow

METHODS = list(dict.fromkeys(part["method"] for part in without_clean.PARTS))
TRAINED = [m for m in METHODS if m != "doing nothing"]


def decibels(method: str, steps: int = 120, **more) -> dict[str, float]:
    rows = without_clean.study(
        seed=0, **without_clean.TOY | {"method": method, "steps": steps} | more
    )
    return {row["asked"]: row["psnr"] for row in rows}


@pytest.mark.parametrize("data", ["digits", "photographs"])
def test_all_ways_share_images_steps_and_seed(data, monkeypatch):
    seen = []

    def watch(method, copies, **recipe):
        seen.append((copies, recipe))
        return None

    monkeypatch.setattr(without_clean, "train_without_clean", watch)
    for method in TRAINED:
        without_clean.trained(method, data, 0.5, 2, seed=3)
    for copies, recipe in seen:
        assert recipe == {"sigma": 0.5, "steps": 2, "seed": 3}
        assert all(map(torch.equal, copies, seen[0][0]))
    noisy, second, clean = seen[0][0]
    noises = noisy - clean, second - clean
    assert all(abs(noise.std() - 0.5) < 0.01 for noise in noises)
    assert abs((noises[0] * noises[1]).mean()) < 5 * 0.25 / noisy.numel() ** 0.5
    assert noisy.min() < 0  # not clipped


def test_only_the_supervised_are_given_clean_images(monkeypatch):
    """Clean images that are not numbers spoil their trainings, and no others."""
    noisy = torch.rand(64, 1, 8, 8)
    copies = (noisy, noisy + 0.1, torch.full_like(noisy, torch.nan))
    for method in TRAINED:
        recipe = {"sigma": 0.1, "steps": 2, "seed": 0}
        if method == "supervised":
            with pytest.raises(FloatingPointError):
                noisy_training.train_without_clean(method, copies, **recipe)
        else:
            noisy_training.train_without_clean(method, copies, **recipe)


def test_the_second_copy_is_for_noise2noise_alone():
    noisy = torch.rand(64, 1, 8, 8)
    copies = (noisy, torch.full_like(noisy, torch.nan), noisy)
    for method in TRAINED:
        recipe = {"sigma": 0.1, "steps": 2, "seed": 0}
        if method == "Noise2Noise":
            with pytest.raises(FloatingPointError):
                noisy_training.train_without_clean(method, copies, **recipe)
        else:
            noisy_training.train_without_clean(method, copies, **recipe)


def test_the_network_is_the_same_but_for_the_blind_spot():
    noisy = torch.rand(1, 1, 9, 9)
    states = {}
    for method in TRAINED:
        torch.manual_seed(0)
        model = noisy_training.network(method)
        states[method] = model.state_dict()
        slopes = torch.autograd.functional.jacobian(model, noisy).reshape(81, 81)
        assert (slopes.diagonal() == 0).all() == (method == "blind spot")
    for state in states.values():
        del state["hole"]
        assert all(map(torch.equal, state.values(), states["supervised"].values()))


@pytest.mark.parametrize("method", ["Noise2Noise", "blind spot", "SURE", "R2R"])
def test_a_moment_of_training_without_clean_images_helps(method):
    best = max(decibels(method, steps=150).values())
    assert best > decibels("doing nothing")["once"] + 5


def test_a_noisy_target_teaches_to_copy():
    assert abs(decibels("noisy target")["once"] - decibels("doing nothing")["once"]) < 3


def test_the_pixel_given_back_helps():
    asked = decibels("blind spot", steps=150)
    assert asked["blindly, pixel given back"] > asked["blindly"] + 0.1
