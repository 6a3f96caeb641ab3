"""A table of results is one for the eye, for a screen reader and for a terminal."""

import pytest
from bs4 import BeautifulSoup

from dae_tutorial.evidence.comparison import Comparison

ROWS = {
    ("DAE", 32): [(16.84, 0.2), "blind", 209_968],
    ("AE", 32): [(31.1, 0.3), "<told>", 1000],
    ("nothing", ""): [116.2, None, None],
}
TABLE = Comparison(
    "1000 × error & time",
    {"error": ".1f", "knows σ": "", "parameters": ",d"},
    ROWS,
    names=("model", "code"),
    best={"error": min, "parameters": max},
)


def parsed(table):
    return BeautifulSoup(table._repr_html_(), "html.parser").table


def texts(cells):
    return [cell.get_text() for cell in cells]


def test_every_number_stands_under_a_head_and_beside_one():
    table = parsed(TABLE)
    assert table.caption.text == "1000 × error & time. Bold: best of its column."
    heads = texts(table.select("thead th[scope=col]"))
    assert heads == ["model", "code", "error", "knows σ", "parameters"]
    first, second, third = table.select("tbody tr")
    assert texts(first.select("th[scope=row]")) == ["DAE", "32"]
    assert texts(second.select("td")) == ["31.1\xa0±\xa00.3", "<told>", "1,000"]
    # An empty head would be read out as one.
    assert texts(third.select("th")) == ["nothing"]
    assert len(third.select("td, th")) == 5
    assert len(table.select("[style='text-align:right']")) == 2 + 6  # not the texts


def test_the_best_is_told_to_eye_and_ear():
    bold = texts(parsed(TABLE).select("td b"))
    assert bold == ["16.8\xa0±\xa00.2, best", "209,968, best"]


def test_what_looks_alike_is_marked_alike():
    rows = {"a": [0.1004], "b": [0.1001], "c": [0.11]}
    table = Comparison("MSE", {"error": ".3f"}, rows, best={"error": min})
    assert texts(parsed(table).select("b")) == ["0.100, best", "0.100, best"]
    assert repr(table).count("*") == 3  # the legend has one, too


def test_without_a_best_nothing_is_marked():
    table = Comparison("MSE", {"error": ".3f"}, {"a": [0.1]})
    assert "Bold" not in table._repr_html_()
    assert "*" not in repr(table)
    assert parsed(table).select("thead tr > *")[0].name == "td"


def test_decimals_stand_below_each_other_in_a_terminal():
    rows = {"a": [1.5, 2], "long name": [10.25, 30]}
    table = Comparison("c", {"x": ".2f", "y": "d"}, rows, best={"x": min})
    lines = repr(table).splitlines()[2:]
    assert lines == ["a           1.50*   2", "long name  10.25   30"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": {}}, "must not be empty"),
        ({"columns": {}}, "must not be empty"),
        ({"rows": {"a": [1]}}, "and 2 cells, one a column, got 'a'"),
        ({"names": ("model", "code")}, "names of 2 parts, as `names` has"),
        ({"best": {"z": min}}, "best must name columns, got z"),
    ],
)
def test_what_is_no_table_is_refused(changes, message):
    whole = {"columns": {"x": "", "y": ""}, "rows": {"a": [1, 2]}}
    with pytest.raises(ValueError, match=message):
        Comparison("c", **(whole | changes))
