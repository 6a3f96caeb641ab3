"""The stored tables can be read with the package alone, and say what they lack."""

import subprocess
import sys

import numpy as np
import pytest

from dae_tutorial.evidence import tables


def test_columns_hold_integers_floats_or_texts(tmp_path):
    text = "seed,noise,mse\n0,masking,0.5\n1,2,1\n"
    (tmp_path / "kept.csv").write_text(text, encoding="utf-8")
    assert tables.read("kept", tmp_path) == [
        {"seed": 0, "noise": "masking", "mse": 0.5},
        {"seed": 1, "noise": "2", "mse": 1.0},
    ]


@pytest.mark.parametrize("read", [tables.read, tables.read_record])
def test_an_unknown_name_is_told_the_known_ones(read, tmp_path):
    with pytest.raises(ValueError, match=r"one of .*ladder, .*, got 'lader'"):
        read("lader")
    with pytest.raises(ValueError, match=r"one of nothing yet, got 'ladder'"):
        read("ladder", tmp_path)


def test_the_benchmark_is_a_record_without_a_table():
    assert "benchmark" not in tables.names()
    assert tables.read_record("benchmark")["rows"]


def test_rows_are_selected_by_all_values_and_averaged_by_groups():
    rows = [
        {"seed": seed, "noise": noise, "level": level, "mse": seed + level}
        for seed in (0, 1)
        for noise in ("masking", "blocks")
        for level in (1.0, 2.0)
    ]
    chosen = tables.select(rows, noise="blocks", level=2.0)
    assert [row["mse"] for row in chosen] == [2.0, 3.0]
    assert tables.select(rows, noise="none") == []
    by_two = tables.spread(rows, "mse", "noise", "level")
    assert next(iter(by_two)) == ("masking", 1.0)
    assert by_two["blocks", 2.0] == (2.5, pytest.approx(0.5**0.5))


def test_pictures_are_whole_and_scaled():
    pictures = tables.from_text(tables.read("filters")[0]["pictures"])
    assert pictures.shape[1:] == (28, 28)
    assert np.abs(pictures).max() == 1
    with pytest.raises(ValueError, match="reshape"):
        tables.from_text("AAAA")


def test_tables_are_read_from_any_folder(tmp_path):
    code = "from dae_tutorial.evidence import tables; tables.read('ladder')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
