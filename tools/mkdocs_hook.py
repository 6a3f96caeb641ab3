"""Hand executed notebooks to MkDocs; the real work is done in `tools.notebooks`.

`mkdocs build` runs what is stale before it touches the site. `mkdocs serve` runs it
in the background, and shows a notice on the page in the meantime.
"""

import sys
from pathlib import Path, PurePosixPath

from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:  # MkDocs loads a hook by its path, not as a module
    sys.path.insert(0, str(ROOT))

from tools.notebooks import background, pages  # noqa: E402
from tools.notebooks.errors import NotebookError  # noqa: E402
from tools.notebooks.pipeline import Project, executed  # noqa: E402

_serving = False
_OPENING = '<script type="text/markdown">'
_pages: dict[str, pages.Page] = {}


def on_startup(command: str, dirty: bool) -> None:
    """Note whether pages may be shown before their notebooks have run."""
    global _serving
    _serving = command == "serve"


def on_pre_build(config) -> None:
    """Prepare every notebook's page, before MkDocs empties the site's folder."""
    _pages.clear()
    project = _project(config)
    repository = config.extra.get("repository")
    notebooks = _notebooks(config)
    if _serving:
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


@event_priority(100)  # before mkdocs-jupyter looks for notebooks
def on_files(files, config):
    """Put each executed notebook in the place of its script, and files beside it."""
    project = _project(config)
    for name, page in _pages.items():
        script = files.get_file_from_path(name)
        folder = PurePosixPath(name).with_suffix("")
        prepared = project.store / "pages" / folder.with_suffix(".ipynb")
        pages.write_for_renderer(page, prepared, _downloads(folder, page))
        script.abs_src_path = str(prepared)
        for file, content in page.files.items():
            files.append(File.generated(config, f"{folder}/{file}", content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Take a notebook's Markdown out of what mkdocs-jupyter wraps around it."""
    if page.file.src_uri in _pages:
        start = markdown.index(_OPENING) + len(_OPENING)
        return markdown[start : markdown.rindex("</script>")].strip() + "\n"
    return markdown


def on_post_build(config) -> None:
    """Let the pages of running notebooks fetch their progress."""
    if _serving:
        background.link_progress(_project(config), list(_pages), Path(config.site_dir))


def on_serve(server, config, builder):
    """Build again when the package, the tools or a notebook's result changes."""
    project = _project(config)
    for watched in (project.root / "dae_tutorial", project.root / "tools"):
        if watched.is_dir():
            server.watch(str(watched))
    server.watch(str(background.signal_file(project)))
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
