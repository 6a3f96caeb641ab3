"""Turn an executed notebook into Markdown, image files and downloads."""

import base64
import struct
from copy import deepcopy
from functools import lru_cache
from pathlib import Path

import jinja2
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tools.notebooks.errors import NotebookError
from tools.notebooks.kernel_start import DARK, LIGHT, PIXELS_PER_CSS_PIXEL
from tools.notebooks.source import code_cells

TEMPLATE = Path(__file__).with_name("notebook.md.j2")

FOLDED = ("solution", "check")


def to_page(notebook: NotebookNode, name: str) -> tuple[NotebookNode, dict[str, bytes]]:
    """Prepare an executed notebook for the template.

    Returns:
        The notebook, in which each cell's `metadata.page` says how to show it, and
        the image files by their names; the page refers to them as `stem/file`.

    Raises:
        NotebookError: If a cell shows a figure without a text that describes it.
    """
    page, images = deepcopy(notebook), {}
    stem, previous_fold, number = Path(name).stem, None, 0
    for cell in page.cells:
        number += cell.cell_type == "code"
        tags = cell.metadata.get("tags", [])
        fold = next((tag for tag in FOLDED if tag in tags), None)
        cell.metadata.page = {
            "fold": fold,
            "opens_fold": fold != previous_fold,
            "hides_code": "hide-code" in tags,
            "results": _results(cell, f"{name}: code cell {number}", stem, images),
        }
        previous_fold = fold
    return page, images


def to_markdown(page: NotebookNode) -> str:
    """Return the Markdown of a prepared notebook.

    Raises:
        NotebookError: If the template, which may be half saved, leaves it empty.
    """
    template = _compiled(TEMPLATE.read_text(encoding="utf-8"))
    markdown = template.render(nb=page).strip() + "\n"
    if page.cells and not markdown.strip():
        raise NotebookError(
            f"{TEMPLATE.name} makes an empty page of {len(page.cells)} cells"
        )
    return markdown


@lru_cache(maxsize=2)
def _compiled(template: str) -> jinja2.Template:
    return jinja2.Template(template)


def to_download(notebook: NotebookNode, repository: str | None) -> str:
    """Return the executed notebook as a file that runs anywhere.

    Its first cell installs the package where it is missing, and its figures are
    ordinary pictures on white.
    """
    download = deepcopy(notebook)
    page = download.metadata.pop("page", {})
    title = nbformat.v4.new_markdown_cell(f"# {page.get('title', '')}", id="page-title")
    set_up = new_code_cell(_set_up_code(repository), id="set-up")
    download.cells[:0] = [title, set_up]
    for cell in code_cells(download):
        cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
        for output in cell.outputs:
            for kind in (LIGHT, DARK):
                output.get("data", {}).pop(kind, None)
    return nbformat.writes(download) + "\n"


def _set_up_code(repository: str | None) -> str:
    if repository:
        return (
            "try:\n    import dae_tutorial\nexcept ImportError:\n"
            f'    %pip install --quiet "dae-tutorial @ git+{repository}"'
        )
    return (
        "# This notebook needs the tutorial's package: run `pip install .` in the\n"
        "# folder that holds the tutorial's pyproject.toml.\n"
        "try:\n    import dae_tutorial\nexcept ImportError as error:\n"
        '    message = "Run `pip install .` in the tutorial\'s folder first."\n'
        "    raise ImportError(message) from error"
    )


def _results(cell: NotebookNode, place: str, stem: str, images: dict) -> list[dict]:
    """Return what a cell shows, best form first, and add its pictures to `images`."""
    results, figures = [], 0
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            if output.name == "stdout":  # stderr is progress, for the author only
                results.append({"text": output.text.rstrip("\n")})
        elif output.output_type == "error":
            results.append({"text": f"{output.ename}: {output.evalue}"})
        elif "image/png" in output.data:
            figures += 1
            alt = _alt_text(cell, place, figures)
            results.append({"figure": _figure(output, alt, stem, images)})
        elif "text/markdown" in output.data:
            results.append({"markdown": output.data["text/markdown"]})
        elif "text/plain" in output.data:
            results.append({"text": output.data["text/plain"].rstrip("\n")})
    return [result for result in results if any(result.values())]


def _alt_text(cell: NotebookNode, place: str, figures: int) -> str:
    alt = cell.metadata.get("alt", "")
    if not alt.strip():
        raise NotebookError(
            f"{place} shows a figure, and nothing says what is in it for those who "
            f'cannot see it. Write:\n    # %% alt="What the figure shows"'
        )
    if figures > 1:
        raise NotebookError(
            f"{place} shows {figures} figures, and its alt text describes one. "
            "Show each in a cell of its own."
        )
    return alt


def _figure(output: NotebookNode, alt: str, stem: str, images: dict) -> dict:
    """Write a figure's pictures and return what the template needs to show them."""
    number = 1 + sum(not file.endswith("-dark.png") for file in images)
    has_dark = LIGHT in output.data
    kinds = {"light": LIGHT, "dark": DARK} if has_dark else {"any": "image/png"}
    pictures = []
    for scheme, kind in kinds.items():
        file = f"figure-{number}" + ("-dark" if scheme == "dark" else "") + ".png"
        images[file] = base64.b64decode(output.data[kind])
        pictures.append({"scheme": scheme, "source": f"{stem}/{file}"})
    width, height = _css_size(images[f"figure-{number}.png"], has_dark)
    return {
        "pictures": pictures,
        # Inside Markdown's ![…] brackets and quotes would end the text.
        "alt": " ".join(alt.split()).translate(str.maketrans({"[": "(", "]": ")"})),
        "width": width,
        "height": height,
        "is_first": number == 1,
    }


def _css_size(png: bytes, is_dense: bool) -> tuple[int, int]:
    pixels = struct.unpack(">II", png[16:24])  # of the PNG's header
    scale = PIXELS_PER_CSS_PIXEL if is_dense else 1
    return tuple(round(size / scale) for size in pixels)
