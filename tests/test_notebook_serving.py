"""Rebuilding under `mkdocs serve` gives what a build from nothing gives, and sooner."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import site
from tests.test_notebooks import make_project, page_of, replace, write_page
from tools.notebooks.pipeline import Project, executed

REPOSITORY = Path(__file__).parents[1]

CONFIG = f"""
site_name: A site
theme: {{name: material, font: false}}
hooks: [{REPOSITORY}/tools/mkdocs_hook.py, {REPOSITORY}/tools/mkdocs_memory.py]
nav: [index.md, page.py, used.md, deeper.md]
exclude_docs: /includes/
plugins:
  - search
  - autorefs
  - mkdocstrings: {{handlers: {{python: {{paths: [.]}}}}}}
markdown_extensions:
  - abbr
  - toc: {{permalink: true}}
  - pymdownx.superfences
  - pymdownx.snippets: {{base_path: [docs/includes], auto_append: [words.md]}}
"""

# Build as the server does, make an edit, build again; then once more from nothing.
SCRIPT = """
import json, logging, sys
from pathlib import Path
from mkdocs.commands.build import build
from mkdocs.config import load_config

logging.basicConfig()
memory_file = sys.argv[1]

def built(folder):
    config = load_config("mkdocs.yml", site_dir=folder)
    config.plugins.on_startup(command="serve", dirty=False)
    build(config, serve_url="http://127.0.0.1/")
    return sys.modules[memory_file]

def files(folder):
    root = Path(folder)
    return {str(f.relative_to(root)): f.read_bytes() for f in root.rglob("*.*")
            if f.suffix in (".html", ".json", ".js") and f.is_file()}

memory = built("served")
first = dict(memory._rendered)
exec(sys.argv[2])
built("served")
again = [n for n, r in memory._rendered.items() if first.get(n) is not r]
memory._rendered.clear()
memory._entries.clear()
built("afresh")
served, afresh = files("served"), files("afresh")
differ = [n for n in served.keys() | afresh.keys() if served.get(n) != afresh.get(n)]
print(json.dumps({"again": sorted(again), "differ": differ}))
"""


@pytest.fixture(scope="module")
def project_that_ran(tmp_path_factory) -> Project:
    """Return a project with a notebook, prose that links to it, and a reference."""
    project = make_project(tmp_path_factory.mktemp("ran") / "project")
    (project.root / "mkdocs.yml").write_text(CONFIG)
    write_page(
        project.root,
        "# %% [markdown]\n# # A page\n#\n# Prose. [Double][dae_tutorial.used.double]\n"
        "#\n# ## A section\n\n# %%\nprint(2)\n",
    )
    docs = project.docs
    replace(
        project.root / "dae_tutorial/used.py",
        "    return",
        '    """Take twice."""\n    return',
    )
    (docs / "includes").mkdir()
    (docs / "includes/words.md").write_text("*[DAE]: denoising autoencoder\n")
    (docs / "index.md").write_text("# Home\n\nA DAE: [section](page.py#a-section).\n")
    for name in ("used", "deeper"):
        (docs / f"{name}.md").write_text(f"# {name}\n\n::: dae_tutorial.{name}\n")
    executed(project, page_of(project))
    return project


@pytest.fixture
def project(project_that_ran, tmp_path) -> Project:
    """Return such a project, for a test to change."""
    shutil.copytree(project_that_ran.root, tmp_path / "project")
    return Project(tmp_path / "project")


EDITS = {
    "prose": ("docs/page.py", "Prose.", "Better prose.", ["page.py"]),
    "a heading": ("docs/index.md", "# Home", "# The house", ["index.md"]),
    "an anchor": ("docs/page.py", "A section", "One section", ["page.py"]),
    "a docstring": (
        "dae_tutorial/used.py",
        "Take twice.",
        "Return the double.",
        ["used.md"],
    ),
    "an imported module": (
        "dae_tutorial/deeper.py",
        "TWO = 2",
        'TWO = 2\n"""A pair."""',
        ["deeper.md", "used.md"],
    ),
    "an abbreviation": (
        "docs/includes/words.md",
        "denoising",
        "a denoising",
        ["deeper.md", "index.md", "page.py", "used.md"],
    ),
}


def rebuilt(project: Project, edit: str) -> subprocess.CompletedProcess:
    memory = f"{REPOSITORY}/tools/mkdocs_memory.py"
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, memory, edit],
        cwd=project.root,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_renders_its_own_pages_and_leaves_the_right_site(project, edit):
    name, old, new, pages = EDITS[edit]
    change = (
        f"path = Path({name!r}); text = path.read_text(); assert {old!r} in text; "
        f"path.write_text(text.replace({old!r}, {new!r}))"
    )
    run = rebuilt(project, change)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout.splitlines()[-1])
    assert result == {"again": pages, "differ": []}


def test_a_new_page_changes_what_links_may_mean(project):
    run = rebuilt(project, 'Path("docs/new.md").write_text("# New")')
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout.splitlines()[-1])
    assert result["differ"] == []
    assert "index.md" in result["again"]


def test_a_page_that_warns_warns_at_every_rebuild(project):
    replace(project.docs / "index.md", "page.py#a-section", "nowhere.md")
    run = rebuilt(project, "pass")
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("nowhere.md") == 3


def test_a_lost_anchor_is_noticed_from_a_page_that_was_not_rendered(project):
    config = CONFIG + "validation: {anchors: warn}\n"
    (project.root / "mkdocs.yml").write_text(config)
    change = (
        'path = Path("docs/page.py"); text = path.read_text(); '
        'path.write_text(text.replace("A section", "One section"))'
    )
    run = rebuilt(project, change)
    # Once after the edit, and once in the build from nothing.
    assert run.stderr.count("does not contain an anchor '#a-section'") == 2


def test_the_server_shows_edits_of_prose_docstrings_and_code(project, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setattr(site, "LIMIT", 120)
    page, used = page_of(project), project.root / "dae_tutorial/used.py"

    def reloads(address: str, file: Path, old: str, new: str) -> None:
        url = f"{served}{address}/"
        assert new not in site.fetched(url)
        site.seconds_to_reload(url, lambda: replace(file, old, new), new)

    with site.served(project.root) as served:
        reloads("page", page, "Prose.", "Better prose.")
        reloads("used", used, "Take twice.", "Return the double.")
        # The new code runs in the background, and its result reloads the page.
        url, new = f"{served}page/", ("print(2)", "print(40 + 2)")
        site.seconds_to_reload(url, lambda: replace(page, *new), "<code>42")
