"""Run notebooks when they must be, and keep what they showed.

The outputs of a run lie in a file whose name is the run's key: a digest of all that
they depend on. A notebook is fresh when that file is there. So an edit that is undone,
or a change of branch, finds its outputs again.

    python -m tools.notebooks.run [PAGE …]     run what is stale, or these pages of it
    python -m tools.notebooks.run --status     show what is fresh, and why the rest not
"""

import argparse
import contextlib
import gzip
import json
import os
import platform
import re
import shutil
import signal
import sys
import tempfile
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from filelock import FileLock
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm
from traitlets import Enum
from traitlets.config import Config

from tools import provenance
from tools.notebooks import notebook as source
from tools.notebooks.notebook import Notebook, NotebookError

KERNEL = Path(__file__).with_name("kernel.py")
STORE = Path(".cache") / "notebooks"  # below the project's root

MOST_BYTES = 500_000_000
MOST_OF_ONE_NOTEBOOK = 8
MOST_RUNS = 3  # of one notebook, when files change while it runs
SECONDS_A_CELL = 600

WARNING = re.compile(r"^.*\b\w*Warning: .*$", re.MULTILINE)


# ---- What the outputs depend on ----


def ingredients(notebook: Notebook, root: Path) -> dict[str, str]:
    """Return a digest of each thing that the notebook's outputs depend on.

    Raises:
        NotebookError: If a pattern in the front matter's `data` names no file.
    """
    cells = [provenance.behaviour(c.source, is_cell=True) for c in notebook.code_cells]
    ours, others = provenance.used_modules(notebook.path, root)
    found = {
        "the code cells": provenance.text_digest(*cells),
        "the kernel": provenance.code_digest(KERNEL),
        "Python": platform.python_version(),
    }
    found |= {f"module {n}": provenance.code_digest(file) for n, file in ours.items()}
    found |= {f"{n}'s version": v for n, v in provenance.versions(others).items()}
    folders = {file.parent for file in ours.values() if file.name == "__init__.py"}
    files = {file for folder in folders for file in folder.glob("*.safetensors")}
    data = (root / "data").rglob("[!.]*")
    files |= {file for file in data if file.is_file()}
    for pattern in notebook.data:
        named = {file for file in root.glob(pattern) if file.is_file()}
        if not named:
            raise NotebookError(
                f"docs/{notebook.name}: there is no file {pattern}, which the front "
                "matter names as data"
            )
        files |= named
    names = {file.relative_to(root).as_posix(): file for file in files}
    return found | {n: provenance.file_digest(names[n]) for n in sorted(names)}


def key_of(found: dict[str, str]) -> str:
    """Return the name under which a run with these ingredients is kept."""
    return provenance.text_digest(json.dumps(found, sort_keys=True))[:32]


# ---- What is kept ----


def _file(root: Path, name: str, key: str) -> Path:
    return root / STORE / f"{name.replace('/', '.')}.{key}.json.gz"


def restore(notebook: Notebook, key: str, root: Path) -> bool:
    """Give a notebook the outputs kept under this key; say if there are any."""
    record = _record(_file(root, notebook.name, key))
    if record is None:
        return False
    cells = zip(notebook.code_cells, record["outputs"], strict=True)
    for count, (cell, outputs) in enumerate(cells, start=1):
        cell.outputs = [nbformat.from_dict(output) for output in outputs]
        cell.execution_count = count
    return True


def _record(file: Path) -> dict | None:
    """Read one file of the store; a damaged one is deleted, and counts as not there."""
    try:
        return json.loads(gzip.decompress(file.read_bytes()))  # its CRC is checked
    except FileNotFoundError:
        return None
    except (OSError, EOFError, zlib.error, ValueError):
        print(f"{file} is damaged: its notebook runs again", file=sys.stderr)
        file.unlink(missing_ok=True)
        return None


