"""Small tables: written as CSV, and compared with the same table made again."""

import csv
import io
import math
from collections.abc import Sequence

import numpy as np

from dae_tutorial.evidence.tables import Row


def written(rows: Sequence[Row]) -> str:
    r"""Return rows as CSV text, floats with six significant digits.

    Examples:
        >>> written([{"seed": 0, "mse": 1 / 3}])
        'seed,mse\n0,0.333333\n'
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                name: f"{value:.6g}" if isinstance(value, float) else value
                for name, value in row.items()
            }
        )
    return text.getvalue()


def differences(
    stored: Sequence[Row], again: Sequence[Row], not_compared: Sequence[str] = ()
) -> list[str]:
    """Say where a table made again lies outside the spread of the stored one.

    Both hold the same rows for each seed, in the same order, so that the rows of one
    place can be averaged over the seeds. Texts and integers must be equal. Averages
    of floats may differ by four standard errors of such a difference; since three
    seeds can agree by chance, the deviation is at least the column's typical one.

    Args:
        stored: the checked-in rows.
        again: the rows of the second run.
        not_compared: columns to leave out, such as times.

    Returns:
        One line for each difference; none if the second run confirms the first.

    Examples:
        >>> rows = [{"seed": s, "mse": mse} for s, mse in enumerate([1.0, 1.1, 1.2])]
        >>> other = [{"seed": s, "mse": mse} for s, mse in enumerate([2.0, 2.1, 2.2])]
        >>> differences(rows, rows), differences(rows, other)
        ([], ['row 1, mse: 1.1 stored, 2.1 again, tolerance 0.327'])
    """
    if len(stored) != len(again) or list(stored[0]) != list(again[0]):
        return ["the tables differ in their rows or columns"]
    found = []
    for name in stored[0]:
        if name == "seed" or name in not_compared:
            continue
        first, second = (_by_place(rows, name) for rows in (stored, again))
        found += _column_differences(name, first, second)
    return found


def _column_differences(name: str, first: np.ndarray, second: np.ndarray) -> list[str]:
    """Compare two columns of shape (places, seeds)."""
    if "f" not in (first.dtype.kind, second.dtype.kind):
        unequal = (first != second).any(axis=1).nonzero()[0]
        return [f"row {place + 1}, {name}: not equal" for place in unequal]
    mean, mean_again = first.mean(axis=1), second.mean(axis=1)
    deviation = np.maximum(first.std(axis=1, ddof=1), second.std(axis=1, ddof=1))
    size = np.abs(mean) + 1e-12
    typical = np.sqrt(np.mean((deviation / size) ** 2)) * size
    standard_error = np.maximum(deviation, typical) * math.sqrt(2 / first.shape[1])
    tolerance = 4 * standard_error + 1e-5 * size  # tables keep six digits
    outside = (np.abs(mean - mean_again) > tolerance).nonzero()[0]
    return [
        f"row {place + 1}, {name}: {mean[place]:.6g} stored, "
        f"{mean_again[place]:.6g} again, tolerance {tolerance[place]:.3g}"
        for place in outside
    ]


def _by_place(rows: Sequence[Row], name: str) -> np.ndarray:
    """Return a column as (places, seeds); the rows of a seed stand together."""
    seeds = len({row["seed"] for row in rows})
    return np.array([row[name] for row in rows]).reshape(seeds, -1).T
