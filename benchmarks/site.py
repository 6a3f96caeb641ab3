"""How long building and writing the site takes: `make bench-site`.

Everything happens in a copy of the working tree in a temporary folder, whose folders
of data, libraries and Python packages are links to the originals. A page counts as
reloaded when the development server has told the browser, by the answer that its
script waits for, and sends the page with the edit in it.
"""

import argparse
import contextlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks import mutations
from benchmarks.mutations import stale_notebooks
from tools.notebooks import cache
from tools.notebooks.pipeline import Project
from tools.weight import weigh

ROOT = Path(__file__).resolve().parents[1]
LINKED = ("data", "node_modules", ".venv")
PAGE = "learn/types-of-noise"
PROSE = "# A corruption takes"  # a line of that page
REFERENCE = "reference/noise"
DOCSTRING = "Add normally distributed noise"
RUNS = 5
LIMIT = 1200  # seconds to wait for anything
SECONDS_TO_END = 60

# The plugin that this pipeline replaced, with its own cache, on the same page.
TODAY = """
site_name: A site
theme: {name: material, font: false}
plugins:
  - search
  - mkdocs-jupyter: {execute: true, cache: true}
markdown_extensions: [admonition, pymdownx.superfences, pymdownx.details]
"""


def main() -> None:
    """Measure the rows that were asked for, all by default, and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=ROWS, action="append", metavar="ROW")
    parser.add_argument("--warm", action="store_true", help="copy the cache as well")
    options = parser.parse_args()
    print(f"{'what':<58} {'limit':>10} {'measured':>10}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-site-") as folder:
        root = copy_of_the_tree(Path(folder) / "tree")
        if options.warm:
            shutil.copytree(ROOT / ".cache", root / ".cache")
        for name in options.only or ROWS:
            ROWS[name](root)


def row(what: str, limit: str, measured: str) -> None:
    """Print one row of the table."""
    print(f"{what:<58} {limit:>10} {measured:>10}", flush=True)


def copy_of_the_tree(target: Path) -> Path:
    """Copy what git tracks, or would track, and link the rest."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    for name in LINKED:
        (target / name).symlink_to(ROOT / name)
    return target


# ---- Building ----


def build(root: Path) -> float:
    """Build the site as `make site` does, and return the seconds it took."""
    started = time.monotonic()
    command = [sys.executable, "-m", "tools.build_site"]
    built = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if built.returncode:
        sys.exit(f"the site does not build:\n{built.stderr}")
    return time.monotonic() - started


def cold_build(root: Path) -> None:
    """Build with nothing but what the set-up has installed."""
    shutil.rmtree(root / ".cache", ignore_errors=True)
    row("cold build of the whole site", "360 s", f"{build(root):.1f} s")


def warm_build(root: Path) -> None:
    """Build again with nothing changed, and with every page to be made again."""
    build(root)
    times = [build(root) for _ in range(RUNS)]
    row("make site, nothing changed", "5 s", f"{median(times):.1f} s")
    times = []
    for _ in range(RUNS):
        (root / ".cache/site.json").unlink()
        times.append(build(root))
    row("    all pages made again, no notebook run", "–", f"{median(times):.1f} s")


def make_fresh(root: Path) -> None:
    """Run what is stale, so that the next measurement begins with a full cache."""
    command = [sys.executable, "-m", "tools.notebooks", "run"]
    subprocess.run(command, cwd=root, check=True, stderr=subprocess.DEVNULL)


# ---- Serving ----


@contextlib.contextmanager
def served(root: Path) -> Iterator[str]:
    """Serve the site as `make serve` does, and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "mkdocs", "serve", "--no-strict", "--quiet"]
    command += ["--dev-addr", address]
    server = subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL)
    try:
        yield f"http://{address}/"
    finally:
        end(server)


def end(server: subprocess.Popen) -> None:
    """Stop a server as Ctrl-C does, and by force if it does not obey."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(timeout=SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def fetched(url: str) -> str:
    """Return what the server sends, waiting until there is a server."""
    end = time.monotonic() + LIMIT
    while True:
        try:
            with urllib.request.urlopen(url, timeout=LIMIT) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def seconds_to_reload(url: str, edit: Callable[[], None], wanted: str) -> float:
    """Edit a file, wait as a browser would, and say when `wanted` was on the page."""
    epoch, request = re.search(r"livereload\((\d+), (\d+)\)", fetched(url)).groups()
    origin = "/".join(url.split("/")[:3])
    started = time.monotonic()
    edit()
    while time.monotonic() - started < LIMIT:
        epoch = fetched(f"{origin}/livereload/{epoch}/{request}")
        if wanted in fetched(url):
            return time.monotonic() - started
    raise TimeoutError(f"{url} did not show {wanted!r} within {LIMIT} s")


def edits(file: Path, old: str, url: str) -> list[float]:
    """Return the seconds that each of some edits of a text takes to appear."""
    original, times = file.read_text(encoding="utf-8"), []
    for number in range(RUNS):
        new = f"Edit {number}."
        text = original.replace(old, f"{old.removesuffix('.')} {new}", 1)
        times.append(
            seconds_to_reload(url, lambda text=text: file.write_text(text), new)
        )
        time.sleep(1)
    file.write_text(original, encoding="utf-8")
    return times