def _keep(root: Path, notebook: Notebook, found: dict, seconds: float) -> None:
    outputs = [cell.outputs for cell in notebook.code_cells]
    record = {"ingredients": found, "seconds": seconds, "outputs": outputs}
    file = _file(root, notebook.name, key_of(found))
    provenance.write_whole(file, gzip.compress(json.dumps(record).encode(), 1, mtime=0))
    mine = _newest_first(file.parent, f"{notebook.name.replace('/', '.')}.*.json.gz")
    for old in mine[MOST_OF_ONE_NOTEBOOK:]:
        old.unlink(missing_ok=True)
    total = 0
    for other in _newest_first(file.parent, "*"):
        with contextlib.suppress(FileNotFoundError):
            total += other.stat().st_size
            if total > MOST_BYTES:
                other.unlink()


def _newest_first(folder: Path, pattern: str) -> list[Path]:
    times = {}
    for file in folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError):
            times[file] = file.stat().st_mtime_ns
    return sorted(times, key=times.__getitem__, reverse=True)


# ---- Running ----


def executed(path: Path, root: Path, *, failures: Path | None = None) -> Notebook:
    """Return a notebook with its outputs, running it if it is stale.

    Two processes that want the same run it once: one waits for the other.

    Args:
        path: the script.
        root: the project's folder.
        failures: a folder for the error of a run that fails, if somebody waits for it.

    Raises:
        NotebookError: If it fails; nothing is kept then.
    """
    for _ in range(MOST_RUNS):
        notebook = source.read(path, root / "docs")
        found = ingredients(notebook, root)
        key = key_of(found)
        lock = root / ".cache" / "locks" / f"{key}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):  # the system frees it when its holder dies
            if restore(notebook, key, root):
                os.utime(_file(root, notebook.name, key))  # what is used stays longest
                return notebook
            started = time.perf_counter()
            try:
                _execute(notebook, root)
            except Exception as error:
                if failures is not None:
                    provenance.write_whole(failures / key, str(error).encode())
                raise
            seconds = round(time.perf_counter() - started, 1)
            # A file edited meanwhile was read before or after the edit, nobody knows.
            if ingredients(source.read(path, root / "docs"), root) == found:
                _keep(root, notebook, found, seconds)
                return notebook
    raise NotebookError(f"docs/{notebook.name}: its files changed at each of its runs")


def all_executed(paths: list[Path], root: Path) -> list[Notebook]:
    """Return notebooks with their outputs, running what is stale: one on each core.

    Raises:
        NotebookError: If one fails. What runs beside it ends, and is kept; no other
            begins.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            return list(pool.map(lambda path: executed(path, root), paths))
        finally:
            pool.shutdown(cancel_futures=True)


def _execute(notebook: Notebook, root: Path) -> None:
    """Run the notebook's cells in a fresh kernel, in a folder of its own."""
    cells = notebook.code_cells
    began = []
    with (
        tempfile.TemporaryDirectory() as scratch,
        tqdm(total=len(cells), desc=notebook.name, unit="cell") as progress,
    ):

        def on_executed(cell, cell_index, execute_reply) -> None:
            progress.update()
            _refuse_warnings(cell)

        folder = Path(scratch) / "reader"  # has the package and the data, as readers do
        start = Path(scratch) / "start"
        folder.mkdir()
        start.mkdir()
        for name in ("dae_tutorial", "data"):
            if (root / name).is_dir():
                (folder / name).symlink_to(root / name)
        shutil.copyfile(KERNEL, start / "notebook_kernel.py")
        client = NotebookClient(
            notebook.node,
            kernel_manager_class=ThisInterpreter,
            # A short path: the system bounds the length of a socket's name.
            config=Config(ThisInterpreter={"connection_file": f"{scratch}/k.json"}),
            timeout=SECONDS_A_CELL,
            iopub_timeout=60,  # else outputs that come late are missing, and are kept
            raise_on_iopub_timeout=True,
            shutdown_kernel="immediate",
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(folder)}},
            on_cell_execute=lambda cell, cell_index: began.append(cell),
            on_cell_executed=on_executed,
        )
        may_read = json.dumps([str(root), notebook.data])
        paths = [str(folder), str(start), os.environ.get("PYTHONPATH", "")]
        try:
            client.execute(
                env=os.environ
                | {
                    "NOTEBOOK_MAY_READ": may_read,
                    "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                    "PYTHONHASHSEED": "0",
                    "IPYTHONDIR": scratch,  # the user's own start-up files stay out
                    "MPLBACKEND": "agg",
                    "TQDM_DISABLE": "1",
                    # Our networks are small: beside a second kernel, one thread
                    # is faster than two. And numbers depend on how many there are.
                    "OMP_NUM_THREADS": "1",
                }
            )
        except (CellExecutionError, CellTimeoutError, RuntimeError, UserWarning) as e:
            number = next((n for n, c in enumerate(cells, 1) if began[-1:] == [c]), 1)
            raise NotebookError(f"{notebook.place(number)}\n{_message(e)}") from e


