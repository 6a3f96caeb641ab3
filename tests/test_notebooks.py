"""The notebook pipeline: it runs exactly what must run, and pages are complete."""

import io
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import matplotlib
import nbformat
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from nbclient.exceptions import CellTimeoutError
from PIL import Image

from tools import mkdocs_hook
from tools.notebooks import background, cache, fingerprint, pipeline
from tools.notebooks import execute as execution
from tools.notebooks.__main__ import main
from tools.notebooks.convert import to_download, to_markdown, to_page
from tools.notebooks.dark import dark_ink
from tools.notebooks.errors import NotebookError
from tools.notebooks.execute import execute
from tools.notebooks.kernel_start import figure_bundle
from tools.notebooks.pipeline import Project, cached, executed
from tools.notebooks.source import read
from tools.notebooks.syntax import normalised_cell, normalised_module

REPOSITORY = Path(__file__).parents[1]

HEAD = "# ---\n# title: A page\n# description: What it is about.\n# ---\n\n"

# A notebook that reads a module, which imports another, and a data file.
USES_ALL = """# %% [markdown]
# Prose.

# %%
from dae_tutorial.used import double
print(double(int(open("data/number.txt").read())))
"""

FIGURE = """from matplotlib.figure import Figure
figure = Figure(figsize=(2, 1))
figure.subplots().plot([1, 2])
figure
"""


def make_project(root: Path) -> Project:
    """Make a project with a package, a data file and the page `docs/page.py`."""
    package = root / "dae_tutorial"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "used.py").write_text(
        "from dae_tutorial.deeper import TWO\n\ndef double(x):\n    return TWO * x\n"
    )
    (package / "deeper.py").write_text("TWO = 2\n")
    (package / "unused.py").write_text("THREE = 3\n")
    (root / "data").mkdir()
    (root / "data/number.txt").write_text("4")
    (root / "docs").mkdir()
    write_page(root, USES_ALL)
    return Project(root)


@pytest.fixture
def project(tmp_path):
    """Return a project whose page has not run."""
    return make_project(tmp_path / "project")


@pytest.fixture(scope="session")
def project_that_ran(tmp_path_factory):
    """Return a project whose page has run; for copying only."""
    project = make_project(tmp_path_factory.mktemp("ran") / "project")
    executed(project, page_of(project))
    return project


@pytest.fixture
def fresh(project_that_ran, tmp_path):
    """Return a project whose page has run, for a test to change."""
    shutil.copytree(project_that_ran.root, tmp_path / "fresh")
    project = Project(tmp_path / "fresh")
    assert is_fresh(project)
    return project


def write_page(root: Path, cells: str) -> Path:
    path = root / "docs/page.py"
    path.write_text(HEAD + cells, encoding="utf-8")
    return path


def page_of(project: Project) -> Path:
    return project.docs / "page.py"


def is_fresh(project: Project) -> bool:
    return cached(project, read(page_of(project))) is not None


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def notebook_with(*cells) -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=list(cells))
    notebook.metadata.page = {"title": "A page", "description": "Of something."}
    return notebook


def code_with_figure(**metadata) -> nbformat.NotebookNode:
    matplotlib.use("agg")
    data, size = figure_bundle(drawn_figure())
    output = nbformat.v4.new_output("display_data", data, metadata=size)
    return nbformat.v4.new_code_cell("figure", metadata=metadata, outputs=[output])


def drawn_figure() -> Figure:
    figure = Figure(figsize=(2, 1), dpi=100)
    figure.subplots().plot([1, 2], color="#1f2937")
    return figure


# ---- What makes a notebook run again, and what does not ----


def edit(name: str, old: str, new: str):
    """Return a change of one file of a project."""
    return lambda root, _: replace(root / name, old, new)


def other_version(of: str):
    """Return a change of the version of an installed package."""

    def change(_, monkeypatch):
        real = fingerprint._version
        monkeypatch.setattr(
            fingerprint, "_version", lambda name: "0.0" if name == of else real(name)
        )

    return change


