"""The text that the copy buttons of a page give runs, from the first to the last."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.built_site import ROOT, built_site

pytestmark = pytest.mark.slow

DOCS = ROOT / "docs"
# Building the site has trained these models; `tests/test_notebook_trainings.py` shows
# that looking them up changes nothing but the time.
RUN = f"""
import runpy, sys
from pathlib import Path
from dae_tutorial import train
sys.path.append({str(ROOT)!r})
from tools.notebooks.trained import remembered
train.fit = remembered(train.fit, Path({str(ROOT / ".cache" / "trained")!r}))
# Those who paste have the package, and nothing else of this repository.
sys.path.remove({str(ROOT)!r})
for name in [name for name in sys.modules if name.split(".")[0] == "tools"]:
    del sys.modules[name]
runpy.run_path("pasted.py", run_name="__main__")
"""
SECONDS = 1200  # for all blocks of a page
# The source of a function in the reference is there to be read: it is not a program.
COPYABLE = (
    "article .language-python.highlight:not(.no-copy):not(.mkdocstrings-source *)"
)


def is_page_with_python(source: Path) -> bool:
    if source.is_relative_to(DOCS / "how-to"):
        return False  # Sybil runs its fences, one after the other, and may compile
    return source.suffix == ".py" or "```python" in source.read_text(encoding="utf-8")


SOURCES = sorted(
    source.relative_to(DOCS).as_posix()
    for source in [*DOCS.rglob("*.py"), *DOCS.rglob("*.md")]
    if is_page_with_python(source)
)


def copied_blocks(source: str) -> list[str]:
    folder = source.rsplit(".", 1)[0].removesuffix("index")
    html = (built_site() / folder / "index.html").read_text(encoding="utf-8")
    blocks = BeautifulSoup(html, "html.parser").select(COPYABLE)
    return [block.code.get_text() for block in blocks]


def pasted(code: str, folder: Path) -> subprocess.CompletedProcess:
    """Run code in a folder that holds nothing else but the data."""
    (folder / "data").symlink_to(ROOT / "data")  # MNIST, else it is downloaded
    (folder / "pasted.py").write_text(code, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN],
        cwd=folder,
        env=os.environ | {"MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


@pytest.mark.parametrize("source", SOURCES)
def test_copied_blocks_run_in_order(source: str, tmp_path: Path):
    run = pasted("\n".join(copied_blocks(source)), tmp_path)
    assert run.returncode == 0, run.stderr[-2000:]


def test_pasted_code_finds_nothing_but_the_package(tmp_path: Path):
    """Else the test above would not notice a block that needs the repository."""
    code = """
import importlib.util, dae_tutorial
for name in ("studies", "tools", "tests", "benchmarks"):
    print(name, importlib.util.find_spec(name))
"""
    found = pasted(code, tmp_path).stdout.split("\n")
    assert found[:4] == [
        f"{name} None" for name in ("studies", "tools", "tests", "benchmarks")
    ]


def test_notebooks_have_blocks_to_copy():
    """The test above would pass with none, if the theme's markup changed."""
    assert len(copied_blocks("learn/types-of-noise.py")) >= 5
