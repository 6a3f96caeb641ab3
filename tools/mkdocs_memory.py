"""Keep what a rebuild of `mkdocs serve` would only compute again.

Three things take most of a rebuild's time: turning Markdown into HTML, above all that
of the reference, taking pages apart for the search, and compiling templates. Each is
remembered under a digest of all that it depends on, so an edit costs its own page.
Only memory holds it: `mkdocs build` computes everything.
"""

import hashlib
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from tools.notebooks.fingerprint import file_digest, imported_modules

DIRECTIVE = re.compile(r"^:::\s*(\S+)", re.MULTILINE)  # of mkdocstrings


@dataclass
class Rendered:
    """What rendering a page has left in the page, and in the index of references."""

    key: str
    attributes: dict
    anchors: list[tuple[tuple, dict]] = field(default_factory=list)


_is_serving = False
_surroundings = ""
_rendered: dict[str, Rendered] = {}
_entries: dict[str, tuple[str, list]] = {}


def on_startup(command: str, dirty: bool) -> None:
    """Note whether there will be rebuilds."""
    global _is_serving
    _is_serving = command == "serve"


def on_config(config: MkDocsConfig) -> None:
    """Note what every page depends on: the configuration, and the code of the site."""
    global _surroundings
    files = [Path(config.config_file_path), _root(config) / "package-lock.json"]
    files += sorted(Path(__file__).parent.rglob("*.py"))
    files += sorted(Path(config.docs_dir, "includes").rglob("*.md"))
    _surroundings = digest([file_digest(file) for file in files])
    if "mkdocstrings" in config.plugins:
        reference = config.plugins["mkdocstrings"].get_handler("python")
        reference.env.bytecode_cache = _compiled_templates(config)


def on_page_markdown(
    markdown: str, *, page: Page, config: MkDocsConfig, files: Files
) -> None:
    """Let the page render only if it has changed."""
    if _is_serving:
        page.render = partial(_render, page)


def _render(page: Page, config: MkDocsConfig, files: Files) -> None:
    """Render a page, or put in place what its last rendering left behind."""
    del page.render  # of this page; the class's own is seen again
    autorefs = config.plugins.get("autorefs")
    places = [(file.src_uri, file.url) for file in files]
    code = _code(page.markdown, _root(config))
    key = digest([page.markdown, page.url, _surroundings, code, sorted(places)])
    known = _rendered.get(page.file.src_uri)
    if known is None or known.key != key:
        known = _rendered_now(page, key, autorefs, lambda: page.render(config, files))
    else:
        vars(page).update(known.attributes)
        for args, kwargs in known.anchors:
            autorefs.register_anchor(page, *args, **kwargs)
    page.links_to_anchors = {
        files.get_file_from_path(file.src_uri): links
        for file, links in (page.links_to_anchors or {}).items()
    }


def _rendered_now(page: Page, key: str, autorefs, render: Callable) -> Rendered:
    before = dict(vars(page))
    heard = _Warnings()
    result = Rendered(key, {})
    logging.getLogger("mkdocs").addHandler(heard)
    if autorefs is not None:
        _record(autorefs, result.anchors)
    try:
        render()
    finally:
        logging.getLogger("mkdocs").removeHandler(heard)
        if autorefs is not None:
            del autorefs.register_anchor
    result.attributes = {
        name: value
        for name, value in vars(page).items()
        if name not in before or before[name] is not value
    }
    _rendered[page.file.src_uri] = result
    if heard.any:  # so that the next build warns as well
        del _rendered[page.file.src_uri]
    return result


def _record(autorefs, anchors: list) -> None:
    """Note the anchors that other pages may refer to, as they are registered."""
    register = autorefs.register_anchor

    def note(page: Page, *args, **kwargs) -> None:
        anchors.append((args, kwargs))
        register(page, *args, **kwargs)

    autorefs.register_anchor = note


class _Warnings(logging.Handler):
    """Note whether there was a warning."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.any = False

    def emit(self, record: logging.LogRecord) -> None:
        self.any = True


def _code(markdown: str, root: Path) -> list[str]:
    """Return digests of the modules that a page of the reference shows."""
    names = set(DIRECTIVE.findall(markdown))
    return [file_digest(file) for file in imported_modules(names, root)]


def _compiled_templates(config: MkDocsConfig) -> FileSystemBytecodeCache:
    folder = _root(config) / ".cache" / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    return FileSystemBytecodeCache(str(folder))


def _root(config: MkDocsConfig) -> Path:
    return Path(config.config_file_path).parent


@event_priority(100)  # before the search takes pages apart
def on_env(env: Environment, *, config: MkDocsConfig, files: Files) -> None:
    """Keep compiled templates, and what the search has found on a page."""
    env.bytecode_cache = _compiled_templates(config)
    if _is_serving and "material/search" in config.plugins:
        index = config.plugins["material/search"].search_index
        index.add_entry_from_context = partial(
            _add_entries, index, index.add_entry_from_context
        )


def _add_entries(index, add: Callable, page: Page) -> None:
    key = digest([page.content, page.url, str(page.title), str(page.meta)])
    known = _entries.get(page.url)
    if known is None or known[0] != key:
        before = len(index.entries)
        add(page)
        _entries[page.url] = key, index.entries[before:]
    else:
        index.entries.extend(known[1])


def digest(values: list) -> str:
    """Return a digest of plain values."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
