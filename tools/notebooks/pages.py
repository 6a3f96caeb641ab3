"""All that one notebook gives to a site: its page, pictures and downloads."""

from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from tools.notebooks.convert import to_download, to_markdown, to_page
from tools.notebooks.source import code_cells


@dataclass(frozen=True)
class Page:
    """A page in Markdown, its front matter, and the files beside it by name."""

    markdown: str
    meta: dict[str, str]
    files: dict[str, bytes] = field(default_factory=dict)

    def source(self, meta: dict[str, str]) -> str:
        """Return the page with its front matter, and `meta` added to that."""
        front_matter = yaml.safe_dump(self.meta | meta, sort_keys=False)
        return f"---\n{front_matter}---\n\n{self.markdown}"


def finished_page(notebook: NotebookNode, path: Path, repository: str | None) -> Page:
    """Return the page of an executed notebook.

    Raises:
        NotebookError: If a figure has no alt text.
    """
    page, images = to_page(notebook, path.name)
    files = images | {
        f"{path.stem}.ipynb": to_download(notebook, repository).encode(),
        path.name: path.read_bytes(),
    }
    return Page(to_markdown(page), dict(notebook.metadata.page), files)


def page_with_notice(notebook: NotebookNode, path: Path, notice: str) -> Page:
    """Return the page of a notebook without outputs, below a notice that says why."""
    for cell in code_cells(notebook):
        cell.outputs = []
    notebook.cells.insert(0, new_markdown_cell(notice, id="notice"))
    page, _ = to_page(notebook, path.name)
    return Page(to_markdown(page), dict(notebook.metadata.page))


def running_notice(progress_url: str, text: str) -> str:
    """Return the notice of a page whose notebook is running.

    The text follows the progress; the development server reloads the page when the
    result is there.
    """
    script = (
        "<script>(() => { const line = document.getElementById('notebook-progress'); "
        "const timer = setInterval(async () => { "
        "if (!line.isConnected) return clearInterval(timer); "
        f"const answer = await fetch('{progress_url}', {{cache: 'no-store'}}); "
        "if (answer.ok) line.textContent = (await answer.json()).text; "
        "}, 1000); })()</script>"
    )
    return (
        '!!! info "This page\'s notebook is running"\n'
        '    <span id="notebook-progress" role="status">'
        f"{text}</span>.\n"
        "    The page reloads by itself when its figures and numbers are there.\n\n"
        f"{script}"
    )


def failure_notice(error: str) -> str:
    """Return the notice of a page whose notebook failed."""
    indented = "\n".join(f"    {line}" for line in error.splitlines())
    title = '!!! failure "This page\'s notebook failed"'
    return f"{title}\n    ````text\n{indented}\n    ````"


def broken_source(error: str) -> NotebookNode:
    """Stand in for a notebook whose source cannot be read."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata.page = {"title": "Broken notebook", "description": error}
    return notebook
