"""What is copied for the browser is that of the installed version, and stays put."""

import pytest

from tools.site_assets import copy_katex, write_if_new


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
