"""What a script uses is found, wherever its names come from."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.provenance import used_modules

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "package/__init__.py": "def __getattr__(name): ...\n",
    "package/__init__.pyi": (
        "from package.noise import add as add, mask as mask\n"
        "from package.inner.deep import dig as dig\n"
        "from package.score import score as score\n"
    ),
    "package/noise.py": "import package.seed\n",
    "package/seed.py": "import numpy\n",
    "package/score.py": "",
    "package/other.py": "",
    "package/inner/__init__.py": "",
    "package/inner/deep.py": "",
}
NOISE = {"package.noise", "package.seed"}
DEEP = {"package.inner", "package.inner.deep"}
EVERY = {*NOISE, *DEEP, "package.score"}


@pytest.fixture
def used(tmp_path):
    """Return a function from a script to the project's modules that it uses."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def modules_of(script: str) -> set[str]:
        (tmp_path / "script.py").write_text(script)
        ours, _ = used_modules(tmp_path / "script.py", tmp_path)
        return set(ours) - {"package"}

    return modules_of


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("from package.noise import add", NOISE),
        ("from package import add", NOISE),
        ("from package import add as plus, dig", NOISE | DEEP),
        ("def later():\n    from package import mask", NOISE),
        ("from package import score", {"package.score"}),  # a module, and its name
        ("from package import other", {"package.other"}),
        ("from package import other, score", {"package.other", "package.score"}),
        ("import package", EVERY),
        ("import package as p\np.add()", EVERY),
        ("from package import *", EVERY),
        ("import package.other", {"package.other"}),
        ("from package import unknown", set()),
    ],
)
def test_a_flat_name_counts_as_the_module_that_defines_it(used, script, expected):
    assert used(script) == expected


def test_other_libraries_are_found_behind_a_flat_name(tmp_path, used):
    used("from package import add")
    _, others = used_modules(tmp_path / "script.py", tmp_path)
    assert "numpy" in others


def test_flat_names_of_the_package_are_found(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from dae_tutorial import fit, load_pretrained\n")
    ours, others = used_modules(script, ROOT)
    assert {"dae_tutorial.train", "dae_tutorial.model"} <= set(ours)
    assert "dae_tutorial.figures" not in ours
    assert {"torch", "tqdm"} <= {name.partition(".")[0] for name in others}


def test_nothing_is_imported_to_find_out(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from dae_tutorial import fit\n")
    code = (
        "import sys; from pathlib import Path; "
        "from tools.provenance import used_modules; "
        f"used_modules(Path({str(script)!r}), Path({str(ROOT)!r})); "
        "assert 'dae_tutorial' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
