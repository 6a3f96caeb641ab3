"""The benchmark runs from end to end, and its arithmetic is right."""

import json

import pytest

from benchmarks import __main__ as bench, starting_notebook
from benchmarks.anatomy import parts_of_an_epoch
from benchmarks.measure import in_turns, times_faster
from dae_tutorial.model import Autoencoder


@pytest.mark.slow
def test_smoke_mode_measures_every_row_and_keeps_nothing(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "benchmark.json")
    bench.main(["--smoke"])
    printed = capsys.readouterr().out
    for what in ("training speed", "time to test MSE", "after 10 epochs", "180 s"):
        assert what in printed
    for what in ("time free", "denoise", "memory", "matrix products"):
        assert what in printed
    assert not bench.RESULTS.exists()


def test_contestants_take_turns():
    order = []
    contestants = {name: lambda name=name: order.append(name) for name in "ab"}
    seconds = in_turns(contestants, 2, "turns")
    assert order == ["a", "b"] * 3  # the first round does not count
    assert {name: len(taken) for name, taken in seconds.items()} == {"a": 2, "b": 2}


def test_ratio_is_the_median_over_rounds():
    """A round in which the whole machine was slow changes nothing."""
    assert times_faster([4.0, 40.0, 4.0], [1.0, 10.0, 2.0]) == 4.0


def test_parts_add_up_to_the_whole():
    parts = parts_of_an_epoch(256, rounds=1)
    assert parts[-1]["part"] == "whole epoch"
    assert sum(part["share"] for part in parts[:-1]) == pytest.approx(1)


def test_both_dense_models_are_the_same():
    theirs = starting_notebook.Autoencoder().state_dict()
    ours = Autoencoder().state_dict()
    assert {name: value.shape for name, value in theirs.items()} == {
        name: value.shape for name, value in ours.items()
    }


def test_results_are_kept_whole(tmp_path):
    bench.keep({"σ": 0.5}, tmp_path / "new" / "benchmark.json")
    assert json.loads((tmp_path / "new" / "benchmark.json").read_text()) == {"σ": 0.5}
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["benchmark.json"]
