"""What a notebook reads in unusual ways is a dependency all the same."""

import os

import pytest
import torch
from safetensors.torch import save_file

from tests.test_notebooks import (
    is_fresh,
    make_project,
    no_worker,  # noqa: F401
    page_of,
    replace,
    shown,
    text_of,
    write_page,
)
from tools.notebooks import background, cache, pipeline
from tools.notebooks.execute import execute
from tools.notebooks.pipeline import executed


@pytest.fixture
def project(tmp_path):
    """Return a project whose page has not run."""
    return make_project(tmp_path / "project")


def run(project, code: str):
    write_page(project.root, f"# %%\n{code}")
    return executed(project, page_of(project))


def test_a_module_whose_source_is_shown_counts_letter_by_letter(project):
    run(
        project,
        "import inspect\nfrom dae_tutorial import deeper, used\n"
        "print(inspect.getsource(used.double))\n",
    )
    deeper, used = (project.root / f"dae_tutorial/{n}.py" for n in ("deeper", "used"))
    replace(deeper, "TWO = 2", "TWO = 2  # a pair")
    assert is_fresh(project), "the source of this module was not shown"
    replace(used, "TWO * x", "TWO * x  # twice")
    assert not is_fresh(project)


def test_weights_that_safetensors_reads_are_data(project):
    file = project.root / "data/weights.safetensors"
    save_file({"w": torch.zeros(1)}, file)
    run(
        project,
        "from safetensors.torch import load_file\n"
        'print(load_file("data/weights.safetensors"))\n',
    )
    assert is_fresh(project)
    save_file({"w": torch.ones(1)}, file)
    assert not is_fresh(project)


def test_settings_that_safetensors_reads_are_data(project):
    file = project.root / "data/weights.safetensors"
    save_file({"w": torch.zeros(1)}, file, metadata={"a": "1"})
    run(
        project,
        "from safetensors import safe_open\n"
        'with safe_open("data/weights.safetensors", framework="pt") as file:\n'
        "    print(file.metadata())\n",
    )
    save_file({"w": torch.zeros(1)}, file, metadata={"a": "2"})
    assert not is_fresh(project)


def test_studies_and_their_tables_are_dependencies(project):
    results = project.root / "studies/results"
    results.mkdir(parents=True)
    (project.root / "studies/__init__.py").write_text("")
    (project.root / "studies/tables.py").write_text("SCALE = 2\n")
    (results / "one.csv").write_text("1\n")
    run(
        project,
        "from studies.tables import SCALE\n"
        'print(SCALE * int(open("studies/results/one.csv").read()))\n',
    )
    assert is_fresh(project)
    (results / "one.csv").write_text("2\n")
    assert not is_fresh(project)
    (results / "one.csv").write_text("1\n")
    assert is_fresh(project)
    (project.root / "studies/tables.py").write_text("SCALE = 3\n")
    assert not is_fresh(project)


def test_names_of_files_are_dependencies_where_they_are_listed(project):
    code = 'from pathlib import Path\nprint(len(list(Path("data").glob("*.txt"))))\n'
    assert "1" in text_of(run(project, code))
    (project.root / "data/.number.txt.swp").write_text("of an editor")
    (project.root / "dae_tutorial/new.py").write_text("")
    assert is_fresh(project)
    (project.root / "data/other.txt").write_text("5")
    assert not is_fresh(project)


def test_a_file_that_is_sought_in_vain_is_a_dependency(project):
    code = 'try:\n    open("data/more.txt")\nexcept FileNotFoundError:\n    print(0)\n'
    run(project, code)
    assert is_fresh(project)
    (project.root / "data/more.txt").write_text("")
    assert not is_fresh(project)


def test_torch_seeking_its_libraries_is_no_dependency(project):
    run(project, "import torch\n")
    header = next(iter(cache.headers(project.store)))[1]
    assert not [name for name in header.dependencies if name.startswith("listing")]


def test_what_pip_notes_about_the_package_is_no_dependency(project):
    notes = project.root / "dae_tutorial.egg-info" / "entry_points.txt"
    notes.parent.mkdir()
    notes.write_text("before")
    run(project, f'print(open("{notes.parent.name}/{notes.name}").read())')
    notes.write_text("after")
    assert is_fresh(project)


def test_a_folder_that_the_notebook_fills_is_listed_once_more(project):
    code = 'import os\nopen("data/made.txt", "w").close()\nprint(os.listdir("data"))\n'
    assert "made.txt" in text_of(run(project, code))
    assert is_fresh(project)


def test_data_edited_during_the_run_makes_it_run_again(project, monkeypatch):
    data, runs = project.root / "data/number.txt", []

    def edited_meanwhile(*arguments, **options):
        runs.append(data.read_text())
        used = execute(*arguments, **options)
        if len(runs) == 1:
            data.write_text("6")
        else:
            os.utime(data, (1, 1))
        return used

    monkeypatch.setattr(pipeline, "execute", edited_meanwhile)
    assert "12" in text_of(executed(project, page_of(project)))
    assert runs == ["4", "6"]


def test_a_failed_page_runs_again_when_data_changes(project, no_worker):  # noqa: F811
    (project.root / "data/number.txt").write_text("four")
    background.work(project, ["page.py"])
    assert "ValueError" in shown(project)
    assert not no_worker
    (project.root / "data/number.txt").write_text("4")
    assert "notebook is running" in shown(project)
    assert len(no_worker) == 1


def test_a_kernel_uses_the_threads_it_is_given(project, monkeypatch):
    for threads in ("1", "2"):
        for library in ("OMP", "MKL"):
            monkeypatch.setenv(f"{library}_NUM_THREADS", threads)
        code = f"import torch\nprint({threads} == torch.get_num_threads())\n"
        assert "True" in text_of(run(project, code))
