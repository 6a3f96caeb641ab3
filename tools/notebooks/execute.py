"""Run a notebook's cells in a fresh kernel, and say exactly what went wrong."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import (
    CellExecutionError,
    CellTimeoutError,
    DeadKernelError,
)
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from traitlets import Enum
from traitlets.config import Config

from tools.notebooks.errors import NotebookError
from tools.notebooks.fingerprint import VERSIONED
from tools.notebooks.source import code_cells, line_of_cell

SECONDS_A_CELL = 600
SECONDS_FOR_OUTPUT = 60  # from a cell's end until the last of what it shows is here

LINES_SHOWN = 5

# What a kernel raises that does not start or dies, and one whose last word is lost.
BROKEN = (RuntimeError, json.JSONDecodeError)

WARNING = re.compile(r"^.*\b\w*Warning: .*$", re.MULTILINE)

TOOLS_PARENT = Path(__file__).parents[2]


class ThisInterpreter(AsyncKernelManager):
    """Start the kernel with the Python that runs the build, whatever is installed.

    It talks through files, not ports: two builds at once cannot take each other's.
    """

    transport = Enum(["tcp", "ipc"], "tcp" if os.name == "nt" else "ipc")

    @property
    def kernel_spec(self) -> KernelSpec:
        """Return the command of a kernel that loads our start-up extension."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f"]
        extension = "--IPKernelApp.extra_extensions=tools.notebooks.kernel_start"
        return KernelSpec(
            argv=[*command, "{connection_file}", extension],
            language="python",
            display_name="Python 3",
        )


def execute(
    notebook: NotebookNode,
    path: Path,
    root: Path,
    *,
    progress: Callable[[int, int], None] = lambda cell, cells: None,
    seconds_a_cell: int = SECONDS_A_CELL,
) -> list[str]:
    """Run `notebook` in place, with `root` as working directory.

    `path` is the script that the notebook was read from, for messages; `progress`
    hears of each cell that starts.

    Returns:
        The names of the dependencies that the run turned out to have.

    Raises:
        NotebookError: If a cell raises, warns, outruns its time or ends its kernel,
            or the kernel does not start.
    """
    cells = code_cells(notebook)
    probe = new_code_cell(
        "import tools.notebooks.kernel_start as _start\n"
        f"print(_start.dependencies({str(root)!r}, {list(VERSIONED)!r}))"
    )
    notebook.cells.append(probe)
    watch = _Watch(cells, path, root, progress)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            client = _client(notebook, root, scratch, watch, seconds_a_cell)
            client.execute(env=kernel_environment(root, scratch))
        return json.loads(_printed(probe))
    except (CellExecutionError, CellTimeoutError, *BROKEN) as error:
        raise watch.failure(_message(error, seconds_a_cell)) from error
    finally:
        notebook.cells.remove(probe)


def _printed(cell: NotebookNode) -> str:
    shown = (one for one in cell.outputs if one.get("name") == "stdout")
    return "".join(one.text for one in shown)


def _message(error: Exception, seconds_a_cell: int) -> str:
    if isinstance(error, CellExecutionError):
        return f"{error.ename}: {error.evalue}"
    if isinstance(error, CellTimeoutError):
        if "IOPub" in str(error):  # the channel of outputs
            return (
                f"{SECONDS_FOR_OUTPUT} seconds after the cell its output is not there"
            )
        return f"the cell ran longer than {seconds_a_cell} seconds"
    if isinstance(error, DeadKernelError):
        return "the kernel died (out of memory, or killed)"
    if isinstance(error, json.JSONDecodeError):
        return "the kernel did not say what the notebook depends on"
    return f"the kernel did not start: {error}"


def _client(
    notebook: NotebookNode, root: Path, scratch: str, watch: "_Watch", seconds: int
) -> NotebookClient:
    return NotebookClient(
        notebook,
        kernel_manager_class=ThisInterpreter,
        # A short path: the system bounds the length of a socket's name.
        config=Config(ThisInterpreter={"connection_file": f"{scratch}/kernel.json"}),
        timeout=seconds,
        # Else outputs that come late are missing, and are kept so.
        iopub_timeout=SECONDS_FOR_OUTPUT,
        raise_on_iopub_timeout=True,
        shutdown_kernel="immediate",  # all that the kernel leaves is on disk already
        record_timing=False,
        coalesce_streams=True,  # else two prints are two blocks, if time lies between
        resources={"metadata": {"path": str(root)}},
        on_cell_execute=watch.started,
        on_cell_executed=watch.finished,
    )


def kernel_environment(root: Path, scratch: str) -> dict[str, str]:
    """Return an environment in which equal notebooks give equal outputs."""
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([str(root), str(TOOLS_PARENT)]),
        "PYTHONHASHSEED": "0",
        "IPYTHONDIR": scratch,  # the user's own start-up files stay out
        "MPLBACKEND": "agg",
        "TQDM_DISABLE": "1",
    }


class _Watch:
    """Follow a run cell by cell, to report progress and to place an error."""

    def __init__(
        self, cells: list[NotebookNode], path: Path, root: Path, progress: Callable
    ):
        self.cells, self.path, self.root, self.progress = cells, path, root, progress
        self.number = 0

    def started(self, cell: NotebookNode, cell_index: int) -> None:
        for number, candidate in enumerate(self.cells, start=1):
            if candidate is cell:
                self.number = number
                self.progress(number, len(self.cells))

    def finished(self, cell: NotebookNode, cell_index: int, execute_reply) -> None:
        """Treat a Python warning as a failure: readers should never meet one."""
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                warning = WARNING.search(output.text)
                if warning:
                    raise self.failure(warning.group())

    def failure(self, message: str) -> NotebookError:
        if not self.number:  # no cell has begun
            return NotebookError(f"{self.path.relative_to(self.root)}: {message}")
        cell = self.cells[self.number - 1]
        lines = cell.source.splitlines()
        shown = lines[:LINES_SHOWN] + ["…"] * (len(lines) > LINES_SHOWN)
        line = line_of_cell(self.path, self.number)
        code = "\n".join(f"    {line}" for line in shown)
        return NotebookError(
            f"{self.path.relative_to(self.root)}, line {line}: "
            f"code cell {self.number} of {len(self.cells)} failed:\n{code}\n{message}"
        )
