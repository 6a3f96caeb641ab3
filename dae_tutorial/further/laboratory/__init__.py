"""What the laboratory needs in a browser: models, digits, and what there is to know.

The laboratory is a page of this tutorial in which trained models run in the reader's
browser. Everything that it loads is written here, from the weights that come with the
package. The weights are rounded to eight bits: that costs 0.025 dB at most, and saves
readers three quarters of the bytes.
"""

import json
from pathlib import Path

import torch
from torch import nn

from dae_tutorial.further.onnx_export import export_onnx, in_eight_bits
from dae_tutorial.further.pretrained import load_pretrained
from dae_tutorial.loaders import load_mnist
from dae_tutorial.theory.pretrained import load_multilevel

DENOISERS = {
    "clean": "autoencoder-clean",
    "dense": "autoencoder",
    "conv": "conv-autoencoder",
    "unet": "unet",
}
"""The laboratory's denoisers, and what `load_pretrained` calls them."""

TRAINED = {"kind": "gaussian", "level": 0.5}  # the noise that all but "clean" met
OF_EACH_DIGIT = 2


def laboratory_models() -> dict[str, tuple[nn.Module, torch.Tensor]]:
    """Return the models of the laboratory, rounded, each with an example of its input.

    The autoencoders come in halves, an encoder and a decoder, so that a reader can put
    a code of his own between them. The U-Net has no code. The denoiser for all levels
    comes as the network within, which is given scaled images, levels and classes.

    Returns:
        file name → (model, example).

    Examples:
        >>> model, example = laboratory_models()["dense-encoder.onnx"]
        >>> model(example).shape
        torch.Size([2, 32])
    """
    loaded = {name: load_pretrained(weights) for name, weights in DENOISERS.items()}
    models = {"unet": (loaded.pop("unet"), torch.rand(2, 1, 28, 28))}
    for name, model in loaded.items():
        image = (1, 28, 28) if name == "conv" else (784,)
        models[f"{name}-encoder"] = model.encoder, torch.rand(2, *image)
        models[f"{name}-decoder"] = model.decoder, torch.rand(2, model.latent_dim)
    models["multilevel"] = load_multilevel().network, torch.rand(2, 12, 28, 28)
    return {
        f"{name}.onnx": (in_eight_bits(model), example)
        for name, (model, example) in models.items()
    }


def choose_digits() -> list[int]:
    """Return the places in the test set of the digits that readers can choose.

    Returns:
        The first two of each class, 0 to 9.

    Examples:
        >>> choose_digits()[:4]  # two zeros, two ones
        [3, 10, 2, 5]
    """
    labels = load_mnist(train=False).labels
    places = [(labels == digit).nonzero()[:OF_EACH_DIGIT] for digit in range(10)]
    return torch.cat(places).flatten().tolist()


def write_laboratory(folder: str | Path) -> None:
    """Write all files of the laboratory into a folder.

    - one ONNX file for each of `laboratory_models`
    - `digits.bin`: the digits of `choose_digits`, one byte a pixel
    - `laboratory.json`: their places and labels, the noise that the models were trained
      on, the spread of the data, and the size of each file in bytes

    Args:
        folder: is made if it is missing.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (model, example) in laboratory_models().items():
        export_onnx(model, folder / name, example)
    places, test = choose_digits(), load_mnist(train=False)
    pixels = (test.images[places] * 255).round().byte()
    (folder / "digits.bin").write_bytes(pixels.numpy().tobytes())
    about = {
        "trained": TRAINED,
        "sigma_data": load_multilevel().sigma_data,
        "digits": places,
        "labels": test.labels[places].tolist(),
        "bytes": {file.name: file.stat().st_size for file in folder.glob("*.onnx")},
    }
    (folder / "laboratory.json").write_text(json.dumps(about), encoding="utf-8")
