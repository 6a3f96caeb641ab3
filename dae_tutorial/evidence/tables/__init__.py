"""The measured tables behind the evidence: read them, select rows, average over seeds.

Each study has two files here: its table, `which_noise.csv`, with one row a measurement
and the seed among the columns, and the record of what made it, `which_noise.json`.
`benchmark.json` is the record of the benchmark, which has no table.
"""

import base64
import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent

Row = dict[str, str | int | float]


def names(folder: Path = FOLDER) -> list[str]:
    """Return the names of the studies that have a table, in alphabetical order.

    Args:
        folder: where the tables lie.

    Examples:
        >>> "which_noise" in names()
        True
    """
    return _stems(folder, "csv")


def read(name: str, folder: Path = FOLDER) -> list[Row]:
    """Read the stored table of a study.

    Args:
        name: one of `names()`, such as "which_noise".
        folder: where the tables lie.

    Returns:
        Its rows; a column holds integers, floats or texts, whichever all its values
        can be read as.

    Raises:
        ValueError: if there is no table of that name.

    Examples:
        >>> read("which_noise")[0]["test_noise"]
        'clean'
    """
    heads, *lines = csv.reader(_text(name, "csv", folder).splitlines())
    columns = [_converted(column) for column in zip(*lines, strict=True)]
    return [dict(zip(heads, row, strict=True)) for row in zip(*columns, strict=True)]


def read_record(name: str, folder: Path = FOLDER) -> dict:
    """Read what made a table.

    Args:
        name: one of `names()`, or "benchmark" for what the benchmark measured.
        folder: where the records lie.

    Returns:
        The record of a study: its name, `study`; the `arguments` of its full size,
        `parts` (lists of further arguments) and `seeds`; `seconds`, the time of each
        part with each seed; `versions` of the libraries; `code`, a digest of each
        module that it used; and `table`, the SHA-256 digest of its file.

    Raises:
        ValueError: if there is no record of that name.

    Examples:
        >>> read_record("which_noise")["seeds"]
        [0, 1, 2]
    """
    return json.loads(_text(name, "json", folder))


def select(rows: Sequence[Row], **wanted: str | int | float) -> list[Row]:
    """Return the rows that have all the wanted values.

    Args:
        rows: rows of one table.
        wanted: column → value.

    Returns:
        Those rows, in their order.

    Raises:
        KeyError: if a row lacks a wanted column.

    Examples:
        >>> rows = [{"noise": "masking", "mse": 0.1}, {"noise": "blocks", "mse": 0.2}]
        >>> select(rows, noise="blocks")
        [{'noise': 'blocks', 'mse': 0.2}]
    """
    return [
        row for row in rows if all(row[name] == value for name, value in wanted.items())
    ]


def spread(rows: Sequence[Row], value: str, *by: str) -> dict:
    """Average a column over the seeds.

    Args:
        rows: rows of one table.
        value: the column to average.
        by: the columns that tell the groups apart.

    Returns:
        group → (mean, sample standard deviation), in the order of the rows. A group
        is the value of the column in `by`, or a tuple if there are several.

    Raises:
        KeyError: if a row lacks one of the columns.

    Examples:
        >>> rows = [
        ...     {"seed": 0, "noise": "masking", "mse": 1.0},
        ...     {"seed": 1, "noise": "masking", "mse": 3.0},
        ... ]
        >>> spread(rows, "mse", "noise")
        {'masking': (2.0, 1.4142135623730951)}
    """
    groups = defaultdict(list)
    for row in rows:
        key = tuple(row[name] for name in by)
        groups[key[0] if len(by) == 1 else key].append(row[value])
    return {
        key: (float(np.mean(values)), float(np.std(values, ddof=1)))
        for key, values in groups.items()
    }


def from_text(text: str) -> np.ndarray:
    """Decode the pictures of filters, which the table "filters" keeps as text.

    Args:
        text: bytes in base64, one a pixel, from -127 to 127.

    Returns:
        (count, 28, 28), float64 between -1 and 1.

    Raises:
        ValueError: if the text does not hold whole pictures.

    Examples:
        >>> from_text(read("filters")[0]["pictures"]).shape
        (4, 28, 28)
    """
    levels = np.frombuffer(base64.b64decode(text), dtype=np.int8)
    return levels.reshape(-1, 28, 28) / 127


def _text(name: str, kind: str, folder: Path) -> str:
    try:
        return (folder / f"{name}.{kind}").read_text(encoding="utf-8")
    except FileNotFoundError:
        known = ", ".join(_stems(folder, kind)) or "nothing yet"
        raise ValueError(f"name must be one of {known}, got {name!r}") from None


def _stems(folder: Path, kind: str) -> list[str]:
    return sorted(file.stem for file in folder.glob(f"*.{kind}"))


def _converted(column: Sequence[str]) -> list:
    for kind in (int, float):
        try:
            return [kind(value) for value in column]
        except ValueError:
            continue
    return list(column)
