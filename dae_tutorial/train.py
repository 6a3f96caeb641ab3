"""Training a denoising autoencoder: noisy in, clean out.

The loop knows neither where images come from nor how they are corrupted: batches are
any iterable that yields images, or tuples that begin with them, and a corruption is any
function that is called as `corrupt(images, generator=generator)`.

Where several processes train together, each works on its share of every batch. Nothing
else changes: one process with the whole batch takes the same steps.
"""

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import torch
from torch import Generator, Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from tqdm import tqdm

Corruption = Callable[..., Tensor]

# How often `fit` was called with a model, by seed; forgotten with the model.
_CALLS: WeakKeyDictionary[nn.Module, Counter[int]] = WeakKeyDictionary()


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

    def record(self, train_loss: float, seconds: float) -> None:
        """Add what an epoch of training gave."""
        self.train_loss.append(train_loss)
        self.seconds.append(seconds)

    def state_dict(self) -> dict[str, list[float]]:
        """Return all numbers, for a checkpoint."""
        return asdict(self)

    def load_state_dict(self, state: dict[str, list[float]]) -> None:
        """Take over the numbers of a checkpoint."""
        self.__dict__.update(state)


class Checkpoint(Protocol):
    """What `fit` asks of a checkpoint: `dae_tutorial.further.checkpoint` has one."""

    def resume(self, run: dict[str, Any]) -> None:
        """Bring every part of the run to where it was last saved, if it was."""

    def save(self, run: dict[str, Any]) -> None:
        """Keep every part of the run as it is now."""


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


def one_cycle(
    model: nn.Module,
    loader: Sized,
    epochs: float,
    peak: float,
    *,
    betas: tuple[float, float] = (0.9, 0.999),
    fused: bool = True,
) -> tuple[Optimizer, LRScheduler]:
    """Make Adam for a model, and a learning rate that rises and falls once in a run.

    The rate starts at a 25th of `peak`, reaches it after three tenths of the steps,
    and falls to almost nothing. High rates cover ground; the fall lets weights settle.

    Args:
        model: what is trained, whole.
        loader: the batches of an epoch; only their number is asked for.
        epochs: passes over them in the whole run, above 0; the last may be a part.
        peak: the highest learning rate, above 0.
        betas: how long Adam remembers gradients and their squares. (0.9, 0.99), a
            shorter memory of the squares, suits runs of a few epochs.
        fused: update all weights in one call, which is faster. The last digits of a
            run differ.

    Returns:
        The optimiser and the scheduler, for `fit` with as many `epochs`.

    Raises:
        TypeError: if `loader` does not know how many batches it has.
        ValueError: if `epochs` gives less than one step, or `peak` is not positive and
            finite.

    Examples:
        >>> model, batches = nn.Linear(4, 4), [(torch.rand(8, 4), torch.zeros(8))] * 50
        >>> optimizer, scheduler = one_cycle(model, batches, epochs=2, peak=1e-2)
        >>> round(optimizer.param_groups[0]["lr"], 6), scheduler.total_steps
        (0.0004, 100)

    Source: Smith and Topin (2019), Super-convergence: very fast training of neural
    networks using large learning rates.
    """
    if not isinstance(loader, Sized):
        raise TypeError(
            f"loader must know how many batches it has, as a list or a DataLoader "
            f"does, got {type(loader).__name__}"
        )
    steps = round(epochs * len(loader)) if math.isfinite(epochs) else 0
    if steps < 1:
        raise ValueError(
            f"epochs must give at least one step of {len(loader)} an epoch, "
            f"got {epochs!r}"
        )
    if not 0 < peak < math.inf:
        raise ValueError(f"peak must be a finite number above 0, got {peak!r}")
    optimizer = torch.optim.Adam(model.parameters(), peak, betas, fused=fused)
    return optimizer, OneCycleLR(optimizer, max_lr=peak, total_steps=steps)


