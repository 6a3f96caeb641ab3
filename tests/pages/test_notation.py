"""The table of scales on the page of notation says what code in each scale does."""

import math

import pytest

from dae_tutorial.loaders import load_mnist
from tests.pages.built_site import ROOT

TEXT = (ROOT / "docs" / "notation.md").read_text(encoding="utf-8")


def scales() -> dict[str, dict[float, float]]:
    """Return, by the first words of each row, what it says for each of our levels."""
    table = (
        TEXT.partition("## Which scale")[2].partition("\n\n| ")[2].partition("\n\n")[0]
    )
    head, _, *rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
    levels = [float(cell) for cell in head[2:]]
    return {
        name: dict(zip(levels, map(number, cells), strict=True))
        for name, _, *cells in rows
    }


def number(cell: str) -> float:
    return float(cell.replace("\N{MINUS SIGN}", "-"))


def said(beginning: str) -> dict[float, float]:
    [row] = [row for name, row in scales().items() if name.startswith(beginning)]
    return row


LEVELS = [0.1, 0.5, 1.0, 10.0]


def test_the_table_has_the_rows_that_are_checked():
    assert len(scales()) == 6
    assert all(list(row) == LEVELS for row in scales().values())


@pytest.mark.parametrize("sigma", LEVELS)
def test_each_scale_leads_back_to_ours(sigma):
    """By what each means: noise over signal, where black and white are 1 apart."""
    assert said("σ for pixels from 0")[sigma] / 255 == pytest.approx(sigma)
    assert said("σ for pixels in")[sigma] / 2 == pytest.approx(sigma)
    kept = said("$\\bar\\alpha$")[sigma]
    assert math.sqrt(1 - kept) / math.sqrt(kept) / 2 == pytest.approx(sigma, rel=1e-3)
    ratio = said("signal-to-noise")[sigma]
    assert ratio == pytest.approx(kept / (1 - kept), rel=2e-3)
    assert said("its natural")[sigma] == pytest.approx(math.log(ratio), abs=1e-3)
    share = said("share of noise")[sigma]
    assert share / (1 - share) / 2 == pytest.approx(sigma, rel=1e-3)


def test_the_spread_of_the_pixels_is_as_said():
    spread = load_mnist(train=True).images.std().item()
    assert f"{(0.5 / spread) ** 2:.1f} times the variance" in TEXT
    assert f"{spread:.3f} in $[0, 1]$, and {2 * spread:.3f} in $[-1, 1]$" in " ".join(
        TEXT.split()
    )
