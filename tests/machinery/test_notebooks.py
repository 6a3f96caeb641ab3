"""What the runner promises, through the front door: edit a file, build, look."""

import json
import shutil
import signal
import time
from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup

from tests.machinery.project import Project

pytestmark = pytest.mark.slow

# What is edited: (file, old, new).
WITHOUT_EFFECT = {
    "prose": ("docs/a.py", "Prose with", "Words with"),
    "a comment in a cell": ("docs/a.py", "import some", "# why\nimport some"),
    "formatting of a cell": ("docs/a.py", "answer = 42", "answer=  42"),
    "the front matter's words": ("docs/a.py", "About a", "All about a"),
    "an alt text": ("docs/b.py", "A line", "One line"),
    "an unused module": ("dae_tutorial/unused.py", "3", "4"),
    "a docstring": ("dae_tutorial/used.py", "Return two", "Give two"),
    "a comment in a module": ("dae_tutorial/below.py", "ONE = 1", "ONE = 1  # !"),
    "another data file": ("dae_tutorial/other.csv", "3", "4"),
    "the template": ("tools/notebooks/page.md.j2", ".figure }", ".figure .new }"),
    "the runner": ("tools/notebooks/run.py", "MOST_RUNS = 3", "MOST_RUNS = 4"),
}
# … → the notebooks that run.
EDITS = {
    "a code cell": ("docs/a.py", "answer = 42", "answer = 43", ["a"]),
    "a used module": ("dae_tutorial/used.py", "ONE + 1", "1 + ONE", ["a"]),
    "a module below it": ("dae_tutorial/below.py", "ONE = 1", "ONE = 2 - 1", ["a"]),
    "a figure's style": ("dae_tutorial/figures.py", "black", "navy", ["b"]),
    "a named data file": ("dae_tutorial/numbers.csv", "1,2", "1,3", ["a"]),
    "the data set": ("data/set.txt", "the", "a", ["a", "b"]),
    "the kernel": (
        "tools/notebooks/kernel.py",
        "PIXELS_PER_CSS_PIXEL = 2",
        "PIXELS_PER_CSS_PIXEL = 1",
        ["a", "b"],
    ),
    "a library's version": (
        "library/some_library-1.0.dist-info/METADATA",
        "Version: 1.0",
        "Version: 1.1",
        ["a"],
    ),
}


@pytest.fixture(scope="module")
def built(project: Project) -> Project:
    """Return the project as it is first built; a test that edits it is `edited`."""
    build = project.build()
    assert build.returncode == 0, build.stdout
    project.runs()
    return project


@pytest.fixture
def edited(built: Project) -> Iterator[Project]:
    """Return the project, whose sources are afterwards what they were."""
    kept = built.root.parent / "kept"
    sources = ("docs", "dae_tutorial", "data", "library", "tools")
    for name in sources:
        shutil.copytree(built.root / name, kept / name)
    yield built
    for name in sources:
        shutil.rmtree(built.root / name)
        shutil.move(kept / name, built.root / name)
    built.runs()


def article(project: Project, name: str) -> BeautifulSoup:
    return BeautifulSoup(project.page(name), "html.parser")


def test_signs_reach_the_page_as_they_are_written(built: Project):
    page = article(built, "a")
    text = page.get_text()
    assert "Prose with signs: 1 < 2 & \"a\" -> 'b'." in text
    assert 'print(two(), numbers.strip(), "<b> & \'c\' -> \\"d\\"")' in text
    assert "2 1,2 <b> & 'c' -> \"d\"" in text
    assert not page.select("style")


def test_cells_are_shown_as_their_tags_say(built: Project):
    page = article(built, "a")
    assert "secret" not in page.get_text()
    assert "shown" in page.get_text()
    folds = {
        fold.summary.get_text(): fold.get_text() for fold in page.select("details")
    }
    assert "answer = 42" in folds["Solution"]
    assert "assert two() == 2" in folds["The numbers above, checked"]
    assert page.title.get_text().startswith("a")