def other_python(_, monkeypatch):
    monkeypatch.setattr(fingerprint.platform, "python_version", lambda: "4.0.0")


def other_pipeline(_, monkeypatch):
    monkeypatch.setattr(fingerprint, "PIPELINE", ("convert.py",))


CAUSES = {
    "code cell": edit("docs/page.py", "print(double(", "print(1 + double("),
    "hidden result": edit("docs/page.py", ".read())))", ".read())));"),
    "imported module": edit("dae_tutorial/used.py", "TWO * x", "x * TWO"),
    "module it imports": edit("dae_tutorial/deeper.py", "TWO = 2", "TWO = 3"),
    "package's own module": edit("dae_tutorial/__init__.py", "", "ONE = 1\n"),
    "missing module": lambda root, _: (root / "dae_tutorial/deeper.py").unlink(),
    "data": edit("data/number.txt", "4", "5"),
    "missing data": lambda root, _: (root / "data/number.txt").unlink(),
    "Python": other_python,
    "pipeline": other_pipeline,
}

NO_CAUSES = {
    "prose": edit("docs/page.py", "Prose.", "Better prose, with a comma."),
    "title": edit("docs/page.py", "A page", "The page"),
    "comment": edit("docs/page.py", "print(", "# Say it.\nprint("),
    "formatting": edit("docs/page.py", "print(double(", "print( double("),
    "alt text": edit("docs/page.py", "# %%\nfrom", '# %% alt="Text"\nfrom'),
    "docstring": edit(
        "dae_tutorial/used.py", "    return", '    """Say."""\n    return'
    ),
    "module's comment": edit("dae_tutorial/deeper.py", "TWO = 2", "TWO = 2  # a pair"),
    "module not imported": edit("dae_tutorial/unused.py", "THREE = 3", "THREE = 4"),
    "other data": lambda root, _: (root / "data/other.txt").write_text("6"),
    "version of a package not imported": other_version("torch"),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_what_outputs_depend_on_makes_them_stale(fresh, monkeypatch, cause):
    CAUSES[cause](fresh.root, monkeypatch)
    assert not is_fresh(fresh)


@pytest.mark.parametrize("cause", NO_CAUSES)
def test_what_outputs_do_not_depend_on_keeps_them_fresh(fresh, monkeypatch, cause):
    NO_CAUSES[cause](fresh.root, monkeypatch)
    assert is_fresh(fresh)


def test_version_of_an_imported_package_makes_stale(project, monkeypatch):
    write_page(project.root, "# %%\nimport numpy\n")
    executed(project, page_of(project))
    assert is_fresh(project)
    other_version("numpy")(project.root, monkeypatch)
    assert not is_fresh(project)


def test_undoing_an_edit_finds_the_former_result(fresh):
    module = fresh.root / "dae_tutorial/deeper.py"
    replace(module, "TWO = 2", "TWO = 3")
    assert "12" in text_of(executed(fresh, page_of(fresh)))
    replace(module, "TWO = 3", "TWO = 2")
    assert "8" in text_of(cached(fresh, read(page_of(fresh))))
    replace(module, "TWO = 2", "TWO = 3")
    assert "12" in text_of(cached(fresh, read(page_of(fresh))))


def test_a_renamed_notebook_does_not_run_again(fresh):
    renamed = page_of(fresh).rename(fresh.docs / "renamed.py")
    assert cached(fresh, read(renamed)) is not None


def test_an_edit_of_a_module_during_the_run_makes_it_run_again(project, monkeypatch):
    module, runs = project.root / "dae_tutorial/deeper.py", []

    def edited_meanwhile(*arguments, **options):
        runs.append(module.read_text())
        used = execute(*arguments, **options)
        module.write_text("TWO = 3\n")
        return used

    monkeypatch.setattr(pipeline, "execute", edited_meanwhile)
    assert "12" in text_of(executed(project, page_of(project)))
    assert runs == ["TWO = 2\n", "TWO = 3\n"]


def test_a_notebook_whose_code_changes_at_every_run_is_a_failure(project, monkeypatch):
    module, runs = project.root / "dae_tutorial/deeper.py", []

    def edited_always(*arguments, **options):
        runs.append(1)
        module.write_text(f"TWO = {len(runs)}\n")
        return ["module dae_tutorial.deeper"]

    monkeypatch.setattr(pipeline, "execute", edited_always)
    with pytest.raises(NotebookError, match=r"ran 3 times.*dae_tutorial\.deeper"):
        executed(project, page_of(project))
    assert not is_fresh(project)


def test_a_dependency_of_a_kind_unknown_here_counts_as_changed(project):
    recorded = {"planet mars": "red"}
    assert fingerprint.changed(recorded, project.root) == ["planet mars"]


def test_a_file_that_the_notebook_wrote_is_no_dependency(project):
    write_page(
        project.root,
        "# %%\nfrom pathlib import Path\n"
        'Path("data/made.txt").write_text("1")\nPath("data/made.txt").read_text()\n',
    )
    executed(project, page_of(project))
    (project.root / "data/made.txt").write_text("2")
    assert is_fresh(project)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x=1", "x = 1  # one", True),
        ("f(x)", "f(x);", False),
        ('"text"', "", False),
        ("%time f()", "%time g()", False),
        ('def f():\n    "d"\n    g()', "def f():\n    g()", True),
        ('f("a # b")', 'f("a # c")', False),
    ],
)
def test_normalised_cells(one, other, same):
    assert (normalised_cell(one) == normalised_cell(other)) is same


