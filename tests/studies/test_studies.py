"""Studies run, resume, and tell when their tables no longer belong to their code."""

import itertools
import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from dae_tutorial.evidence import tables
from dae_tutorial.loaders import ImageTensors
from studies import runner
from studies.__main__ import main, run_again
from studies.experiments import filters, recipe, stable_features, which_noise
from studies.runner import Study
from studies.tables import differences, written

NAMES = runner.names()


def counted(calls: list, **changes) -> Study:
    """Return a study of two seeds and two parts that notes each call."""

    def study(*, seed: int, level: float = 0.5, factor: int = 2) -> list[dict]:
        calls.append((seed, level))
        return [{"level": level, "mse": seed + factor * level}]

    fields = {
        "name": "counted",
        "function": study,
        "seeds": (0, 1),
        "parts": [{"level": 0.25}, {"level": 0.5}],
        "code": {"studies.counted": "a"},
        "versions": {"torch": "2.0"},
    }
    return Study(**(fields | changes))


@pytest.fixture
def folders(tmp_path):
    """Return where units and tables go in this test."""
    return {"store": tmp_path / "units", "results": tmp_path / "results"}


def test_a_complete_study_becomes_a_table_with_its_record(folders):
    study = counted([])
    runner.run([study], **folders)
    rows = tables.read("counted", folders["results"])
    assert [tuple(row.values()) for row in rows] == [
        (0, 0.25, 0.5),
        (0, 0.5, 1.0),
        (1, 0.25, 1.5),
        (1, 0.5, 2.0),
    ]
    assert list(rows[0]) == ["seed", "level", "mse"]
    record = json.loads((folders["results"] / "counted.json").read_text())
    assert record["arguments"] == {"level": 0.5, "factor": 2}
    assert record["parts"] == [{"level": 0.25}, {"level": 0.5}]
    assert record["seeds"] == [0, 1]
    assert len(record["seconds"]) == 4
    assert record["versions"] == study.versions
    assert record["code"] == study.code


def test_what_is_fresh_does_not_run(folders):
    calls = []
    runner.run([counted(calls)], **folders)
    runner.run([counted(calls)], **folders)
    assert len(calls) == 4


def test_only_missing_units_run(folders):
    calls = []
    runner.run([counted(calls)], seeds=[1], **folders)
    assert calls == [(1, 0.25), (1, 0.5)]
    assert not folders["results"].exists(), "half a study has no table"
    runner.run([counted(calls)], **folders)
    assert calls[2:] == [(0, 0.25), (0, 0.5)]
    assert runner.state(counted([]), folders["results"]) == "fresh"


def test_changed_code_runs_again_and_an_undone_change_does_not(folders):
    calls = []
    runner.run([counted(calls)], **folders)
    edited = counted(calls, code={"studies.counted": "b"})
    assert runner.state(edited, folders["results"]) == "stale: changed studies.counted"
    runner.run([edited], **folders)
    assert len(calls) == 8
    assert runner.state(edited, folders["results"]) == "fresh"
    runner.run([counted(calls)], **folders)
    assert len(calls) == 8


def test_a_new_import_makes_a_table_stale(folders):
    runner.run([counted([])], **folders)
    code = {"studies.counted": "a", "dae_tutorial.model": "c"}
    state = runner.state(counted([], code=code), folders["results"])
    assert state == "stale: changed dae_tutorial.model"


def test_units_run_side_by_side_make_the_same_table(folders, tmp_path):
    runner.run([counted([])], **folders)
    beside = {"store": tmp_path / "units 2", "results": tmp_path / "results 2"}
    runner.run([counted([])], workers=2, **beside)
    first, second = (f["results"] / "counted.csv" for f in (folders, beside))
    assert first.read_bytes() == second.read_bytes()


def test_a_unit_has_one_thread_when_others_run_beside_it(folders):
    def study(*, seed: int) -> list[dict]:
        return [{"threads": torch.get_num_threads(), "process": os.getpid()}]

    runner.run([Study("threads", study, (0, 1))], workers=2, **folders)
    rows = tables.read("threads", folders["results"])
    assert {row["threads"] for row in rows} == {1}
    assert os.getpid() not in {row["process"] for row in rows}


