"""What each command of the command line does.

`dae_tutorial.__main__` says which commands there are, and calls them by their names.
"""

import inspect
import math
import re
import sys
import tempfile
import warnings
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from dae_tutorial.evaluate import evaluate
from dae_tutorial.further import pretrained
from dae_tutorial.further.checkpoint import Checkpoint
from dae_tutorial.further.image_files import read_image, write_image
from dae_tutorial.further.weights import load_weights, read_settings, save_weights
from dae_tutorial.loaders import get_mnist_loaders, get_mnist_splits
from dae_tutorial.model import Autoencoder, ConvAutoencoder, UNet
from dae_tutorial.noise import (
    add_block_occlusion,
    add_gaussian_noise,
    add_masking_noise,
    add_salt_and_pepper_noise,
    add_varied_gaussian_noise,
    add_varied_gaussian_noise_with_level,
    append_noise_level,
)
from dae_tutorial.train import fit

# name → corruption, the argument that --level is for, and its default
NOISES = {
    "gaussian": (add_gaussian_noise, "noise_factor", 0.5),
    "varied-gaussian": (add_varied_gaussian_noise, "highest", 1.0),
    "masking": (add_masking_noise, "mask_prob", 0.5),
    "salt-and-pepper": (add_salt_and_pepper_noise, "flip_prob", 0.25),
    "blocks": (add_block_occlusion, "block_size", 10.0),
}
MODELS = {
    "autoencoder": Autoencoder,
    "conv-autoencoder": ConvAutoencoder,
    "unet": UNet,
}
CLASSES = {model.__name__: model for model in MODELS.values()}
# argument of a model → the option that sets it
OPTIONS = {
    "hidden_dim": "--hidden-dim",
    "latent_dim": "--latent-dim",
    "width": "--width",
    "in_channels": "--noise-aware",
}
FAULTS = (ValueError, OSError, RuntimeError, ArithmeticError)
# Rows: the U-Net folds squares of 4 × 4 pixels, and looks less than 32 around each.
STRIP, MARGIN = 512, 32