def test_a_modules_docstring_is_not_code():
    assert normalised_module('"""Say."""\nx = 1') == normalised_module("x = 1")
    assert normalised_module("x = 1") != normalised_module("x = 2")


# ---- The cache ----


def an_entry(folder: Path, notebook: str = "docs/page.py", state: str = "1") -> Path:
    before = set(folder.rglob("*.entry"))
    cache.store(
        folder,
        notebook=notebook,
        code_key="key",
        dependencies={"python": state},
        seconds=1.0,
        outputs=[[{"output_type": "stream", "text": state * 1000}]],
    )
    (path,) = set(folder.rglob("*.entry")) - before
    return path


def always(_dependencies: dict) -> bool:
    return True


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b"1111", b"2222"),
        lambda content: b"{}\n" + content,
    ],
)
def test_a_damaged_entry_counts_as_missing_with_a_warning(tmp_path, caplog, damage):
    path = an_entry(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert cache.find(tmp_path, "key", always) is None
    assert str(path) in caplog.text
    assert not path.exists()


def test_eviction_keeps_what_was_used_last(tmp_path):
    paths = [an_entry(tmp_path, state=str(n)) for n in range(4)]
    for age, path in enumerate(paths):
        os.utime(path, (1000 - age, 1000 - age))
    cache.find(tmp_path, "key", lambda found: found == {"python": "3"})
    assert cache.evict(tmp_path, most_of_one=2) == [paths[1], paths[2]]
    size = paths[0].stat().st_size
    assert cache.evict(tmp_path, most_bytes=size + 1) == [paths[0]]
    assert list(tmp_path.rglob("*.entry")) == [paths[3]]


def test_eviction_bears_another_eviction_meanwhile(tmp_path, monkeypatch):
    an_entry(tmp_path)
    found = list(cache.headers(tmp_path))
    found[0][0].unlink()
    monkeypatch.setattr(cache, "headers", lambda folder: found)
    assert cache.evict(tmp_path) == []


def test_eviction_removes_what_killed_writers_left(tmp_path):
    old, new = tmp_path / ".a.part", tmp_path / ".b.part"
    old.write_bytes(b"")
    new.write_bytes(b"")
    os.utime(old, (1, 1))
    cache.evict(tmp_path)
    assert list(tmp_path.iterdir()) == [new], "the new one may still be written"


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    file = tmp_path / "file"
    cache.write_atomically(file, b"old")
    monkeypatch.setattr(Path, "replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cache.write_atomically(file, b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_two_builds_at_once_run_a_notebook_once(project):
    count = 'open("runs.txt", "a").write("x")\nimport time; time.sleep(1)\n'
    write_page(project.root, "# %%\n" + count)
    builds = [start_run(project) for _ in range(2)]
    assert [build.wait(timeout=60) for build in builds] == [0, 0]
    assert (project.root / "runs.txt").read_text() == "x"


def test_a_killed_build_keeps_finished_work_and_leaves_the_rest_to_run(project):
    (project.docs / "a.py").write_text(HEAD + "# %%\nprint('a')\n")
    (project.docs / "b.py").write_text(
        HEAD + '# %%\nopen("b", "w").close()\nimport time; time.sleep(600)\n'
    )
    build = start_run(project, "docs/a.py", "docs/b.py")
    wait_for(lambda: (project.root / "b").exists())
    build.send_signal(signal.SIGKILL)
    build.wait(timeout=60)
    assert cached(project, read(project.docs / "a.py")) is not None
    assert cached(project, read(project.docs / "b.py")) is None
    replace(project.docs / "b.py", "sleep(600)", "sleep(0)")
    executed(project, project.docs / "b.py")
    assert not list(project.store.rglob("*.part"))


def start_run(project: Project, *names: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "tools.notebooks", "run", *names],
        cwd=project.root,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )


def wait_for(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


# ---- Running ----


def text_of(notebook) -> str:
    return "".join(
        output.get("text", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )


def failure_of(project: Project, cells: str) -> str:
    write_page(project.root, cells)
    with pytest.raises(NotebookError) as caught:
        executed(project, page_of(project))
    assert not is_fresh(project)
    return str(caught.value)


def test_an_error_names_file_line_cell_code_and_error(project):
    code = "".join(f"x{n} = {n}\n" for n in range(1, 6)) + "1 / 0\n"
    message = failure_of(project, "# %%\n1\n\n# %% [markdown]\n# P\n\n# %%\n" + code)
    assert message.startswith(
        "docs/page.py, line 12: code cell 2 of 2 failed:\n    x1 = 1\n"
    )
    assert "x5 = 5\n    …\nZeroDivisionError: division by zero" in message


def test_a_warning_is_a_failure(project):
    message = failure_of(project, '# %%\nimport warnings\nwarnings.warn("Look out")\n')
    assert "code cell 1 of 1 failed" in message
    assert "UserWarning: Look out" in message


def test_a_cell_that_outruns_its_time_is_a_failure(project):
    path = write_page(project.root, "# %%\nimport time; time.sleep(60)\n")
    with pytest.raises(NotebookError, match="longer than 1 seconds"):
        execute(read(path), path, project.root, seconds_a_cell=1)


def test_a_dead_kernel_is_a_failure(project):
    assert "kernel died" in failure_of(project, "# %%\nimport os; os._exit(1)\n")


class Client:
    """Stands in for nbclient's; runs nothing."""

    def __init__(self, error: Exception | None):
        self.error = error

    def execute(self, env: dict) -> None:
        if self.error is not None:
            raise self.error


OUTPUT_IS_LATE = CellTimeoutError.error_from_timeout_and_cell(
    "Timeout waiting for IOPub output", 60, None
)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("Kernel didn't respond"), "did not start: Kernel didn't respond"),
        (OUTPUT_IS_LATE, "its output is not there"),
        (None, "did not say what the notebook depends on"),
    ],
)
def test_a_kernel_that_does_not_work_is_a_failure(project, monkeypatch, error, message):
    monkeypatch.setattr(execution, "_client", lambda *_: Client(error))
    path = page_of(project)
    with pytest.raises(NotebookError, match=f"docs/page.py: .*{message}"):
        execute(read(path), path, project.root)


