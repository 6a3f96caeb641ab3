"""The site's benchmark: its table of changes, and its measure of a reload."""

import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import mutations, site
from tests.test_notebooks import make_project, page_of, write_page
from tools.notebooks.pipeline import Project, executed

READS = """# %% [markdown]
# A corruption takes an image.

# %%
from dae_tutorial import noise
print(noise.noisy, open("data/MNIST/raw/t10k-labels-idx1-ubyte").read())
"""


@pytest.fixture
def project(tmp_path) -> Project:
    """Return a project with one page that has run, as the table wants it."""
    project = make_project(tmp_path / "project")
    noise = '"""Add normally distributed noise."""\nx = 1\nnoisy = x + 1\n'
    (project.root / "dae_tutorial/noise.py").write_text(noise)
    (project.root / "dae_tutorial/train.py").write_text("")
    raw = project.root / "data/MNIST/raw"
    raw.mkdir(parents=True)
    (raw / "t10k-labels-idx1-ubyte").write_text("7")
    write_page(project.root, READS)
    executed(project, page_of(project))
    return project


def changed(project: Project, edit, who: str) -> tuple[list[str], list[str]]:
    table = {"it": (edit, who)}
    ((_, stale, expected),) = mutations.rows(
        project.root, project.root.with_name("kept"), table
    )
    return stale, expected


def test_the_table_tells_what_would_run(project):
    append, replace = mutations.append, mutations.replace
    noise, page = "dae_tutorial/noise.py", ["docs/page.py"]
    assert changed(project, append(noise, "y = 1\n"), "dae_tutorial.noise") == (
        page,
        page,
    )
    assert changed(project, append(noise, "# y\n"), "none") == ([], [])
    assert changed(project, replace(noise, "Add", "Adds"), "none") == ([], [])
    assert changed(project, mutations.do_and_undo, "none") == ([], [])
    assert changed(project, mutations.other_data, "all") == (page, page)
    assert changed(project, mutations.other_state("python"), "all") == (page, page)
    cell = append("docs/page.py", "\n# %%\n1\n")
    assert changed(project, cell, "docs/page.py") == (page, page)


def test_the_table_notices_a_run_that_should_not_be(project):
    edit = mutations.append("dae_tutorial/noise.py", "y = 1\n")
    stale, expected = changed(project, edit, "none")
    assert stale != expected


def test_the_table_leaves_the_copy_as_it_was(project):
    before = page_of(project).read_bytes()
    changed(project, mutations.append("docs/page.py", "\n# %%\n1\n"), "docs/page.py")
    assert page_of(project).read_bytes() == before
    assert mutations.stale_notebooks(project) == []


def test_every_change_of_the_table_fits_the_files(tmp_path):
    root = site.copy_of_the_tree(tmp_path / "tree")
    for edit, _ in mutations.MUTATIONS.values():
        if edit is not mutations.other_data:  # the data may not be there yet
            edit(root)


def test_a_reload_is_timed_until_the_edit_is_on_the_page(monkeypatch):
    monkeypatch.setattr(site, "LIMIT", 20)
    page = {"text": "old", "epoch": 1}

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/livereload/"):
                content = str(page["epoch"])
            else:
                content = f"{page['text']} livereload(1, 2)"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *arguments: object) -> None:
            pass

    def edit() -> None:
        threading.Timer(0.3, lambda: page.update(text="new", epoch=2)).start()

    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/page/"
        seconds = site.seconds_to_reload(url, edit, "new")
        server.shutdown()
    assert 0.3 <= seconds < 10


def test_runs_are_counted_that_ended_or_began_since_then(project):
    assert site.runs_since(project, time.time()) == 0
    assert site.runs_since(project, 0) == 1
    state = project.store / "state" / "other.py.json"
    state.parent.mkdir()
    state.write_text("{}")
    assert site.runs_since(project, 0) == 2


def test_a_server_that_does_not_obey_is_killed(monkeypatch):
    monkeypatch.setattr(site, "SECONDS_TO_END", 0.2)
    deaf = (
        "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); "
        "print('deaf', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", deaf]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        server.stdout.readline()
        site.end(server)
        assert server.poll() is not None


def test_a_server_that_is_not_there_yet_is_waited_for(monkeypatch):
    monkeypatch.setattr(site, "LIMIT", 0.2)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(OSError, match="refused"):
            site.fetched(url)
