"""Train, evaluate and use a denoising autoencoder from the command line."""

import argparse
import io
import math
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import nn

from dae_tutorial.evaluate import evaluate
from dae_tutorial.further.weights import load_weights, read_settings, save_weights
from dae_tutorial.loaders import get_mnist_loaders, get_mnist_splits
from dae_tutorial.model import Autoencoder, ConvAutoencoder, UNet
from dae_tutorial.noise import (
    add_block_occlusion,
    add_gaussian_noise,
    add_masking_noise,
    add_salt_and_pepper_noise,
)
from dae_tutorial.train import fit

# name → corruption, the argument that --level is for, and its default
NOISES = {
    "gaussian": (add_gaussian_noise, "noise_factor", 0.5),
    "masking": (add_masking_noise, "mask_prob", 0.5),
    "salt-and-pepper": (add_salt_and_pepper_noise, "flip_prob", 0.25),
    "blocks": (add_block_occlusion, "block_size", 10.0),
}
MODELS = {model.__name__: model for model in (Autoencoder, ConvAutoencoder, UNet)}


def train(arguments: argparse.Namespace) -> None:
    """Train a model on MNIST and write its weights."""
    if arguments.level is None:
        arguments.level = NOISES[arguments.noise][2]
    corrupt = corruption(arguments.noise, arguments.level)
    check_writable(arguments.weights)
    torch.manual_seed(arguments.seed)
    widths = {"hidden_dim": arguments.hidden_dim, "latent_dim": arguments.latent_dim}
    model = Autoencoder(**widths)
    train_loader, validation_loader, _ = get_mnist_splits(
        arguments.batch_size, root=arguments.data, seed=arguments.seed
    )
    history = fit(
        model,
        train_loader,
        corrupt,
        epochs=arguments.epochs,
        validate=lambda model: evaluate(model, validation_loader, corrupt).mse,
        device=arguments.device,
        seed=arguments.seed,
    )
    losses = zip(history.train_loss, history.validation, strict=True)
    for epoch, (loss, validation) in enumerate(losses, start=1):
        print(f"epoch {epoch}: training {loss:.5f}, validation {validation:.5f}")
    settings = {"model": widths, "noise": arguments.noise, "level": arguments.level}
    settings |= {"epochs": arguments.epochs, "seed": arguments.seed}
    save_weights(model, arguments.weights, settings)
    print(f"weights written to {arguments.weights}")


def evaluate_weights(arguments: argparse.Namespace) -> None:
    """Score trained weights on the MNIST test set, beside doing nothing."""
    model, settings = load_model(arguments.weights)
    noise, level = choose_noise(arguments, *noise_of_training(settings))
    corrupt = corruption(noise, level)
    _, test_loader = get_mnist_loaders(root=arguments.data)
    scores = evaluate(model, test_loader, corrupt, seed=arguments.seed)
    print(f"{scores.images} test images, {noise} noise of level {level:g}")
    print(f"doing nothing: MSE {scores.noisy_mse:.5f}, PSNR {scores.noisy_psnr:.2f} dB")
    print(f"this model:    MSE {scores.mse:.5f}, PSNR {scores.psnr:.2f} dB")


def denoise(arguments: argparse.Namespace) -> None:
    """Denoise one image file."""
    model, _ = load_model(arguments.weights)
    noisy = read_image(arguments.image, invert=arguments.invert)
    output = arguments.output or arguments.image.with_suffix(".denoised.png")
    check_writable(output)
    with torch.no_grad():
        clean = model(noisy).reshape(noisy.shape)  # the dense model returns rows
    if output.exists():
        print(f"{output} was there already and is replaced")
    write_image(clean, output)
    print(f"denoised image written to {output}")


