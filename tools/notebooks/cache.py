"""A bounded store of executed notebooks that survives crashes and company.

One file an entry: a header line (what ran, on what it depended, how long it
took, the digest of the rest) and a line with the outputs of each code cell.
Entries of the same code lie in one folder, one for each state of the
dependencies, so that undoing an edit finds the former result.
"""

import contextlib
import hashlib
import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

logger = logging.getLogger(__name__)

MOST_BYTES = 500_000_000
MOST_ENTRIES_OF_ONE_NOTEBOOK = 8

UNFINISHED = ".part"
SECONDS_TO_WRITE = 3600  # far more than any write takes


@dataclass(frozen=True)
class Header:
    """What is known of an entry without reading its outputs."""

    notebook: str
    code_key: str
    dependencies: dict[str, str]
    seconds: float
    finished: float
    digest: str


def find(
    folder: Path, code_key: str, is_current: Callable[[dict[str, str]], bool]
) -> tuple[Header, list] | None:
    """Return the newest entry of this code whose dependencies are current.

    A damaged entry is deleted with a warning, and counts as not there.
    """
    for path in newest_first(folder / code_key):
        try:
            header, body = _load(path)
            if is_current(header.dependencies):
                if hashlib.sha256(body).hexdigest() != header.digest:
                    raise ValueError("its outputs were altered")
                os.utime(path)
                return header, json.loads(body)
        except FileNotFoundError:
            continue  # evicted by another build just now
        except (ValueError, TypeError) as error:
            logger.warning("Deleted the damaged cache entry %s: %s", path, error)
            path.unlink(missing_ok=True)
    return None


def store(
    folder: Path,
    *,
    notebook: str,
    code_key: str,
    dependencies: dict[str, str],
    seconds: float,
    outputs: list,
) -> None:
    """Keep the outputs of one run, all at once or not at all."""
    body = json.dumps(outputs).encode()
    header = Header(
        notebook=notebook,
        code_key=code_key,
        dependencies=dependencies,
        seconds=seconds,
        finished=time.time(),
        digest=hashlib.sha256(body).hexdigest(),
    )
    state = json.dumps(dependencies, sort_keys=True).encode()
    path = folder / code_key / f"{hashlib.sha256(state).hexdigest()}.entry"
    write_atomically(path, json.dumps(asdict(header)).encode() + b"\n" + body)


def headers(folder: Path) -> Iterator[tuple[Path, Header]]:
    """Yield every readable entry's file and header, newest first."""
    for path in newest_first(folder):
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
            yield path, _load_header(path)


def evict(
    folder: Path,
    most_bytes: int = MOST_BYTES,
    most_of_one: int = MOST_ENTRIES_OF_ONE_NOTEBOOK,
) -> list[Path]:
    """Delete the entries longest unused beyond the bounds; return their files."""
    _remove_leftovers(folder)
    kept: dict[str, int] = {}
    total, evicted = 0, []
    for path, header in headers(folder):
        size = size_of(path)
        kept[header.notebook] = kept.get(header.notebook, 0) + 1
        total += size
        if total > most_bytes or kept[header.notebook] > most_of_one:
            total -= size
            path.unlink(missing_ok=True)
            evicted.append(path)
    return evicted


@contextlib.contextmanager
def lock(folder: Path, code_key: str) -> Iterator[None]:
    """Let one process at a time run this code; the others wait for its result.

    The operating system frees the lock when its holder dies.
    """
    path = folder / "locks" / f"{code_key}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that no reader ever sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}{UNFINISHED}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def evict_oldest(folder: Path, most_bytes: int) -> None:
    """Delete the entries longest unused, until all take `most_bytes` at most."""
    _remove_leftovers(folder)
    total = 0
    for path in newest_first(folder):
        total += size_of(path)
        if total > most_bytes:
            path.unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Return a file's size, or 0 when another build has just deleted it."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def newest_first(folder: Path) -> list[Path]:
    """Return the files of all entries, the one that was used last first."""
    times = {}
    for path in folder.rglob("*.entry"):
        with contextlib.suppress(FileNotFoundError):
            times[path] = path.stat().st_mtime_ns
    return sorted(times, key=times.__getitem__, reverse=True)


def _remove_leftovers(folder: Path) -> None:
    """Delete what writers that were killed have left behind."""
    for path in folder.rglob(f"*{UNFINISHED}"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - SECONDS_TO_WRITE:
                path.unlink()


def _load_header(path: Path) -> Header:
    with path.open("rb") as stream:
        return Header(**json.loads(stream.readline()))


def _load(path: Path) -> tuple[Header, bytes]:
    head, _, body = path.read_bytes().partition(b"\n")
    return Header(**json.loads(head)), body
