"""Run studies unit by unit, keep what is finished, and know what is stale."""

import hashlib
import importlib
import inspect
import json
import logging
import math
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from joblib import Parallel, delayed, parallel_config
from tqdm import tqdm

from dae_tutorial.evidence.tables import FOLDER, Row
from studies.tables import written
from tools.provenance import code_digest, used_modules, versions, write_whole

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[1]
EXPERIMENTS = ROOT / "studies" / "experiments"
STORE = ROOT / ".cache" / "studies"


@dataclass(frozen=True)
class Study:
    """One study: its function, and all that its results depend on.

    Attributes:
        name: the module's name, and the stem of the table's file.
        function: called as `function(seed=seed, **part)`.
        seeds: the seeds of the full table.
        parts: the arguments of each part.
        toy: arguments for a run of two seconds.
        not_compared: columns that no two runs share.
        code: module → the first digits of its digest.
        versions: library → its version, and that of Python.
    """

    name: str
    function: Callable[..., list[Row]]
    seeds: Sequence[int]
    parts: Sequence[dict] = ({},)
    toy: dict = field(default_factory=dict)
    not_compared: Sequence[str] = ()
    code: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def units(self) -> Iterator[tuple[int, dict]]:
        """Yield each (seed, part), in the order of the table's rows."""
        for seed in self.seeds:
            for part in self.parts:
                yield seed, part

    def arguments(self) -> dict:
        """Return the function's default arguments: the full size."""
        parameters = inspect.signature(self.function).parameters
        return {
            name: parameter.default
            for name, parameter in parameters.items()
            if parameter.default is not parameter.empty
        }


def names() -> list[str]:
    """Return the names of all studies: the experiments that define `study`."""
    files = sorted(EXPERIMENTS.glob("*.py"))
    return [file.stem for file in files if "\ndef study(" in file.read_text("utf-8")]


def load(name: str) -> Study:
    """Import a study by the name of its module, and note what it is made from."""
    module = importlib.import_module(f"studies.experiments.{name}")
    ours, others = used_modules(EXPERIMENTS / f"{name}.py", ROOT)
    ours[module.__name__] = EXPERIMENTS / f"{name}.py"
    ours.pop("dae_tutorial", None)  # holds a version that says nothing of the code
    return Study(
        name=name,
        function=module.study,
        seeds=module.SEEDS,
        parts=getattr(module, "PARTS", [{}]),
        toy=module.TOY,
        not_compared=getattr(module, "NOT_COMPARED", ()),
        code={key: code_digest(file)[:16] for key, file in sorted(ours.items())},
        versions={"python": platform.python_version(), **versions(others)},
    )


def run(
    studies: Iterable[Study],
    *,
    seeds: Sequence[int] | None = None,
    workers: int = 1,
    store: Path = STORE,
    results: Path = FOLDER,
) -> None:
    """Run what is missing or stale, and write the table of each complete study.

    A unit is stored the moment it ends, so a kill loses no more than one of them.

    Args:
        studies: what to run.
        seeds: only these, if given.
        workers: how many processes run units side by side, each with one thread; with
            one, they run in this process.
        store: folder of finished units.
        results: folder of the tables.
    """
    todo = [study for study in studies if state(study, results) != "fresh"]
    units = {study.name: list(_chosen_units(study, seeds)) for study in todo}
    with (
        tqdm(total=sum(map(len, units.values())), unit="unit") as progress,
        parallel_config("loky", inner_max_num_threads=1),
        Parallel(workers, return_as="generator_unordered") as side_by_side,
    ):
        for study in todo:
            progress.set_description_str(study.name)
            missing = [
                delayed(_run_unit)(study, seed, part, store)
                for seed, part in units[study.name]
                if _finished(study, seed, part, store) is None
            ]
            progress.update(len(units[study.name]) - len(missing))
            for _ in side_by_side(missing):
                progress.update()
            _finish(study, store, results)


def state(study: Study, results: Path = FOLDER) -> str:
    """Return "fresh", or why a study's checked-in table is not."""
    try:
        record = json.loads((results / f"{study.name}.json").read_text("utf-8"))
        table = (results / f"{study.name}.csv").read_bytes()
    except FileNotFoundError:
        return "missing"
    if hashlib.sha256(table).hexdigest() != record["table"]:
        return "stale: its CSV file was edited by hand"
    modules = sorted(study.code.keys() | record["code"].keys())
    changed = [m for m in modules if study.code.get(m) != record["code"].get(m)]
    return f"stale: changed {', '.join(changed)}" if changed else "fresh"


def _chosen_units(
    study: Study, seeds: Sequence[int] | None
) -> Iterator[tuple[int, dict]]:
    for seed, part in study.units():
        if seeds is None or seed in seeds:
            yield seed, part


def _run_unit(study: Study, seed: int, part: dict, store: Path) -> None:
    started = time.process_time()  # what else the machine does counts little there
    rows = study.function(seed=seed, **part)
    _check_rows(study.name, rows)
    unit = {"seconds": round(time.process_time() - started, 1), "rows": rows}
    write_whole(_unit_file(study, seed, part, store), json.dumps(unit).encode())


def _finished(study: Study, seed: int, part: dict, store: Path) -> dict | None:
    """Return a stored unit; a damaged one is told, and counts as not there."""
    file = _unit_file(study, seed, part, store)
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        logger.warning("%s is damaged; its unit runs again", file)
        return None


def _finish(study: Study, store: Path, results: Path) -> None:
    """Write table and record, if every unit is there."""
    units = [
        (seed, _finished(study, seed, part, store)) for seed, part in study.units()
    ]
    if any(unit is None for _, unit in units):
        return
    rows = [{"seed": seed, **row} for seed, unit in units for row in unit["rows"]]
    table = written(rows).encode()
    record = {
        "study": study.name,
        "arguments": study.arguments(),
        "parts": list(study.parts),
        "seeds": list(study.seeds),
        "seconds": [unit["seconds"] for _, unit in units],
        "versions": study.versions,
        "code": study.code,
        "table": hashlib.sha256(table).hexdigest(),
    }
    write_whole(results / f"{study.name}.csv", table)
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    write_whole(results / f"{study.name}.json", text.encode())


def _unit_file(study: Study, seed: int, part: dict, store: Path) -> Path:
    inputs = json.dumps([study.code, part, seed], sort_keys=True).encode()
    return store / study.name / f"{hashlib.sha256(inputs).hexdigest()[:24]}.json"


def _check_rows(name: str, rows: list[Row]) -> None:
    columns = {tuple(row) for row in rows}
    if len(columns) != 1:
        raise ValueError(f"{name}: rows must share their columns, got {columns}")
    for row in rows:
        for column, value in row.items():
            if type(value) not in (str, int, float) or (
                isinstance(value, float) and not math.isfinite(value)
            ):
                raise ValueError(
                    f"{name}: {column} must hold texts, integers or finite floats, "
                    f"got {value!r}"
                )