def test_outputs_that_are_late_are_waited_for_and_missed(project):
    notebook = read(page_of(project))
    client = execution._client(notebook, project.root, "scratch", MagicMock(), 1)
    assert client.raise_on_iopub_timeout
    assert client.iopub_timeout >= 60


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("# %%\n1\n", "front matter has no title"),
        ("# ---\n# title: a: b\n# ---\n", "not YAML. .* needs quotes"),
        ("# ---\n# A title\n# ---\n", "names no fields"),
        (HEAD + '# %% tags="check"\n1\n', "is not of type 'array'"),
    ],
)
def test_a_source_that_cannot_be_read_says_what_to_write(project, source, message):
    page_of(project).write_text(source)
    with pytest.raises(NotebookError, match=message):
        read(page_of(project))


def test_progress_reaches_the_author_and_not_the_page(project, capfd):
    write_page(
        project.root,
        "# %%\nfrom tqdm import tqdm\nfor _ in tqdm(range(3)):\n    pass\n\n"
        "# %%\nimport sys\nprint('as' + 'ide', file=sys.stderr)\nprint('kept')\n",
    )
    page, _ = to_page(executed(project, page_of(project)), "page.py")
    assert "page.py: cell 2 of 2" in capfd.readouterr().err
    markdown = to_markdown(page)
    assert "kept" in markdown
    assert "aside" not in markdown
    assert "it/s" not in markdown


