r"""Typeset formulas when the site is built, so that readers load no script for them.

MkDocs calls the ``on_…`` functions (``hooks`` in mkdocs.yml). Arithmatex leaves each
formula in the page as its LaTeX source, ``\(…\)`` or ``\[…\]``, and that is what the
search reads. The finished page holds KaTeX's HTML for the eye, MathML for screen
readers, and the source as MathML's annotation.

KaTeX is a JavaScript library: one Node process a build typesets all formulas.
"""

import json
import logging
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # MkDocs loads a hook by its path, not as a module
    sys.path.insert(0, str(ROOT))

from tools.node import node  # noqa: E402

RENDERER = ROOT / "tools" / "render_formulas.mjs"

ELEMENT = re.compile(
    r'(<(span|div) class="arithmatex">)(\\[(\[].*?\\[)\]])(</\2>)', re.DOTALL
)

log = logging.getLogger("mkdocs.hooks.formulas")
_typeset: dict[str, dict[str, str]] = {}


def formulas_in(html: str) -> set[str]:
    r"""Return the formulas of a page with their delimiters, ``\(…\)`` or ``\[…\]``."""
    return {unescape(match[3]) for match in ELEMENT.finditer(html)}


def typeset(formulas: list[str]) -> dict[str, dict[str, str]]:
    """Return ``{"html": …}`` or ``{"error": …}`` for each formula, from KaTeX."""
    if not formulas:
        return {}
    request = [[formula[1] == "[", formula[2:-2].strip()] for formula in formulas]
    answer = subprocess.run(
        [node(), RENDERER],
        input=json.dumps(request),
        capture_output=True,
        check=True,
        encoding="utf-8",
        cwd=ROOT,
    )
    return dict(zip(formulas, json.loads(answer.stdout), strict=True))


def insert(html: str, typeset: dict[str, dict[str, str]]) -> str:
    """Return a page's HTML with its formulas typeset, those with an error as LaTeX."""

    def element(match: re.Match) -> str:
        result = typeset.get(unescape(match[3]), {})
        return match[1] + result.get("html", match[3]) + match[4]

    return ELEMENT.sub(element, html)


def on_env(env: object, *, config: MkDocsConfig, files: Files) -> None:
    """Typeset the formulas of all pages, and name the page of each that fails."""
    pages = {
        file.src_uri: formulas_in(file.page.content or "")
        for file in files.documentation_pages()
    }
    wanted = set().union(*pages.values())
    _typeset.clear()
    _typeset.update(typeset(sorted(wanted)))
    for name, formulas in pages.items():
        for formula in sorted(formulas):
            if error := _typeset[formula].get("error"):
                log.warning("%s: the formula %s is broken: %s", name, formula, error)


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> str:
    """Put the typeset formulas into the finished page."""
    return insert(output, _typeset)
