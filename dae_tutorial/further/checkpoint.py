"""A training run on disk: stop it at any moment, and it goes on as if never stopped.

After each epoch, one safetensors file holds everything that the run still needs: the
tensors as they are, and the rest as JSON beside them. Reading such a file runs no code
from it, checksums tell a damaged one, and a new one takes the place of the old one
whole or not at all.
"""

import functools
import json
import os
import zlib
from collections.abc import Callable, Iterator, Sized
from contextlib import suppress
from pathlib import Path
from textwrap import shorten
from typing import Any
from uuid import uuid4

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Generator, Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


class Checkpoint:
    """One file that holds a run, for the `checkpoint` of `dae_tutorial.train.fit`.

    The file holds the state of the run, and how it began. A run that begins otherwise
    is refused the file: with another model, optimiser, schedule, seed, corruption or
    criterion, with batches of another size, or another number of images. What cannot
    be seen from these, such as which images they are, belongs in `settings`. And a run
    that meanwhile finds the file changed by another does not write over it.

    Where several processes train together, the first of them reads and writes, and
    tells the others; what goes wrong there is raised in all of them. A model inside
    `DistributedDataParallel` or `torch.compile` is saved without its wrapping, so it
    may go on with another number of processes.

    Args:
        path: the file, by custom `….safetensors`. The first `save` makes it, and the
            folder that it is in.
        settings: anything that JSON can hold; a resumed run must have the same.

    Examples:
        >>> import tempfile
        >>> def begin():
        ...     model = torch.nn.Linear(2, 1)
        ...     optimizer = torch.optim.Adam(model.parameters())
        ...     return {"model": model, "optimizer": optimizer}
        >>> before, after = begin(), begin()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     checkpoint = Checkpoint(f"{folder}/run.safetensors", {"noise": 0.5})
        ...     checkpoint.resume(before)  # there is no file yet, so nothing happens
        ...     checkpoint.save(before)
        ...     Checkpoint(f"{folder}/run.safetensors", {"noise": 0.5}).resume(after)
        >>> torch.equal(before["model"].weight, after["model"].weight)
        True
    """

    def __init__(self, path: str | Path, settings: dict[str, Any] | None = None):
        self.path = Path(path)
        self.settings = json.loads(json.dumps(settings or {}))  # a TypeError comes now
        self._beginning = None
        self._last_seen = None  # the file's state when this run read or wrote it

    def resume(self, run: dict[str, Any]) -> None:
        """Bring every part of a run to where it was last saved.

        Where there is no file yet, the run is left as it is.

        Args:
            run: the parts by name, as they are when the run begins. What is a
                `torch.Generator`, or has `state_dict` and `load_state_dict`, is brought
                to its saved state in place; all parts are left as they are if anything
                is wrong. Of others, such as functions, only what they are called is
                compared.

        Raises:
            ValueError: if the file is damaged, is no checkpoint, or holds a run that
                began otherwise; the message says where the two differ.
        """
        self._beginning = {"settings": self.settings}
        self._beginning |= {name: _description(part) for name, part in run.items()}
        found = _of_first_process(self._read)
        if found is None:
            return
        beginning, state = found
        differences = list(_differences(beginning, self._beginning))
        if differences:
            raise ValueError(
                f"{self.path} holds another run: {'; '.join(differences[:4])}. Name "
                f"another file, or delete this one to begin anew"
            )
        for name, part in run.items():
            _restore(part, state[name])

    def save(self, run: dict[str, Any]) -> None:
        """Write the state of every part of a run.

        Args:
            run: the parts by name, as they were passed to `resume` at the beginning.

        Raises:
            RuntimeError: if `resume` was not called at the beginning, or if another
                run has written to the file since then.
            TypeError: if a state holds what is neither a tensor nor fit for JSON.
            OSError: if the file cannot be written; the old one is still there then.
        """
        if self._beginning is None:
            raise RuntimeError("call resume when the run begins, and save after that")
        _of_first_process(lambda: self._write(run))

    def _write(self, run: dict[str, Any]) -> None:
        tensors = {}
        state = _pack({name: _state(part) for name, part in run.items()}, "", tensors)
        content = {"beginning": self._beginning, "state": state}
        content["checksums"] = {name: _checksum(tensors[name]) for name in tensors}
        text = json.dumps(content)
        metadata = {"checkpoint": text, "checksum": str(zlib.crc32(text.encode()))}
        self._write_whole(save(tensors, metadata))

    def _write_whole(self, content: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self._state_of_file() != self._last_seen:
            raise RuntimeError(
                f"{self.path} was changed by another run; this run has not written "
                f"over it. Give each run a file of its own"
            )
        # A kill in this moment leaves the partial file behind.
        partial = self.path.with_name(f".{self.path.name}.{uuid4().hex[:8]}.partial")
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # a power cut may not leave the new name empty
            os.replace(partial, self.path)
            self._last_seen = self._state_of_file()
        finally:
            partial.unlink(missing_ok=True)

    def _state_of_file(self) -> tuple[int, int, int] | None:
        with suppress(FileNotFoundError, NotADirectoryError):
            state = self.path.stat()
            return state.st_ino, state.st_size, state.st_mtime_ns
        return None

    def _read(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        self._last_seen = self._state_of_file()
        if self._last_seen is None:
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                content = _checked_content(file.metadata())
                checksums = content["checksums"]
                tensors = {name: file.get_tensor(name) for name in checksums}
            for name, tensor in tensors.items():
                if _checksum(tensor) != checksums[name]:
                    raise ValueError(f"the checksum of {name} is wrong")
            return content["beginning"], _unpack(content["state"], tensors)
        except (SafetensorError, TypeError, KeyError, ValueError) as error:
            raise ValueError(
                f"{self.path} is damaged or is no checkpoint: {error}"
            ) from error


def _of_first_process(act: Callable[[], Any]) -> Any:
    """Act in the first process only, and give all of them its result or its error."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return act()
    outcome = [None, None]
    if distributed.get_rank() == 0:
        try:
            outcome[0] = act()
        except Exception as error:  # whatever it is, the others wait to hear of it
            outcome[1] = error
    distributed.broadcast_object_list(outcome)
    result, error = outcome
    if error is not None:
        raise error
    return result


def _checked_content(metadata: dict[str, str]) -> dict[str, Any]:
    """Read the JSON beside the tensors, which holds their checksums."""
    text = metadata["checkpoint"]
    if "checksum" not in metadata:
        raise ValueError(
            "it has no checksum, as those of earlier versions; delete it to begin anew"
        )
    if metadata["checksum"] != str(zlib.crc32(text.encode())):
        raise ValueError("the checksum of its JSON is wrong")
    return json.loads(text)


def _unwrapped(part: Any) -> Any:
    if isinstance(part, DistributedDataParallel):
        return _unwrapped(part.module)
    # torch.compile has no public name for what it returns.
    return _unwrapped(part._orig_mod) if hasattr(part, "_orig_mod") else part


def _state(part: Any) -> Any:
    if isinstance(part, Generator):
        return part.get_state()
    part = _unwrapped(part)
    return part.state_dict() if hasattr(part, "state_dict") else None


def _restore(part: Any, state: Any) -> None:
    if isinstance(part, Generator):
        part.set_state(state)
    elif hasattr(part := _unwrapped(part), "load_state_dict"):
        part.load_state_dict(state)


def _description(part: Any) -> Any:
    """What a part must have in common with the one that was saved, fit for JSON."""
    if not isinstance(part, Generator):
        return _outline(_state(part)) or _called(part)
    shared = (torch.default_generator, *torch.cuda.default_generators)
    if any(part is generator for generator in shared):
        return part.device.type  # others draw from it too: its seed is not the run's
    return f"{part.device.type}, seed {part.initial_seed()}"


def _called(part: Any) -> Any:
    """Name a part without a state, and tell what can be seen of it."""
    if isinstance(part, functools.partial):
        given = dict(enumerate(part.args)) | part.keywords
        return {"function": _called(part.func), **_outline(given)}
    if part is None or isinstance(part, nn.Module):
        return part and repr(part)
    name = getattr(part, "__qualname__", type(part).__qualname__)
    if callable(part):
        return name
    sized = {"batches": part, "images": getattr(part, "dataset", None)}
    sizes = {key: len(it) for key, it in sized.items() if isinstance(it, Sized)}
    return {"type": name, "batch_size": getattr(part, "batch_size", None), **sizes}


def _outline(value: Any) -> Any:
    """Plain values as they are, and of tensors only what they look like."""
    if isinstance(value, Tensor):
        return f"{value.dtype} {list(value.shape)}".removeprefix("torch.")
    if isinstance(value, dict):
        return {str(key): _outline(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return _outline(dict(enumerate(value)))
    if isinstance(value, str | int | float | None):
        return value
    return type(value).__name__


def _differences(saved: Any, given: Any, place: str = "run") -> Iterator[str]:
    """Say of each place where two outlines differ what is there."""
    if isinstance(saved, dict) and isinstance(given, dict):
        for key in saved | given:
            both = (parts.get(key, "nothing") for parts in (saved, given))
            yield from _differences(*both, f"{place}.{key}")
    elif saved != given:
        there, here = (shorten(str(part), 60) for part in (saved, given))
        yield f"{place} is {there} there and {here} here"


def _pack(value: Any, place: str, tensors: dict[str, Tensor]) -> Any:
    """Turn a state into what JSON can hold, and put its tensors aside."""
    if isinstance(value, Tensor):
        # Tensors that share memory are saved apart, as safetensors asks.
        tensors[place] = value.detach().cpu().clone().contiguous()
        return {"tensor": place}
    if isinstance(value, dict):  # as pairs, since JSON would turn numbers into text
        return {
            "items": [
                [key, _pack(item, f"{place}.{key}", tensors)]
                for key, item in value.items()
            ]
        }
    if isinstance(value, list | tuple):
        packed = [_pack(item, f"{place}.{i}", tensors) for i, item in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": packed}
    if isinstance(value, str | int | float | None):
        return value
    raise TypeError(f"a checkpoint cannot hold {place}: it is a {type(value).__name__}")


def _unpack(packed: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(packed, dict):
        return packed
    ((kind, content),) = packed.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "items":
        return {key: _unpack(item, tensors) for key, item in content}
    sequence = [_unpack(item, tensors) for item in content]
    return tuple(sequence) if kind == "tuple" else sequence


def _checksum(tensor: Tensor) -> int:
    return zlib.crc32(tensor.flatten().view(torch.uint8).numpy())
