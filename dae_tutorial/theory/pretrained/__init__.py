"""A trained denoiser for all noise levels, and the classifier that judges its samples.

The weights lie beside this file, with cards of how they were made, in safetensors:
reading them runs no code. `make weights` makes them.
"""

from pathlib import Path

from dae_tutorial.further.weights import load_weights, read_settings
from dae_tutorial.theory.multilevel import Preconditioned
from dae_tutorial.theory.multilevel_unet import MultilevelUNet
from dae_tutorial.theory.sample_quality import DigitFeatures

FOLDER = Path(__file__).parent


def load_multilevel() -> Preconditioned:
    """Build the denoiser of digits at all levels, from σ = 0.01 to 20.

    It was trained on MNIST in [0, 1], all 60,000 training images, with unclipped noise.
    Call it as `denoise(noisy, sigma)` or, for a class, `denoise(noisy, sigma, labels)`.

    Returns:
        The denoiser, in evaluation mode, on the CPU.

    Examples:
        >>> import torch
        >>> denoise = load_multilevel()
        >>> denoise(torch.randn(2, 1, 28, 28), 1.0, torch.tensor([3, 8])).shape
        torch.Size([2, 1, 28, 28])
    """
    file = FOLDER / "multilevel.safetensors"
    card = read_settings(file)
    network = MultilevelUNet(**card["arguments"])
    load_weights(network, file)
    return Preconditioned(network, card["sigma_data"], network.classes).eval()


def load_digit_features() -> DigitFeatures:
    """Build the classifier whose features measure samples.

    Returns:
        The classifier, in evaluation mode, on the CPU.

    Examples:
        >>> import torch
        >>> load_digit_features().features(torch.rand(2, 1, 28, 28)).shape
        torch.Size([2, 64])
    """
    classifier = DigitFeatures()
    load_weights(classifier, FOLDER / "digit-features.safetensors")
    return classifier.eval()


def read_theory_card(name: str) -> dict:
    """Read how one of them was made, and what it scores.

    Args:
        name: "multilevel" or "digit-features".

    Returns:
        The card.

    Raises:
        ValueError: if there is no model of that name.

    Examples:
        >>> read_theory_card("digit-features")["test error"] < 0.012
        True
    """
    names = ("multilevel", "digit-features")
    if name not in names:
        raise ValueError(f"name must be one of {', '.join(names)}, got {name!r}")
    return read_settings(FOLDER / f"{name}.safetensors")
