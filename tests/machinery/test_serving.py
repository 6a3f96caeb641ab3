"""`mkdocs serve` never waits for a notebook, and never shows a stale one."""

import re
import time
from collections.abc import Iterator

import pytest

from tests.machinery.project import Project, served, wait_for

pytestmark = pytest.mark.slow

WAITS = "This page waits for its notebook to run"
SLOW = "import time; time.sleep(3)\n"


@pytest.fixture(scope="module")
def site(project: Project) -> Iterator[str]:
    """Serve a project in which nothing has run yet, and the first notebook is slow."""
    project.replace("docs/a.py", "import some_library", f"{SLOW}import some_library")
    with served(project) as address:
        yield address


def test_pages_are_there_before_their_notebooks_have_run(site: str):
    page = wait_for(f"{site}a/", WAITS)
    assert "It is running" in page
    assert "Solution" in page, "the code is there to read"
    assert "First a.py is running" in wait_for(f"{site}b/", WAITS)


def test_results_are_shown_when_they_are_there(site: str, project: Project):
    assert WAITS not in wait_for(f"{site}a/", "2 1,2")
    assert WAITS not in wait_for(f"{site}b/", "figure-1-light")
    assert project.runs() == ["a", "b"]


def test_prose_is_shown_at_once_and_runs_nothing(site: str, project: Project):
    project.replace("docs/a.py", "Prose with", "Words with")
    assert "2 1,2" in wait_for(f"{site}a/", "Words with")
    assert project.runs() == []


def number_of_the_build(page: str) -> str:
    """Return what the live reload compares to know of a new build."""
    return re.search(r"livereload\((\d+),", page)[1]


def test_the_server_rests_when_nothing_changes(site: str):
    before = number_of_the_build(wait_for(f"{site}a/", "2 1,2"))
    time.sleep(4)  # it looks for changes twice a second
    assert number_of_the_build(wait_for(f"{site}a/", "2 1,2")) == before


def test_an_edit_during_a_run_begins_it_again(site: str, project: Project):
    project.replace("docs/a.py", "time.sleep(3)", "time.sleep(300)")
    wait_for(f"{site}a/", "It is running")
    project.replace("docs/a.py", "time.sleep(300)", "time.sleep(0)")
    wait_for(f"{site}a/", "2 1,2")
    assert project.runs() == ["a"]


def test_an_error_is_shown_until_it_is_mended(site: str, project: Project):
    project.replace("docs/a.py", "answer = 42", "answer = 42 / 0")
    page = wait_for(f"{site}a/", "This page's notebook failed")
    assert "ZeroDivisionError: division by zero" in page
    assert "code cell 3 of 5" in page
    project.replace("docs/a.py", "answer = 42 / 0", "answer = 40")
    assert "failed" not in wait_for(f"{site}a/", "2 1,2")


def test_a_script_that_cannot_be_read_is_told_and_the_others_stay(
    site: str,
    project: Project,
):
    project.replace("docs/a.py", "# title: a\n", "")
    wait_for(f"{site}a/", "the front matter has no title")
    wait_for(f"{site}b/", "figure-1-light")
    project.replace("docs/a.py", "# ---\n# desc", "# ---\n# title: a\n# desc")
    wait_for(f"{site}a/", "2 1,2")


def test_a_change_of_the_package_runs_its_users(site: str, project: Project):
    project.runs()
    project.replace("dae_tutorial/used.py", "ONE + 1", "ONE + 2")
    wait_for(f"{site}a/", "AssertionError")
    project.replace("dae_tutorial/used.py", "ONE + 2", "ONE + 1")
    wait_for(f"{site}a/", "2 1,2")
    assert project.runs() == []
