"""Build the site, unless it stands there and nothing that it is made from changed.

`make site` runs ``python -m tools.build_site``. What counts is content: of every file
of the project, of the installed packages' versions, of the settings in the
environment; and the site itself must be the one that was built.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from tools.notebooks.cache import write_atomically

# What git ignores: made from other files, or not of this project.
IGNORED = ("node_modules", "site", "vendor", "__pycache__")
SETTINGS = ("SITE_URL", "REPOSITORY_URL", "REPOSITORY_BRANCH", "NOTEBOOK_BRANCH")


def main(root: Path) -> int:
    """Build what is not up to date, and return the exit status of the build."""
    record, site = root / ".cache" / "site.json", root / "site"
    made_from = inputs(root)
    if record.is_file() and (site / "index.html").is_file():
        known = json.loads(record.read_text(encoding="utf-8"))
        if known == {"inputs": made_from, "site": outputs(site)}:
            print("Nothing has changed: site/ is up to date.")
            return 0
    record.unlink(missing_ok=True)
    for command in (["tools.site_assets"], ["mkdocs", "build", "--strict"]):
        status = subprocess.run([sys.executable, "-m", *command], cwd=root).returncode
        if status:
            return status
    if inputs(root) == made_from:  # nothing was edited meanwhile
        state = {"inputs": made_from, "site": outputs(site)}
        write_atomically(record, json.dumps(state).encode())
    return 0


def inputs(root: Path) -> str:
    """Return a digest of all that the site is made from."""
    digest = hashlib.sha256(platform.python_version().encode())
    for name in SETTINGS:
        digest.update(f"{name}={os.environ.get(name, '')}\n".encode())
    for package in sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info")):
        digest.update(f"{package.name}\n".encode())
    for file in _files(root):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def outputs(site: Path) -> str:
    """Return a digest of the names, sizes and times of the built files."""
    digest = hashlib.sha256()
    for file in _files(site):
        stat = file.stat()
        name = file.relative_to(site).as_posix()
        digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in IGNORED or path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
