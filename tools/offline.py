"""Let the built site be read without a network after the first visit.

MkDocs calls the ``on_…`` functions (``hooks`` in mkdocs.yml). ``mkdocs build`` writes a
service worker that knows every file which a page shows; ``mkdocs serve`` has none, so
that nothing stands between an author and the page.
"""

import hashlib
import json
from pathlib import Path

from mkdocs.config.config_options import ExtraScriptValue
from mkdocs.config.defaults import MkDocsConfig

WORKER = Path(__file__).with_name("service_worker.js")
NO_FILES = "new Map(Object.entries({}))"
REGISTRATION = "assets/javascripts/offline.js"

# What pages show. Downloads and source maps wait for the reader to ask for them.
KEPT = {".html", ".css", ".js", ".json", ".svg", ".png", ".webp", ".jpg", ".woff2"}
NOT_SHOWN = (
    "404.html",  # the server's answer, where there is one
    "assets/cards/",  # for other sites' previews
    "assets/javascripts/lunr/",  # the search in languages other than English
)

_is_build = False


def kept_files(site: Path) -> dict[str, str]:
    """Return the files to keep: the address of each in the site, and its digest."""
    kept = {}
    for file in sorted(site.rglob("*")):
        name = file.relative_to(site).as_posix()
        if file.suffix in KEPT and not name.startswith(NOT_SHOWN):
            digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
            kept[name.removesuffix("index.html")] = digest
    return kept


def write_worker(site: Path) -> None:
    """Write the worker of a built site: ``service-worker.js``."""
    target = site / "service-worker.js"
    target.unlink(missing_ok=True)  # it does not keep itself
    files = json.dumps(kept_files(site), indent=0)
    worker = WORKER.read_text(encoding="utf-8")
    worker = worker.replace(NO_FILES, f"new Map(Object.entries({files}))")
    target.write_text(worker, encoding="utf-8")


def on_startup(command: str, dirty: bool) -> None:
    """Note whether this is a build: only its result is for readers."""
    global _is_build
    _is_build = command == "build"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let the pages of a build register the worker."""
    if _is_build:
        script = ExtraScriptValue(REGISTRATION)
        script.defer = True
        config.extra_javascript.append(script)
    return config


def on_post_build(config: MkDocsConfig) -> None:
    """Write the worker, which comes last: it names all other files."""
    if _is_build:
        write_worker(Path(config.site_dir))