def check_writable(path: Path) -> None:
    """Find out before the work whether its result can be written."""
    if path.is_dir():
        raise ValueError(f"{path} must be a file to write, it is a folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path.parent):
        pass


def corruption(noise: str, level: float) -> Callable[..., torch.Tensor]:
    """Make the corruption of a name and a level, which must be of its unit."""
    corrupt, argument, _ = NOISES[noise]
    if not 0 < level < math.inf:
        raise ValueError(
            f"--level must be a finite number above 0 (0 changes nothing), "
            f"got {level:g}"
        )
    if noise == "blocks":
        if not float(level).is_integer():
            raise ValueError(
                f"--level must be a whole number of pixels for blocks, got {level:g}"
            )
        level = int(level)
    corrupt = partial(corrupt, **{argument: level})
    corrupt(torch.zeros(1, 1, 28, 28))  # a wrong level is told now, not after loading
    return corrupt


def choose_noise(
    arguments: argparse.Namespace, noise: str | None, level: float | None
) -> tuple[str, float]:
    """Take noise and level as the command line names them, else as in training."""
    if arguments.noise is None and noise is None:
        raise ValueError("--noise is needed: the weights do not say what they met")
    if arguments.noise not in (None, noise):
        noise, level = arguments.noise, None
    if arguments.level is not None:
        level = arguments.level
    if level is None:
        raise ValueError(f"--level is needed: these weights never met {noise} noise")
    return noise, level


def noise_of_training(settings: dict) -> tuple[str | None, float | None]:
    """Find noise and level in what `train` wrote, or in the card of a download."""
    noise = str(settings.get("noise"))
    if noise in NOISES:
        level = settings.get("level")
        return noise, level if type(level) in (int, float) else None
    card = re.fullmatch(r"Gaussian, standard deviation ([\d.]+), clipped .*", noise)
    return ("gaussian", float(card[1])) if card else (None, None)


def load_model(path: Path) -> tuple[nn.Module, dict]:
    """Build the model that a weights file holds, with the settings it came with."""
    settings = read_settings(path)
    name, arguments = settings.get("model"), settings.get("arguments", {})
    if isinstance(name, dict):  # `train` names the widths alone
        name, arguments = "Autoencoder", name
    if not (isinstance(name, str) and name in MODELS):
        raise ValueError(
            f"{path} must name a model, one of {', '.join(MODELS)}, got {name!r}"
        )
    try:
        model = MODELS[name](**arguments)
    except TypeError as error:
        raise ValueError(f"{path} does not fit this version: {error}") from error
    load_weights(model, path)
    return model.eval(), settings


def read_image(path: Path, *, invert: bool = False) -> torch.Tensor:
    """Read an image file as (1, 1, 28, 28) in [0, 1], white digit on black.

    Args:
        path: any file that Pillow reads, upright as its orientation tag says. Where
            it is transparent, the background shows: black, or white if `invert`.
        invert: swap black and white, for dark ink on white paper.

    Returns:
        The first picture of the file, in grey.

    Raises:
        ValueError: if the file is damaged, too large, no image, or of a mode whose
            white is not known.
    """
    grey = _open_grey(path, background="white" if invert else "black")
    if grey.size != (28, 28):
        print(f"{path} is {grey.size[0]} × {grey.size[1]}: resized to 28 × 28")
        grey = grey.resize((28, 28), Image.Resampling.LANCZOS)
    white = 1 if grey.mode == "F" else 255
    pixels = (np.asarray(grey, dtype=np.float32) / white).clip(0, 1)
    frame = np.concatenate([pixels[[0, -1]].ravel(), pixels[:, [0, -1]].ravel()])
    if not invert and np.median(frame) > 0.5:
        print(
            f"{path} looks like dark ink on white: MNIST's digits are white on black, "
            f"and --invert makes it so"
        )
    pixels = 1 - pixels if invert else pixels
    return torch.from_numpy(pixels).reshape(1, 1, 28, 28)


def _open_grey(path: Path, background: str) -> Image.Image:
    """Open an image as mode L, or as mode F in [0, 1] where it has more levels."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                upright = ImageOps.exif_transpose(image)
    except UnidentifiedImageError as error:
        raise ValueError(f"IMAGE must be an image file, got {path}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(
            f"{path} is too large: at most {Image.MAX_IMAGE_PIXELS:,} pixels are read"
        ) from error
    except FileNotFoundError:
        raise
    except Exception as error:  # each format has errors of its own
        raise ValueError(f"{path} cannot be read as an image: {error}") from error
    return _grey(upright, path, background)


def _grey(image: Image.Image, path: Path, background: str) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray(np.asarray(image).astype(np.float32) / 65535)
    if image.has_transparency_data:
        print(f"{path} is transparent in places: {background} shows through")
        colours = image.convert("RGBA")
        below = Image.new("RGBA", colours.size, background)
        return Image.alpha_composite(below, colours).convert("L")
    if image.mode in ("1", "L", "P", "RGB", "CMYK", "YCbCr"):
        return image.convert("L")
    low, high = np.min(image), np.max(image)
    if image.mode == "F" and low >= 0 and high <= 1:  # false for NaN, too
        return image
    raise ValueError(
        f"{path} has mode {image.mode}, from {low:g} to {high:g}: which of them is "
        f"white is not known. Save it in grey, with 8 or 16 bits"
    )


def write_image(image: torch.Tensor, path: Path) -> None:
    """Write a (1, 1, height, width) image in [0, 1] to a file, whole or not at all."""
    if not image.isfinite().all():
        raise ValueError(
            f"{path} is not written: the model returned pixels that are no numbers"
        )
    pixels = (image[0, 0] * 255).round().byte().numpy()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder:
        Image.fromarray(pixels).save(Path(folder) / path.name)
        os.replace(Path(folder) / path.name, path)


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m dae_tutorial",
        description=__doc__,
        epilog="Start with: python -m dae_tutorial train   (about a minute on a "
        "laptop), then: python -m dae_tutorial evaluate",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--weights",
        type=Path,
        default=Path("dae.safetensors"),
        help="the trained model, from `train` or downloaded from the site "
        "(default: %(default)s)",
    )
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--data",
        type=Path,
        default=Path("data"),
        help="folder of MNIST, filled on first use (default: %(default)s)",
    )
    data.add_argument(
        "--seed", type=int, default=0, help="of all randomness (default: %(default)s)"
    )
    _add_train(commands, [shared, data])
    _add_evaluate(commands, [shared, data])
    _add_denoise(commands, [shared])
    return parser


def _add_train(commands, parents) -> None:
    command = commands.add_parser(
        "train",
        parents=parents,
        help="train on MNIST and write the weights",
        description="Train on 50,000 MNIST images, watch the loss on 10,000 others, "
        "and write the weights. The test set stays unread.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    command.set_defaults(run=train)
    command.add_argument(
        "--noise", choices=NOISES, default="gaussian", help="how images are corrupted"
    )
    command.add_argument(
        "--level",
        type=float,
        help="standard deviation (gaussian, by default 0.5), share of pixels (masking, "
        "0.5; salt-and-pepper, 0.25) or side in pixels (blocks, 10)",
    )
    command.add_argument("--epochs", type=int, default=10, help="passes over the data")
    command.add_argument("--batch-size", type=int, default=128, help="images a step")
    command.add_argument("--hidden-dim", type=int, default=128, help="hidden width")
    command.add_argument(
        "--latent-dim", type=int, default=32, help="length of the code"
    )
    command.add_argument("--device", help="cuda, mps or cpu; None takes the fastest")


def _add_evaluate(commands, parents) -> None:
    command = commands.add_parser(
        "evaluate",
        parents=parents,
        help="score the weights on the MNIST test set",
        description="Score trained weights on the 10,000 test images, beside what "
        "doing nothing scores. Noise and level are those of the training unless "
        "you name others.",
    )
    command.set_defaults(run=evaluate_weights)
    command.add_argument("--noise", choices=NOISES, help="how images are corrupted")
    command.add_argument("--level", type=float, help="how strongly; see train --help")


def _add_denoise(commands, parents) -> None:
    command = commands.add_parser(
        "denoise",
        parents=parents,
        help="denoise an image file",
        description="Denoise the picture of one digit. It is read as grey values and "
        "resized to 28 × 28; MNIST's digits are white on black, so use --invert for "
        "dark ink on white paper.",
    )
    command.set_defaults(run=denoise)
    command.add_argument("image", type=Path, metavar="IMAGE", help="the noisy image")
    command.add_argument(
        "--output", type=Path, help="file to write (default: IMAGE.denoised.png)"
    )
    command.add_argument("--invert", action="store_true", help="swap black and white")


def main(words: list[str] | None = None) -> int:
    """Run one command.

    Args:
        words: the command line without the program's name; `sys.argv` by default.

    Returns:
        0 on success; 2 where something was wrong, told on stderr in one line; 130
        after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):  # not every terminal knows × and σ
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    arguments = build_parser().parse_args(words)
    try:
        arguments.run(arguments)
    except (ValueError, OSError, RuntimeError, ArithmeticError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped: nothing was written", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
