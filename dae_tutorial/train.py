"""Training a denoising autoencoder: noisy in, clean out.

The loop knows neither where images come from nor how they are corrupted: batches are
any iterable that yields (images, labels), and a corruption is any function that is
called as `corrupt(images, generator=generator)`.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from tqdm import tqdm

Corruption = Callable[..., Tensor]


@dataclass
class History:
    """What happened in training, one number an epoch.

    Attributes:
        train_loss: mean loss an image over the epoch, while the model was learning.
        validation: what `validate` returned after the epoch; empty without one.
        seconds: wall time of the epoch's training, without validation.
    """

    train_loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def pick_device() -> torch.device:
    """Choose the fastest device that is there: CUDA, then MPS, then the CPU.

    Returns:
        The device.

    Examples:
        >>> pick_device().type in {"cuda", "mps", "cpu"}
        True
    """
    for backend in (torch.cuda, torch.backends.mps):
        if backend.is_available():
            return torch.device("cuda" if backend is torch.cuda else "mps")
    return torch.device("cpu")


def train_one_epoch(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    optimizer: Optimizer,
    corrupt: Corruption,
    *,
    criterion: nn.Module | None = None,
    scheduler: LRScheduler | None = None,
    generator: Generator | None = None,
) -> float:
    """Take one optimiser step for each batch.

    The noise is drawn afresh each time, so the model never meets the same noisy
    image twice.

    Args:
        model: maps noisy images to reconstructions of the same shape.
        batches: yields (images, labels); the labels are not used.
        optimizer: holds the parameters of `model`.
        corrupt: called as `corrupt(images, generator=generator)`.
        criterion: compares reconstruction and clean images, averaged over its input;
            mean squared error by default.
        scheduler: stepped after every batch, such as `OneCycleLR`.
        generator: source of the noise, on the device of the model.

    Returns:
        The mean loss an image. A short last batch counts by its images.

    Raises:
        ValueError: if there are no images, or if reconstruction and clean images
            differ in shape.
        FloatingPointError: if the loss is no longer finite.

    Examples:
        >>> model = nn.Linear(4, 4)
        >>> optimizer = torch.optim.Adam(model.parameters())
        >>> batches = [(torch.zeros(3, 4), torch.zeros(3))]
        >>> def nothing(images, *, generator): return images
        >>> loss = train_one_epoch(model, batches, optimizer, nothing)
        >>> loss > train_one_epoch(model, batches, optimizer, nothing)
        True
    """
    criterion = criterion or nn.MSELoss()
    device = next(model.parameters()).device
    model.train()
    total, count = torch.zeros((), device=device), 0
    for images, _ in batches:
        clean = images.to(device, non_blocking=True)
        noisy = corrupt(clean, generator=generator)
        optimizer.zero_grad()
        reconstruction = model(noisy)
        _check_same_shape(reconstruction, clean)
        loss = criterion(reconstruction, clean)  # the target is the clean image
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        total += loss.detach() * len(clean)
        count += len(clean)
    return _finite_mean(total, count)


def fit(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    corrupt: Corruption,
    *,
    epochs: int = 10,
    optimizer: Optimizer | None = None,
    scheduler: LRScheduler | None = None,
    criterion: nn.Module | None = None,
    validate: Callable[[nn.Module], float] | None = None,
    device: torch.device | str | None = None,
    seed: int = 0,
) -> History:
    """Train a model for several epochs, with a progress bar.

    Args:
        model: trained in place, and moved to `device`.
        batches: gone through once an epoch, as in `train_one_epoch`.
        corrupt: called as `corrupt(images, generator=generator)`.
        epochs: passes over `batches`, at least 1.
        optimizer: Adam with learning rate 1e-3 by default.
        scheduler: stepped after every batch; none by default.
        criterion: mean squared error by default.
        validate: called with the model after each epoch; what it returns is kept.
        device: the fastest that is there by default.
        seed: seed of the noise. With the model's own initialisation and the order of
            the batches seeded as well, the same seeds give the same run.

    Returns:
        Losses and times, epoch by epoch.

    Raises:
        ValueError: if `epochs` is below 1, or as in `train_one_epoch`.
        FloatingPointError: if the loss is no longer finite.

    Examples:
        >>> from dae_tutorial.model import Autoencoder
        >>> from dae_tutorial.noise import add_gaussian_noise
        >>> batches = [(torch.rand(8, 1, 28, 28), torch.zeros(8))]
        >>> history = fit(Autoencoder(), batches, add_gaussian_noise, epochs=2)
        >>> len(history.train_loss), history.train_loss[1] < history.train_loss[0]
        (2, True)
    """
    if not isinstance(epochs, int) or epochs < 1:
        raise ValueError(f"epochs must be an integer of at least 1, got {epochs!r}")
    device = torch.device(device) if device is not None else pick_device()
    model.to(device)
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=1e-3)
    generator = torch.Generator(device).manual_seed(seed)
    history = History()
    progress = tqdm(range(epochs), desc="training", unit="epoch")
    for _ in progress:
        started = time.perf_counter()
        loss = train_one_epoch(
            model,
            batches,
            optimizer,
            corrupt,
            criterion=criterion,
            scheduler=scheduler,
            generator=generator,
        )
        history.seconds.append(time.perf_counter() - started)
        history.train_loss.append(loss)
        if validate is not None:
            history.validation.append(float(validate(model)))
        progress.set_postfix(loss=f"{loss:.5f}")
    return history


def _check_same_shape(reconstruction: Tensor, clean: Tensor) -> None:
    # Otherwise a loss would broadcast, and compare every pixel with every other.
    if reconstruction.shape != clean.shape:
        raise ValueError(
            f"model must return the shape of its input, {tuple(clean.shape)}, "
            f"got {tuple(reconstruction.shape)}"
        )


def _finite_mean(total: Tensor, count: int) -> float:
    if count == 0:
        raise ValueError("batches must yield at least one image, got none")
    mean = total.item() / count
    if mean != mean or mean == float("inf"):
        raise FloatingPointError(
            f"the loss became {mean}; lower the learning rate, or look for NaN in the "
            f"images"
        )
    return mean
