"""Each module of the package is a file that can be copied whole."""

import json
import subprocess
import sys
from pathlib import Path

import dae_tutorial

PACKAGE = Path(dae_tutorial.__file__).parent
MODULES = [
    path for path in sorted(PACKAGE.rglob("*.py")) if not path.name.startswith("__")
]


def test_core_is_seen_at_a_glance():
    core = {path.stem for path in MODULES if path.parent == PACKAGE}
    assert core == {"evaluate", "figures", "loaders", "model", "noise", "train"}


# Imports each copy from a folder of its own, beside a package named `dae_tutorial` that
# has no contents and hides the installed one. In one process: importing PyTorch takes
# seconds.
IMPORT_EACH = """
import importlib, json, pathlib, sys

errors = {}
for folder in sorted(pathlib.Path().iterdir()):
    sys.path.insert(0, str(folder.resolve()))
    try:
        importlib.import_module(folder.name)
    except Exception as error:
        errors[folder.name] = repr(error)
    sys.path.pop(0)
    for name in (folder.name, "dae_tutorial"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
print(json.dumps(errors))
"""


def errors_of_copies(sources: dict[str, str], folder: Path) -> dict[str, str]:
    """Return module → error, of those that cannot be imported on their own."""
    for name, source in sources.items():
        (folder / name).mkdir()
        (folder / name / f"{name}.py").write_text(source, encoding="utf-8")
        (folder / name / "dae_tutorial.py").write_text("")
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH], cwd=folder, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_each_can_be_imported_from_an_empty_folder(tmp_path):
    sources = {path.stem: path.read_text(encoding="utf-8") for path in MODULES}
    assert len(sources) == len(MODULES) > 30
    needy = {"needy": "from dae_tutorial.noise import no_noise"}
    assert errors_of_copies(sources | needy, tmp_path).keys() == needy.keys()
