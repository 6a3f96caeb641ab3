"""Formulas are typeset at build time, once, and a broken one is named."""

import logging
from types import SimpleNamespace

from tools import formulas


def page_with(content: str) -> SimpleNamespace:
    file = SimpleNamespace(src_uri="learn/x.md", page=SimpleNamespace(content=content))
    return SimpleNamespace(documentation_pages=lambda: [file])


def built(content: str) -> str:
    formulas.on_env(None, config=None, files=page_with(content))
    return formulas.on_post_page(content, page=None, config=None)


def test_a_formula_is_for_the_eye_the_ear_and_the_clipboard():
    html = built(r'<span class="arithmatex">\(a &lt; \sigma^2\)</span>')
    assert 'class="katex-html" aria-hidden="true"' in html
    assert "<mi>σ</mi>" in html
    assert r'encoding="application/x-tex">a &lt; \sigma^2<' in html


def test_a_displayed_formula_is_displayed():
    assert "katex-display" in built('<div class="arithmatex">\\[\nx\n\\]</div>')
    assert "katex-display" not in built(r'<span class="arithmatex">\(x\)</span>')


def test_the_rest_of_the_page_is_untouched():
    page = '<p>costs 3 $ \\(x\\) <code class="arithmatex">\\(y\\)</code></p>'
    assert built(page) == page


def test_a_broken_formula_is_named_with_its_page_and_stays_readable(caplog):
    page = r'<span class="arithmatex">\(\frac{1}{\)</span>'
    with caplog.at_level(logging.WARNING, "mkdocs.hooks.formulas"):
        assert built(page) == page
    [record] = caplog.records  # a warning ends a strict build
    assert "learn/x.md" in record.getMessage()
    assert r"\(\frac{1}{\)" in record.getMessage()
