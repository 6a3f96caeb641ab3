"""What builds the site, measured: how large it is, and how long authors wait for it.

    python -m benchmarks.house           all of it; some ten minutes
    python -m benchmarks.house --sizes   only what needs no clock

It works on a copy of the tree with a cache of its own. Times are of a machine that
does nothing else; on a busy one they say little.
"""

import argparse
import ast
import gzip
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The laboratory, in a folder of its own there, is no machinery: it is a page.
MACHINERY = ("tools", "docs/overrides", ":(glob)docs/assets/javascripts/*.js")
TESTS_OF_MACHINERY = "tests/machinery"
PROSE = "docs/learn/why-noise.md"
DOCSTRING = "dae_tutorial/noise.py"
MARK = "A sentence that was not here before."
SECONDS_OF_PATIENCE = 900


def lines_in(*places: str) -> int:
    """Return how many lines the tracked files in these folders have."""
    listed = _git("ls-files", *places).splitlines()
    texts = [(ROOT / name).read_text("utf-8") for name in listed]
    return sum(text.count("\n") for text in texts)


def floors(folder: Path) -> int:
    """Return how many modules of a folder the longest chain of imports in it has."""
    imports = {}
    for file in folder.rglob("*.py"):
        nodes = ast.walk(ast.parse(file.read_text("utf-8")))
        froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
        names = {n for node in froms for n in _modules_named(node)}
        imports[file] = {ROOT.joinpath(*n.split(".")).with_suffix(".py") for n in names}

    def height(file: Path) -> int:
        below = imports[file] & imports.keys() - {file}
        return 1 + max(map(height, below), default=0)

    return max(map(height, imports))


def _modules_named(node: ast.ImportFrom) -> list[str]:
    return [f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)]


def heaviest_page(site: Path) -> tuple[float, str]:
    """Return the kB of the heaviest page's HTML as it is sent, and its address."""
    pages = site.rglob("index.html")
    sizes = {page: len(gzip.compress(page.read_bytes(), 6)) for page in pages}
    page = max(sizes, key=sizes.__getitem__)
    return sizes[page] / 1000, page.parent.relative_to(site).as_posix()


@contextmanager
def copied_tree() -> Iterator[Path]:
    """Copy the project without its caches, and link what set-up has installed."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "project"
        for name in _git("ls-files", "-co", "--exclude-standard").splitlines():
            if (ROOT / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, tree / name)
        for name in ("node_modules", "data"):
            (tree / name).symlink_to(ROOT / name)
        yield tree


def seconds_to_build(tree: Path) -> float:
    """Build the site once, as an author does."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "mkdocs", "build"]
    subprocess.run(command, cwd=tree, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


@contextmanager
def serving(tree: Path) -> Iterator[Callable[[str, str], float]]:
    """Serve a tree; the value waits until a page says something, in seconds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "mkdocs", "serve", "--dev-addr", address]
    server = subprocess.Popen(
        command, cwd=tree, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def seconds_until(page: str, text: str) -> float:
        started = time.perf_counter()
        while time.perf_counter() < started + SECONDS_OF_PATIENCE:
            try:
                with urllib.request.urlopen(f"http://{address}/{page}") as answer:
                    if text in answer.read().decode():
                        return time.perf_counter() - started
            except OSError:
                pass
            time.sleep(0.05)
        sys.exit(f"{page} does not say {text!r} after {SECONDS_OF_PATIENCE} s")

    try:
        yield seconds_until
    finally:
        server.terminate()
        server.wait()


def seconds_after_edit(
    file: Path, before: str, seconds_until: Callable, page: str
) -> float:
    """Put a sentence before a text of a file, and wait until the page has it."""
    text = file.read_text("utf-8")
    assert text.count(before), f"{file.name} has lost {before!r}"
    file.write_text(text.replace(before, f"{MARK} {before}", 1), "utf-8")
    return seconds_until(page, MARK)


def sizes() -> None:
    """Print what needs no clock."""
    print_row("lines that build the site", lines_in(*MACHINERY), "≤ 1900")
    print_row("lines of the package", lines_in("dae_tutorial/**.py"), "more")
    print_row("floors of what builds the site", floors(ROOT / "tools"), "≤ 3")
    print_row("lines that test the machinery", lines_in(TESTS_OF_MACHINERY), "≤ 900")


def times() -> None:
    """Print how long authors wait."""
    with copied_tree() as tree:
        with serving(tree) as seconds_until:
            seconds = seconds_until("", "</html>")
            print_row("first page of mkdocs serve, cold, s", seconds, "≤ 15")
        shutil.rmtree(tree / ".cache")
        print_row("cold build, s", seconds_to_build(tree), "≤ 360")
        print_row("nothing changed, s", seconds_to_build(tree), "≤ 8")
        size, page = heaviest_page(tree / "site")
        print_row(f"heaviest page, kB gzipped ({page})", size, "≤ 30")
        with serving(tree) as seconds_until:
            seconds_until("learn/why-noise/", "</html>")
            edits = {
                "prose edit → served, s": (PROSE, "Noise", "learn/why-noise/"),
                "docstring edit → served, s": (
                    DOCSTRING,
                    "Add normally distributed noise",
                    "reference/noise/",
                ),
            }
            for name, (file, before, page) in edits.items():
                time.sleep(3)  # until the server watches again
                seconds = seconds_after_edit(tree / file, before, seconds_until, page)
                print_row(name, seconds, "≤ 6")


def print_row(name: str, value: float, goal: str) -> None:
    """Print one row of the table."""
    number = value if isinstance(value, int) else f"{value:.1f}"
    print(f"{name:<48}{number:>8}   {goal}", flush=True)


def _git(*arguments: str) -> str:
    run = ["git", *arguments]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True).stdout


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", action="store_true", help="only what needs no clock")
    sizes()
    if not parser.parse_args().sizes:
        times()


if __name__ == "__main__":
    main()
