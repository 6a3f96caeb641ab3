"""Train, score and use denoising autoencoders from the command line."""

import argparse
import io
import sys
from pathlib import Path

from dae_tutorial import __version__

MODELS = ("autoencoder", "conv-autoencoder", "unet")
NOISES = ("gaussian", "varied-gaussian", "masking", "salt-and-pepper", "blocks")
LEVEL_HELP = """how strong: standard deviation, where white is 1 (gaussian, 0.5 unless
named; varied-gaussian, up to 1, drawn for each image); share of pixels (masking, 0.5;
salt-and-pepper, 0.25); or side in pixels (blocks, 10)"""


class Parser(argparse.ArgumentParser):
    """Tells a mistake in one line, and shows examples as they are written."""

    def __init__(self, **options):
        super().__init__(
            formatter_class=argparse.RawDescriptionHelpFormatter, **options
        )

    def error(self, message: str) -> None:
        """Exit with status 2."""
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = Parser(
        prog="python -m dae_tutorial",
        description=__doc__,
        epilog="""examples:
  python -m dae_tutorial models
  python -m dae_tutorial denoise digit.png --weights unet
  python -m dae_tutorial train                # about a minute on a laptop
  python -m dae_tutorial evaluate
  python -m dae_tutorial denoise scans/ --output clean/""",
    )
    parser.add_argument(
        "--version", action="version", version=f"dae-tutorial {__version__}"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(commands)
    _add_evaluate(commands)
    _add_denoise(commands)
    line = "list the trained models that come with the package"
    commands.add_parser(
        "models",
        help=line,
        description=f"""{line[0].upper()}{line[1:]}, for --weights
NAME: the noise that each has met, and its score on the MNIST test set with that noise
(mean squared error, where white is 1, and peak signal-to-noise ratio).""",
    )
    return parser


def _add_train(commands) -> None:
    command = commands.add_parser(
        "train",
        help="train on MNIST and write the weights",
        description="""Train on 50,000 MNIST images, watch the loss on 10,000 others,
and write the weights. The test set stays unread.""",
        epilog="""examples:
  python -m dae_tutorial train --noise masking --level 0.7 --latent-dim 64
  python -m dae_tutorial train --model unet --checkpoint run.safetensors
  python -m dae_tutorial train --model unet --checkpoint run.safetensors --resume
  python -m dae_tutorial train --model unet --noise varied-gaussian --noise-aware""",
    )
    add = command.add_argument
    shown = " (default: %(default)s)"
    add("--weights", type=Path, default="dae.safetensors", help="file to write" + shown)
    add("--model", choices=MODELS, default="autoencoder", help="what to train" + shown)
    add("--noise", choices=NOISES, default="gaussian", help="corruption" + shown)
    add("--level", type=float, help=LEVEL_HELP)
    add("--epochs", type=int, default=10, help="passes over the images" + shown)
    add("--batch-size", type=int, default=128, help="images a step" + shown)
    add("--hidden-dim", type=int, help="hidden width of autoencoder (default: 128)")
    add("--latent-dim", type=int, help="length of an autoencoder's code (default: 32)")
    add("--width", type=int, help="channels of the other models (default: 16)")
    add(
        "--noise-aware",
        action="store_const",
        const=2,
        dest="in_channels",
        help="tell unet the level of each image, as one more channel",
    )
    add(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="keep the run here after every epoch (default: keep nothing)",
    )
    add("--resume", action="store_true", help="go on with the run in --checkpoint")
    add("--device", help="cpu, cuda or mps (default: the fastest)")
    _add_data(command)


def _add_evaluate(commands) -> None:
    command = commands.add_parser(
        "evaluate",
        help="score weights on the MNIST test set",
        description="""Score weights on the 10,000 test images, beside what doing
nothing scores. Noise and level are those of the training unless you name others.""",
        epilog="""examples:
  python -m dae_tutorial evaluate
  python -m dae_tutorial evaluate --weights unet --level 0.25""",
    )
    _add_weights(command)
    command.add_argument("--noise", choices=NOISES, help="corruption")
    command.add_argument("--level", type=float, help=LEVEL_HELP)
    _add_data(command)


def _add_denoise(commands) -> None:
    command = commands.add_parser(
        "denoise",
        help="denoise image files",
        description="""Denoise image files, and write each result beside its image:
digit.png becomes digit.denoised.png. Most weights know digits of 28 × 28 pixels in
grey, so an image is made so first. Only a U-Net that you have trained keeps its size,
and its colours, each of which it denoises apart; it still knows nothing but digits.
These are white on black: use --invert for dark ink on white paper.""",
        epilog="""examples:
  python -m dae_tutorial denoise digit.png --weights unet
  python -m dae_tutorial denoise note.jpg --invert --output clean.png
  python -m dae_tutorial denoise scans/ more/*.png --output clean/""",
    )
    add = command.add_argument
    add("images", type=Path, nargs="+", metavar="IMAGE", help="a file, or a folder")
    _add_weights(command)
    add("--output", type=Path, help="file to write, or for several images a folder")
    add("--invert", action="store_true", help="swap black and white first")
    add(
        "--level",
        type=float,
        help="standard deviation of the noise, where white is 1: for noise-aware "
        "weights, which must be told",
    )


def _add_weights(command) -> None:
    command.add_argument(
        "--weights",
        type=Path,
        default="dae.safetensors",
        help="a file that `train` wrote, or a name that `models` lists "
        "(default: %(default)s)",
    )


def _add_data(command) -> None:
    command.add_argument(
        "--data",
        type=Path,
        default="data",
        help="folder of MNIST, filled on first use (default: %(default)s)",
    )
    command.add_argument(
        "--seed",
        type=_seed,
        default=0,
        help="a whole number; of all randomness (default: %(default)s)",
    )


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 2**63:
        raise argparse.ArgumentTypeError(f"must be from 0 to 2^63 - 1, got {seed}")
    return seed


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
        from dae_tutorial import command_line  # takes seconds, and help needs none

        return command_line.run(arguments)
    except KeyboardInterrupt as stop:
        print(f"stopped: {str(stop) or 'nothing more was written'}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