def test_what_a_cell_prints_is_one_block_however_long_it_takes(project):
    write_page(
        project.root,
        "# %%\nimport time\n"
        "print('early', flush=True)\ntime.sleep(0.5)\nprint('late')\n",
    )
    page, _ = to_page(executed(project, page_of(project)), "page.py")
    assert "early\nlate" in to_markdown(page)


# ---- Pages ----


def test_a_figure_becomes_two_pictures_of_known_size():
    cells = [code_with_figure(alt="A [rising] line") for _ in range(2)]
    page, images = to_page(notebook_with(*cells), "learn/page.py")
    markdown = to_markdown(page)
    assert sorted(images) == [
        "figure-1-dark.png",
        "figure-1.png",
        "figure-2-dark.png",
        "figure-2.png",
    ]
    assert png_size(images["figure-1.png"]) == (400, 200)
    assert images["figure-1.png"] != images["figure-1-dark.png"]
    size = "width=200 height=100"
    assert (
        f"![A (rising) line](page/figure-1.png){{ .only-light {size} }}\n"
        "![A (rising) line](page/figure-1-dark.png)"
        f"{{ .only-dark {size} loading=lazy }}"
    ) in markdown
    assert f"figure-2.png){{ .only-light {size} loading=lazy }}" in markdown
    assert "base64" not in markdown


def png_size(png: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(png)).size


def test_a_figure_without_alt_text_is_an_error():
    with pytest.raises(
        NotebookError, match=r'page.py: code cell 1 .*\n.*alt="'
    ) as error:
        to_page(notebook_with(code_with_figure()), "page.py")
    assert "cannot see it" in str(error.value)


def test_two_figures_in_a_cell_are_an_error():
    cell = code_with_figure(alt="A line")
    cell.outputs *= 2
    with pytest.raises(NotebookError, match="shows 2 figures"):
        to_page(notebook_with(cell), "page.py")


def test_dark_ink_is_lent_not_given():
    figure = Figure()
    axes = figure.subplots()
    (line,) = axes.plot([1, 2], color="#1f2937")
    (data,) = axes.plot([2, 1], color="#0072b2")
    muted = axes.text(0, 0, "muted", color="#6b7280")
    with dark_ink(figure):
        assert line.get_color() == to_rgba("#e5e7eb")
        assert muted.get_color() == to_rgba("#9ca3af")
        assert axes.spines["left"].get_edgecolor() == to_rgba("#e5e7eb")
        assert data.get_color() == "#0072b2"
    assert (line.get_color(), muted.get_color()) == ("#1f2937", "#6b7280")
    assert axes.spines["left"].get_edgecolor() == to_rgba("black")


def printing(text: str, *tags: str):
    output = nbformat.v4.new_output("stream", text=text)
    metadata = {"tags": list(tags)}
    return nbformat.v4.new_code_cell("print(x)", metadata=metadata, outputs=[output])


def markdown_of(*cells) -> str:
    return to_markdown(to_page(notebook_with(*cells), "page.py")[0])


