"""The laboratory's JavaScript, tested by Node against what Python computes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dae_tutorial.further.laboratory import choose_digits
from tests.laboratory.digits import DRAWN_DIGITS
from tests.laboratory.golden import golden
from tests.pages.built_site import ROOT, built_site
from tools.node import node

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent
NOBODYS_NOISE = {"digit": 3, "kind": "blocks", "level": 12, "seed": 4}
EACH = """import json, sys
for program in json.load(sys.stdin):
    exec(program, {"__name__": "__main__"})
    print("\\f")
"""
STROKES = [[[round(1000 * x) for x in p] for p in line] for line in DRAWN_DIGITS[4]]


def test_javascript_computes_what_python_computes(tmp_path: Path):
    vectors = tmp_path / "golden.json"
    vectors.write_text(json.dumps(golden()), encoding="utf-8")
    files = built_site() / "assets" / "vendor" / "laboratory"
    settings = {"GOLDEN": str(vectors), "LABORATORY": str(files)}
    run = subprocess.run(
        [node(), "--test", FOLDER / "core.test.mjs"],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]


def test_the_programs_that_it_shows_run(tmp_path: Path):
    settings = [NOBODYS_NOISE, {"strokes": STROKES, "kind": "gaussian", "level": 0.5}]
    words = [json.dumps(part) for part in (choose_digits(), *settings)]
    command = [node(), FOLDER / "snippets.mjs", *words]
    programs = json.loads(subprocess.run(command, capture_output=True).stdout)
    (tmp_path / "data").symlink_to(ROOT / "data")
    said = printed(programs, tmp_path)
    for lines in said:
        assert list(lines) == ["noisy", "clean", "dense", "conv", "unet"]
    assert said[1]["unet"] > said[1]["dense"] > said[1]["noisy"] + 5


def printed(programs: list[str], folder: Path) -> list[dict[str, float]]:
    """Run programs in an empty folder; return the decibels by what they are of.

    In one process, since imports take longest, but each with names of its own.
    """
    run = subprocess.run(
        [sys.executable, "-c", EACH],
        cwd=folder,
        input=json.dumps(programs),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    answers = [text.split("\n") for text in run.stdout.split("\f\n")[:-1]]
    words = [[line.split() for line in lines if line] for lines in answers]
    return [{name: float(decibels) for name, decibels, _ in one} for one in words]