def test_a_page_and_its_download_show_code_as_it_is_now(edited: Project):
    for code in ("return ONE + 1", "return ONE + 1 + 0"):
        edited.replace("dae_tutorial/used.py", "return ONE + 1", code)
        edited.build()
        assert "b" not in edited.runs(), "it shows the code, and does not use it"
        fold = article(edited, "b").select_one("details.mkdocstrings-source")
        assert fold.summary.get_text() == "The code of two"
        assert fold.pre.get_text().strip() == f"def two():\n    {code}"
        download = (edited.root / "site" / "b" / "b.ipynb").read_text("utf-8")
        shown = "".join(json.loads(download)["cells"][0]["source"])
        assert f"```python\ndef two():\n    {code}\n```" in shown


def test_a_figure_is_two_files_with_a_text_and_a_size_and_can_be_opened(built: Project):
    links = article(built, "b").select("p.figure > a")
    assert [link["class"] for link in links] == [["only-light"], ["only-dark"]]
    for link in links:
        assert link.img["alt"] == "A line (from) 'one' to two"
        assert (link.img["width"], link.img["height"]) == ("300", "200")
        assert link["href"] == link.img["src"]
        picture = (built.root / "site" / "b" / link["href"]).read_text("utf-8")
        assert "<svg" in picture


def test_what_a_cell_shows_as_html_is_part_of_the_page(built: Project):
    assert article(built, "b").select_one("table td").get_text() == "1 < 2"


def test_the_download_sets_itself_up_and_is_no_larger_than_it_must_be(built: Project):
    page = article(built, "b")
    download = json.loads((built.root / "site" / "b" / "b.ipynb").read_text("utf-8"))
    set_up = download["cells"][1]
    assert "import dae_tutorial" in "".join(set_up["source"])
    assert "pip install" not in page.get_text()
    (figure,) = download["cells"][2]["outputs"]
    assert sorted(figure["data"]) == ["image/png", "text/plain"]
    script = built.root / "site" / "b" / "b.py"
    assert script.read_bytes() == (built.root / "docs" / "b.py").read_bytes()


def test_an_edit_without_effect_on_outputs_runs_nothing(edited: Project):
    for file, old, new in WITHOUT_EFFECT.values():
        edited.replace(file, old, new)
    status = edited.status()
    build = edited.build()
    assert build.returncode == 0, build.stdout
    assert edited.runs() == [], status


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_runs_what_it_must_and_no_more(edited: Project, edit: str):
    file, old, new, expected = EDITS[edit]
    edited.replace(file, old, new)
    run = edited.run_notebooks()
    assert run.returncode == 0, run.stdout
    assert edited.runs() == expected


def test_an_undone_edit_finds_its_outputs_again(edited: Project):
    edited.replace("dae_tutorial/below.py", "ONE = 1", "ONE = 3 - 2")
    assert "stale: changed module dae_tutorial.below" in edited.status()
    edited.run_notebooks()
    assert edited.runs() == ["a"]
    edited.replace("dae_tutorial/below.py", "ONE = 3 - 2", "ONE = 1")
    assert edited.status().count("fresh") == 2
    edited.build()
    assert edited.runs() == []


