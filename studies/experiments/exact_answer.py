"""How much of the exact answer does an autoencoder learn, at one level of noise?

The exact posterior mean over the training images is the best denoiser of *those*. Each
model is scored on some of them and on test images, all under unclipped noise, and
compared with what the exact answer is there.
"""

import math
from functools import partial

import torch
from torch import Tensor, nn

from dae_tutorial.evaluate import mean_squared_error
from dae_tutorial.evidence.baselines import AffineDenoiser
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise, no_noise
from dae_tutorial.theory.score import FiniteSet
from studies.experiments.denoisers import Denoiser
from studies.experiments.recipe import mnist, mnist_test, train

SIGMA = 0.5
noise = partial(add_gaussian_noise, noise_factor=SIGMA, clip=False)
STRIDE = 10  # each seed has test images of its own, from all over the test set
CHUNK = 250  # noisy images compared with all training images at a time

SEEDS = (0, 1, 2)
PARTS = [
    {"images": 60_000, "epochs": 4},
    {"images": 60_000, "epochs": 16},
    {"images": 1000, "epochs": 960},
]
TOY = {"images": 500, "epochs": 3, "scored": 50}


def study(
    *, seed: int, images: int = 60_000, epochs: int = 16, scored: int = 1000
) -> list[dict]:
    """Train a dense autoencoder on noisy and on clean images, and ask for the exact.

    Args:
        seed: of the drawn images, the initial weights and the noise.
        images: how many images to train on; the exact answer knows these.
        epochs: passes over them, in batches of 128.
        scored: how many training and how many test images to score.

    Returns:
        One row for each model (exact, linear, dense, and dense trained on clean
        images) and each set ("training" or "test"): model, images, epochs, set; mse;
        and from_exact, the mean squared distance from the exact answer.

    Examples:
        >>> rows = study(seed=0, **TOY)
        >>> rows[0]["model"], rows[0]["set"], rows[0]["from_exact"]
        ('exact', 'training', 0.0)
    """
    training = mnist(images, seed=seed)
    exact = FiniteSet(training.images)
    steps = epochs * math.ceil(images / 128)
    models = {"exact": None, "linear": best_linear(training.images)}
    for name, corrupt in {"dense": noise, "dense, clean-trained": no_noise}.items():
        torch.manual_seed(seed)
        models[name] = train(Autoencoder(), training, corrupt, steps=steps, seed=seed)
    rows = []
    for place, clean in {
        "training": training.images[:scored],
        "test": mnist_test().images[seed::STRIDE][:scored],
    }.items():
        found = scores(models, exact, clean, seed=seed)
        key = {"images": images, "epochs": epochs, "set": place}
        rows += [{"model": name, **key, **score} for name, score in found.items()]
    return rows


@torch.no_grad()
def scores(
    models: dict[str, Denoiser | None], exact: FiniteSet, clean: Tensor, *, seed: int
) -> dict[str, dict[str, float]]:
    """Score models on the same noisy images, against clean ones and exact answers."""
    noisy = noise(clean, generator=torch.Generator().manual_seed(1000 + seed))
    best = torch.cat([exact.posterior_mean(x, SIGMA) for x in noisy.split(CHUNK)])
    found = {}
    for name, model in models.items():
        answer = best if model is None else model(noisy).reshape(clean.shape)
        found[name] = {
            "mse": mean_squared_error(answer, clean).mean().item(),
            "from_exact": mean_squared_error(answer, best).mean().item(),
        }
    return found


def best_linear(clean: Tensor) -> nn.Module:
    r"""Return $m + \Sigma (\Sigma + \sigma^2 I)^{-1} (\tilde{x} - m)$: no noise drawn.

    Examples:
        >>> clean = torch.tensor([[-0.5], [0.5]])[..., None, None]
        >>> best_linear(clean)(clean).flatten()  # variance 0.25, that of the noise
        tensor([-0.2500,  0.2500])
    """
    flat = clean.flatten(start_dim=1)
    mean, covariance = flat.mean(dim=0), torch.atleast_2d(flat.T.cov(correction=0))
    weight = torch.linalg.solve(
        covariance + SIGMA**2 * torch.eye(len(mean)), covariance
    )  # symmetric: the two factors commute
    return AffineDenoiser(weight, mean - weight @ mean)
