"""A page explains a term where it comes first, and where nothing else is clicked."""

from tools.tooltips import first_terms_only

MSE = '<abbr title="the error">MSE</abbr>'
REACHABLE = '<abbr title="the error" tabindex="0">MSE</abbr>'


def test_the_first_occurrence_is_reachable_and_the_others_are_text():
    assert first_terms_only(f"<p>{MSE}, {MSE}</p>") == f"<p>{REACHABLE}, MSE</p>"


def test_two_words_for_one_thing_are_explained_once():
    plural = MSE.replace("MSE", "MSEs")
    assert first_terms_only(f"{MSE} {plural}") == f"{REACHABLE} MSEs"


def test_headings_and_links_keep_the_word_alone():
    page = f'<h2 id="mse">{MSE}</h2><a href="x">about {MSE}</a><p>{MSE}</p>'
    expected = f'<h2 id="mse">MSE</h2><a href="x">about MSE</a><p>{REACHABLE}</p>'
    assert first_terms_only(page) == expected