def test_code_and_text_become_fences():
    assert markdown_of(printing("one\n")).strip() == (
        "```python\nprint(x)\n```\n\n``` { .text .output .no-copy }\none\n```"
    )


def test_text_that_holds_a_fence_gets_a_longer_one():
    assert "````\n" in markdown_of(printing("```\n"))


def test_hidden_code_shows_its_output_only():
    markdown = markdown_of(printing("one", "hide-code"))
    assert "print" not in markdown
    assert "one" in markdown


def test_consecutive_solution_cells_form_one_block():
    prose = nbformat.v4.new_markdown_cell("Why.", metadata={"tags": ["solution"]})
    markdown = markdown_of(prose, printing("two", "solution"), printing("3", "check"))
    assert markdown.count('??? success "Solution"') == 1
    assert "\n    Why.\n" in markdown
    assert "\n    print(x)\n" in markdown
    assert "\n    two\n" in markdown
    assert markdown.count('??? note "The numbers above, checked"') == 1


def test_text_is_taken_in_favour_of_html():
    data = {"text/html": "<b>x</b>", "text/plain": "x"}
    output = nbformat.v4.new_output("execute_result", data)
    markdown = markdown_of(nbformat.v4.new_code_cell("x", outputs=[output]))
    assert "<b>" not in markdown
    assert "\nx\n" in markdown


def test_the_download_installs_the_package_and_shows_figures_on_white():
    notebook = notebook_with(code_with_figure(alt="A line"))
    download = nbformat.reads(
        to_download(notebook, "https://example.org/repository"), as_version=4
    )
    nbformat.validate(download)
    assert "git+https://example.org/repository" in download.cells[1].source
    assert list(download.cells[2].outputs[0].data) == ["image/png"]


def test_the_download_holds_no_progress_bars():
    bar = nbformat.v4.new_output("stream", name="stderr", text="100%|#####|")
    cell = nbformat.v4.new_code_cell("x", outputs=[bar])
    assert "100%" not in to_download(notebook_with(cell), None)


def test_the_download_without_a_repository_says_where_the_package_is():
    source = nbformat.reads(to_download(notebook_with(), None), as_version=4).cells[1]
    assert "pip install ." in source.source
    assert "raise ImportError" in source.source


# ---- The command line ----


def test_status_says_why_a_notebook_is_stale(fresh, capsys):
    main(["status"], fresh.root)
    assert "fresh" in capsys.readouterr().out
    replace(fresh.root / "dae_tutorial/deeper.py", "TWO = 2", "TWO = 3")
    main(["status"], fresh.root)
    assert "stale: changed module dae_tutorial.deeper" in capsys.readouterr().out
    replace(page_of(fresh), "print(", "print(2,")
    main(["status"], fresh.root)
    assert "its code cells, module dae_tutorial.deeper" in capsys.readouterr().out


def test_status_of_a_notebook_that_never_ran(project, capsys):
    main(["status"], project.root)
    assert "stale: has not run" in capsys.readouterr().out


def test_convert_writes_markdown_and_images(project, tmp_path):
    write_page(project.root, f'# %% alt="A line"\n{FIGURE}')
    assert main(["convert", "docs/page.py", "--to", str(tmp_path)], project.root) == 0
    assert "page/figure-1.png" in (tmp_path / "page.md").read_text()
    assert png_size((tmp_path / "page/figure-1-dark.png").read_bytes()) == (400, 200)


def test_a_failure_reaches_the_exit_status(project, capsys):
    assert main(["run", "docs/nothing.py"], project.root) == 1
    assert "there is no notebook" in capsys.readouterr().err


# ---- MkDocs ----

MKDOCS = f"""
site_name: A site
strict: true
theme: {{name: material, font: false}}
hooks: [{REPOSITORY}/tools/mkdocs_hook.py]
nav: [index.md, page.py]
plugins:
  - search
markdown_extensions: [admonition, attr_list, pymdownx.superfences]
"""


