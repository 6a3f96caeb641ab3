"""The small project that the tests of the runner edit, build and serve."""

import shutil
from pathlib import Path

import pytest

from tests.machinery.project import (
    FILES,
    FRONT_MATTER,
    NOTE,
    ROOT,
    A,
    B,
    Project,
    configuration,
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a small project of two notebooks."""
    project = Project(tmp_path_factory.mktemp("author") / "project")
    shutil.copytree(ROOT / "tools", project.root / "tools")
    named = '# data: ["dae_tutorial/numbers.*"]\n'
    notebooks = {
        "docs/a.py": FRONT_MATTER.format(name="a", more=named) + A,
        "docs/b.py": FRONT_MATTER.format(name="b", more="") + B,
    }
    for name, cells in notebooks.items():
        note = NOTE.format(name=Path(name).stem)
        notebooks[name] = f'{cells}\n# %% tags=["hide-code"]\n{note}'
    for name, text in (FILES | notebooks | {"mkdocs.yml": configuration()}).items():
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).write_text(text, "utf-8")
    return project
