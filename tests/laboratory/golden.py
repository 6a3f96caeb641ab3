"""What Python says of the laboratory's numbers: golden vectors for its JavaScript."""

import numpy as np
import torch
from torch import Tensor

from dae_tutorial.further.drawings import draw_strokes, fit_picture
from dae_tutorial.further.laboratory import laboratory_models
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import (
    add_block_occlusion,
    add_gaussian_noise,
    add_masking_noise,
    add_salt_and_pepper_noise,
)
from dae_tutorial.theory.multilevel import Preconditioned
from dae_tutorial.theory.sampling import draw_start, heun, noise_levels
from dae_tutorial.theory.score import FiniteSet
from tests.laboratory.digits import DRAWN_DIGITS

SEEDS = (0, 1, 7, 9999)
NOISES = {
    "gaussian": (add_gaussian_noise, (0.0, 0.13, 0.5, 1.0)),
    "masking": (add_masking_noise, (0.0, 0.5, 0.95)),
    "salt": (add_salt_and_pepper_noise, (0.0, 0.25, 0.6)),
    "blocks": (add_block_occlusion, (0, 10, 20)),
}
SIGMA_DATA = 0.3081
LABEL = 3


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbers(tensor: Tensor) -> list[float]:
    return tensor.double().flatten().tolist()


def noises(clean: Tensor) -> list[dict]:
    return [
        {"kind": kind, "level": level, "seed": seed, "noisy": numbers(noisy)}
        for kind, (corrupt, levels) in NOISES.items()
        for level in levels
        for seed in SEEDS
        for noisy in [corrupt(clean, level, generator=seeded(seed))]
    ]


def pictures() -> list[dict]:
    """Small pictures of several shapes, dark on bright and bright on dark."""
    found = []
    for seed, (height, width) in enumerate([(9, 13), (40, 30), (28, 28), (61, 7)]):
        picture = torch.rand(1, height, width, generator=seeded(seed)) ** 6
        picture[:, 0], picture[:, -1], picture[..., 0], picture[..., -1] = (0,) * 4
        for shown in (picture, 1 - picture):
            sides = {"width": width, "height": height}
            found.append(
                sides | {"grey": numbers(shown), "fitted": numbers(fit_picture(shown))}
            )
    blank = {"width": 4, "height": 4, "grey": [0.5] * 16, "fitted": [0] * 784}
    return [*found, blank]


@torch.no_grad()
def models() -> list[dict]:
    found = []
    for name, (model, example) in laboratory_models().items():
        given = torch.rand(example.shape, generator=seeded(len(name)))
        one = {"name": name.removesuffix(".onnx"), "shape": list(given.shape)}
        found.append(one | {"input": numbers(given), "output": numbers(model(given))})
    return found


@torch.no_grad()
def birth() -> dict:
    network, _ = laboratory_models()["multilevel.onnx"]
    denoiser = Preconditioned(network, SIGMA_DATA, classes=10)
    label = torch.tensor([LABEL])
    levels = noise_levels(18, 10, 0.01)
    start = draw_start((1, 1, 28, 28), 10, generator=seeded(5))
    born = heun(lambda x, sigma: denoiser(x, sigma, label), start, levels)
    return {
        "sigma_data": SIGMA_DATA,
        "label": LABEL,
        "levels": levels,
        "start": numbers(start),
        "born": numbers(born),
    }


def plane() -> dict:
    points = torch.tensor(np.random.default_rng(0).normal(size=(20, 2)))
    places = torch.tensor(np.random.default_rng(1).normal(size=(5, 2)))
    sigmas = (0.05, 0.3, 2.0)
    means = [FiniteSet(points).posterior_mean(places, s).tolist() for s in sigmas]
    return {
        "points": points.tolist(),
        "places": places.tolist(),
        "sigmas": sigmas,
        "means": means,
    }


def golden() -> dict:
    """Return all of it, ready for JSON."""
    clean = load_mnist(train=False).images[:1]
    return {
        "clean": numbers(clean),
        "uniform": numbers(torch.rand(784, generator=seeded(7))),
        "normal": numbers(torch.randn(784, generator=seeded(7))),
        "noises": noises(clean),
        "drawings": [
            {"strokes": strokes, "drawn": numbers(draw_strokes(strokes))}
            for strokes in [*DRAWN_DIGITS, [], [[(0.3, 0.9)]]]
        ],
        "pictures": pictures(),
        "models": models(),
        "birth": birth(),
        "plane": plane(),
    }