def build(project: Project) -> subprocess.CompletedProcess:
    (project.root / "mkdocs.yml").write_text(MKDOCS)
    (project.docs / "index.md").write_text("# Home\n\n[The page](page.py)\n")
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_build_publishes_the_executed_page_with_its_files(project):
    write_page(
        project.root, f'# %% [markdown]\n# Prose.\n\n# %% alt="A line"\n{FIGURE}'
    )
    built = build(project)
    assert built.returncode == 0, built.stderr
    site = project.root / "site"
    html = (site / "page/index.html").read_text()
    assert "<title>A page - A site</title>" in html
    assert 'content="What it is about."' in html
    assert 'src="figure-1.png"' in html
    article = html.split("<article")[1].split("</article")[0]
    assert "style" not in article  # neither as a tag nor as text
    assert 'href="page/"' in (site / "index.html").read_text()
    files = sorted(path.name for path in (site / "page").iterdir())
    names = ["figure-1-dark.png", "figure-1.png", "index.html", "page.ipynb", "page.py"]
    assert files == names


def test_signs_reach_the_page_as_they_were_written(project):
    write_page(project.root, '# %%\nx: "a -> b & c < d" = 1\nprint("<&>")\n')
    assert build(project).returncode == 0
    html = (project.root / "site/page/index.html").read_text()
    assert "&lt;&amp;&gt;" in html, "once escaped, it shows as <&>"
    assert "&amp;gt;" not in html
    assert "&amp;amp;" not in html


def test_a_failing_notebook_leaves_the_published_site_alone(project):
    write_page(project.root, "# %%\nprint(1)\n")
    assert build(project).returncode == 0
    before = (project.root / "site/page/index.html").stat()
    write_page(project.root, "# %%\n1 / 0\n")
    built = build(project)
    assert built.returncode != 0
    assert "docs/page.py, line 6: code cell 1 of 1 failed" in built.stderr
    assert (project.root / "site/page/index.html").stat() == before


def test_a_figure_without_alt_text_fails_the_build(project):
    write_page(project.root, f"# %%\n{FIGURE}")
    built = build(project)
    assert built.returncode != 0
    assert "page.py: code cell 1 shows a figure" in built.stderr
    assert not (project.root / "site").exists()


# ---- The development server ----


@pytest.fixture
def no_worker(monkeypatch):
    """Keep the server from starting its worker; return what it was asked to run."""
    asked = []
    monkeypatch.setattr(
        background, "_start", lambda *arguments: asked.append(arguments)
    )
    return asked


def shown(project: Project) -> str:
    return background.pages(project, ["page.py"], None)["page.py"].markdown


def test_a_stale_page_shows_a_notice_and_then_its_result(project, no_worker):
    assert "notebook is running" in shown(project)
    assert len(no_worker) == 1
    ended = background.signal_file(project).read_text()
    background.work(project, ["page.py"])
    assert background.signal_file(project).read_text() != ended
    assert "notebook is running" not in shown(project)
    assert "\n8\n" in shown(project)
    assert len(no_worker) == 1


def test_a_finished_page_in_memory_follows_every_change(project, no_worker):
    executed(project, page_of(project))
    first = shown(project)
    assert shown(project) is first, "made once"
    replace(page_of(project), "Prose.", "Better prose.")
    assert "Better prose." in shown(project)
    assert not no_worker
    replace(project.root / "dae_tutorial/deeper.py", "TWO = 2", "TWO = 3")
    assert "notebook is running" in shown(project)
    executed(project, page_of(project))
    assert "\n12\n" in shown(project)


def test_a_failed_page_shows_the_error_until_it_is_edited(project, no_worker):
    write_page(project.root, "# %%\n1 / 0\n")
    background.work(project, ["page.py"])
    assert "ZeroDivisionError" in shown(project)
    assert not no_worker
    write_page(project.root, "# %%\n1 / 1\n")
    assert "notebook is running" in shown(project)
    assert len(no_worker) == 1


