"""Each module of the package is a file that can be copied whole."""

import subprocess
import sys
from pathlib import Path

import pytest

import dae_tutorial

PACKAGE = Path(dae_tutorial.__file__).parent
MODULES = [
    path for path in sorted(PACKAGE.rglob("*.py")) if not path.name.startswith("__")
]


def test_core_is_seen_at_a_glance():
    core = {path.stem for path in MODULES if path.parent == PACKAGE}
    assert core == {"evaluate", "figures", "loaders", "model", "noise", "train"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_import_from_an_empty_folder(module, tmp_path):
    (tmp_path / module.name).write_bytes(module.read_bytes())
    # A package of that name without contents hides the installed one.
    (tmp_path / "dae_tutorial.py").write_text("")
    script = tmp_path / "check.py"
    script.write_text(f"import {module.stem}\n")
    result = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
