"""Trained models on disk: weights and settings in one safetensors file.

Loading such a file runs no code from it, unlike `torch.load` on an untrusted pickle.
A checksum tells a damaged file.
"""

import json
import os
import tempfile
import warnings
import zlib
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel


def save_weights(model: nn.Module, path: str | Path, settings: dict) -> None:
    """Write the weights of a model, and what is needed to build it again.

    The file appears whole or not at all: an interrupted write leaves what was there.

    Args:
        model: its state dict is saved, without the wrapping of `torch.compile` or
            `DistributedDataParallel`. Weights that it uses twice are written twice.
        path: the file to write, by custom `….safetensors`.
        settings: what JSON can hold, by name, such as the model's arguments.

    Raises:
        TypeError: if `settings` cannot be written as JSON.
        OSError: if the file cannot be written.

    Examples:
        >>> import tempfile
        >>> model = nn.Linear(2, 1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_weights(model, f"{folder}/line.safetensors", {"in_features": 2})
        ...     read_settings(f"{folder}/line.safetensors")
        {'in_features': 2}
    """
    text = json.dumps(settings)
    tensors = {  # apart, since safetensors refuses tensors that share memory
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in _unwrapped(model).state_dict().items()
    }
    metadata = {"settings": text, "checksum": str(_checksum(text, tensors))}
    _write_whole(save(tensors, metadata), Path(path))


def read_settings(path: str | Path) -> dict:
    """Read the settings that were saved with the weights.

    Args:
        path: a file written by `save_weights`.

    Returns:
        The settings.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, or was not written by `save_weights`.
    """
    settings, _ = _read(path)
    return settings


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Load weights into a model of the same architecture.

    Args:
        model: changed in place, and untouched if anything is wrong. It may be
            wrapped by `torch.compile` or `DistributedDataParallel`.
        path: a file written by `save_weights`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, was not written by `save_weights`, or
            holds another architecture, or NaN or infinite weights.

    Warns:
        UserWarning: if the file has no checksum, as those of earlier versions: nobody
            can know then whether it is damaged.

    Examples:
        >>> import tempfile
        >>> import torch
        >>> saved, loaded = nn.Linear(2, 1), nn.Linear(2, 1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_weights(saved, f"{folder}/line.safetensors", {})
        ...     load_weights(loaded, f"{folder}/line.safetensors")
        >>> torch.equal(saved.weight, loaded.weight)
        True
    """
    _, tensors = _read(path, warn=True)
    model = _unwrapped(model)
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if found != wanted:
        raise ValueError(
            f"{path} holds the weights of another model: it has {found}, "
            f"the model needs {wanted}"
        )
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{path} holds weights that are no numbers, in {name}")
    model.load_state_dict(tensors)


def _unwrapped(model: nn.Module) -> nn.Module:
    if isinstance(model, DataParallel | DistributedDataParallel):
        return _unwrapped(model.module)
    # torch.compile has no public name for what it returns.
    return _unwrapped(model._orig_mod) if hasattr(model, "_orig_mod") else model


def _write_whole(content: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder:
        partial = Path(folder) / path.name
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # a power cut may not leave the new name empty
        os.replace(partial, path)


def _read(path: str | Path, *, warn: bool = False) -> tuple[dict, dict[str, Tensor]]:
    if Path(path).is_dir():
        raise ValueError(f"{path} must be a file of weights, it is a folder")
    try:
        with safe_open(Path(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if "settings" not in metadata:
            raise ValueError("it holds no settings")
        text = metadata["settings"]
        checksum = metadata.get("checksum")  # older files have none
        if checksum is not None and checksum != str(_checksum(text, tensors)):
            raise ValueError("its checksum is wrong")
        settings = json.loads(text)
        if not isinstance(settings, dict):
            raise ValueError(f"its settings must be a dictionary, got {settings!r}")
    except (SafetensorError, TypeError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged or was not written by save_weights: {error}"
        ) from error
    if checksum is None and warn:
        warnings.warn(
            f"{path} has no checksum, so damage would go unseen; save it again with "
            f"save_weights",
            stacklevel=3,
        )
    return settings, tensors


def _checksum(settings: str, tensors: dict[str, Tensor]) -> int:
    checksum = zlib.crc32(settings.encode())
    for name in sorted(tensors):
        checksum = zlib.crc32(name.encode(), checksum)
        numbers = tensors[name].flatten().view(torch.uint8)
        checksum = zlib.crc32(numbers.numpy(), checksum)
    return checksum
