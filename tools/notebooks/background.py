"""Run stale notebooks beside the development server, one after another.

A worker process does the running. It tells its progress, and its failures, in one
small state file a notebook, and touches the signal file, which the server watches,
whenever a page has something new to show.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path, PurePosixPath

from tools.notebooks import cache
from tools.notebooks.cache import write_atomically
from tools.notebooks.convert import TEMPLATE
from tools.notebooks.errors import NotebookError
from tools.notebooks.fingerprint import (
    code_key,
    data_digests,
    file_digest,
    package_digests,
)
from tools.notebooks.pages import (
    Page,
    broken_source,
    failure_notice,
    finished_page,
    page_with_notice,
    running_notice,
)
from tools.notebooks.pipeline import Project, executed, found_run, with_outputs
from tools.notebooks.source import read

WAITING = "waiting for its turn"
MOST_ATTEMPTS = 5  # of one notebook, while its code stays the same

_worker: subprocess.Popen | None = None


@dataclass(frozen=True)
class _Finished:
    """A page, and what it was made from."""

    source: list[str]
    dependencies: dict[str, str]
    page: Page


_finished: dict[str, _Finished] = {}


def pages(
    project: Project, notebooks: list[str], repository: str | None
) -> dict[str, Page]:
    """Return every notebook's page as it is now, and run the stale ones."""
    result = {name: _page(project, name, repository) for name in notebooks}
    if stale := _stale(project, notebooks):
        _start(project, notebooks, stale)
    return result


def work(project: Project, notebooks: list[str]) -> None:
    """Run stale notebooks until none is left."""
    attempts = Counter()
    while stale := _stale(project, notebooks):
        name = stale[0]
        version = _version(project, name)
        attempts[name, version] += 1
        if attempts[name, version] > MOST_ATTEMPTS:  # else it would run for ever
            text = (
                f"It ran {MOST_ATTEMPTS} times, and what it depends on changed each "
                "time. Edit its code, or restart the server, to run it again."
            )
            _write_failure(project, name, text, version, _data_version(project))
        else:
            _run(project, name, version)
        _announce(project, name)


def _run(project: Project, name: str, version: str) -> None:
    state, data = _state_file(project, name), _data_version(project)

    def report(cell: int, cells: int) -> None:
        text = f"running: cell {cell} of {cells}"
        _write_state(state, stage="running", text=text, version=version)

    try:
        executed(project, project.docs / name, report)
        state.unlink(missing_ok=True)
    except NotebookError as error:
        print(error, file=sys.stderr)
        _write_failure(project, name, str(error), version, data)


def live_as_a_worker() -> None:
    """Give way to the server, and end when it ends, however that comes about."""
    if hasattr(os, "nice"):
        os.nice(10)

    def end_with_server() -> None:
        sys.stdin.read()  # returns when the server's end of the pipe is closed
        os._exit(1)

    threading.Thread(target=end_with_server, daemon=True).start()


def signal_file(project: Project) -> Path:
    """Return the file that changes when a notebook has ended."""
    file = project.store / "ended"
    if not file.exists():
        write_atomically(file, b"")
    return file


def _announce(project: Project, name: str) -> None:
    """Let the server, which watches the signal file, build the pages again."""
    signal_file(project).write_text(f"{name}\n", encoding="utf-8")


def forget_failures(project: Project) -> None:
    """Let notebooks that failed run again: a new server starts with hope."""
    for file in (project.store / "state").glob("*.json"):
        if _read_state(file).get("stage") == "failed":
            file.unlink(missing_ok=True)


def link_progress(project: Project, notebooks: list[str], site: Path) -> None:
    """Put each notebook's state file beside its page, for the page to fetch."""
    for name in notebooks:
        page = PurePosixPath(name).with_suffix("")
        folder = page.parent if page.name == "index" else page
        target = site / folder / "progress.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        # Without links (Windows) the page shows no cell numbers, and still reloads.
        with contextlib.suppress(OSError):
            target.symlink_to(_state_file(project, name))


def stop() -> None:
    """End the worker; what it has finished is kept."""
    global _worker
    worker, _worker = _worker, None
    if worker is not None:
        worker.terminate()
        worker.communicate()


def _page(project: Project, name: str, repository: str | None) -> Page:
    path, notebook = project.docs / name, None
    if (known := _known(project, name)) is not None:
        return known.page
    try:
        notebook = read(path)
        found = found_run(project, notebook)
        if found is not None:
            header, outputs = found
            page = finished_page(with_outputs(notebook, outputs), path, repository)
            _finished[name] = _Finished(_source(path), header.dependencies, page)
            return page
    except (NotebookError, ValueError) as error:
        # With the text of the page, if that can be read: others link to its headings.
        source = notebook or broken_source(str(error))
        return page_with_notice(source, path, failure_notice(str(error)))
    error = _failure(project, name)
    notice = (
        failure_notice(error) if error else running_notice("progress.json", WAITING)
    )
    return page_with_notice(notebook, path, notice)


