"""The pipeline's command line: `python -m tools.notebooks --help`."""

import argparse
import logging
import sys
import time
from pathlib import Path

from tools.notebooks import background, cache
from tools.notebooks.convert import to_markdown, to_page
from tools.notebooks.errors import NotebookError
from tools.notebooks.fingerprint import changed, code_key
from tools.notebooks.pipeline import Project, executed
from tools.notebooks.source import read


def main(arguments: list[str] | None = None, root: Path | None = None) -> int:
    """Run one command and return the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(levelname)s: %(message)s")
    project = Project((root or Path.cwd()).resolve())
    try:
        options.command(project, options)
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def status(project: Project, options: argparse.Namespace) -> None:
    """Print each notebook's state: fresh or why not, last run, size."""
    for path in _chosen(project, []):
        state, header, size = _state(project, path)
        seconds = f"{header.seconds:.1f} s" if header else "–"
        when = (
            time.strftime("%Y-%m-%d %H:%M", time.localtime(header.finished))
            if header
            else "never"
        )
        kilobytes = f"{size / 1000:.0f} kB"
        name = project.name(path)
        print(f"{name:<40} {seconds:>8} {kilobytes:>9}  {when:<16}  {state}")
    sizes = [cache.size_of(path) for path in cache.newest_first(project.trainings)]
    print(f"{len(sizes)} finished trainings are kept: {sum(sizes) / 1e6:.1f} MB")


def run(project: Project, options: argparse.Namespace) -> None:
    """Run the chosen notebooks where they are stale."""
    for path in _chosen(project, options.pages):
        executed(project, path)


def convert(project: Project, options: argparse.Namespace) -> None:
    """Write a notebook as plain Markdown and image files."""
    (path,) = _chosen(project, [options.page])
    page, images = to_page(executed(project, path), path.name)
    markdown = to_markdown(page)
    cache.write_atomically(options.to / f"{path.stem}.md", markdown.encode())
    for file, content in images.items():
        cache.write_atomically(options.to / path.stem / file, content)


def prune(project: Project, options: argparse.Namespace) -> None:
    """Delete the entries of the cache that are beyond its bounds."""
    evicted = cache.evict(project.store)
    print(f"Deleted {len(evicted)} entries.")


def work(project: Project, options: argparse.Namespace) -> None:
    """Run stale notebooks for the development server."""
    background.live_as_a_worker()
    background.work(project, options.pages)


def _state(project: Project, path: Path) -> tuple[str, cache.Header | None, int]:
    """Return a notebook's state, with its best entry's header and size."""
    name, key = project.name(path), code_key(read(path))
    entries = [
        (header, cache.size_of(file))
        for file, header in cache.headers(project.store)
        if header.code_key == key or header.notebook == name
    ]
    for header, size in entries:
        if header.code_key == key and project.is_current(header.dependencies):
            return "fresh", header, size
    if not entries:
        return "stale: has not run", None, 0
    header, size = entries[0]
    causes = changed(header.dependencies, project.root)
    causes = ["its code cells"] * (header.code_key != key) + causes
    return f"stale: changed {', '.join(causes)}", header, size


def _chosen(project: Project, pages: list[Path]) -> list[Path]:
    chosen = [project.root / page for page in pages]
    for path in chosen:
        if not path.is_file():
            raise NotebookError(f"there is no notebook {path}")
    return chosen or sorted(project.docs.rglob("*.py"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks")
    commands = parser.add_subparsers(required=True)
    for command in (status, run, convert, prune, work):
        sub = commands.add_parser(command.__name__, help=command.__doc__)
        sub.set_defaults(command=command)
        if command is run:
            sub.add_argument("pages", nargs="*", type=Path, metavar="PAGE")
        if command is work:
            sub.add_argument("pages", nargs="*", metavar="PAGE")
        if command is convert:
            sub.add_argument("page", type=Path, metavar="PAGE")
            sub.add_argument("--to", type=Path, required=True, metavar="DIR")
    return parser


if __name__ == "__main__":
    sys.exit(main())
