"""Hand executed notebooks to MkDocs, where mkdocs-jupyter renders them.

`mkdocs build` runs what is stale before it touches the site. `mkdocs serve` shows a
notice on the page of a stale notebook, and runs it in a process beside the server.

MkDocs calls the `on_…` functions (`hooks` in mkdocs.yml).
"""

import base64
import html
import logging
import subprocess
import sys
import tempfile
from copy import deepcopy
from dataclasses import replace
from pathlib import Path, PurePosixPath

import nbformat
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # MkDocs loads a hook by its path, not as a module
    sys.path.insert(0, str(ROOT))

from tools.notebooks import run  # noqa: E402
from tools.notebooks.kernel import PICTURES  # noqa: E402
from tools.notebooks.notebook import Notebook, NotebookError, read  # noqa: E402

_is_serving = False
_pages: dict[str, Notebook] = {}  # by their names, as readers get them
_pictures: dict[str, dict[str, bytes]] = {}
_scratch = tempfile.TemporaryDirectory(prefix="notebooks_")
_executed = Path(_scratch.name) / "executed"  # what mkdocs-jupyter reads
_failures = Path(_scratch.name) / "failures"  # what this server's notebooks met, by key


# ---- Building ----


def on_startup(command: str, dirty: bool) -> None:
    """Note whether pages may be shown before their notebooks have run."""
    global _is_serving
    _is_serving = command == "serve"
    for name in ("mkdocs.mkdocs-jupyter", "mkdocs.plugins.mkdocs_jupyter"):
        logging.getLogger(name).setLevel(logging.WARNING)  # else two lines a notebook


def on_config(config):
    """Let an author see a page in which something is missing."""
    config.strict = config.strict and not _is_serving
    return config


def on_pre_build(config) -> None:
    """Make every notebook's page, before MkDocs empties the site's folder."""
    _pages.clear()
    if _is_serving:
        _show_as_they_are(config)
        return
    try:
        for notebook in run.all_executed(_scripts(config), _root(config)):
            _show(notebook, config)
    except NotebookError as error:
        raise PluginError(str(error)) from error


def _show_as_they_are(config) -> None:
    docs, root = Path(config.docs_dir), _root(config)
    stale = {}
    for path in _scripts(config):
        try:
            notebook, key = _as_it_is(path, root)
            _show(notebook, config)
        except NotebookError as error:
            _show(_broken(path, docs, str(error)), config)
            continue
        if key:
            stale[path] = key
    _runner.run_first(stale, root)
    for path in stale:
        name = path.relative_to(docs).as_posix()
        _pages[name] = _with_notice(_pages[name], _waiting(path))


def _show(notebook: Notebook, config) -> None:
    page, pictures = as_shown(notebook, config.extra.get("repository"))
    _pages[notebook.name], _pictures[notebook.name] = page, pictures


@event_priority(100)  # before mkdocs-jupyter looks for notebooks
def on_files(files, config):
    """Put each executed notebook in the place of its script, and pictures beside it."""
    for name, notebook in _pages.items():
        folder = PurePosixPath(name).with_suffix("")
        executed = _executed / folder / f"{folder.name}.ipynb"
        executed.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook.node, executed)
        files.remove(files.get_file_from_path(name))
        # The script's name stays the page's source, so that links and "Edit" hold.
        files.append(File.generated(config, name, abs_src_path=str(executed)))
        beside = {f"{folder}/{file}": png for file, png in _pictures[name].items()}
        beside[f"{folder}/{PurePosixPath(name).name}"] = notebook.path.read_bytes()
        for file, content in beside.items():
            files.append(File.generated(config, file, content=content))
    return files


def on_page_markdown(markdown: str, page, config, files) -> str | None:
    """Take from mkdocs-jupyter the Markdown that our template wrote.

    nbconvert passes whatever a template makes through an HTML parser, which would
    rewrite `<`, `&` and quotes; so the template escapes all, and here that is undone.
    And mkdocs-jupyter adds Pygments' style sheet to each page, which the theme has.
    """
    notebook = _pages.get(page.file.src_uri)
    if notebook is None:
        return None
    # mkdocs-jupyter finds front matter in Markdown cells only.
    page.meta.update(notebook.meta)
    if "notice" not in notebook.node.metadata:
        folder, stem = PurePosixPath(page.file.dest_uri).parent, notebook.path.stem
        page.meta["notebook_url"] = str(folder / f"{stem}.ipynb")
        page.meta["script_url"] = notebook.name.removesuffix(".py") + f"/{stem}.py"
    return html.unescape(markdown.partition("<style>")[0]).strip() + "\n"


def _root(config) -> Path:
    return Path(config.config_file_path).parent


def _scripts(config) -> list[Path]:
    """Return the notebooks in the order of the navigation, then the others."""
    docs = Path(config.docs_dir)
    found = {path.relative_to(docs).as_posix() for path in docs.rglob("*.py")}
    if config.exclude_docs:
        found = {name for name in found if not config.exclude_docs.match_file(name)}
    in_nav = [name for name in _nav_paths(config.nav or []) if name in found]
    return [docs / name for name in in_nav + sorted(found.difference(in_nav))]


def _nav_paths(item) -> list[str]:
    if isinstance(item, str):
        return [item]
    children = item.values() if isinstance(item, dict) else item
    return [path for child in children for path in _nav_paths(child)]


# ---- What a page shows ----