def test_a_study_without_a_table_is_missing(folders):
    assert runner.state(counted([]), folders["results"]) == "missing"


def test_a_hand_edited_table_is_noticed(folders):
    runner.run([counted([])], **folders)
    file = folders["results"] / "counted.csv"
    file.write_text(file.read_text().replace("1.5", "1.4"))
    state = runner.state(counted([]), folders["results"])
    assert state == "stale: its CSV file was edited by hand"


def test_a_damaged_unit_runs_again_with_a_warning(folders, caplog):
    calls = []
    runner.run([counted(calls)], seeds=[0], **folders)
    next((folders["store"] / "counted").iterdir()).write_text("{")
    runner.run([counted(calls)], **folders)
    assert "is damaged; its unit runs again" in caplog.text
    assert len(calls) == 5


def test_a_failure_keeps_the_units_before_it(folders):
    def fails(*, seed: int) -> list[dict]:
        if seed == 1:
            raise RuntimeError("no luck")
        return [{"mse": 1.0}]

    study = counted([], function=fails, parts=[{}])
    with pytest.raises(RuntimeError, match="no luck"):
        runner.run([study], **folders)
    assert len(list((folders["store"] / "counted").iterdir())) == 1


KILLED = """
import sys, time
from pathlib import Path
from studies.runner import Study, run

def study(*, seed: int) -> list[dict]:
    print(seed, flush=True)
    time.sleep(60 * seed)
    return [{"mse": float(seed)}]

folder = Path(sys.argv[1])
run([Study("killed", study, (0, 1, 2))], store=folder, results=folder)
"""


def test_a_kill_loses_no_finished_unit(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(runner.ROOT)}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdout.readline() == b"0\n"
        assert process.stdout.readline() == b"1\n"  # the unit of seed 0 has ended
        process.send_signal(signal.SIGKILL)
    files = list((tmp_path / "killed").iterdir())
    assert len(files) == 1, "a kill must leave neither less nor half a file"
    assert json.loads(files[0].read_text())["rows"] == [{"mse": 0.0}]


@pytest.mark.parametrize(
    "rows",
    [
        [{"mse": float("nan")}],
        [{"mse": True}],
        [{"mse": [0.1]}],
        [{"mse": 0.1}, {"psnr": 10.0}],
    ],
)
def test_rows_must_be_plain(folders, rows):
    study = counted([], function=lambda *, seed: rows, parts=[{}])
    with pytest.raises(ValueError, match=r"counted: .* must"):
        runner.run([study], **folders)


def test_tables_survive_writing_and_reading(tmp_path):
    rows = [
        {"seed": 0, "noise": "salt, pepper", "mse": 0.123456},
        {"seed": 1, "noise": "2", "mse": 1e-9},
    ]
    (tmp_path / "kept.csv").write_text(written(rows), encoding="utf-8")
    assert tables.read("kept", tmp_path) == rows


def with_values(values: list[float], key: str = "masking") -> list[dict]:
    return [{"seed": s, "noise": key, "mse": mse} for s, mse in enumerate(values)]


def test_a_second_run_within_the_spread_confirms():
    stored = with_values([0.10, 0.11, 0.12])
    assert differences(stored, with_values([0.12, 0.13, 0.11])) == []
    (line,) = differences(stored, with_values([0.30, 0.31, 0.32]))
    assert line.startswith("row 1, mse: 0.11 stored, 0.31 again")


def test_a_second_run_must_have_the_same_rows():
    stored = with_values([0.10, 0.11, 0.12])
    other = with_values([0.10, 0.11, 0.12], key="blocks")
    assert differences(stored, other) == ["row 1, noise: not equal"]
    assert differences(stored, other, ["noise"]) == []
    assert differences(stored, stored[:2])


