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

CLEAN_TWIN = "autoencoder-clean"
"""The name of the twin of "autoencoder" that never met noise in training."""

_MODELS = {model.__name__: model for model in (Autoencoder, ConvAutoencoder, UNet)}


def load_pretrained(name: str) -> nn.Module:
    """Build one of the trained models, ready for use.

    All were trained on MNIST with Gaussian noise, standard deviation 0.5, clipped to
    [0, 1]. They take noisy images, float32 in [0, 1], (batch, 1, 28, 28), and return
    images of that shape; "autoencoder" returns them as rows of pixels, (batch, 784).
    One more, `CLEAN_TWIN`, is the control: "autoencoder" with the same recipe, but
    trained on clean images. What it does about noise, noise in training did not teach.

    Args:
        name: one of `NAMES`, or `CLEAN_TWIN`.

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
        name: one of `NAMES`, or `CLEAN_TWIN`.

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
    names = (*NAMES, CLEAN_TWIN)
    if name not in names:
        raise ValueError(f"name must be one of {', '.join(names)}, got {name!r}")
    return FOLDER / f"{name}.safetensors"
