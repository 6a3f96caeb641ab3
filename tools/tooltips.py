"""Make the explanations of terms reachable for everybody.

MkDocs calls ``on_page_content`` (``hooks`` in mkdocs.yml). Markdown marks every
occurrence of an abbreviation, for the mouse alone. Here the first one of a page is
kept, and the keyboard and a finger reach it; the others are plain text.
"""

import re

# In a heading, a link or a fold's title, something else already answers to a click.
TAKEN = r"<(?P<element>h[1-6]|a|summary)\b.*?</(?P=element)>"
TERM = re.compile(r'<abbr title="(?P<title>[^"]*)">(?P<word>[^<]*)</abbr>')
EITHER = re.compile(f"{TAKEN}|{TERM.pattern}", re.DOTALL)


def first_terms_only(html: str) -> str:
    """Return a page's HTML with the first occurrence of each term focusable.

    Examples:
        >>> print(first_terms_only('<abbr title="error">MSE</abbr>'))
        <abbr title="error" tabindex="0">MSE</abbr>
    """
    explained = set()

    def keep_first(match: re.Match) -> str:
        if match["element"]:
            return TERM.sub(r"\g<word>", match[0])
        title, word = match["title"], match["word"]
        if title in explained:
            return word
        explained.add(title)
        return f'<abbr title="{title}" tabindex="0">{word}</abbr>'

    return EITHER.sub(keep_first, html)


def on_page_content(html: str, **context: object) -> str:
    """Treat the terms of a page."""
    return first_terms_only(html)