def test_code_digests_follow_imports_of_imports():
    code = runner.load("which_noise").code
    own = {f"studies.experiments.{name}" for name in ("which_noise", "recipe")}
    assert own | {"dae_tutorial.train"} <= code.keys()
    assert not {"dae_tutorial.figures", "studies.runner"} & code.keys()


def test_a_new_version_of_the_package_alone_changes_no_table():
    assert "dae_tutorial" not in runner.load("which_noise").code


def test_versions_are_those_of_the_libraries_that_a_study_uses():
    assert {"python", "numpy", "scikit-image"} <= runner.load("ladder").versions.keys()
    assert "matplotlib" not in runner.load("ladder").versions


def test_a_run_in_a_scratch_folder_confirms_or_contradicts(folders, tmp_path, capsys):
    runner.run([counted([])], **folders)
    place = {"results": folders["results"], "scratch": tmp_path / "scratch"}
    calls = []
    assert run_again([counted(calls)], **place) == 0
    assert len(calls) == 4, "what is stored must not count as run again"
    assert "counted: no differences beyond the spread" in capsys.readouterr().out
    assert not place["scratch"].exists()

    def other(*, seed: int, level: float = 0.5) -> list[dict]:
        return [{"level": level, "mse": seed + 9.0}]

    assert run_again([counted([], function=other)], **place) == 1
    assert "counted: 2 differences beyond the spread" in capsys.readouterr().out


def test_an_unknown_study_is_named(capsys):
    with pytest.raises(SystemExit):
        main(["no_such_study"])
    assert "no study no_such_study; there are" in capsys.readouterr().err


def test_status_shows_each_study(capsys):
    assert main(["status"]) == 0
    shown = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert shown == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_table_belongs_to_todays_code(name):
    state = runner.state(runner.load(name))
    assert state == "fresh", f"{name} is {state}; run `python -m studies {name}`"


