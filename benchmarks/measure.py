"""Fair timing on a noisy machine: side by side, in turns, medians and ratios."""

import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tqdm import tqdm


def seconds_of(action: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def in_turns(
    contestants: dict[str, Callable[[], object]], rounds: int, what: str
) -> dict[str, list[float]]:
    """Time each contestant once a round, after one round that does not count.

    What slows the machine for a while so slows all of them.

    Returns:
        Seconds of each contestant, round by round.
    """
    seconds = {name: [] for name in contestants}
    for number in tqdm(range(rounds + 1), desc=what, unit="round", leave=False):
        for name, action in contestants.items():
            taken = seconds_of(action)
            if number > 0:
                seconds[name].append(taken)
    return seconds


def times_faster(slow: list[float], fast: list[float]) -> float:
    """Return the median, over rounds, of how many times faster the second is."""
    return median(a / b for a, b in zip(slow, fast, strict=True))


def peak_megabytes(module: str, *words: str) -> float:
    """Return what `python -m module words` needs at most beyond torch itself, in MB.

    The module is run in a process of its own, and prints that number last.
    """
    run = subprocess.run(
        [sys.executable, "-m", module, *words],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(run.stdout.split()[-1])


def resident_megabytes() -> float:
    """Return the most memory that this process has held so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where `getrusage` would tell of the parent, too
        peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        return int(peak[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
