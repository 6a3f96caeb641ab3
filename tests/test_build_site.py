"""`make site` builds exactly when something that the site is made from has changed."""

import os
import subprocess

import pytest

from tools import build_site


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Return a project, and a list that grows with each build of its site."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("# Home")
    (tmp_path / "docs/vendor").mkdir()
    builds = []

    def build(command, cwd):
        if "mkdocs" in command:
            builds.append(command)
            (tmp_path / "site").mkdir(exist_ok=True)
            (tmp_path / "site/index.html").write_text("home")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(build_site.subprocess, "run", build)
    assert build_site.main(tmp_path) == 0
    assert len(builds) == 1
    return tmp_path, builds


CHANGES = {
    "a page": lambda root: (root / "docs/index.md").write_text("# Hame"),
    "a new file": lambda root: (root / "docs/new.md").write_text(""),
    "a file less": lambda root: (root / "docs/index.md").unlink(),
    "the site": lambda root: (root / "site/index.html").write_text("Home"),
    "no site": lambda root: (root / "site/index.html").unlink(),
    "a setting": lambda root: os.environ.update(SITE_URL="https://example.org/"),
    "no record": lambda root: (root / ".cache/site.json").unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_builds_again(built, monkeypatch, change):
    root, builds = built
    monkeypatch.setenv("SITE_URL", "")
    CHANGES[change](root)
    build_site.main(root)
    assert len(builds) == 2


def test_another_package_version_builds_again(built, monkeypatch, tmp_path_factory):
    root, builds = built
    other = tmp_path_factory.mktemp("packages")
    monkeypatch.setattr(build_site.sysconfig, "get_path", lambda _: str(other))
    build_site.main(root)
    (other / "torch-9.dist-info").mkdir()
    build_site.main(root)
    assert len(builds) == 3


NO_CHANGES = {
    "nothing": lambda root: None,
    "a new time": lambda root: os.utime(root / "docs/index.md", (1, 1)),
    "what is made": lambda root: (root / "docs/vendor/made.js").write_text(""),
    "the cache": lambda root: (root / ".cache/other").write_text(""),
}


@pytest.mark.parametrize("change", NO_CHANGES)
def test_what_the_site_is_not_made_from_builds_nothing(built, capsys, change):
    root, builds = built
    NO_CHANGES[change](root)
    assert build_site.main(root) == 0
    assert len(builds) == 1
    assert "up to date" in capsys.readouterr().out


def test_a_failed_build_is_tried_again(built, monkeypatch):
    root, _ = built
    (root / "docs/index.md").write_text("# Broken")
    failures = []

    def fail(command, cwd):
        failures.append(command)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(build_site.subprocess, "run", fail)
    assert [build_site.main(root) for _ in range(2)] == [3, 3]
    assert len(failures) == 2


def test_an_edit_during_the_build_is_not_lost(built, monkeypatch):
    root, builds = built
    build = build_site.subprocess.run

    def edited_meanwhile(command, cwd):
        result = build(command, cwd)
        (root / "docs/index.md").write_text("# Edited meanwhile")
        return result

    (root / "docs/index.md").write_text("# Edited")
    monkeypatch.setattr(build_site.subprocess, "run", edited_meanwhile)
    build_site.main(root)
    monkeypatch.setattr(build_site.subprocess, "run", build)
    build_site.main(root)
    assert len(builds) == 3
