"""Change the package one thing at a time, and show each change that no test notices.

`mutmut` makes the changes and runs the fast tests of the changed module; pyproject.toml
says which: `python tests/mutants.py noise train`, or all without a name. What survives
wants a test, or a place in the list of those explained, as it is printed, below a
reason. `mutmut` leaves decorated functions as they are, and so properties.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path


def blocks(text: str) -> set[str]:
    """Split a list of survivors at empty lines, and leave its comments out."""
    lines = [line.rstrip() for line in text.splitlines() if line[:1] != "#"]
    pieces = (piece.strip() for piece in "\n".join(lines).split("\n\n"))
    return set(filter(None, pieces))


def changed(name: str, shown: str) -> str:
    """Tell the function and its changed lines, without a number that edits may move."""
    signs = [line for line in shown.splitlines() if line[:1] in ("-", "+")]
    lines = [f"{line[0]} {line[1:].strip()}" for line in signs[2:]]  # after the files
    return "\n".join([name.rpartition("__mutmut_")[0], *lines])


def mutmut(*arguments: str, **options) -> str:
    """Run a command of mutmut, and return what it prints."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, check=True, text=True, **options).stdout


def try_out(module: str) -> set[str]:
    """Run the mutants of a module on its own tests, and return who survived."""
    shutil.rmtree("mutants", ignore_errors=True)  # or results of older tests would stay
    Path("mutants").mkdir()
    Path("mutants/data").symlink_to("../data")  # there the tests look for MNIST
    of_module = {"PYTEST_ADDOPTS": f"-k test_{module.rpartition('.')[2]}.py"}
    mutmut("run", "--max-children", "2", f"{module}.*", env=os.environ | of_module)
    results = mutmut("results", "--all", "1", stdout=subprocess.PIPE).split("\n")
    found = dict(line.split(": ") for line in results if f" {module}." in line)
    names = [name.strip() for name in found if found[name] != "killed"]
    print(f"{module}: {len(found)} mutants, {len(names)} survived")
    return {changed(it, mutmut("show", it, stdout=subprocess.PIPE)) for it in names}


def main() -> int:
    """Return 0 if the list explains who survived in the modules asked for, else 1."""
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    paths = map(Path, settings["tool"]["mutmut"]["only_mutate"])
    known = {path.stem: ".".join(path.with_suffix("").parts) for path in paths}
    names = sys.argv[1:] or [*known]
    if not known.keys() >= set(names):
        sys.exit(f"modules must be among {', '.join(known)}, got {', '.join(names)}")
    modules = [known[name] for name in names]
    survivors = set().union(*map(try_out, modules))
    explained = blocks(Path("tests/package/explained_mutants.txt").read_text("utf-8"))
    gone = {it for it in explained - survivors if it.startswith(tuple(modules))}
    print("", "Unexplained:", *sorted(survivors - explained), sep="\n\n")
    print("", "Explained, but noticed or gone:", *sorted(gone), sep="\n\n")
    return int(bool(survivors - explained or gone))


if __name__ == "__main__":
    sys.exit(main())
