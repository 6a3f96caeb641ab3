"""What is copied for the browser is that of the installed version, and stays put."""

import subprocess
from pathlib import Path

import pytest
from mkdocs.exceptions import PluginError

from tools import site_assets
from tools.site_assets import RUNTIME_FILES, copy_katex, make_laboratory, write_if_new

MAKER = """from pathlib import Path

def write_laboratory(folder):
    Path(folder, "{name}").write_text("a model")
    {then}
"""


@pytest.fixture
def katex(tmp_path):
    source = tmp_path / "katex"
    names = ["dist/contrib/copy-tex.min.js", "dist/katex.min.css", "LICENSE"]
    for name in [*names, "dist/fonts/Main.woff2", "dist/fonts/Main.ttf"]:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    return source


def test_files_of_another_version_go_and_the_others_stay(katex, tmp_path):
    target = tmp_path / "vendor"
    copy_katex(katex, target)
    before = (target / "katex.min.css").stat()
    for name in ("fonts/Old.woff2", ".half.part"):
        (target / name).write_text("")
    copy_katex(katex, target)
    files = {f.relative_to(target).as_posix() for f in target.rglob("*") if f.is_file()}
    kept = {"contrib/copy-tex.min.js", "fonts/Main.woff2", "katex.min.css", "LICENSE"}
    assert files == kept | {".half.part"}, "what is being written is not for us"
    assert (target / "katex.min.css").stat() == before, "a build may be reading it"


def test_only_new_content_is_written(tmp_path):
    file = tmp_path / "file"
    write_if_new(file, b"one")
    before = file.stat()
    write_if_new(file, b"one")
    assert file.stat() == before
    write_if_new(file, b"two")
    assert file.read_bytes() == b"two"


class SmallProject:
    """A project whose laboratory has one small model."""

    def __init__(self, root: Path) -> None:
        self.assets = root / "docs" / "assets" / "vendor"
        self.runtime = root / "runtime"
        self.maker = root / "dae_tutorial" / "further" / "laboratory" / "__init__.py"
        for folder in (self.runtime, self.maker.parent):
            folder.mkdir(parents=True)
        for folder in (self.maker.parents[1], self.maker.parents[2]):
            (folder / "__init__.py").touch()
        for name in RUNTIME_FILES:
            (self.runtime / name).write_text(name)

    def write_maker(self, name: str, then: str = "") -> None:
        self.maker.write_text(MAKER.format(name=name, then=then))

    @property
    def files(self) -> dict[str, tuple[int, int]]:
        """What is there, with what changes when a file is written anew."""
        return {
            file.relative_to(self.assets).as_posix(): (s.st_ino, s.st_mtime_ns)
            for file in self.assets.rglob("*")
            if file.is_file() and (s := file.stat())
        }


@pytest.fixture
def small(tmp_path, monkeypatch):
    project = SmallProject(tmp_path)
    monkeypatch.setattr(site_assets, "ROOT", tmp_path)
    monkeypatch.setattr(site_assets, "RUNTIME", project.runtime)
    monkeypatch.setattr(site_assets, "ASSETS", project.assets)
    return project


def test_the_laboratory_is_made_once_and_again_when_its_code_has_changed(small):
    small.write_maker("one.onnx")
    make_laboratory()
    before = small.files
    runtime = {f"onnxruntime/{name}" for name in RUNTIME_FILES}
    assert before.keys() == runtime | {"laboratory/one.onnx", "laboratory/.key"}
    small.write_maker("one.onnx", "# a comment makes no other model")
    make_laboratory()
    assert small.files == before, "nothing was written"
    small.write_maker("two.onnx")
    make_laboratory()
    assert small.files.keys() == runtime | {"laboratory/two.onnx", "laboratory/.key"}


def test_a_laboratory_that_cannot_be_made_leaves_the_one_before(small):
    small.write_maker("one.onnx")
    make_laboratory()
    before = small.files
    small.write_maker("two.onnx", "raise SystemExit(3)")
    for _ in range(2):  # it is not taken for done the next time either
        with pytest.raises(subprocess.CalledProcessError):
            make_laboratory()
        assert small.files == before


def test_without_the_runtime_the_build_says_what_to_do(small):
    small.runtime.rename(small.runtime.with_name("elsewhere"))
    with pytest.raises(PluginError, match="npm ci"):
        make_laboratory()
