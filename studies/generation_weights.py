"""Train what `dae_tutorial.theory.pretrained` holds: a denoiser, and its judge.

Recipes were chosen without the test set, which is read once, for the cards. A run of
the denoiser that is stopped goes on from its last epoch.
"""

import argparse

import torch

from dae_tutorial.evidence.pretrain import error_rate, train_classifier
from dae_tutorial.further.checkpoint import Checkpoint
from dae_tutorial.further.weights import save_weights
from dae_tutorial.loaders import get_mnist_loaders, load_mnist
from dae_tutorial.theory.multilevel import Preconditioned
from dae_tutorial.theory.multilevel_unet import MultilevelUNet
from dae_tutorial.theory.pretrained import FOLDER, load_digit_features
from dae_tutorial.theory.sample_quality import (
    DigitFeatures,
    frechet_distance,
    precision_and_recall,
)
from dae_tutorial.theory.sampling import draw_start, noise_levels, step_down
from studies.experiments.samples import (
    HIGHEST,
    LOWEST,
    SIGMA_DATA,
    features,
    in_half_precision,
    sure,
    train_multilevel,
)
from studies.pretrained_weights import CHECKPOINTS

CLASSES = 10
LEVELS = 35  # of the sampler that draws for the card; chosen on training images


def make_digit_features() -> None:
    """Train the classifier, and write its weights with its card."""
    torch.manual_seed(0)
    model = DigitFeatures()
    train, test = load_mnist(train=True), load_mnist(train=False)
    held_out = 5000
    train_classifier(
        model,
        (train.images[held_out:], train.labels[held_out:]),
        (train.images[:held_out], train.labels[:held_out]),
        steps=2500,
    )
    error = error_rate(model, test.images, test.labels)
    card = {
        "data": "MNIST, 55,000 training images; 5,000 more to stop with",
        "steps": 2500,
        "batch_size": 128,
        "peak": 2e-3,
        "seed": 0,
        "test error": error,
        "torch": torch.__version__,
        "licence": "MIT; MNIST has terms of its own",
    }
    save_weights(model, FOLDER / "digit-features.safetensors", card)
    print(f"digit-features: test error {error:.4f}")


def score(denoiser: Preconditioned, *, seed: int = 0) -> dict[str, float]:
    """Draw as many samples as there are test images, and compare the two.

    Args:
        denoiser: is told the labels of the test images, so that each digit is as
            frequent in both sets.
        seed: of the samples.

    Returns:
        `frechet`, and beside it its `frechet_floor`, what as many training images
        score; `precision` and `recall`; `sure`, the share of samples of which the
        classifier is more than 0.9 sure.
    """
    test, training = load_mnist(train=False), load_mnist(train=True)
    generator = torch.Generator().manual_seed(seed)
    begin = {"around": training.images.mean(dim=0), "generator": generator}
    levels = noise_levels(LEVELS, HIGHEST, LOWEST)
    samples = []
    for labels in test.labels.split(500):
        start = draw_start((len(labels), 1, 28, 28), HIGHEST, **begin)
        told = in_half_precision(
            lambda x, sigma, labels=labels: denoiser(x, sigma, labels)
        )
        samples.append(step_down(told, start, levels, fresh=1.0, generator=generator))
    judge = load_digit_features()
    found, real, known = (
        features(judge, images)
        for images in (torch.cat(samples), test.images, training.images[: len(test)])
    )
    precision, recall = precision_and_recall(real, found)
    return {
        "frechet": frechet_distance(found, real),
        "frechet_floor": frechet_distance(known, real),
        "precision": precision,
        "recall": recall,
        "sure": sure(judge, found),
    }


def make_multilevel(epochs: int = 32) -> None:
    """Train the denoiser, and write its weights, in half precision, with its card."""
    torch.manual_seed(0)
    arguments = {"width": 32, "classes": CLASSES}
    denoiser = Preconditioned(MultilevelUNet(**arguments), SIGMA_DATA, CLASSES)
    loader, _ = get_mnist_loaders(128, seed=0)
    card = {"model": "MultilevelUNet", "arguments": arguments}
    card |= {"sigma_data": SIGMA_DATA, "epochs": epochs, "batch_size": 128}
    card |= {"peak": 2e-3, "seed": 0, "autocast": "bfloat16"}
    checkpoint = Checkpoint(CHECKPOINTS / "multilevel.safetensors", card)
    history = train_multilevel(denoiser, loader, epochs=epochs, checkpoint=checkpoint)
    card |= {
        "parameters": sum(part.numel() for part in denoiser.parameters()),
        "data": "MNIST, 60,000 training images",
        "noise": "Gaussian, unclipped; ln σ normal with mean -1.7, deviation 1.2",
        "seconds": sum(history.seconds),
        "torch": torch.__version__,
        "licence": "MIT; MNIST has terms of its own",
    }
    card["test"] = score(denoiser.eval())
    save_weights(denoiser.network.half(), FOLDER / "multilevel.safetensors", card)
    print(f"multilevel: loss {history.train_loss[-1]:.4f}, {card['seconds']:.0f} s")


def main() -> None:
    """Make both, or the one that was named."""
    makers = {"digit-features": make_digit_features, "multilevel": make_multilevel}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(makers))
    for name in parser.parse_args().names or makers:
        makers[name]()


if __name__ == "__main__":
    main()