def as_shown(
    notebook: Notebook, repository: str | None
) -> tuple[Notebook, dict[str, bytes]]:
    """Return an executed notebook as readers get it, and its pictures by name.

    Readers download it, and our template makes its page: each figure's metadata say
    how to show it.

    Raises:
        NotebookError: If a cell shows a figure without a text that describes it.
    """
    notebook, pictures = replace(notebook, node=deepcopy(notebook.node)), {}
    for number, cell in enumerate(notebook.code_cells, start=1):
        cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
        figures = [one for one in cell.outputs if "image/png" in one.get("data", {})]
        if figures and not cell.metadata.get("alt", "").strip():
            raise NotebookError(
                f"{notebook.place(number)}\nIt shows a figure, and nothing says what "
                'is in it for those who cannot see it. Write:\n# %% alt="A line"'
            )
        if "alt" in cell.metadata and cell.execution_count and not figures:
            raise NotebookError(
                f"{notebook.place(number)}\nIt has an alt text, and shows no figure. "
                "Let its last line be the figure, outside of any block."
            )
        if len(figures) > 1:
            raise NotebookError(
                f"{notebook.place(number)}\nIt shows {len(figures)} figures, and its "
                "alt text describes one. Show each in a cell of its own."
            )
        for output in figures:
            output.metadata.figure = _figure(output, cell, notebook.path.stem, pictures)
    cells = notebook.node.cells
    after_heading = 1 if cells and cells[0].cell_type == "markdown" else 0
    set_up = new_code_cell(_set_up_code(repository), id="set-up")
    set_up.metadata.tags = ["not-shown"]  # for those who download it
    cells.insert(after_heading, set_up)
    return notebook, pictures


def _figure(
    output: NotebookNode, cell: NotebookNode, stem: str, pictures: dict
) -> dict:
    """Add a figure's pictures to `pictures`; return what the template needs."""
    number = 1 + max((int(file.split("-")[1]) for file in pictures), default=0)
    alone = {"any.png": {"content": output.data["image/png"]}}
    shown = []
    for name, picture in output.data.pop(PICTURES, alone).items():
        file = f"figure-{number}-{name}"
        pictures[file] = base64.b64decode(picture.pop("content"))
        kinds = name.partition(".")[0].split("-")
        is_eager = number == 1 and not {"dark", "narrow"} & set(kinds)
        source = f"{stem}/{file}"
        shown.append(picture | {"kinds": kinds, "source": source, "eager": is_eager})
    # Inside Markdown's ![…] brackets and quotes would end the text.
    alt = " ".join(cell.metadata.alt.split()).translate({91: "(", 93: ")", 34: "'"})
    return {"pictures": shown, "alt": alt}


def _set_up_code(repository: str | None) -> str:
    if repository:
        return (
            "try:\n    import dae_tutorial\nexcept ImportError:\n"
            f'    %pip install --quiet "dae-tutorial[baselines] @ git+{repository}"'
        )
    return (
        "# This notebook needs the tutorial's package: in the folder that holds its\n"
        "# pyproject.toml, run `pip install '.[baselines]'`.\n"
        "import dae_tutorial"
    )


def _as_it_is(path: Path, root: Path) -> tuple[Notebook, str]:
    """Return a notebook without running it, and its key where it has to run.

    Without outputs, if there are none; below its error, if it failed as it is now.
    """
    notebook = read(path, root / "docs")
    key = run.key_of(run.ingredients(notebook, root))
    failure = _failures / key
    if failure.is_file():
        error = failure.read_text(encoding="utf-8")
        return _with_notice(notebook, _failed(error)), ""
    return notebook, "" if run.restore(notebook, key, root) else key


def _with_notice(notebook: Notebook, notice: str) -> Notebook:
    """Return a notebook below a notice that says why it has no outputs."""
    notebook.node.metadata.notice = notice
    return notebook


# ---- Serving ----


def _waiting(path: Path) -> str:
    running = "It" if path == _runner.path else f"First {_runner.path.name}"
    return (
        '!!! info "This page waits for its notebook to run"\n'
        f"    Its code, or something that it uses, has changed. {running} is running.\n"
        "    The page reloads by itself when its figures and numbers are there."
    )


def _failed(error: str) -> str:
    lines = "".join(f"\n    {line}" for line in error.splitlines())
    return f'!!! failure "This page\'s notebook failed"\n    ````text{lines}\n    ````'


def _broken(path: Path, docs: Path, error: str) -> Notebook:
    """Stand in for a notebook that cannot be read."""
    name = path.relative_to(docs).as_posix()
    meta = {"title": "Broken notebook", "description": f"{name} cannot be read"}
    empty = Notebook(path, name, meta, nbformat.v4.new_notebook(), ())
    return _with_notice(empty, _failed(error))


class _Runner:
    """Runs one notebook at a time in a process beside the development server.

    What it leaves in the store makes the server build again, and so start the next.
    """

    def __init__(self):
        self.process: subprocess.Popen | None = None
        self.path: Path | None = None
        self.key = ""

    def run_first(self, stale: dict[Path, str], root: Path) -> None:
        """Start on the first stale notebook, unless one is running as it is now."""
        if stale.get(self.path) != self.key:
            self.stop()  # it is edited, or fresh: then its outputs are there already
        if stale and (self.process is None or self.process.poll() is not None):
            self.path, self.key = next(iter(stale.items()))
            command = [sys.executable, "-m", "tools.notebooks.run", self.path]
            command += ["--failures", _failures]
            self.process = subprocess.Popen(command, cwd=root)

    def stop(self) -> None:
        """End the run, if there is one."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
        self.process = None


_runner = _Runner()


def on_serve(server, config, builder):
    """Build again when the result of a notebook is there."""
    for folder in (_root(config) / run.STORE, _failures):
        folder.mkdir(parents=True, exist_ok=True)
        server.watch(str(folder))
    return server


def on_shutdown() -> None:
    """End with the server what runs beside it."""
    _runner.stop()
