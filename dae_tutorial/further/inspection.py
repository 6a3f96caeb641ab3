"""What is in a data set: to be known before anybody trains on it.

Many a disappointing result lies in the data: bytes that were not divided by 255, an
axis in the wrong place, a broken file, test images that were trained on. None of these
stops a training run, and all can be seen in one pass over the data.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

CHUNK = 256  # images looked at together
SLACK = 1e-3  # beyond [0, 1], as `evaluate` allows: resizing may overshoot a little


@dataclass(frozen=True)
class DataSummary:
    """What one set of images holds.

    Attributes:
        count: how many images there are.
        shape: of one image, such as (1, 28, 28).
        dtype: of its numbers, such as `torch.float32`.
        low: the lowest of all numbers. NaN and infinity are left out, here and below.
        high: the highest.
        mean: the mean.
        std: the standard deviation, over all numbers of all images.
        broken: how many images hold NaN or infinity.
        duplicates: how many images came before, number for number.
    """

    count: int
    shape: tuple[int, ...]
    dtype: torch.dtype
    low: float
    high: float
    mean: float
    std: float
    broken: int
    duplicates: int

    def __str__(self) -> str:
        return (
            f"{self.count} of shape {self.shape}, {self.dtype}\n"
            f"  from {self.low:.4g} to {self.high:.4g}, mean {self.mean:.4g}, "
            f"standard deviation {self.std:.4g}\n"
            f"  {self.broken} broken, {self.duplicates} duplicates"
        )


@dataclass(frozen=True)
class DataReport:
    """What `check_data` has found; prints as a few lines.

    Attributes:
        train: what the training images hold.
        test: what the test images hold, where there are any.
        overlap: how many test images are training images, too, number for number.
        problems: what to mend before training, a line each.
    """

    train: DataSummary
    test: DataSummary | None
    overlap: int
    problems: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"train: {self.train}"]
        if self.test is not None:
            lines += [f"test: {self.test}, {self.overlap} also in train"]
        return "\n".join(lines + [f"problem: {text}" for text in self.problems])


def check_data(
    train: Any, test: Any = None, *, key: str = "image", pairs: bool = False
) -> DataReport:
    """Look at the data once, and say what would spoil the training or the score.

    Copies are found where all numbers are equal: not a photograph that was saved anew,
    nor one of two neighbouring frames of a film. The order of a shuffled loader and
    PyTorch's random numbers afterwards are as if nobody had looked.

    Args:
        train: what `fit` will be given: batches of images, of tuples that begin with
            them, or of dicts. Or a `Dataset`, or all images in one tensor or array,
            (count, ...).
        test: what `evaluate` will be given, the same; none by default.
        key: the name of the images, where batches are dicts.
        pairs: batches are pairs (noisy, clean), for `fit` with `corrupt=None`; the
            clean images are looked at, since noise may leave [0, 1].

    Returns:
        Summaries of both, and the problems. These go by what the models of this
        package expect: float32 in [0, 1]. Where data are meant to be otherwise, judge
        by the summaries.

    Raises:
        TypeError: if there are no tensors of numbers or no pairs to be found, or if the
            data can be gone through only once, as a generator can.
        ValueError: if there are no images, if they differ in shape or type, if dicts
            lack `key`, or if samples come one by one instead of in batches.

    Examples:
        >>> from_files = torch.tensor([[0, 255], [9, 80], [3, 4]]).float()
        >>> print(check_data(from_files))
        train: 3 of shape (2,), torch.float32
          from 0 to 255, mean 58.5, standard deviation 92.19
          0 broken, 0 duplicates
        problem: train lies outside [0, 1]: divide bytes by 255
        >>> images = from_files / 255
        >>> report = check_data(images[:2], images[1:])
        >>> report.overlap, report.problems
        (1, ('1 of test are also in train: a model may know them by heart',))
    """
    seen, known = _look("train", train, key, pairs)
    if test is None:
        return DataReport(seen, None, 0, tuple(_problems("train", seen)))
    unseen, others = _look("test", test, key, pairs)
    overlap = sum(times for image, times in others.items() if image in known)
    problems = [*_problems("train", seen), *_problems("test", unseen)]
    for what in ("shape", "dtype"):
        ours, theirs = getattr(seen, what), getattr(unseen, what)
        if ours != theirs:
            problems.append(f"train and test differ in {what}: {ours} and {theirs}")
    if overlap:
        problems.append(
            f"{overlap} of test are also in train: a model may know them by heart"
        )
    return DataReport(seen, unseen, overlap, tuple(problems))


def _problems(name: str, found: DataSummary) -> Iterator[str]:
    if found.dtype != torch.float32:
        yield f"{name} is {found.dtype}: models take float32, so call .float()"
    if found.broken:
        yield f"{found.broken} of {name} hold NaN or infinity: mend or leave them out"
    if found.low >= 0 and 1 + SLACK < found.high <= 255:
        yield f"{name} lies outside [0, 1]: divide bytes by 255"
    elif not (found.low >= -SLACK and found.high <= 1 + SLACK):
        yield f"{name} lies outside [0, 1]: rescale it, or undo its normalisation"
    elif found.high - found.low < 0.02:
        yield f"{name} has hardly any spread: was it divided by 255 twice?"
    if found.duplicates:
        yield f"{found.duplicates} of {name} came before: copies count double"
    if len(found.shape) == 3 and found.shape[2] <= 4 < found.shape[0]:
        yield f"{name} has its channels last: call .permute(0, 3, 1, 2)"
    if len(found.shape) == 2 and found.shape[0] > 4:
        yield f"{name} has no axis for channels: if these are images, .unsqueeze(1)"


def _look(
    name: str, data: Any, key: str, pairs: bool
) -> tuple[DataSummary, Counter[bytes]]:
    """Return what the data hold, and how often each image, by its fingerprint."""
    kinds, images, parts, broken = [], Counter(), [], 0
    for chunk in _chunks(name, data, key, pairs):
        kinds.append((tuple(chunk.shape[1:]), chunk.dtype))
        if kinds[-1] != kinds[0]:
            raise ValueError(
                f"{name} must hold images of one shape and type, got {kinds[0]} and "
                f"{kinds[-1]}"
            )
        rows = chunk.flatten(start_dim=1)
        images.update(_fingerprint(row) for row in rows)
        finite = rows.isfinite()
        broken += int((~finite.all(dim=1)).sum())
        parts.append(_moments(rows[finite].double()))
    if not images:
        raise ValueError(f"{name} must hold at least one image, got none")
    duplicates = images.total() - len(images)
    spread = _together(parts)
    return DataSummary(images.total(), *kinds[0], *spread, broken, duplicates), images


def _fingerprint(row: Tensor) -> bytes:
    # Adding zero makes one of the two zeros that floating point has.
    return blake2b((row + 0).view(torch.uint8).numpy(), digest_size=16).digest()


def _moments(values: Tensor) -> tuple[int, float, float, float, float]:
    if len(values) == 0:
        return 0, math.inf, -math.inf, 0.0, 0.0
    variance, mean = torch.var_mean(values, correction=0)
    low, high = values.aminmax()
    return len(values), low.item(), high.item(), mean.item(), variance.item()


def _together(parts: list[tuple]) -> tuple[float, float, float, float]:
    """Return lowest, highest, mean and standard deviation of all parts."""
    counts, lows, highs, means, variances = np.array(parts).T
    if counts.sum() == 0:
        return (math.nan,) * 4
    mean = np.average(means, weights=counts)
    variance = np.average(variances + (means - mean) ** 2, weights=counts)
    return tuple(map(float, (lows.min(), highs.max(), mean, variance**0.5)))


def _chunks(name: str, data: Any, key: str, pairs: bool) -> Iterator[Tensor]:
    """Yield all images, a few at a time."""
    if isinstance(data, np.ndarray):
        data = torch.from_numpy(data)
    if isinstance(data, Tensor):
        data = [data]
    elif isinstance(data, Dataset) and not isinstance(data, IterableDataset):
        data = DataLoader(data, batch_size=CHUNK)
    if not isinstance(data, Iterable) or isinstance(data, Iterator | Mapping | str):
        raise TypeError(
            f"{name} must be batches, a Dataset, a tensor or an array, and hold for "
            f"more than one pass, got {type(data).__name__}"
        )
    with _unchanged_randomness(data):
        for batch in data:
            if pairs:
                batch = _clean_part(name, batch)
            yield from _images(name, batch, key).cpu().split(CHUNK)


def _clean_part(name: str, batch: Any) -> Any:
    if not (isinstance(batch, tuple | list) and len(batch) >= 2):
        raise TypeError(
            f"{name} must yield pairs (noisy, clean), got {type(batch).__name__}"
        )
    return batch[1:]


def _images(name: str, batch: Any, key: str) -> Tensor:
    parts = batch if isinstance(batch, tuple | list | Mapping) else [batch]
    if isinstance(batch, Mapping):
        if key not in batch:
            raise ValueError(f"key must be one of {', '.join(batch)}, got {key!r}")
        parts = [batch[key], *batch.values()]
    images, *others = parts or [None]
    if not isinstance(images, Tensor):
        raise TypeError(
            f"{name} must yield tensors of images, got {type(images).__name__}"
        )
    if images.ndim < 2 or any(_is_single(other) for other in others):
        raise ValueError(
            f"{name} must yield whole batches, (count, ...), got one sample, "
            f"{tuple(images.shape)}; DataLoader(samples, batch_size=256) makes batches"
        )
    return images


def _is_single(label: Any) -> bool:
    """Return whether this is the label of one image, not those of a batch."""
    return isinstance(label, int | float) or getattr(label, "ndim", 1) == 0


@contextmanager
def _unchanged_randomness(data: Any) -> Iterator[None]:
    """Leave generators as they were found, so that a look changes no training run."""
    holders = (data, getattr(data, "sampler", None))
    generators = [getattr(holder, "generator", None) for holder in holders]
    generators = [it for it in generators if isinstance(it, Generator)]
    states = [generator.get_state() for generator in generators]
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            for generator, state in zip(generators, states, strict=True):
                generator.set_state(state)