class ThisInterpreter(AsyncKernelManager):
    """Start the kernel with the Python that runs the build, whatever is installed.

    It talks through files, not ports: two builds at once cannot take each other's.
    """

    transport = Enum(["tcp", "ipc"], "tcp" if os.name == "nt" else "ipc")

    @property
    def kernel_spec(self) -> KernelSpec:
        """Return the command of a kernel that loads our start-up file."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f"]
        start_up = "--IPKernelApp.extra_extensions=notebook_kernel"
        return KernelSpec(
            argv=[*command, "{connection_file}", start_up],
            language="python",
            display_name="Python 3",
        )


def _refuse_warnings(cell: NotebookNode) -> None:
    """Treat a Python warning as a failure: readers should never meet one."""
    for output in cell.outputs:
        if output.get("name") == "stderr" and (found := WARNING.search(output.text)):
            raise UserWarning(found.group())


def _message(error: Exception) -> str:
    if isinstance(error, CellExecutionError):
        return f"{error.ename}: {error.evalue}"
    if isinstance(error, DeadKernelError):
        return "the kernel died (out of memory, or killed)"
    if isinstance(error, CellTimeoutError):
        return f"the cell, or its output, was not there after {SECONDS_A_CELL} seconds"
    return str(error)


# ---- The command line ----


def state_of(path: Path, root: Path) -> str:
    """Return "fresh", with how long the run took, or why the notebook is stale."""
    notebook = source.read(path, root / "docs")
    found = ingredients(notebook, root)
    fresh = _record(_file(root, notebook.name, key_of(found)))
    if fresh is not None:
        return f"fresh, ran {fresh['seconds']} s"
    pattern = f"{notebook.name.replace('/', '.')}.*.json.gz"
    last = next(iter(_newest_first(root / STORE, pattern)), None)
    record = None if last is None else _record(last)
    if record is None:
        return "stale: has not run"
    then = record["ingredients"]
    names = sorted(then.keys() | found.keys())
    changed = [name for name in names if then.get(name) != found.get(name)]
    return f"stale: changed {', '.join(changed)}"


def main(arguments: list[str] | None = None, root: Path | None = None) -> int:
    """Run stale notebooks or say which they are; return the exit status."""
    parser = argparse.ArgumentParser(description="Run the notebooks that are stale.")
    parser.add_argument("pages", nargs="*", type=Path, help="docs/….py; default: all")
    parser.add_argument("--status", action="store_true", help="run nothing, say why")
    parser.add_argument("--failures", type=Path, help="also write errors here, by key")
    options = parser.parse_args(arguments)
    # The server ends a run so: let the kernel and its folder go with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    root = (root or Path.cwd()).resolve()
    chosen = [root / page for page in options.pages]
    status = 0
    for path in chosen or sorted((root / "docs").rglob("*.py")):
        try:
            if options.status:
                print(f"{path.relative_to(root).as_posix():44} {state_of(path, root)}")
            else:
                executed(path, root, failures=options.failures)
        except (NotebookError, FileNotFoundError) as error:
            print(error, file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