def run(arguments: Namespace) -> int:
    """Run the command of that name, and tell in one line what is wrong.

    Returns:
        0 on success, 2 where something was wrong.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = note
        try:
            COMMANDS[arguments.command](arguments)
        except FAULTS as error:
            tell("error", error)
            return 2
    return 0


def train(arguments: Namespace) -> None:
    """Train a model on MNIST and write its weights."""
    noise, level = arguments.noise, arguments.level
    level = NOISES[noise][2] if level is None else level
    torch.manual_seed(arguments.seed)
    model, settings = new_model(arguments)
    settings |= {"noise": noise, "level": level, "seed": arguments.seed}
    corrupt = corruption(noise, level, model)
    check_device(arguments.device)
    checkpoint = open_checkpoint(arguments, settings)
    check_writable(arguments.weights)
    if arguments.weights.exists():
        note(f"{arguments.weights} is there already and will be replaced")
    train_loader, validation_loader, _ = get_mnist_splits(
        arguments.batch_size, root=arguments.data, seed=arguments.seed
    )
    try:
        history = fit(
            model,
            train_loader,
            corrupt,
            epochs=arguments.epochs,
            validate=lambda model: evaluate(model, validation_loader, corrupt).mse,
            device=arguments.device,
            seed=arguments.seed,
            checkpoint=checkpoint,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(kept(arguments.checkpoint)) from None
    losses = zip(history.train_loss, history.validation, strict=True)
    for epoch, (loss, validation) in enumerate(losses, start=1):
        print(f"epoch {epoch}: training {loss:.5f}, validation {validation:.5f}")
    settings["epochs"] = len(history.train_loss)  # a resumed run may have had more
    save_weights(model, arguments.weights, settings)
    print(f"weights written to {arguments.weights}")


def evaluate_weights(arguments: Namespace) -> None:
    """Score trained weights on the MNIST test set, beside doing nothing."""
    model, settings = load_model(arguments.weights)
    noise, level = choose_noise(arguments, *noise_of_training(settings))
    corrupt = corruption(noise, level, model)
    _, test_loader = get_mnist_loaders(root=arguments.data)
    scores = evaluate(model, test_loader, corrupt, seed=arguments.seed)
    print(f"{scores.images} test images, {noise} noise of level {level:g}")
    print(f"doing nothing: MSE {scores.noisy_mse:.5f}, PSNR {scores.noisy_psnr:.2f} dB")
    print(f"this model:    MSE {scores.mse:.5f}, PSNR {scores.psnr:.2f} dB")


def denoise(arguments: Namespace) -> None:
    """Denoise image files: one that cannot be is named, and the others are done."""
    model, _ = load_model(arguments.weights)
    check_denoises(model, arguments.level)
    targets = choose_targets(arguments.images, arguments.output)
    for target in targets.values():
        check_writable(target, like=torch.zeros(3, 1, 1))
    hidden = True if len(targets) == 1 else None  # None: where there is no terminal
    failures = 0
    for source, target in tqdm(targets.items(), unit="image", disable=hidden):
        try:
            image = read_for(model, source, invert=arguments.invert)
            clean = denoised(model, image, arguments.level)
            verb = "replaced" if target.exists() else "written"
            write_image(clean, target)
        except FAULTS as error:
            if len(targets) == 1:
                raise
            failures += 1
            tell("error", f"{source} is not denoised: {error}")
        else:
            tqdm.write(f"{target} {verb}")
    if failures:
        raise ValueError(f"{failures} of {len(targets)} images are not denoised")


def models(arguments: Namespace) -> None:
    """List the trained models that come with the package."""
    print("name              parameters  noise     level  test MSE     PSNR      size")
    for name in pretrained.NAMES:
        card = pretrained.read_card(name)
        noise, level = noise_of_training(card)
        size = (pretrained.FOLDER / f"{name}.safetensors").stat().st_size
        print(
            f"{name:<16}{card['parameters']:>12,}  {noise:<8}{level:>7g}"
            f"{card['test']['mse']:>10.5f}{card['test']['psnr']:>6.2f} dB"
            f"{size / 1e6:>7.2f} MB"
        )


def kept(checkpoint: Path | None) -> str:
    """Say what a training leaves behind that was stopped, and how to go on."""
    if checkpoint is None:
        return "nothing was kept; --checkpoint FILE would keep every finished epoch"
    if not checkpoint.exists():
        return "nothing was kept, as no epoch was finished"
    return (
        f"{checkpoint} keeps the finished epochs; the same command with --resume goes "
        f"on"
    )


def new_model(arguments: Namespace) -> tuple[nn.Module, dict]:
    """Build an untrained model as the options say, and say how to build it again."""
    kind = MODELS[arguments.model]
    signature = inspect.signature(kind)
    given = {name: getattr(arguments, name) for name in OPTIONS}
    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        if name not in signature.parameters:
            known = [OPTIONS[it] for it in signature.parameters if it in OPTIONS]
            raise ValueError(
                f"{OPTIONS[name]} is not for --model {arguments.model}, which takes "
                f"{', '.join(known)}"
            )
    bound = signature.bind(**given)
    bound.apply_defaults()
    return kind(**given), {"model": kind.__name__, "arguments": bound.arguments}


def open_checkpoint(arguments: Namespace, settings: dict) -> Checkpoint | None:
    """Make the checkpoint that is asked for, and refuse to begin where a run is."""
    path = arguments.checkpoint
    if path is None:
        if arguments.resume:
            raise ValueError("--resume needs --checkpoint FILE, the run to go on with")
        return None
    check_writable(path)
    if path.resolve() == arguments.weights.resolve():
        raise ValueError(f"--checkpoint and --weights must be two files, got {path}")
    if path.exists() and not arguments.resume:
        raise ValueError(
            f"--checkpoint {path} is there already: add --resume to go on with its "
            f"run, or name another file"
        )
    if arguments.resume and not path.exists():
        raise ValueError(f"--resume needs a run to go on with: {path} is not there")
    return Checkpoint(path, settings)


def check_device(device: str | None) -> None:
    """Find out before the work whether a device is there."""
    try:
        torch.zeros(1, device=device).item()
    except Exception as error:  # of many types, AssertionError among them
        raise ValueError(
            f"--device must be one that is here, such as cpu, got {device}: {error}"
        ) from error


def check_writable(path: Path, *, like: Tensor | None = None) -> None:
    """Find out before the work whether its result, such as an image, can be written."""
    if path.exists() and not path.is_file():
        kind = "folder" if path.is_dir() else "device"
        raise ValueError(f"{path} must be a file to write, it is a {kind}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".trying-") as folder:
            if like is not None:
                write_image(like, Path(folder) / path.name)
    except OSError as error:
        raise ValueError(
            f"{path} cannot be written: {error.strerror or error}"
        ) from error


def corruption(noise: str, level: float, model: nn.Module) -> Callable[..., Tensor]:
    """Make the corruption of a name and a level, which must be of its unit.

    A noise-aware model is told the level, as one more channel.
    """
    corrupt, argument, _ = NOISES[noise]
    if not 0 < level < math.inf:
        raise ValueError(
            f"--level must be a finite number above 0 (0 changes nothing), "
            f"got {level:g}"
        )
    if noise.endswith("gaussian") and level > 10:
        raise ValueError(
            f"--level must be a standard deviation of at most 10, where white is 1, "
            f"got {level:g}; 25 of 255 is 0.098"
        )
    if noise == "blocks":
        if not float(level).is_integer():
            raise ValueError(
                f"--level must be a whole number of pixels for blocks, got {level:g}"
            )
        level = int(level)
    corrupt = partial(corrupt, **{argument: level})
    corrupt(torch.zeros(1, 1, 28, 28))  # a wrong level is told now, not after loading
    if not needs(model)[2]:
        return corrupt
    if noise == "varied-gaussian":
        return partial(add_varied_gaussian_noise_with_level, highest=level)
    if noise == "gaussian":
        return lambda images, **draw: append_noise_level(corrupt(images, **draw), level)
    raise ValueError(
        f"--noise must be varied-gaussian or gaussian for a noise-aware model, "
        f"got {noise}"
    )


def choose_noise(
    arguments: Namespace, noise: str | None, level: float | None
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
    """Build the model of a weights file, or of a name that `models` lists.

    Returns:
        The model, in evaluation mode, and the settings that came with its weights.
    """
    if not path.exists():
        if str(path) not in pretrained.NAMES:
            raise ValueError(
                f"--weights must be a file, such as `train` writes, or one of "
                f"{', '.join(pretrained.NAMES)}, got {path}"
            )
        path = pretrained.FOLDER / f"{path}.safetensors"
    settings = read_settings(path)
    name, arguments = settings.get("model"), settings.get("arguments", {})
    if isinstance(name, dict):  # earlier versions of `train` named the widths alone
        name, arguments = "Autoencoder", name
    if not (isinstance(name, str) and name in CLASSES):
        raise ValueError(
            f"{path} must name a model, one of {', '.join(CLASSES)}, got {name!r}"
        )
    try:
        model = CLASSES[name](**arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} does not fit this version: {error}") from error
    load_weights(model, path)
    return model.eval(), settings


def needs(model: nn.Module) -> tuple[int | None, int, bool]:
    """Say what images a model takes.

    Returns:
        Their side, or None if any size will do; their channels; and whether the model
        is noise-aware: it takes the level as one more channel.
    """
    channels = getattr(model, "out_channels", 1)
    side = getattr(model, "image_size", 28)
    return side, channels, getattr(model, "in_channels", 1) > channels


def check_denoises(model: nn.Module, level: float | None) -> None:
    """Refuse a model of other images than files hold, or without the level it needs."""
    _, channels, is_told = needs(model)
    if channels not in (1, 3):
        raise ValueError(
            f"--weights must be of a model for 1 or 3 channels, got {channels}"
        )
    if is_told != (level is not None):
        raise ValueError(
            "--level is for weights of a noise-aware model, which need it: the "
            "standard deviation of the noise"
        )
    if is_told and not 0 <= level < math.inf:
        raise ValueError(f"--level must be a finite number from 0, got {level:g}")


def choose_targets(images: list[Path], output: Path | None) -> dict[Path, Path]:
    """Find the images to read, and for each where its result goes."""
    sources = [path for image in images for path in pictures_of(image)]
    folders = [path for path in [*images, output] if path and path.is_dir()]
    is_one = len(sources) == 1 and not folders
    if output is not None and output.exists() and not (is_one or output.is_dir()):
        raise ValueError(f"--output must be a folder for several images, got {output}")
    if output is not None and is_one:
        targets = {sources[0]: output}
    else:
        targets = {
            source: (output or source.parent) / f"{source.stem}.denoised.png"
            for source in sources
        }
    read = {source.resolve() for source in sources}
    writers = {}
    for source, target in targets.items():
        other = writers.setdefault(target.resolve(), source)
        if other != source:
            raise ValueError(f"{other} and {source} would both be written to {target}")
        if target.resolve() in read:
            raise ValueError(f"{target} would be replaced, and is an image to denoise")
    return targets


def pictures_of(path: Path) -> list[Path]:
    """List the image files in a folder but for earlier results; or the file itself."""
    if not path.is_dir():
        return [path]
    kinds = Image.registered_extensions()
    found = [
        file
        for file in sorted(path.iterdir())
        if kinds.get(file.suffix.lower()) in Image.OPEN
        and not file.stem.endswith(".denoised")
    ]
    if not found:
        raise ValueError(f"{path} holds no image to denoise")
    return found


def read_for(model: nn.Module, path: Path, *, invert: bool) -> Tensor:
    """Read an image as a model takes it: of its size, and in colour if it keeps it."""
    side, channels, _ = needs(model)
    is_colour = side is None or channels == 3
    background = "white" if invert else "black"
    image = read_image(path, colour=is_colour, background=background)
    if channels == 1 and torch.equal(image, image[:1].expand_as(image)):
        image = image[:1]
    height, width = image.shape[1:]
    if side is not None and (height, width) != (side, side):
        note(f"{path} is {width} × {height}: resized to {side} × {side}")
        square = {"size": (side, side), "mode": "bicubic", "antialias": True}
        image = functional.interpolate(image[None], **square)[0].clamp(0, 1)
    frame = [image[:, 0], image[:, -1], image[..., 0], image[..., -1]]
    if not invert and len(image) == 1 and torch.cat(frame, dim=1).median() > 0.5:
        note(
            f"{path} looks like dark ink on white: MNIST's digits are white on black, "
            f"and --invert makes it so"
        )
    return 1 - image if invert else image


@torch.no_grad()
def denoised(model: nn.Module, image: Tensor, level: float | None = None) -> Tensor:
    """Denoise (channels, height, width); a model of grey, one channel at a time."""
    side, channels, _ = needs(model)
    planes = image.unflatten(0, (-1, 1, channels))  # each is a batch of one image
    if level is not None:
        planes = append_noise_level(planes, level)
    run = model if side else partial(in_strips, model)
    clean = [run(plane) for plane in planes]
    return torch.stack(clean).reshape(image.shape)  # the dense model returns rows


def in_strips(model: nn.Module, images: Tensor) -> Tensor:
    """Denoise (batch, channels, height, width) in strips, to save memory.

    Each is cut out with all that a pixel of it depends on, so the result is that of
    the whole.
    """
    strips = []
    for top in range(0, images.shape[2], STRIP):
        above = min(top, MARGIN)
        strip = model(images[:, :, top - above : top + STRIP + MARGIN])
        strips.append(strip[:, :, above : above + STRIP])
    return torch.cat(strips, dim=2)


def note(message: object, *_: object) -> None:
    """Tell something on stderr that is no error, such as a warning."""
    tell("note", message)


def tell(kind: str, message: object) -> None:
    """Write one line to stderr, above the progress bar if there is one."""
    tqdm.write(f"{kind}: {' '.join(str(message).split())}", file=sys.stderr)


COMMANDS = {
    "train": train,
    "evaluate": evaluate_weights,
    "denoise": denoise,
    "models": models,
}
