"""Hand executed notebooks to MkDocs; the real work is done in `tools.notebooks`.

`mkdocs build` runs what is stale before it touches the site. `mkdocs serve` runs it
in the background, and shows a notice on the page in the meantime.
"""

import sys
from pathlib import Path, PurePosixPath

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File
from watchdog.observers.polling import PollingObserver

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:  # MkDocs loads a hook by its path, not as a module
    sys.path.insert(0, str(ROOT))

from tools.notebooks import background, pages  # noqa: E402
from tools.notebooks.errors import NotebookError  # noqa: E402
from tools.notebooks.pipeline import Project, executed  # noqa: E402

SECONDS_BETWEEN_LOOKS = 0.1  # at the watched files; MkDocs itself waits 0.5 s

# Folders besides the package whose files a notebook may read.
DATA = ("data", "studies", "benchmarks")

_serving = False
_is_first_build = True
_pages: dict[str, pages.Page] = {}


def on_startup(command: str, dirty: bool) -> None:
    """Note whether pages may be shown before their notebooks have run."""
    global _serving, _is_first_build
    _serving, _is_first_build = command == "serve", True


def on_pre_build(config) -> None:
    """Prepare every notebook's page, before MkDocs empties the site's folder."""
    global _is_first_build
    _pages.clear()
    project = _project(config)
    repository = config.extra.get("repository")
    notebooks = _notebooks(config)
    if _serving:
        if _is_first_build:  # whatever made notebooks fail may have been mended
            background.forget_failures(project)
        _is_first_build = False
        _pages.update(background.pages(project, notebooks, repository))
        return
    for name in notebooks:
        try:
            path = project.docs / name
            _pages[name] = pages.finished_page(
                executed(project, path), path, repository
            )
        except NotebookError as error:
            raise PluginError(str(error)) from error


class NotebookFile(File):
    """A script whose page MkDocs makes of Markdown, as it does of `.md` files."""

    def is_documentation_page(self) -> bool:
        """Return True: links and the navigation lead to the page, not the script."""
        return True


def on_files(files, config):
    """Put each notebook's Markdown in the place of its script, and files beside it."""
    for name, page in _pages.items():
        folder = PurePosixPath(name).with_suffix("")
        content = page.source(_downloads(folder, page))
        files.remove(files.get_file_from_path(name))
        files.append(NotebookFile.generated(config, name, content=content))
        for file, content in page.files.items():
            files.append(File.generated(config, f"{folder}/{file}", content=content))
    return files


def on_post_build(config) -> None:
    """Let the pages of running notebooks fetch their progress."""
    if _serving:
        background.link_progress(_project(config), list(_pages), Path(config.site_dir))


def on_serve(server, config, builder):
    """Build again when code, data or a notebook's result changes, and soon."""
    project = _project(config)
    pages = [config.docs_dir, config.config_file_path]
    for path in pages:
        server.unwatch(path)
    server.observer = PollingObserver(timeout=SECONDS_BETWEEN_LOOKS)
    watched = [project.root / name for name in ("dae_tutorial", "tools", *DATA)]
    existing = [str(path) for path in watched if path.is_dir()]
    for path in [*pages, *existing, str(background.signal_file(project))]:
        server.watch(path)
    return server


def on_shutdown() -> None:
    """Stop the background process with the server."""
    background.stop()


def _project(config) -> Project:
    return Project(Path(config.config_file_path).parent)


def _downloads(folder: PurePosixPath, page: pages.Page) -> dict[str, str]:
    """Return the page's download addresses, from the root of the site."""
    addresses = {"notebook_url": f"{folder}/{folder.name}.ipynb"}
    addresses["script_url"] = f"{folder}/{folder.name}.py"
    return addresses if f"{folder.name}.ipynb" in page.files else {}


def _notebooks(config) -> list[str]:
    """Return the notebooks in the order of the navigation, then the others."""
    docs = Path(config.docs_dir)
    found = {path.relative_to(docs).as_posix() for path in docs.rglob("*.py")}
    if config.exclude_docs:
        found = {name for name in found if not config.exclude_docs.match_file(name)}
    in_nav = [name for name in _nav_paths(config.nav or []) if name in found]
    return in_nav + sorted(found.difference(in_nav))


def _nav_paths(item) -> list[str]:
    if isinstance(item, str):
        return [item]
    children = item.values() if isinstance(item, dict) else item
    return [path for child in children for path in _nav_paths(child)]
