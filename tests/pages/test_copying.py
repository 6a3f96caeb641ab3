"""What readers take along runs with the installed package alone.

The build runs every notebook whole, in a folder that holds only the package and the
data. Here the downloaded files are tried, but without what takes minutes.
"""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.pages.built_site import ROOT, built_site
from tools.notebooks.notebook import read

pytestmark = pytest.mark.slow

REPOSITORY = ("benchmarks", "studies", "tests", "tools")
READER = (
    "read|load|open|names|get_mnist"  # how the name of a function that reads begins
)
# Imports what a notebook imports, and makes each call that reads something and needs
# nothing but imports: `tables.read("ladder")`, but not `read(name)` within a loop.
TRY = f"""
import ast, builtins, json, re, sys
from IPython.core.inputtransformer2 import TransformerManager

def names(node):
    return {{one.id for one in ast.walk(node) if isinstance(one, ast.Name)}}

def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if re.match({READER!r}, name):
                yield node

def tried(cells):
    code = "\\n".join(TransformerManager().transform_cell(cell) for cell in cells)
    tree, known, read = ast.parse(code), {{}}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            exec(ast.unparse(node), known)
    for call in calls(tree):
        if names(call) <= known.keys() | vars(builtins).keys():
            read.append(ast.unparse(call))
            same = read[-1], *(id(known.get(name)) for name in sorted(names(call)))
            if same not in done:  # several begin with `load_mnist(train=True)`
                eval(read[-1], known)
            done.add(same)
    return read

found, done = {{}}, set()
for name, cells in json.load(sys.stdin).items():
    try:
        found[name] = {{"read": tried(cells)}}
    except Exception as error:
        found[name] = {{"error": repr(error)}}
print(json.dumps(found))
"""
# Pages that promise a program to take along, not only measurements to look at.
WHOLE = [
    "learn/train-your-first-dae",
    "learn/from-scratch",
    "learn/types-of-noise",
    "evidence/stable-features",
    "theory/from-denoiser-to-generator",
    "beyond/learning-without-clean-images",
    "how-to/your-own-data",
    "further/noise-levels",
    "further/pretrained",
]
# The source of a function in the reference is there to be read: it is not a program.
COPYABLE = (
    "article .language-python.highlight:not(.no-copy):not(.mkdocstrings-source *)"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that holds nothing but the data, which else is downloaded."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    return tmp_path


def python(folder: Path, *arguments: str, given: str = "") -> str:
    """Run Python in a folder, as somebody who has only installed the package."""
    environment = os.environ | {"MPLBACKEND": "agg", "TQDM_DISABLE": "1"}
    environment.pop("PYTHONPATH", None)
    run = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


def tried(notebooks: dict[str, list[str]], folder: Path) -> dict[str, dict]:
    """Return what each notebook, given as its cells, has read, or the error it met."""
    said = python(folder, "-c", TRY, given=json.dumps(notebooks))
    return json.loads(said.splitlines()[-1])


def code_cells(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_downloaded_notebooks_need_the_package_alone(folder: Path):
    files = list(built_site().rglob("*.ipynb"))
    assert len(files) == len(list((ROOT / "docs").rglob("*.py")))
    found = tried({file.name: code_cells(file) for file in files}, folder)
    errors = {name: result for name, result in found.items() if "error" in result}
    assert not errors
    assert "tables.read('ladder')" in found["how-good.ipynb"]["read"]


@pytest.mark.parametrize(
    "code",
    [
        "from studies import ladder",
        "def later():\n    import tools.weight",
        "from dae_tutorial.evidence import tables\ntables.read('a table that is gone')",
        "rows = open('dae_tutorial/evidence/tables/ladder.csv').readlines()",
        "from pathlib import Path\nprint(Path('README.md').read_text())",
    ],
)
def test_a_notebook_that_needs_more_is_found(folder: Path, code: str):
    assert "error" in tried({"bad": ["x = 1", code]}, folder)["bad"]


def pasted(page: str) -> str:
    """Return all blocks of code of a built page, one below the other."""
    html = (built_site() / page / "index.html").read_text(encoding="utf-8")
    blocks = BeautifulSoup(html, "html.parser").select(COPYABLE)
    return "\n".join(block.code.get_text() for block in blocks)


@pytest.mark.parametrize(
    "page",
    [
        "learn/types-of-noise",
        "theory/from-denoiser-to-generator",
    ],
)
def test_copied_blocks_run_in_order(page: str, folder: Path):
    (folder / "pasted.py").write_text(pasted(page), encoding="utf-8")
    python(folder, "pasted.py")


def undefined_names(folder: Path) -> list[str]:
    """Return where a program in a folder uses what it defines nowhere, or is none."""
    options = "--isolated --quiet --no-cache --select F821 --output-format concise"
    ruff = [sys.executable, "-m", "ruff", "check", *options.split(), folder]
    run = subprocess.run(ruff, capture_output=True, text=True)
    assert run.returncode in (0, 1), run.stderr
    return run.stdout.splitlines()


def test_copied_blocks_need_no_block_that_is_hidden(tmp_path: Path):
    """Few pages are run so, for it takes long. More are looked at."""
    for page in WHOLE:
        code = pasted(page)
        assert "import " in code
        (tmp_path / f"{page.replace('/', '-')}.py").write_text(code, encoding="utf-8")
    assert not undefined_names(tmp_path)
    (tmp_path / "bad.py").write_text("print(hidden)")
    (tmp_path / "worse.py").write_text("print(")
    found = undefined_names(tmp_path)
    assert any("bad.py" in line for line in found)
    assert any("worse.py" in line for line in found)


def test_who_pastes_has_nothing_but_the_package(folder: Path):
    """Else the tests above would not notice code that needs the repository."""
    code = f"""
import importlib.util, dae_tutorial
assert not [name for name in {REPOSITORY} if importlib.util.find_spec(name)]
"""
    python(folder, "-c", code)


def test_code_that_a_page_shows_can_be_read_by_python():
    """A docstring that is the whole body would leave an empty function."""
    docs = ROOT / "docs"
    cells = [
        cell for path in docs.rglob("*.py") for cell in read(path, docs).node.cells
    ]
    folded = re.compile(r"<details class.*?```python\n(.*?)\n```", re.DOTALL)
    shown = [code for cell in cells for code in folded.findall(cell.source)]
    assert shown
    for code in shown:
        ast.parse(code)