def serving(root: Path) -> None:
    """Edit prose, then a docstring, while the site is served."""
    make_fresh(root)
    project, began = Project(root), time.time()
    with served(root) as address:
        prose = edits(root / f"docs/{PAGE}.py", PROSE, f"{address}{PAGE}/")
        row(
            "serve: prose edit in a notebook → reloaded",
            "2 s",
            f"{median(prose):.1f} s",
        )
        module = root / "dae_tutorial/noise.py"
        docstring = edits(module, DOCSTRING, f"{address}{REFERENCE}/")
        shown = f"{median(docstring):.1f} s"
        row("serve: package docstring edit → reloaded", "2.5 s", shown)
        row("    notebooks that ran", "0", str(runs_since(project, began)))


def runs_since(project: Project, moment: float) -> int:
    """Return how many notebooks have run, or begun to, since then."""
    ran = {
        header.notebook
        for _, header in cache.headers(project.store)
        if header.finished > moment
    }
    # The server writes a state for each notebook that it wants to run; success ends it.
    states = (project.store / "state").glob("*.json")
    return len(ran) + sum(file.stat().st_mtime > moment for file in states)


def code_edit(root: Path) -> None:
    """Change the module with the fewest users, and run what that makes stale."""
    make_fresh(root)
    module, users = least_used_module(root)
    file = root / f"{module.replace('.', '/')}.py"
    original = file.read_text(encoding="utf-8")
    file.write_text(f"{original}\n_CHANGED = 1\n", encoding="utf-8")
    stale, started = stale_notebooks(Project(root)), time.monotonic()
    make_fresh(root)
    seconds = time.monotonic() - started
    left = stale_notebooks(Project(root))
    file.write_text(original, encoding="utf-8")
    shown = f"{len(stale)} of {len(list((root / 'docs').rglob('*.py')))}"
    row(f"edit of {module}: notebooks that run", str(len(users)), shown)
    print(f"    {', '.join(stale)}, in {seconds:.0f} s")
    after_undo = stale_notebooks(Project(root))
    row(
        "    left stale; stale after the undo",
        "0; 0",
        f"{len(left)}; {len(after_undo)}",
    )
    if stale != users:
        print(f"    but these use it: {', '.join(users)}")


def least_used_module(root: Path) -> tuple[str, list[str]]:
    """Return a module of the package, and the notebooks that import it."""
    users: dict[str, list[str]] = {}
    for file in sorted((root / "dae_tutorial").glob("[a-z]*.py")):
        name = f"dae_tutorial.{file.stem}"
        users[name] = mutations.concerned(Project(root), name)
    used = [name for name in users if users[name]]
    fewest = min(used, key=lambda name: len(users[name]))
    return fewest, users[fewest]


def cold_serve(root: Path) -> None:
    """Serve with an empty cache: the first page must not wait for training."""
    shutil.rmtree(root / ".cache", ignore_errors=True)
    started = time.monotonic()
    with served(root) as address:
        home = fetched(address)
        seconds = time.monotonic() - started
    row("serve from a cold cache → first page", "10 s", f"{seconds:.1f} s")
    if "notebook is running" not in home:
        print("    but its notebook had run already")


# ---- What else the table holds ----


def weight(root: Path) -> None:
    """Weigh every notebook page, compressed and without pictures; print the worst."""
    build(root)
    names = [path.relative_to(root / "docs") for path in (root / "docs").rglob("*.py")]
    folders = (name.with_suffix("").as_posix().removesuffix("index") for name in names)
    pages = [f"{folder}/" if folder else "" for folder in folders]
    weights = [weigh(root / "site", page) for page in pages]
    html = max(one.html for one in weights) / 1000
    total = max(one.total for one in weights) / 1000
    row("heaviest notebook page: its HTML, gzipped", "25 kB", f"{html:.0f} kB")
    row("    HTML, CSS and JavaScript, gzipped", "120 kB", f"{total:.0f} kB")


def mutation_table(root: Path) -> None:
    """Print which notebooks each kind of change would run, and which it should."""
    make_fresh(root)
    every = len(list((root / "docs").rglob("*.py")))
    print(f"\n{'changed':<32} {'notebooks that would run':<40} as expected")
    for what, stale, expected in mutations.rows(root, root.with_name("kept")):
        names = ", ".join(Path(name).stem for name in stale) or "none"
        shown = f"all {every}" if len(stale) == every else names
        print(f"{what:<32} {shown:<40} {'yes' if stale == expected else 'NO'}")


def today(root: Path) -> None:
    """Measure the row of the prose edit with the plugin's own execution and cache."""
    other = root.with_name("today")
    (other / "docs/learn").mkdir(parents=True)
    (other / "mkdocs.yml").write_text(TODAY)
    (other / "docs/index.md").write_text("# Home\n")
    page = other / f"docs/{PAGE}.py"
    shutil.copy2(root / f"docs/{PAGE}.py", page)
    shutil.copytree(root / "dae_tutorial", page.parent / "dae_tutorial")
    (page.parent / "data").symlink_to(ROOT / "data")
    with served(other) as address:
        times = edits(page, PROSE, f"{address}{PAGE}/")
    row("mkdocs-jupyter: prose edit → reloaded", "–", f"{median(times):.1f} s")


ROWS: dict[str, Callable[[Path], None]] = {
    "cold-build": cold_build,
    "warm-build": warm_build,
    "serving": serving,
    "code-edit": code_edit,
    "weight": weight,
    "mutations": mutation_table,
    "today": today,
    "cold-serve": cold_serve,
}


if __name__ == "__main__":
    main()
