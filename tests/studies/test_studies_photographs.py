"""Occlusions and photographs at toy size: directions, and fair comparisons."""

import pytest
import torch

from studies.experiments import occlusion, photographs
from studies.experiments.denoisers import FILTERS


def occluded(model: str, train_noise: str = "clean") -> dict:
    arguments = {"model": model, "train_noise": train_noise}
    return occlusion.study(seed=0, **occlusion.TOY | arguments)[0]


@pytest.fixture(scope="module")
def dense() -> dict[str, dict]:
    """Return the rows of the dense network, by the noise in its training."""
    return {noise: occluded("dense", noise) for noise in occlusion.NOISES}


def test_who_trained_on_blocks_fills_them_best(dense):
    """Even beside rivals that have their offset taken off."""
    *rivals, blocks = (row["hidden_mse_off"] for row in dense.values())
    assert blocks < 0.95 * min(rivals)


def test_the_offset_of_clipped_noise_is_no_fault_of_its_model(dense):
    row = dense["Gaussian, clipped"]
    assert row["visible_mse_off"] < 0.95 * row["visible_mse"]


def test_filling_in_beats_leaving_black(dense):
    nothing = occluded("doing nothing")
    assert dense["blocks"]["hidden_mse"] < 0.9 * nothing["hidden_mse"]


def test_doing_nothing_errs_under_the_block_alone():
    row = occluded("doing nothing")
    assert row["visible_mse"] == 0
    share = occlusion.BLOCK**2 / 28**2
    assert row["mse"] == pytest.approx(share * row["hidden_mse"], rel=1e-4)


def test_the_parts_make_the_whole(dense):
    row, share = dense["blocks"], occlusion.BLOCK**2 / 28**2
    whole = share * row["hidden_mse"] + (1 - share) * row["visible_mse"]
    assert row["mse"] == pytest.approx(whole, rel=1e-4)


def test_hidden_pixels_are_those_that_were_blacked_out():
    clean = torch.full((5, 1, 28, 28), 0.5)
    noisy, hidden = occlusion.occluded(clean)
    assert torch.equal(noisy == 0, hidden)
    assert (hidden.sum(dim=(1, 2, 3)) == occlusion.BLOCK**2).all()


def decibels(method: str, channels: int = 1, **more) -> float:
    arguments = {"method": method, "channels": channels} | more
    rows = photographs.study(seed=0, **photographs.TOY | arguments)
    return sum(row["psnr"] for row in rows) / len(rows)


@pytest.mark.parametrize("method", [*FILTERS, *photographs.ESTIMATING])
def test_filters_help_photographs(method):
    assert decibels(method) > decibels("doing nothing") + 1.5


@pytest.mark.parametrize("method", photographs.TRAINED)
def test_a_moment_of_training_helps_photographs(method):
    assert decibels(method, steps=240) > decibels("doing nothing") + 1.5


def test_colour_is_denoised_in_colour():
    """Learning takes longer here than a test may; at least no harm is done."""
    assert decibels("U-Net, blind", 3) > decibels("doing nothing", 3) - 1
    assert decibels("non-local means", 3) > decibels("doing nothing", 3) + 3


def test_the_noise_is_not_clipped(monkeypatch):
    seen = []
    monkeypatch.setattr(
        photographs,
        "measured",
        lambda _, noisy, clean: seen.append(noisy - clean) or {},
    )
    photographs.study(seed=0, **photographs.TOY | {"method": "doing nothing"})
    noise = torch.cat([part.flatten() for part in seen])
    sampling_error = 1 / (2 * len(noise)) ** 0.5
    assert noise.std().item() * 255 == pytest.approx(25, rel=5 * sampling_error)
