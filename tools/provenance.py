"""What a result was made from, as digests, and files that are written whole.

Notebooks, studies and benchmarks keep results that took minutes to make. A result is
stale when a digest of what made it has changed: code as Python sees it (comments,
docstrings and formatting do not count), files, and versions of libraries.
"""

import ast
import contextlib
import hashlib
import os
import sys
import uuid
from collections.abc import Iterator
from functools import lru_cache
from importlib import metadata
from modulefinder import ModuleFinder
from pathlib import Path
from types import CodeType

DOCUMENTED = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def used_modules(script: Path, root: Path) -> tuple[dict[str, Path], set[str]]:
    """Return what a script imports, directly or through modules of the project.

    Args:
        script: a Python file; it is not run.
        root: the project's folder, in which its packages lie.

    Returns:
        The project's modules by name, and the names of the other modules. A module
        that is not Python hides what it imports, so all that could be meant counts.
        So it does where a package is imported whole, if it has a stub that says in
        which modules its names are.
    """
    files = [script, *_python_files(root)]
    return _used_modules(script, root, tuple((file, _state(file)) for file in files))


@lru_cache(maxsize=64)
def _used_modules(
    script: Path, root: Path, _states: tuple
) -> tuple[dict[str, Path], set[str]]:
    finder = _Finder(path=[str(root)])
    try:
        finder.run_script(str(script))
    except SyntaxError:
        return {
            str(file.relative_to(root)): file for file in _python_files(root)
        }, set()
    ours = {
        name: Path(module.__file__)
        for name, module in finder.modules.items()
        if module.__file__ and name != "__main__"
    }
    packages = {name.partition(".")[0] for name in ours}  # a function is no module
    others = set(finder.badmodules)
    return ours, {name for name in others if name.partition(".")[0] not in packages}


def versions(modules: set[str]) -> dict[str, str]:
    """Return the version of each installed library that has one of these modules."""
    tops = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    return dict(filter(None, map(_name_and_version, sorted(tops))))


def code_digest(file: Path) -> str:
    """Return a digest of a Python file that changes only when its behaviour may."""
    return _code_digest(file, *_state(file))


def file_digest(file: Path) -> str:
    """Return a digest of a file's bytes."""
    return _file_digest(file, *_state(file))


def text_digest(*texts: str) -> str:
    """Return a digest of some texts in their order."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def behaviour(code: str, *, is_cell: bool = False) -> str:
    """Return Python code without comments, docstrings and formatting.

    Args:
        code: what a file or a notebook's cell holds.
        is_cell: whether a lone text is a result to show, and not a docstring; a
            semicolon at the end then hides the result, so it counts.

    Examples:
        >>> behaviour("x = 1  # one") == behaviour("x=1") != behaviour("x = 2")
        True
    """
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return code
    for node in ast.walk(tree):
        if is_cell and isinstance(node, ast.Module):
            continue
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    lines = [line.partition("#")[0].strip() for line in code.splitlines()]
    is_hidden = is_cell and "".join(lines).endswith(";")
    return ast.dump(tree) + ";" * is_hidden


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


class _Finder(ModuleFinder):
    """Finds, too, what a package imports only when one of its names is used.

    Such a package says in `__init__.pyi` from which module it takes each name.
    """

    def scan_opcodes(self, co: CodeType) -> Iterator[tuple[str, tuple]]:
        """Yield the imports of some code, each name from where it is defined."""
        for what, arguments in super().scan_opcodes(co):
            homes = self._homes(arguments[1]) if what == "absolute_import" else {}
            if not homes:
                yield what, arguments
                continue
            names, package = arguments
            whole = names is None or "*" in names  # any name may be used
            others = tuple(name for name in names or () if name not in homes)
            yield what, (others or None, package)
            for name in homes if whole else homes.keys() & set(names):
                yield what, (None, homes[name])

    def _homes(self, package: str) -> dict[str, str]:
        """Return name → module of what a package's stub imports."""
        stub = Path(self.path[0], *package.split("."), "__init__.pyi")
        if not stub.exists():
            return {}
        return {
            alias.name: statement.module
            for statement in ast.parse(stub.read_text(encoding="utf-8")).body
            if isinstance(statement, ast.ImportFrom)
            for alias in statement.names
        }


def _python_files(root: Path) -> list[Path]:
    packages = [file.parent for file in sorted(root.glob("*/__init__.py"))]
    files = [file for folder in packages for file in sorted(folder.rglob("*.py*"))]
    return [file for file in files if file.suffix in (".py", ".pyi")]


@lru_cache(maxsize=256)
def _name_and_version(module: str) -> tuple[str, str] | None:
    """Return which library a module belongs to, if any.

    The standard library's `packages_distributions` asks of each installed file whether
    it is there, which takes a second.
    """
    with contextlib.suppress(metadata.PackageNotFoundError):
        return module, metadata.version(module)
    for library in metadata.distributions():
        files = "\n" + (library.read_text("RECORD") or "")
        if f"\n{module}/__init__.py," in files or f"\n{module}.py," in files:
            return library.name, library.version
    return None


def _state(file: Path) -> tuple[int, int]:
    """Return a file's size and time of change: while both stay, so does its content."""
    state: os.stat_result = file.stat()
    return state.st_size, state.st_mtime_ns


@lru_cache(maxsize=1024)
def _code_digest(file: Path, _size: int, _mtime_ns: int) -> str:
    return text_digest(behaviour(file.read_text(encoding="utf-8")))


@lru_cache(maxsize=1024)
def _file_digest(file: Path, _size: int, _mtime_ns: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