def test_every_table_has_its_study():
    assert tables.names() == NAMES
    records = {path.stem for path in tables.FOLDER.glob("*.json")}
    assert records == {"benchmark", *NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_study_runs_at_toy_size(name, mnist_decoded_once):
    study = runner.load(name)
    assert len(study.seeds) >= 3
    rows = study.function(seed=study.seeds[0], **(dict(study.parts[0]) | study.toy))
    runner._check_rows(name, rows)
    assert ["seed", *rows[0]] == list(tables.read(name)[0])


@pytest.mark.parametrize("name", NAMES)
def test_table_is_complete(name):
    study = runner.load(name)
    rows = tables.read(name)
    assert list(dict.fromkeys(row["seed"] for row in rows)) == list(study.seeds)
    record = tables.read_record(name)
    assert len(record["seconds"]) == len(list(study.units()))
    assert not any(str(Path.home()) in str(value) for value in record.values())


@pytest.fixture(scope="module")
def mnist_decoded_once():
    """Spare the studies of this module the decoding of MNIST."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "load_mnist", cache(recipe.load_mnist))
        yield


def toy_rows(name: str, **arguments) -> list[dict]:
    """Run a study at toy size for all its seeds."""
    study = runner.load(name)
    return [
        {"seed": seed, **row}
        for seed in study.seeds
        for row in study.function(seed=seed, **(study.toy | arguments))
    ]


def assert_below(rows: list[dict], value: str, lower: dict, higher: dict) -> None:
    """Compare two rows of each seed: their mean difference is far from chance."""
    pairs = zip(
        tables.select(rows, **lower), tables.select(rows, **higher), strict=True
    )
    difference = np.array([high[value] - low[value] for low, high in pairs])
    assert len(difference) >= 3
    standard_error = difference.std(ddof=1) / np.sqrt(len(difference))
    assert difference.mean() > 4 * standard_error, difference


@pytest.mark.slow
@pytest.mark.parametrize(("code_size", "epochs"), [(32, 20), (256, 10)])
def test_noise_helps_on_noisy_images_and_harms_on_clean_ones(
    code_size, epochs, mnist_decoded_once
):
    table = toy_rows("does_noise_help", code_size=code_size, epochs=epochs)
    with_noise, without = {"training": "fresh"}, {"training": "clean"}
    for clip in ("clipped", "unclipped"):
        rows = tables.select(table, clip=clip)
        assert_below(rows, "test_noisy", with_noise, without)
        assert_below(rows, "test_clean", without, with_noise)
    assert_below(rows, "passed", with_noise, without)


@pytest.mark.slow
def test_noise_that_is_drawn_once_is_learned_by_heart(mnist_decoded_once):
    table = toy_rows(
        "does_noise_help", train_images=100, epochs=100, draws=("fresh", "once")
    )
    fresh, once = {"training": "fresh"}, {"training": "once"}
    for clip in ("clipped", "unclipped"):
        rows = tables.select(table, clip=clip)
        assert_below(rows, "test_noisy", fresh, once)
        assert_below(rows, "train_own", once, fresh)


@pytest.mark.slow
def test_each_model_is_the_best_on_its_own_noise(mnist_decoded_once):
    rows = [
        row
        for noise in ("Gaussian 0.5", "masking 0.5")
        for row in toy_rows("which_noise", train_noise=noise, test_images=300)
    ]
    for clip, (own, other) in itertools.product(
        which_noise.CLIPS,
        [("Gaussian 0.5", "masking 0.5"), ("masking 0.5", "Gaussian 0.5")],
    ):
        tested = tables.select(rows, clip=clip, test_noise=own)
        assert_below(tested, "mse", {"train_noise": own}, {"train_noise": other})


def test_a_noise_without_clipping_leaves_the_range_of_pixels():
    clean = torch.zeros(2, 1, 28, 28)
    for clip in which_noise.CLIPS:
        for name, corrupt in {
            **which_noise.NOISES[clip],
            **which_noise.SWEEP[clip],
        }.items():
            noisy = corrupt(clean, generator=torch.Generator().manual_seed(0))
            outside = bool((noisy < 0).any())
            assert outside == (clip == "unclipped" and "Gaussian" in name), name


def test_mixture_gives_each_noise_its_share():
    clean = torch.full((90, 1, 28, 28), 0.5)
    generator = torch.Generator().manual_seed(0)
    noisy = which_noise.mixture("clipped", clean, generator=generator)
    share = [noisy[start : start + 10] for start in range(0, 90, 10)]
    assert noisy.shape == clean.shape
    assert torch.equal(share[0], clean[:10])
    black = [(part == 0).float().mean().item() for part in share]
    for masked, mask_prob in zip(black[4:7], (0.25, 0.5, 0.75), strict=True):
        error = (mask_prob * (1 - mask_prob) / share[0].numel()) ** 0.5
        assert abs(masked - mask_prob) < 5 * error
    assert black[8] == pytest.approx(100 / 784)  # a block of 10 × 10


@pytest.mark.slow
def test_masking_makes_strokes_wider(mnist_decoded_once):
    rows = toy_rows("filters", units=256, steps=150, train_images=2000)
    assert_below(rows, "width", {"mask_prob": 0.25}, {"mask_prob": 0.5})
    assert_below(rows, "width", {"mask_prob": 0.5}, {"mask_prob": 0.75})


@pytest.mark.slow
def test_few_units_are_wide_without_noise(mnist_decoded_once):
    rows = toy_rows("filters", units=64, steps=100)
    assert_below(rows, "width", {"mask_prob": 0.5}, {"mask_prob": 0.0})


def blob(spread: float, row: int = 13, column: int = 14) -> torch.Tensor:
    """Return one Gaussian blob, (1, 28, 28)."""
    rows, columns = torch.meshgrid(torch.arange(28), torch.arange(28), indexing="ij")
    squares = (rows - row) ** 2 + (columns - column) ** 2
    return torch.exp(-squares / (2 * spread**2)).unsqueeze(0)


def test_width_of_known_filters():
    # The autocorrelation of a Gaussian is one too, √2 times as wide.
    for spread in (1.5, 2, 3):
        exact = 4 * spread * np.log(2) ** 0.5
        assert filters.width(blob(spread)).item() == pytest.approx(exact, rel=0.01)
    for side in (1, 2, 5):
        square = torch.zeros(1, 28, 28)
        square[:, 28 - side :, :side] = -2
        assert filters.width(square).item() == pytest.approx(side, abs=1e-4)
    speckle = torch.randn(400, 28, 28, generator=torch.Generator().manual_seed(0))
    # Neighbours correlate by 0 ± 1 / 40 over both moves, and so the width by ± 1 / 40.
    assert abs(filters.width(speckle).mean() - 1) < 5 / 40 / 20


def test_width_asks_neither_where_nor_how_many():
    one, two = blob(1.5), blob(1.5, 6, 6) - blob(1.5, 20, 19)
    torch.testing.assert_close(
        filters.width(two), filters.width(one), rtol=0.01, atol=0
    )
    assert filters.area(two) > 1.9 * filters.area(one)
    assert filters.window(two) > filters.window(one) + 2


def test_width_looks_right_and_down():
    bar = torch.zeros(1, 28, 28)
    bar[:, 4:8, :] = 1  # 4 high, 28 long
    assert 4 < filters.width(bar) < 28
    torch.testing.assert_close(filters.width(bar), filters.width(bar.mT))


def test_area_and_window_of_known_filters():
    filter_ = torch.zeros(1, 28, 28)
    filter_[:, 3:8, 20:25] = -2.0
    assert filters.area(filter_) == 25
    assert filters.window(filter_) == 4  # 16 of 25 pixels; 9 are less than half
    dot = torch.zeros(1, 28, 28)
    dot[:, 27, 0] = 2.0
    assert filters.area(dot) == filters.window(dot) == 1


def test_area_learned_leaves_out_where_training_began(monkeypatch, mnist_decoded_once):
    def train(model, *_, **__):
        with torch.no_grad():
            model[1].weight[:, 400] += 0.2

    monkeypatch.setattr(filters, "train", train)
    rows = filters.study(seed=0, train_images=300, units=4)
    assert [row["area_learned"] for row in rows] == pytest.approx([1] * len(rows))
    assert all(row["area"] > 10 for row in rows)


def test_pictures_survive_as_text():
    shown = torch.linspace(-3, 3, 2 * 784).reshape(2, 28, 28)
    again = tables.from_text(filters.as_text(shown))
    largest = shown.abs().amax(dim=(1, 2), keepdim=True)
    assert np.abs(again - (shown / largest).numpy()).max() <= 0.5 / 127 + 1e-6


@pytest.mark.slow
def test_codes_of_the_denoising_autoencoder_move_less_under_its_noise(
    mnist_decoded_once,
):
    table = tables.select(toy_rows("stable_features"), change="Gaussian 0.5")
    for clip in ("clipped", "unclipped"):
        rows = tables.select(table, clip=clip)
        denoising, plain = {"features": f"DAE, {clip}"}, {"features": "AE"}
        assert_below(rows, "moved", denoising, plain)


def test_what_two_noisy_copies_share_moves_no_code():
    test = ImageTensors(torch.rand(20, 1, 28, 28), torch.arange(20) % 10)
    veiled = test.images + 0.25  # the same for all: an offset
    still = stable_features.compared(
        lambda images: images.flatten(start_dim=1),
        test,
        veiled,
        veiled,
        torch.full((1, 28, 28), 0.25),
    )
    assert (still["moved"], still["moved_off"], still["found"]) == (0, 0, 1)
    assert still["moved_clean"] > 0.5
    assert still["common"] == pytest.approx(1, abs=1e-5)


def test_stability_is_a_ratio():
    before = torch.tensor([[0.0], [4.0], [8.0]])
    labels = torch.tensor([0, 0, 1])
    scores = stable_features.stability(before, before + 3, labels)
    # Between digits: 8 and 4, so 6 on average. 3 and 7 are nearest to 4 and 8.
    assert scores == {"moved": 0.5, "found": pytest.approx(1 / 3, abs=1e-6)}
    assert scores == stable_features.stability(10 * before, 10 * before + 30, labels)
