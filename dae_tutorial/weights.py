"""Trained models on disk: weights and settings in one safetensors file.

Loading such a file runs no code from it, unlike `torch.load` on an untrusted pickle.
"""

import json
import os
import tempfile
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn


def save_weights(model: nn.Module, path: str | Path, settings: dict) -> None:
    """Write the weights of a model, and what is needed to build it again.

    The file appears whole or not at all: an interrupted write leaves what was there.

    Args:
        model: its state dict is saved.
        path: the file to write, by custom `….safetensors`.
        settings: anything that JSON can hold, such as the model's arguments.

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
    path = Path(path)
    metadata = {"settings": json.dumps(settings)}
    tensors = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder:
        save_file(tensors, Path(folder) / path.name, metadata=metadata)
        os.replace(Path(folder) / path.name, path)


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
    try:
        with safe_open(Path(path), framework="pt") as file:
            return json.loads(file.metadata()["settings"])
    except (SafetensorError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path} is damaged or was not written by save_weights: {error}"
        ) from error


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Load weights into a model of the same architecture.

    Args:
        model: changed in place, and untouched if anything is wrong.
        path: a file written by `save_weights`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, or holds another architecture.

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
    read_settings(path)
    tensors = load_file(path)
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if found != wanted:
        raise ValueError(
            f"{path} holds the weights of another model: it has {found}, "
            f"the model needs {wanted}"
        )
    model.load_state_dict(tensors)