def _known(project: Project, name: str) -> _Finished | None:
    """Return a page of an earlier build, if all that it was made from is the same."""
    known = _finished.get(name)
    if known is None or known.source != _source(project.docs / name):
        return None
    return known if project.is_current(known.dependencies) else None


def _source(path: Path) -> list[str]:
    return [file_digest(path), file_digest(TEMPLATE)]


def _stale(project: Project, notebooks: list[str]) -> list[str]:
    """Return the notebooks that have no result and have not failed as they are."""
    stale = []
    for name in notebooks:
        with contextlib.suppress(NotebookError, ValueError, FileNotFoundError):
            is_done = _known(project, name) or cache.find(
                project.store, _code_key(project.docs / name), project.is_current
            )
            if not is_done and not _failure(project, name):
                stale.append(name)
    return stale


def _start(project: Project, notebooks: list[str], stale: list[str]) -> None:
    """Start a worker, unless one is at work on what the files say now."""
    global _worker
    if _worker is not None and _worker.poll() is None:
        if not _is_outdated(project, notebooks):
            return
        stop()
    for name in stale:
        state = _state_file(project, name)
        _write_state(state, stage="waiting", text=WAITING, version="")
    command = [sys.executable, "-m", "tools.notebooks", "work", *notebooks]
    root = str(Path(__file__).parents[2])
    # Compiled modules would lie in the watched folders, and cause builds.
    own = {"PYTHONPATH": root, "PYTHONPYCACHEPREFIX": str(project.store / "pycache")}
    _worker = subprocess.Popen(
        command, cwd=project.root, env=os.environ | own, stdin=subprocess.PIPE
    )
    threading.Thread(
        target=_attend, args=(project, notebooks, _worker), daemon=True
    ).start()


def _attend(project: Project, notebooks: list[str], worker: subprocess.Popen) -> None:
    """Wait for a worker's end, and see to what it has left undone.

    A file may have been edited after the worker's last look, and before its end: then
    the server thought that it would be run.
    """
    status = worker.wait()
    if _worker is not worker:  # ended by `stop`
        return
    if status != 0:
        _blame(project, notebooks, status)
    if status != 0 or _stale(project, notebooks):
        _announce(project, "worker")


def _blame(project: Project, notebooks: list[str], status: int) -> None:
    """Record as failed what a worker was running, or was to run, when it broke down.

    Left as they are, those pages would promise for ever that they are running.
    """
    text = f"The process that runs notebooks broke down (exit status {status})."
    states = {name: _read_state(_state_file(project, name)) for name in notebooks}
    stages = {name: state.get("stage") for name, state in states.items()}
    running = [name for name in notebooks if stages[name] == "running"]
    waiting = [name for name in notebooks if stages[name] == "waiting"]
    for name in running or waiting:  # the others get a new worker
        version = states[name]["version"] or _version(project, name)
        _write_failure(project, name, text, version, _data_version(project))


def _is_outdated(project: Project, notebooks: list[str]) -> bool:
    """Return whether the running notebook, or the package, has been edited since."""
    states = {name: _read_state(_state_file(project, name)) for name in notebooks}
    return any(
        state.get("stage") == "running" and state["version"] != _version(project, name)
        for name, state in states.items()
    )


def _failure(project: Project, name: str) -> str | None:
    """Return the error of a notebook that failed exactly as it is now."""
    state = _read_state(_state_file(project, name))
    if state.get("stage") != "failed":
        return None
    now = _version(project, name) + _data_version(project)
    return state["text"] if state["version"] == now else None


def _version(project: Project, name: str) -> str:
    """Return a digest of a notebook's code and of all modules it might use."""
    with contextlib.suppress(NotebookError, ValueError, FileNotFoundError):
        parts = [_code_key(project.docs / name), package_digests(project.root)]
        return sha256(json.dumps(parts).encode()).hexdigest()
    return ""


def _data_version(project: Project) -> str:
    """Return a digest of the files that a failed notebook may have stumbled over."""
    return sha256(json.dumps(data_digests(project.root)).encode()).hexdigest()


def _code_key(path: Path) -> str:
    stat = path.stat()
    return _code_key_of(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=256)
def _code_key_of(path: Path, _size: int, _mtime_ns: int) -> str:
    return code_key(read(path))


def _state_file(project: Project, name: str) -> Path:
    return project.store / "state" / f"{name.replace('/', '.')}.json"


def _write_state(file: Path, **state: str) -> None:
    write_atomically(file, json.dumps(state).encode())


def _write_failure(
    project: Project, name: str, text: str, version: str, data: str
) -> None:
    """Record the error of a notebook with the code and the data that it met."""
    file = _state_file(project, name)
    _write_state(file, stage="failed", text=text, version=version + data)


def _read_state(file: Path) -> dict[str, str]:
    with contextlib.suppress(FileNotFoundError, ValueError):
        return json.loads(file.read_text(encoding="utf-8"))
    return {}