def test_a_failed_page_runs_again_when_the_server_starts_again(
    project, no_worker, monkeypatch
):
    write_page(project.root, "# %%\n1 / 0\n")
    background.work(project, ["page.py"])
    config = SimpleNamespace(
        config_file_path=str(project.root / "mkdocs.yml"),
        docs_dir=str(project.docs),
        exclude_docs=None,
        extra={},
        nav=None,
    )
    monkeypatch.setattr(mkdocs_hook, "_serving", False)
    mkdocs_hook.on_startup("serve", False)
    mkdocs_hook.on_pre_build(config)
    assert len(no_worker) == 1
    background.work(project, ["page.py"])
    mkdocs_hook.on_pre_build(config)
    assert len(no_worker) == 1, "only a new server forgets"


def test_a_notebook_that_is_never_fresh_runs_a_few_times_only(
    project, no_worker, monkeypatch
):
    runs = []
    monkeypatch.setattr(background, "executed", lambda *_: runs.append(1))
    background.work(project, ["page.py"])
    assert len(runs) == background.MOST_ATTEMPTS
    assert "what it depends on changed each time" in shown(project)


def test_a_broken_source_shows_the_error(project, no_worker):
    page_of(project).write_text("# %%\n1\n")
    assert "front matter has no title" in shown(project)


def test_a_page_whose_figure_has_no_alt_text_keeps_its_headings(project, no_worker):
    write_page(project.root, f"# %% [markdown]\n# ## A section\n\n# %%\n{FIGURE}")
    executed(project, page_of(project))
    markdown = shown(project)
    assert "cannot see it" in markdown
    assert "## A section" in markdown, "other pages link to it"


def test_progress_lies_where_the_page_asks_for_it(project, tmp_path):
    names = ["index.py", "learn/page.py"]
    for name in names:
        background._write_state(background._state_file(project, name), text=name)
    background.link_progress(project, names, tmp_path / "site")
    for file in ("progress.json", "learn/page/progress.json"):
        assert (tmp_path / "site" / file).exists(), file


def attended(project: Project, monkeypatch, status: int) -> bool:
    """Return whether the end of a worker with this status builds the pages again."""
    worker = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({status})"])
    monkeypatch.setattr(background, "_worker", worker)
    signal_file = background.signal_file(project)
    signal_file.write_text("")
    background._attend(project, ["page.py"], worker)
    return signal_file.read_text() != ""


@pytest.mark.parametrize("stage", ["running", "waiting"])
def test_a_page_does_not_wait_for_a_worker_that_broke_down(
    project, no_worker, monkeypatch, stage
):
    state = background._state_file(project, "page.py")
    background._write_state(state, stage=stage, text="", version="")
    assert attended(project, monkeypatch, 3)
    assert "broke down (exit status 3)" in shown(project)
    assert not no_worker


def test_an_edit_between_the_workers_last_look_and_its_end_is_seen(
    project, monkeypatch
):
    assert attended(project, monkeypatch, 0)
    executed(project, page_of(project))
    assert not attended(project, monkeypatch, 0)


@pytest.fixture
def ended_worker():
    """End the worker, whatever becomes of the test."""
    yield
    background.stop()


def test_the_worker_ends_with_the_server(project, ended_worker):
    write_page(
        project.root,
        '# %%\nopen("begun", "w").close()\nimport time; time.sleep(600)\n',
    )
    background.pages(project, ["page.py"], None)
    worker = background._worker
    wait_for(lambda: (project.root / "begun").exists())
    wait_for(lambda: "cell 1 of 1" in state_of(project))
    worker.stdin.close()  # as the system does when the server is killed
    assert worker.wait(timeout=60) != 0


def state_of(project: Project) -> str:
    return background._state_file(project, "page.py").read_text()


def test_an_edit_of_the_running_notebook_starts_it_anew(project, ended_worker):
    write_page(project.root, "# %%\nimport time; time.sleep(600)\n")
    background.pages(project, ["page.py"], None)
    wait_for(lambda: "cell 1 of 1" in state_of(project))
    worker = background._worker
    background.pages(project, ["page.py"], None)
    assert background._worker is worker
    write_page(project.root, "# %%\nprint(1 + 1)\n")
    background.pages(project, ["page.py"], None)
    assert background._worker is not worker
    wait_for(lambda: is_fresh(project))
