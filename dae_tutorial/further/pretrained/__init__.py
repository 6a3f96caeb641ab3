"""Trained models that come with the package, each with a card of how it was made.

The weights lie beside this file, in safetensors: reading them runs no code.
"""

from pathlib import Path

from torch import nn

from dae_tutorial.further.weights import load_weights, read_settings
from dae_tutorial.model import Autoencoder, ConvAutoencoder, UNet

FOLDER = Path(__file__).parent
NAMES = ("autoencoder", "conv-autoencoder", "unet", "unet-large")
"""The names of the models, from the largest error to the smallest."""

_MODELS = {model.__name__: model for model in (Autoencoder, ConvAutoencoder, UNet)}


def load_pretrained(name: str) -> nn.Module:
    """Build one of the trained models, ready for use.

    All were trained on MNIST with Gaussian noise, standard deviation 0.5, clipped to
    [0, 1]. They take noisy images, float32 in [0, 1], (batch, 1, 28, 28), and return
    images of that shape; "autoencoder" returns them as rows of pixels, (batch, 784).

    Args:
        name: one of `NAMES`.

    Returns:
        The model, in evaluation mode, on the CPU.

    Raises:
        ValueError: if there is no model of that name.

    Examples:
        >>> import torch
        >>> model = load_pretrained("unet")
        >>> model(torch.rand(16, 1, 28, 28)).shape
        torch.Size([16, 1, 28, 28])
    """
    card = read_card(name)
    model = _MODELS[card["model"]](**card["arguments"])
    load_weights(model, _file(name))
    return model.eval()


def read_card(name: str) -> dict:
    """Read how one of the trained models was made, and how well it does.

    Args:
        name: one of `NAMES`.

    Returns:
        The card: `model` and its `arguments`, `parameters` (how many), `data`,
        `noise`, `epochs`, `batch_size`, `peak` (the highest learning rate), `seed`,
        `test` (scores on the 10,000 test images) and `licence`.

    Raises:
        ValueError: if there is no model of that name.

    Examples:
        >>> read_card("autoencoder")["parameters"]
        209968
    """
    return read_settings(_file(name))


def _file(name: str) -> Path:
    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(NAMES)}, got {name!r}")
    return FOLDER / f"{name}.safetensors"
