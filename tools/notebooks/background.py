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
from hashlib import sha256
from pathlib import Path, PurePosixPath

from tools.notebooks.cache import write_atomically
from tools.notebooks.errors import NotebookError
from tools.notebooks.fingerprint import code_key, package_digests
from tools.notebooks.pages import (
    Page,
    broken_source,
    failure_notice,
    finished_page,
    page_with_notice,
    running_notice,
)
from tools.notebooks.pipeline import Project, cached, executed
from tools.notebooks.source import read

WAITING = "waiting for its turn"

_worker: subprocess.Popen | None = None


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
    attempted = set()
    while stale := _stale(project, notebooks):
        name = stale[0]
        version = _version(project, name)
        if (name, version) in attempted:
            break  # it changes what it depends on: it would run for ever
        attempted.add((name, version))
        state = _state_file(project, name)

        def report(cell: int, cells: int, state=state, version=version) -> None:
            text = f"running: cell {cell} of {cells}"
            _write_state(state, stage="running", text=text, version=version)

        try:
            executed(project, project.docs / name, report)
            state.unlink(missing_ok=True)
        except NotebookError as error:
            print(error, file=sys.stderr)
            _write_state(state, stage="failed", text=str(error), version=version)
        signal_file(project).write_text(f"{name}\n", encoding="utf-8")


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


def link_progress(project: Project, notebooks: list[str], site: Path) -> None:
    """Put each notebook's state file beside its page, for the page to fetch."""
    for name in notebooks:
        target = site / PurePosixPath(name).with_suffix("") / "progress.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        # Without links (Windows) the page shows no cell numbers, and still reloads.
        with contextlib.suppress(OSError):
            target.symlink_to(_state_file(project, name))


def stop() -> None:
    """End the worker; what it has finished is kept."""
    global _worker
    if _worker is not None:
        _worker.terminate()
        _worker.communicate()
        _worker = None


def _page(project: Project, name: str, repository: str | None) -> Page:
    path = project.docs / name
    try:
        notebook = read(path)
        result = cached(project, notebook)
        if result is not None:
            return finished_page(result, path, repository)
    except (NotebookError, ValueError) as error:
        return page_with_notice(
            broken_source(str(error)), path, failure_notice(str(error))
        )
    error = _failure(project, name)
    notice = (
        failure_notice(error) if error else running_notice("progress.json", WAITING)
    )
    return page_with_notice(notebook, path, notice)


def _stale(project: Project, notebooks: list[str]) -> list[str]:
    """Return the notebooks that have no result and have not failed as they are."""
    stale = []
    for name in notebooks:
        with contextlib.suppress(NotebookError, ValueError, FileNotFoundError):
            is_done = cached(project, read(project.docs / name)) is not None
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
    is_failed = state.get("stage") == "failed"
    if is_failed and state["version"] == _version(project, name):
        return state["text"]
    return None


def _version(project: Project, name: str) -> str:
    """Return a digest of a notebook's code and of all modules it might use."""
    with contextlib.suppress(NotebookError, ValueError, FileNotFoundError):
        parts = [code_key(read(project.docs / name)), package_digests(project.root)]
        return sha256(json.dumps(parts).encode()).hexdigest()
    return ""


def _state_file(project: Project, name: str) -> Path:
    return project.store / "state" / f"{name.replace('/', '.')}.json"


def _write_state(file: Path, **state: str) -> None:
    write_atomically(file, json.dumps(state).encode())


def _read_state(file: Path) -> dict[str, str]:
    with contextlib.suppress(FileNotFoundError, ValueError):
        return json.loads(file.read_text(encoding="utf-8"))
    return {}
