"""From a script to its executed notebook: out of the cache, or by running it."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode, from_dict
from tqdm import tqdm

from tools.notebooks import cache
from tools.notebooks.cache import Header
from tools.notebooks.errors import NotebookError
from tools.notebooks.execute import execute
from tools.notebooks.fingerprint import (
    ALWAYS,
    changed,
    changed_since,
    code_key,
    digest,
    listing_digests,
    package_digests,
)
from tools.notebooks.source import code_cells, read

MOST_RUNS = 3  # of one notebook, when files change while it runs


@dataclass(frozen=True)
class Project:
    """Where things lie: the project's root folder, its pages and its cache."""

    root: Path

    @property
    def docs(self) -> Path:
        """Return the folder of the pages."""
        return self.root / "docs"

    @property
    def store(self) -> Path:
        """Return the folder of executed notebooks."""
        return self.root / ".cache" / "notebooks"

    @property
    def trainings(self) -> Path:
        """Return the folder of what notebooks have trained."""
        return self.root / ".cache" / "trained"

    def name(self, path: Path) -> str:
        """Return a notebook's name for readers: its path below the root."""
        return path.relative_to(self.root).as_posix()

    def is_current(self, dependencies: dict[str, str]) -> bool:
        """Return whether every recorded dependency is what it was."""
        return not changed(dependencies, self.root)


def cached(project: Project, notebook: NotebookNode) -> NotebookNode | None:
    """Return `notebook` with the outputs of its cached run, or None."""
    found = found_run(project, notebook)
    return None if found is None else with_outputs(notebook, found[1])


def found_run(project: Project, notebook: NotebookNode) -> tuple[Header, list] | None:
    """Return what is known of the cached run, and the outputs of each code cell."""
    return cache.find(project.store, code_key(notebook), project.is_current)


def executed(
    project: Project, path: Path, progress: Callable[[int, int], None] | None = None
) -> NotebookNode:
    """Return the executed notebook of the script at `path`, running it if stale.

    Raises:
        NotebookError: If the notebook fails; nothing is stored then.
    """
    notebook = read(path)
    result = cached(project, notebook)
    if result is not None:
        return result
    with cache.lock(project.store, code_key(notebook)):
        # Another build may have finished it while this one waited for the lock.
        result = cached(project, notebook)
        return result or _run_and_store(project, path, notebook, progress)


def with_outputs(notebook: NotebookNode, outputs: list) -> NotebookNode:
    """Put the outputs of a run beside the present source of the same code."""
    cells = code_cells(notebook)
    for count, (cell, cell_outputs) in enumerate(
        zip(cells, outputs, strict=True), start=1
    ):
        cell.outputs = [from_dict(output) for output in cell_outputs]
        cell.execution_count = count
    return notebook


def _run_and_store(project, path, notebook, progress) -> NotebookNode:
    for _ in range(MOST_RUNS):
        dependencies, seconds, edited = _run(project, path, notebook, progress)
        # A file edited during the run may have been read before or after the edit:
        # nobody can tell, so the run does not count.
        if not edited:
            break
    else:
        name, changed_ones = project.name(path), ", ".join(edited)
        message = f"{name} ran {MOST_RUNS} times, and this changed meanwhile:"
        raise NotebookError(f"{message} {changed_ones}")
    cache.store(
        project.store,
        notebook=project.name(path),
        code_key=code_key(notebook),
        dependencies=dependencies,
        seconds=seconds,
        outputs=[cell.outputs for cell in code_cells(notebook)],
    )
    cache.evict(project.store)
    return notebook


def _run(project, path, notebook, progress) -> tuple[dict[str, str], float, list[str]]:
    """Run once; return what it used, the seconds, and what changed meanwhile."""
    before = package_digests(project.root) | listing_digests(project.root)
    began, started = time.time(), time.monotonic()
    with _ProgressBar(path, notebook) as bar:
        used = execute(notebook, path, project.root, progress=bar.then(progress))
        bar.update(bar.total - bar.n)
    seconds = time.monotonic() - started
    current = {name: digest(name, project.root) for name in (*used, *ALWAYS)}
    edited = [name for name, now in current.items() if before.get(name, now) != now]
    return current, seconds, edited + changed_since(began, current, project.root)


class _ProgressBar(tqdm):
    """`types-of-noise.py: cell 3 of 12` on the standard error stream."""

    def __init__(self, path: Path, notebook: NotebookNode):
        super().__init__(
            total=len(code_cells(notebook)),
            bar_format="{desc} |{bar:20}| {elapsed}",
            file=sys.stderr,
        )
        self.name = path.name

    def then(self, progress: Callable[[int, int], None] | None) -> Callable:
        """Return a callback that moves this bar, then calls `progress`."""

        def report(cell: int, cells: int) -> None:
            self.set_description_str(
                f"{self.name}: cell {cell} of {cells}", refresh=False
            )
            self.update(cell - 1 - self.n)
            if progress is not None:
                progress(cell, cells)

        return report