def train_one_epoch(
    model: nn.Module,
    batches: Iterable,
    optimizer: Optimizer,
    corrupt: Corruption | None,
    *,
    criterion: nn.Module | None = None,
    scheduler: LRScheduler | None = None,
    generator: Generator | None = None,
    autocast: torch.dtype | None = None,
    key: str = "image",
) -> float:
    """Take one optimiser step for each batch.

    The noise is drawn afresh each time, so the model never meets the same noisy
    image twice. Several processes all go through the same batches and draw the same
    noise; each then learns from its own share of the images.

    Args:
        model: maps noisy images to reconstructions, of the shape of the clean images
            or one row of pixels an image, (batch, pixels).
        batches: yields clean images, or tuples that begin with them, such as (images,
            labels), or dicts. Where `corrupt` is None: pairs (noisy, clean), of one
            shape, or with more channels beside the noisy images, such as their noise
            level. What stands beside them is not used.
        optimizer: holds the parameters of `model`.
        corrupt: called as `corrupt(images, generator=generator)`; None where batches
            bring noisy images along.
        criterion: compares reconstruction and clean images, averaged over its input;
            mean squared error by default.
        scheduler: stepped after every batch, such as `OneCycleLR`.
        generator: source of the noise, on the device of the model.
        autocast: run the model in this precision where that is safe; in the precision
            of its weights by default. `torch.bfloat16` needs nothing more;
            `torch.float16` would need a gradient scaler, which is not here.
        key: the name of the images, where batches are dicts.

    Returns:
        The mean loss an image. A short last batch counts by its images.

    Raises:
        TypeError: if the model or the batches yield no tensor.
        ValueError: if there are no images, if the first ones are not finite, if
            `corrupt` writes into what it is given or does not fit the batches, if the
            reconstruction is neither as the clean images are nor one row of pixels for
            each of them, or if a batch cannot be shared equally among the processes.
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
    precision = torch.autocast(device.type, autocast, enabled=autocast is not None)
    if not model.training:
        model.train()  # else a part in evaluation mode was frozen, and stays so
    total, count = torch.zeros((), device=device), 0
    for batch in batches:
        clean, noisy = _unpacked(batch, corrupt, key)
        clean = clean.to(device, non_blocking=True)
        if noisy is None:
            noisy = _corrupted(corrupt, clean, generator, watch=count == 0)
        noisy = noisy.to(device, non_blocking=True)
        noisy, clean = _own_share(noisy), _own_share(clean)
        optimizer.zero_grad()
        with precision:
            reconstruction = model(noisy)
        loss = _compare(criterion, reconstruction, clean)
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        total += loss.detach() * len(clean)
        count += len(clean)
    return _finite_mean(total, count)


def fit(
    model: nn.Module,
    batches: Iterable,
    corrupt: Corruption | None,
    *,
    epochs: int = 10,
    optimizer: Optimizer | None = None,
    scheduler: LRScheduler | None = None,
    criterion: nn.Module | None = None,
    validate: Callable[[nn.Module], float] | None = None,
    device: torch.device | str | None = None,
    seed: int = 0,
    autocast: torch.dtype | None = None,
    checkpoint: Checkpoint | None = None,
    key: str = "image",
) -> History:
    """Train a model for several epochs, with a progress bar.

    A part that is in evaluation mode while the model itself is in training mode, such
    as frozen batch normalisation, stays as it is. For that reason the model is in
    training mode afterwards, too: call `model.eval()` before you use it. (`evaluate`
    does so by itself.)

    Args:
        model: trained in place, and moved to `device`.
        batches: gone through once an epoch, as in `train_one_epoch`.
        corrupt: as in `train_one_epoch`.
        epochs: passes over `batches`, at least 1; those before a resumption count.
        optimizer: Adam with learning rate 1e-3 by default, in its fused form, which
            updates all weights in one call.
        scheduler: stepped after every batch; none by default.
        criterion: mean squared error by default.
        validate: called with the model after each epoch; what it returns is kept.
        device: the fastest that is there by default.
        seed: seed of the noise. With the model's own initialisation and the order of
            the batches seeded as well, the same seeds give the same run. Called again
            with this model and seed, `fit` draws fresh noise, so that ten calls of one
            epoch see as much of it as one call of ten; with a checkpoint, the run that
            it holds goes on instead. `evaluate` with the same seed draws other noise.
        autocast: as in `train_one_epoch`.
        checkpoint: saved after every epoch; where it holds a run already, that run
            goes on. Nothing is kept by default.
        key: as in `train_one_epoch`.

    Returns:
        Losses and times, epoch by epoch.

    Raises:
        TypeError: if `validate` or `checkpoint` is of a wrong type, if `validate`
            returns no number, or as in `train_one_epoch`.
        ValueError: if `epochs` is below 1, if `optimizer` is that of another model or
            `scheduler` that of another optimiser, if `model` is not wrapped for the
            several processes that there are, or as in `train_one_epoch`.
        FloatingPointError: if the loss is no longer finite.

    Examples:
        >>> from dae_tutorial.model import Autoencoder
        >>> from dae_tutorial.noise import add_gaussian_noise
        >>> batches = [(torch.rand(8, 1, 28, 28), torch.zeros(8))]
        >>> history = fit(Autoencoder(), batches, add_gaussian_noise, epochs=2)
        >>> len(history.train_loss), history.train_loss[1] < history.train_loss[0]
        (2, True)
    """
    _check_run(model, epochs)
    _check_parts(model, optimizer, scheduler, validate, checkpoint)
    device = _place(model, device)
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    noise = _stream(model, seed, device, is_kept=checkpoint is not None)
    options = {"criterion": criterion, "scheduler": scheduler}
    options |= {"generator": noise, "autocast": autocast, "key": key}
    history = History()
    run = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    run |= {"history": history} | _generators(noise, batches)
    run |= {"batches": batches, "corruption": corrupt, "criterion": criterion}
    if checkpoint is not None:
        checkpoint.resume(run)
    for _ in _epochs_left(history, epochs):
        started = time.perf_counter()
        loss = train_one_epoch(model, batches, optimizer, corrupt, **options)
        history.record(loss, time.perf_counter() - started)
        if validate is not None:
            history.validation.append(_number(validate(model)))
        if checkpoint is not None:
            checkpoint.save(run)
    return history


def _check_run(model: nn.Module, epochs: int) -> None:
    if not isinstance(epochs, int) or epochs < 1:
        raise ValueError(f"epochs must be an integer of at least 1, got {epochs!r}")
    wrapped = any(isinstance(part, DistributedDataParallel) for part in model.modules())
    _, processes = _rank_and_processes()
    if processes > 1 and not wrapped:
        raise ValueError(
            f"each of the {processes} processes would train a model of its own; pass "
            f"accelerate.Accelerator().prepare(model), which averages the gradients"
        )


def _check_parts(
    model: nn.Module,
    optimizer: Optimizer | None,
    scheduler: LRScheduler | None,
    validate: Callable | None,
    checkpoint: Checkpoint | None,
) -> None:
    """Refuse what does not belong together, before any work."""
    if scheduler is not None and optimizer is None:
        raise ValueError("scheduler must come with its optimizer, got none")
    if optimizer is not None:
        ours = {id(parameter) for parameter in model.parameters()}
        groups = optimizer.param_groups
        if ours.isdisjoint(id(part) for group in groups for part in group["params"]):
            raise ValueError(
                "optimizer must hold parameters of model, got those of another model"
            )
    # What wraps a scheduler for several processes keeps no optimiser under this name.
    steers = getattr(scheduler, "optimizer", None)
    if steers is not None and steers.param_groups is not optimizer.param_groups:
        raise ValueError("scheduler must be one of optimizer, got that of another")
    if validate is not None and not callable(validate):
        raise TypeError(
            f"validate must be a function of the model, got {type(validate).__name__}"
        )
    if checkpoint is not None and not hasattr(checkpoint, "resume"):
        raise TypeError(
            f"checkpoint must have resume and save, such as Checkpoint(path) of "
            f"dae_tutorial.further.checkpoint, got {type(checkpoint).__name__}"
        )


def _stream(
    model: nn.Module, seed: int, device: torch.device, *, is_kept: bool
) -> Generator:
    """Seed the noise of a run, anew for each call with the same model and seed.

    Not with the seed itself: a test that draws from the same seed would score the
    model on the very noise that it has learned from.
    """
    calls = _CALLS.setdefault(model, Counter())
    earlier = 0 if is_kept else calls[seed]
    if not is_kept:
        calls[seed] += 1
    stream = random.Random(f"fit, seed {seed}, after {earlier} calls")
    return torch.Generator(device).manual_seed(stream.getrandbits(63))


def _place(model: nn.Module, device: torch.device | str | None) -> torch.device:
    device = pick_device() if device is None else torch.device(device)
    model.to(device)
    return device


def _generators(noise: Generator, batches: Iterable) -> dict[str, Generator | None]:
    """Everything that a run draws from: noise, order of the batches, and dropout."""
    generators = {
        "noise": noise,
        "order": getattr(batches, "generator", None),  # a DataLoader has one
        "sampler": getattr(getattr(batches, "sampler", None), "generator", None),
        "torch": torch.default_generator,
    }
    if noise.device.type == "cuda":
        generators["cuda"] = torch.cuda.default_generators[noise.device.index]
    return generators


def _epochs_left(history: History, epochs: int) -> Iterator[int]:
    rank, _ = _rank_and_processes()
    done = len(history.train_loss)
    bar = {"initial": done, "total": epochs, "disable": rank > 0}  # one bar for all
    progress = tqdm(range(done, epochs), desc="training", unit="epoch", **bar)
    for epoch in progress:
        yield epoch
        progress.set_postfix(loss=f"{history.train_loss[-1]:.5f}")


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"validate must return a number, got {value!r}") from None


def _rank_and_processes() -> tuple[int, int]:
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def _own_share(images: Tensor) -> Tensor:
    """Give each process as many images as the others, so that all count the same."""
    rank, processes = _rank_and_processes()
    if len(images) % processes != 0:
        raise ValueError(
            f"a batch of {len(images)} images cannot be shared equally among "
            f"{processes} processes; choose another batch size, or drop the last batch"
        )
    return images.chunk(processes)[rank]


def _unpacked(
    batch: Any, corrupt: Callable[..., Tensor] | None, key: str
) -> tuple[Tensor, Tensor | None]:
    """Return clean images, and noisy ones where batches hold both."""
    if isinstance(batch, Mapping):
        if key not in batch:
            raise ValueError(f"key must be one of {', '.join(batch)}, got {key!r}")
        batch = batch[key]
    parts = batch if isinstance(batch, tuple | list) else [batch]
    if not parts or not isinstance(parts[0], Tensor):
        kind = type(parts[0] if parts else batch).__name__
        raise TypeError(f"batches must yield tensors of images, got {kind}")
    images, second = parts[0], parts[1] if len(parts) == 2 else None
    is_pair = isinstance(second, Tensor) and second.is_floating_point()
    is_pair = is_pair and _go_together(images, second)
    if corrupt is not None:  # more channels are no pair: they may be anything
        is_pair = is_pair and second.shape == images.shape
    if is_pair == (corrupt is None):
        return (second, images) if is_pair else (images, None)
    if is_pair:
        raise ValueError(
            f"batches must not yield two tensors of one shape, {tuple(images.shape)}, "
            f"beside a corruption: pass corrupt=None if they are noisy and clean "
            f"images, or batches of the clean images alone"
        )
    raise ValueError(
        "corrupt must be given, unless batches yield (noisy, clean) images of one shape"
    )


def _go_together(noisy: Tensor, clean: Tensor) -> bool:
    """Tell whether the images are as large; noisy ones may bring their level along."""
    sides = clean.shape[:1] == noisy.shape[:1] and clean.shape[2:] == noisy.shape[2:]
    have_channels = min(clean.ndim, noisy.ndim) > 1
    return have_channels and sides and clean.shape[1] <= noisy.shape[1]


def _corrupted(
    corrupt: Corruption, clean: Tensor, generator: Generator | None, *, watch: bool
) -> Tensor:
    """Corrupt images; if told to watch, refuse what cannot be trained on."""
    if not watch:
        return corrupt(clean, generator=generator)
    if not clean.isfinite().all():
        raise ValueError("batches must yield finite images, got NaN or infinite pixels")
    before = clean.clone()
    noisy = corrupt(clean, generator=generator)
    if not torch.equal(clean, before):
        clean.copy_(before)
        raise ValueError(
            "corrupt must return new images, but wrote into those that it was given, "
            "which are the target; let it begin with images = images.clone()"
        )
    return noisy


def _compare(criterion: nn.Module, reconstruction: Tensor, clean: Tensor) -> Tensor:
    reconstruction = _as_images(reconstruction, clean)
    # Half precision is too coarse for a loss, so the clean image's decides.
    return criterion(reconstruction.to(clean.dtype), clean)  # the target is clean


def _as_images(reconstruction: Tensor, clean: Tensor) -> Tensor:
    """Give rows of pixels the shape of images, and let nothing else through."""
    if not isinstance(reconstruction, Tensor):
        raise TypeError(
            f"model must return a tensor of images, got {type(reconstruction).__name__}"
        )
    rows = (len(clean), math.prod(clean.shape[1:]))
    # Otherwise a loss would broadcast, and compare every pixel with every other.
    if reconstruction.shape not in (clean.shape, rows):
        raise ValueError(
            f"model must return the shape of the clean images, {tuple(clean.shape)}, "
            f"or one row of pixels an image, {rows}, got {tuple(reconstruction.shape)}"
        )
    return reconstruction.reshape(clean.shape)


def _finite_mean(total: Tensor, count: int) -> float:
    if count == 0:
        raise ValueError("batches must yield at least one image, got none")
    _, processes = _rank_and_processes()
    if processes > 1:
        distributed.all_reduce(total)  # the sum over the processes
    mean = total.item() / (count * processes)
    if not math.isfinite(mean):
        raise FloatingPointError(
            f"the loss became {mean}; lower the learning rate, or look for NaN in the "
            f"images"
        )
    return mean
