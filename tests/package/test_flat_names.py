"""Every function and class of the package is found in `dae_tutorial` itself."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import dae_tutorial

STUB = Path(dae_tutorial.__file__).with_suffix(".pyi")
# `fit` asks this of a checkpoint; the class that does it has the flat name.
ELSEWHERE = {("dae_tutorial.train", "Checkpoint")}
ALIASES = {
    ("dae_tutorial.train", "Corruption"),
    ("dae_tutorial.evidence.tables", "Row"),
}


def defined():
    """Return (module, name) of all that the package defines for others to use."""
    found = set(ALIASES)
    for module in pkgutil.walk_packages(dae_tutorial.__path__, "dae_tutorial."):
        if module.name.endswith(("__main__", "command_line")):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            is_kind = inspect.isfunction(value) or inspect.isclass(value)
            if is_kind and value.__module__ == module.name and name[0] != "_":
                found.add((module.name, name))
    return found - ELSEWHERE


def in_stub():
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    return {
        (statement.module, alias.name)
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
        if alias.asname == alias.name  # else type checkers do not hand it on
    }


def run(code, *options):
    command = [sys.executable, "-W", "error", *options, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_public_name_has_a_flat_one():
    names = [name for _, name in defined()]
    assert len(names) == len(set(names)), "one name cannot stand for two things"
    assert sorted(names) == dae_tutorial.__all__
    for module, name in defined():
        assert getattr(dae_tutorial, name) is getattr(sys.modules[module], name)


def test_editors_know_the_same_names():
    assert in_stub() == defined()
    assert set(dae_tutorial.__all__) <= set(dir(dae_tutorial))


@pytest.mark.parametrize("first", ["", "from dae_tutorial.evaluate import psnr; "])
def test_a_function_with_the_name_of_its_module(first):
    code = (
        f"{first}from dae_tutorial import evaluate; assert evaluate.__name__;"
        "import dae_tutorial; assert dae_tutorial.evaluate is evaluate;"
        "from dae_tutorial.evaluate import mean_squared_error, evaluate as again;"
        "assert again is evaluate; from dae_tutorial import train; train.fit"
    )
    assert run(code).returncode == 0, run(code).stderr


def test_importing_the_package_costs_nothing():
    loads = "import dae_tutorial, sys; dir(dae_tutorial); print(*sys.modules)"
    loaded = run(loads).stdout.split()
    assert "dae_tutorial" in loaded
    assert not {"torch", "numpy", "matplotlib", "dae_tutorial.train"} & set(loaded)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="'dae_tutorial' has no attribute 'fitt'"):
        dae_tutorial.fitt  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'fitt'"):
        from dae_tutorial import fitt  # noqa: F401
    assert "fit" in run("import dae_tutorial; dae_tutorial.fitt").stderr.split("'")


def test_type_information_is_shipped():
    assert STUB.exists()
    assert STUB.with_name("py.typed").exists()
    pyproject = Path("pyproject.toml").read_text(encoding="utf-8")
    assert 'dae_tutorial = ["__init__.pyi", "py.typed"]' in pyproject
