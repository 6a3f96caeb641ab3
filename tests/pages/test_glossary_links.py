"""A reader who meets a term for the first time on a page can ask what it means."""

import re

import jupytext
import pytest

from tests.pages.built_site import ROOT

DOCS = ROOT / "docs"
# What a page says of a term → its anchor in the glossary. Left out are words that have
# an everyday meaning too, such as code, loss, score and seed; what the whole site is
# about; and abbreviations, which explain themselves.
TERMS = {
    r"Adam\b": "adam",
    r"batch(es)?\b": "batch",
    r"(?<!noise-)blind\b": "blind",
    r"convolution": "convolution",
    r"dropout\b": "dropout",
    r"epochs?\b": "epoch",
    r"fine-tun": "fine-tuning",
    r"fused\b": "fused-optimiser",
    r"learning rate": "learning-rate",
    r"linear probe": "linear-probe",
    r"mean image": "mean-image",
    r"noise-aware": "noise-aware",
    r"one-cycle": "one-cycle-schedule",
    r"overcomplete": "undercomplete",
    r"overfit": "overfitting",
    r"participation ratio": "participation-ratio",
    r"posterior mean\b": "posterior-mean",
    r"pretrain(ing\b|ed (start|layer))": "pretraining",
    r"ridge\b": "ridge",
    r"sigmoid": "sigmoid",
    r"softmax": "softmax",
    r"U-Nets?\b": "u-net",
    r"test set\b": "test-set",
    r"twins?\b": "twin",
    r"validation (set|images)": "validation-set",
}
# Not met in running text: headings, code, formulas, and links to other places.
ASIDE = re.compile(
    r"^(?:\#|\{\{|!!!|\?\?\?)[^\n]*|```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|<!--.*?-->"
    r"|\[[^\]]*\]\((?![^)]*glossary)[^)]*\)|\[[^\]]*\]\[[^\]]*\]",
    re.MULTILINE | re.DOTALL,
)


def prose(page: str) -> str:
    """Return what is read on a page, notebook or Markdown."""
    text = (DOCS / page).read_text("utf-8")
    if page.endswith(".py"):
        cells = jupytext.reads(text, fmt="py:percent").cells
        text = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
    else:
        text = text.split("---", 2)[2]
    return " ".join(ASIDE.sub("", text).split())


def pages() -> list[str]:
    """Return all pages but the lists, in which each entry stands alone."""
    found = [*DOCS.rglob("*.md"), *DOCS.rglob("*.py")]
    names = sorted(file.relative_to(DOCS).as_posix() for file in found)
    lists = ("reference/", "includes/", "bibliography", "glossary", "notation")
    return [name for name in names if not name.startswith(lists)]


@pytest.mark.parametrize("page", pages())
def test_a_term_is_linked_where_it_is_first_met(page: str):
    text = prose(page)
    unlinked = {}
    for term, anchor in TERMS.items():
        first = re.search(rf"\b(?:{term})", text, re.IGNORECASE)
        link = re.search(rf"\[[^\]]*\]\([^)]*glossary\.md#{anchor}\)", text)
        if first and not (link and link.start() <= first.start() <= link.end()):
            around = text[max(first.start() - 40, 0) : first.end() + 20]
            unlinked[f"glossary.md#{anchor}"] = around
    assert not unlinked


def test_every_term_is_in_the_glossary():
    anchors = re.findall(r"\{ #(\S+) \}", (DOCS / "glossary.md").read_text("utf-8"))
    assert set(TERMS.values()) <= set(anchors)
