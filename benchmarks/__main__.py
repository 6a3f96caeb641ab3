"""Measure this project beside the notebook that it started from: `make bench`.

Prints a table, and keeps it among the package's tables for the site's page.
All columns are measured here and now, in turns, so their ratios mean something even
where a machine is busy.
"""

import argparse
import json
import platform
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks import rows
from benchmarks.anatomy import decoding_share, parts_of_an_epoch
from benchmarks.scaling import cost_of_growth
from dae_tutorial.evidence.tables import FOLDER
from tools.provenance import write_whole

RESULTS = FOLDER / "benchmark.json"
HEADINGS = ("what", "starting notebook", "plain loop", "ours", "goal")


def table(size: rows.Size) -> Iterator[rows.Row]:
    """Measure the rows of the table one after the other, the quick ones first."""
    yield rows.epoch_speed(size)
    yield rows.denoising_speed(size)
    yield rows.memory(size)
    yield rows.best_kept(size)
    yield from rows.time_to_target(size)
    yield rows.best_in_three_minutes(size)


def line(cells: tuple[str, ...]) -> str:
    """Set cells under each other."""
    widths = (46, 30, 30, 44, 14)
    return " ".join(f"{cell:<{w}}" for cell, w in zip(cells, widths, strict=True))


def keep(result: dict, path: Path) -> None:
    """Write the result, whole or not at all."""
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    write_whole(path, text.encode())


def main(words: list[str] | None = None) -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--smoke",
        action="store_true",
        help="run every row on a few images; its numbers mean nothing and are not kept",
    )
    smoke = parser.parse_args(words).smoke
    result = {
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "parts": parts_of_an_epoch(*([256, 1] if smoke else [])),
        "decoding_share": decoding_share(256) if smoke else decoding_share(),
        "growth": cost_of_growth(1, small=True) if smoke else cost_of_growth(),
        "rows": [],
    }
    for part in result["parts"]:
        print(f"{part['part']:<46} {part['seconds']:.3f} s  {part['share']:5.0%}")
    share = result["decoding_share"]
    print(f"the starting notebook spends {share:.0%} of an epoch on its batches\n")
    print(line(HEADINGS), flush=True)
    for row in table(rows.SMOKE if smoke else rows.FULL):
        verdict = "" if smoke else ("  met" if row.met else "  not met")
        cells = (row.what, row.notebook, row.plain, row.ours, row.goal)
        print(line(cells) + verdict, flush=True)
        result["rows"].append(asdict(row))
    if not smoke:  # only now: half a table must not take the place of a whole one
        keep(result, RESULTS)


if __name__ == "__main__":
    main()
