"""A small project with the real runner, built and served as an author does."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from mkdocs.utils.yaml import yaml_load

ROOT = Path(__file__).resolve().parents[2]
FRONT_MATTER = "# ---\n# title: {name}\n# description: About {name}\n{more}# ---\n\n"
# Each run of a notebook leaves its name in a file outside of the project.
NOTE = """import os
with open(os.environ["RUNS"], "a") as runs:
    runs.write("{name}\\n")
"""
FILES = {
    "docs/index.md": "# Home\n\n[a](a.py) and [b](b.py)\n",
    "dae_tutorial/__init__.py": "",
    "dae_tutorial/used.py": (
        '"""A module."""\n\nfrom dae_tutorial.below import ONE\n\n\n'
        'def two():\n    """Return two."""\n    return ONE + 1\n'
    ),
    "dae_tutorial/below.py": "ONE = 1\n",
    "dae_tutorial/unused.py": "THREE = 3\n",
    "dae_tutorial/figures.py": 'COLOUR = "black"\n',
    "dae_tutorial/numbers.csv": "1,2\n",
    "dae_tutorial/other.csv": "3\n",
    "data/set.txt": "the data set\n",
    "library/some_library.py": "",
    "library/some_library-1.0.dist-info/METADATA": (
        "Metadata-Version: 2.1\nName: some-library\nVersion: 1.0\n"
    ),
    "library/some_library-1.0.dist-info/top_level.txt": "some_library\n",
    "library/some_library-1.0.dist-info/RECORD": "some_library.py,,\n",
}
A = """# %% [markdown]
# # The first notebook
#
# Prose with signs: 1 < 2 & "a" -> 'b'.

# %%
from pathlib import Path

import dae_tutorial
import some_library
from dae_tutorial.used import two

numbers = Path(dae_tutorial.__file__).with_name("numbers.csv").read_text()
print(two(), numbers.strip(), "<b> & 'c' -> \\"d\\"")

# %% tags=["hide-code"]
secret = "hidden"
print("shown")

# %% tags=["solution"]
answer = 42

# %% tags=["check"]
assert two() == 2
"""
B = """# %% [markdown]
# # The second notebook
#
# {{ code of dae_tutorial.used.two }}

# %% alt="A line [from] \\"one\\" to two"
import matplotlib.pyplot as plt

from dae_tutorial.figures import COLOUR

figure, axes = plt.subplots(figsize=(3, 2))
axes.plot([1, 2], color=COLOUR)
plt.close(figure)
figure

# %%
class Table:
    def _repr_html_(self):
        return "<table><tr><td>1 &lt; 2</td></tr></table>"


Table()
"""


@dataclass(frozen=True)
class Project:
    """A folder with a small site in it."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        changes = {
            "RUNS": str(self.root.parent / "runs"),
            "PYTHONPATH": str(self.root / "library"),
            "NO_MKDOCS_2_WARNING": "1",
            "OMP_NUM_THREADS": "1",
        }
        return os.environ | changes

    def runs(self) -> list[str]:
        """Return which notebooks have run since the last call."""
        file = self.root.parent / "runs"
        names = file.read_text().split() if file.is_file() else []
        file.unlink(missing_ok=True)
        return sorted(names)

    def start(self, *command: str, **options) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def build(self) -> subprocess.CompletedProcess:
        """Build the site; what is said is in `stdout`."""
        return self._done("mkdocs", "build")

    def run_notebooks(self, *pages: str) -> subprocess.CompletedProcess:
        """Run what is stale, without a site."""
        return self._done("tools.notebooks.run", *pages)

    def status(self) -> str:
        return self.run_notebooks("--status").stdout

    def _done(self, *command: str) -> subprocess.CompletedProcess:
        process = self.start(*command)
        output, _ = process.communicate(timeout=300)
        return subprocess.CompletedProcess(command, process.returncode, output)

    def page(self, name: str) -> str:
        return (self.root / "site" / name / "index.html").read_text("utf-8")

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text("utf-8")
        assert old in text, (file, old)
        path.write_text(text.replace(old, new), "utf-8")


def configuration() -> str:
    """Return what of the site's own configuration has to do with notebooks."""
    ours = yaml_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    renderer = next(p for p in ours["plugins"] if "mkdocs-jupyter" in p)
    skipped = ("abbr", "pymdownx.snippets")  # they need more files
    extensions = [e for e in ours["markdown_extensions"] if not _is_any(e, skipped)]
    small = {
        "site_name": "Small",
        "strict": True,
        "theme": "mkdocs",
        "hooks": ours["hooks"][:1],
        "watch": ours["watch"],
        "plugins": [renderer],
        "markdown_extensions": extensions,
    }
    return yaml.safe_dump(small)


def _is_any(extension: str | dict, names: tuple[str, ...]) -> bool:
    return any(extension == name or name in extension for name in names)


@contextmanager
def served(project: Project) -> Iterator[str]:
    """Serve a project; the value is the address of its server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    server = project.start("mkdocs", "serve", "--dev-addr", address)
    try:
        yield f"http://{address}/"
    finally:
        server.terminate()
        server.communicate()


def wait_for(address: str, text: str, seconds: float = 60) -> str:
    """Wait until a page says something, and return the page."""
    page, end = "", time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address) as answer:
                page = answer.read().decode()
        except OSError:
            page = "no answer"
        if text in page:
            return page
        time.sleep(0.1)
    pytest.fail(f"after {seconds} s {address} does not say {text!r}: {page[-3000:]}")
