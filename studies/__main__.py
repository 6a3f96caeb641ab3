"""The studies' command line: `python -m studies --help`."""

import argparse
import logging
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from dae_tutorial.evidence import tables
from studies.runner import ROOT, Study, load, names, run, state
from studies.tables import differences

SCRATCH = ROOT / ".cache" / "studies-again"


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(levelname)s: %(message)s")
    known = names()
    wanted = [name for name in options.names if name != "status"]
    if unknown := sorted(set(wanted) - set(known)):
        parser.error(f"no study {', '.join(unknown)}; there are {', '.join(known)}")
    studies = [load(name) for name in wanted or known]
    if "status" in options.names:
        return status(studies)
    if options.again:
        return run_again(studies, workers=os.cpu_count())
    run(studies, seeds=options.seeds, workers=os.cpu_count())
    return 0


def status(studies: Sequence[Study]) -> int:
    """Print whether each study's table belongs to today's code."""
    for study in studies:
        print(f"{study.name:<24} {state(study)}")
    return 0


def run_again(
    studies: Sequence[Study],
    *,
    workers: int = 1,
    results: Path = tables.FOLDER,
    scratch: Path = SCRATCH,
) -> int:
    """Run studies in a scratch folder, and compare with the checked-in tables."""
    places = {"store": scratch / "units", "results": scratch / "results"}
    run(studies, workers=workers, **places)
    found = 0
    for study in studies:
        stored = tables.read(study.name, results)
        again = tables.read(study.name, scratch / "results")
        lines = differences(stored, again, study.not_compared)
        print(f"{study.name}: {len(lines) or 'no'} differences beyond the spread")
        print("".join(f"  {line}\n" for line in lines), end="")
        found += len(lines)
    shutil.rmtree(scratch)  # only now: a run that was killed resumes
    return 1 if found else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studies",
        description="Run the studies that are missing or stale.",
    )
    parser.add_argument("names", nargs="*", help="studies, all by default; or status")
    parser.add_argument("--seeds", nargs="+", type=int, help="only these seeds")
    parser.add_argument(
        "--again", action="store_true", help="run anew and compare with the tables"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