def test_a_new_data_file_counts_where_a_pattern_names_it(edited: Project):
    (edited.root / "dae_tutorial" / "numbers.txt").write_text("5")
    edited.build()
    assert edited.runs() == ["a"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise ValueError('no luck')", "ValueError: no luck"),
        ("import warnings; warnings.warn('old')", "UserWarning: old"),
        ("import os; os._exit(1)", "the kernel died"),
        (
            "open(dae_tutorial.__file__.replace('__init__.py', 'other.csv')).read()",
            "# data: dae_tutorial/other.csv",
        ),
        (
            "list(Path(dae_tutorial.__file__).parent.iterdir())",
            "# data: dae_tutorial/*",
        ),
        ("import matplotlib.pyplot as plt; plt.figure()", "nothing says what is in it"),
        ("import tools", "No module named 'tools'"),
    ],
)
def test_a_cell_that_fails_is_named_and_nothing_is_published(
    edited: Project, code: str, error: str
):
    before = edited.page("a")
    edited.replace("docs/a.py", "answer = 42", f"answer = 42\n{code}")
    build = edited.build()
    assert build.returncode != 0
    assert error in build.stdout
    assert "docs/a.py, line 26: code cell 3 of 5:\n    answer = 42\n" in build.stdout
    assert edited.page("a") == before
    assert (edited.root / "site" / "b" / "index.html").is_file()


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("# title: a\n", "", "the front matter has no title"),
        (
            "# title: a\n",
            "# title: a: b\n",
            "the front matter is not YAML. A text with",
        ),
        ("numbers.*", "nothing.*", "there is no file dae_tutorial/nothing.*"),
    ],
)
def test_front_matter_that_cannot_be_right_is_refused(
    edited: Project, old: str, new: str, error: str
):
    edited.replace("docs/a.py", old, new)
    build = edited.build()
    assert build.returncode != 0
    assert f"docs/a.py: {error}" in build.stdout


def test_an_alt_text_without_a_figure_is_refused(edited: Project):
    edited.replace("docs/b.py", "plt.close(figure)\nfigure", "plt.close(figure)")
    build = edited.build()
    assert build.returncode != 0
    assert "It has an alt text, and shows no figure" in build.stdout


def test_a_damaged_entry_runs_again(edited: Project):
    edited.run_notebooks()
    entries = (edited.root / ".cache" / "notebooks").glob("a.py.*")
    entry = max(entries, key=lambda file: file.stat().st_mtime_ns)  # the last one used
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 1
    entry.write_bytes(content)
    build = edited.build()
    assert build.returncode == 0
    assert "is damaged: its notebook runs again" in build.stdout
    assert edited.runs() == ["a"]


def test_two_builds_at_once_run_each_notebook_once(edited: Project):
    shutil.rmtree(edited.root / ".cache")
    folders = [str(edited.root.parent / name) for name in ("one", "two")]
    builds = [edited.start("mkdocs", "build", "-d", folder) for folder in folders]
    assert [build.communicate()[0] and build.returncode for build in builds] == [0, 0]
    assert edited.runs() == ["a", "b"]


def test_a_kill_loses_nothing_that_is_finished(edited: Project):
    shutil.rmtree(edited.root / ".cache")
    edited.replace(
        "docs/b.py",
        "import matplotlib",
        "import time; time.sleep(60)\nimport matplotlib",
    )
    build = edited.start("mkdocs", "build", start_new_session=True)
    store = edited.root / ".cache" / "notebooks"
    while not list(store.glob("a.py.*.gz")):
        time.sleep(0.05)
    time.sleep(0.5)
    build.send_signal(signal.SIGKILL)
    build.communicate()
    edited.replace("docs/b.py", "time.sleep(60)", "time.sleep(0)")
    assert edited.build().returncode == 0
    assert edited.runs() == ["a", "b"], "each once"
    assert not [file for file in store.iterdir() if file.name.startswith(".")]


def test_the_store_is_bounded(edited: Project):
    edited.replace(
        "tools/notebooks/run.py", "MOST_OF_ONE_NOTEBOOK = 8", "MOST_OF_ONE_NOTEBOOK = 2"
    )
    for value in range(3):
        edited.replace("docs/a.py", "answer = ", f"answer = {value} + ")
        edited.run_notebooks("docs/a.py")
    entries = list((edited.root / ".cache" / "notebooks").glob("a.py.*"))
    assert len(entries) == 2
    assert edited.runs().count("a") == 3


def test_the_same_build_twice_gives_the_same_site(edited: Project):
    edited.build()
    first = {name: edited.page(name) for name in ("a", "b")}
    shutil.rmtree(edited.root / ".cache")
    edited.build()
    assert {name: edited.page(name) for name in ("a", "b")} == first


def test_the_runner_has_a_command_line(edited: Project):
    edited.replace("docs/a.py", "answer = 42", "answer = 44")
    assert edited.run_notebooks("docs/a.py").returncode == 0
    assert edited.runs() == ["a"]
