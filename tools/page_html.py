"""Finish the HTML that Markdown and the theme make of a page.

MkDocs calls the ``on_…`` functions (``hooks`` in mkdocs.yml).
"""

import re

# No runnable input, so neither copied by a button nor found by the search: signatures,
# what a cell printed, and doctests, which begin with a prompt.
NOT_TO_COPY = re.compile(
    r'<div class="([^"]*\b(?:doc-signature|output)\b[^"]*'
    r'|[^"]*\bhighlight\b[^"]*(?="><pre><span></span><code><span class="gp">))"'
)
CODE_LINK = '<a class="autorefs autorefs-internal"'
SOURCE_CODE = '<details class="mkdocstrings-source"'
# Once the theme has made every address full, the style sheet for paper could not tell.
EXTERNAL = re.compile(r'<a (?=[^>]*href="https?://)(?![^>]* rel=)')
# Attributes that HTML does not allow where the theme writes them.
NOT_HTML = re.compile(
    r"""(<input\ class="md-toggle"[^>]*?)\ autocomplete="off"
    |(<label\ class="md-nav__[^>]*?)\s+tabindex=""
    """,
    re.VERBOSE,
)


def on_page_content(html: str, **context: object) -> str:
    """Mark the code that is not for copying or searching, and links that lead away."""
    html = NOT_TO_COPY.sub(r'<div data-search-exclude class="\1 no-copy"', html)
    html = EXTERNAL.sub('<a rel="external" ', html)
    return html.replace(SOURCE_CODE, f"{SOURCE_CODE} data-search-exclude")


def on_post_page(output: str, **context: object) -> str:
    """Make the theme's part of a page valid HTML; let links to code be previewed."""
    output = output.replace(CODE_LINK, f"{CODE_LINK} data-preview")
    return NOT_HTML.sub(r"\1\2", output)


def on_post_template(output: str, **context: object) -> str:
    """Make the theme's part of the 404 page valid HTML."""
    return on_post_page(output)
