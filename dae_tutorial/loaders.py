"""MNIST as DataLoaders of clean images in [0, 1].

The images are decoded once, into one tensor, and each batch is a single indexing of
that tensor. Decoding PNG-like objects one at a time, every epoch, is what makes the
usual `transforms.ToTensor()` pipeline several times slower than the training itself.
"""

import gzip
import hashlib
import os
import struct
import tempfile
import zlib
from operator import attrgetter
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import MNIST

RAW_FILES = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""The four files of MNIST, as torchvision keeps them, with their MD5 checksums.

Where one is missing, the same file compressed, with `.gz` behind its name, will do."""


class ImageTensors(TensorDataset):
    """Images in memory, with or without labels, handed out a whole batch at a time.

    Signals and rows of a table can take the place of images. An ordinary `DataLoader`
    takes this dataset, and `random_split` parts it, as with any `TensorDataset`: a
    sample is (image, label), or (image,) without labels.

    Args:
        images: float32 in [0, 1], shape (count, channels, height, width); or in general
            (count, ...), with at least one number each. The range is not checked here:
            `check_data` does that.
        labels: of any type, shape (count,); none by default.

    Raises:
        TypeError: if `images` or `labels` is no tensor, or `images` is not float32.
        ValueError: if there are no images, if an image holds no number or is one alone,
            without an axis, or if labels are not one an image.

    Examples:
        >>> dataset = ImageTensors(torch.rand(5, 1, 28, 28), torch.arange(5))
        >>> images, labels = dataset[1:3]
        >>> images.shape, labels
        (torch.Size([2, 1, 28, 28]), tensor([1, 2]))
        >>> (images,) = next(iter(DataLoader(ImageTensors(torch.rand(5, 784)), 2)))
        >>> images.shape
        torch.Size([2, 784])
    """

    def __init__(self, images: Tensor, labels: Tensor | None = None):
        _check_tensors(images, labels)
        super().__init__(*(part for part in (images, labels) if part is not None))

    @property
    def images(self) -> Tensor:
        """All images, (count, ...)."""
        return self.tensors[0]

    @property
    def labels(self) -> Tensor | None:
        """All labels, (count,), where there are any."""
        return self.tensors[1] if len(self.tensors) > 1 else None

    def __getitems__(self, indices: list[int]) -> TensorDataset:
        # DataLoader calls this once a batch, where it exists. Copying rows whole is
        # twice as fast as general indexing. What comes back is still one sample after
        # the other to whoever goes through it, as DataLoader's own collating does.
        index = torch.tensor(indices)
        return TensorDataset(*(part.index_select(0, index) for part in self.tensors))

    def loader(
        self, batch_size: int, *, shuffle: bool = False, seed: int = 0
    ) -> DataLoader:
        """Wrap these images in a DataLoader.

        Args:
            batch_size: images a batch, at least 1; the last batch may be shorter.
            shuffle: whether to draw a new order every epoch.
            seed: seed of those orders; the same seed gives the same orders.

        Returns:
            A DataLoader of (images, labels) batches; of (images,) without labels.

        Raises:
            ValueError: if `batch_size` is not a positive integer.

        Examples:
            >>> dataset = ImageTensors(torch.rand(5, 1, 28, 28), torch.arange(5))
            >>> [len(labels) for _, labels in dataset.loader(2)]
            [2, 2, 1]
        """
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(
                f"batch_size must be an integer of at least 1, got {batch_size!r}"
            )
        return DataLoader(
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            generator=torch.Generator().manual_seed(seed),
            collate_fn=attrgetter("tensors"),  # __getitems__ has made the batch already
        )


def get_mnist_loaders(
    batch_size: int = 128, *, root: str | Path = "data", seed: int = 0
) -> tuple[DataLoader, DataLoader]:
    """Load MNIST as a shuffled training loader and an ordered test loader.

    Args:
        batch_size: images a batch, at least 1.
        root: folder that holds, or will hold, `MNIST/raw/`. Files that are there,
            as they are or compressed (`.gz`), are used without a network; missing
            ones are downloaded.
        seed: seed of the shuffling; the same seed gives the same order of batches.

    Returns:
        (train_loader, test_loader), of 60,000 and 10,000 images. Each batch is
        (images, labels): float32 in [0, 1] of shape (batch, 1, 28, 28), and int64
        of shape (batch,).

    Raises:
        ValueError: if `batch_size` is not a positive integer.
        RuntimeError: if files are missing and cannot be downloaded, cannot be read, or
            are not MNIST's.

    Examples:
        >>> train_loader, test_loader = get_mnist_loaders(batch_size=64)
        >>> images, labels = next(iter(train_loader))
        >>> images.shape, images.dtype, labels.dtype
        (torch.Size([64, 1, 28, 28]), torch.float32, torch.int64)
        >>> len(train_loader.dataset), len(test_loader.dataset)
        (60000, 10000)

    Source: LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied
    to document recognition.
    """
    return (
        load_mnist(root, train=True).loader(batch_size, shuffle=True, seed=seed),
        load_mnist(root, train=False).loader(batch_size),
    )


def get_mnist_splits(
    batch_size: int = 128,
    *,
    validation_size: int = 10_000,
    root: str | Path = "data",
    seed: int = 0,
) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Load MNIST as training, validation and test loaders.

    The validation images are drawn from the training set, so that a model can be
    chosen without a look at the test set.

    Args:
        batch_size: images a batch, at least 1.
        validation_size: images held out of the 60,000, from 1 to 59,999.
        root: as in `get_mnist_loaders`.
        seed: seed of the split and of the shuffling.

    Returns:
        (train_loader, validation_loader, test_loader); batches are as in
        `get_mnist_loaders`.

    Raises:
        ValueError: if `batch_size` or `validation_size` is out of range.
        RuntimeError: if files are missing and cannot be downloaded, cannot be read, or
            are not MNIST's.

    Examples:
        >>> [len(loader.dataset) for loader in get_mnist_splits()]
        [50000, 10000, 10000]
    """
    everything = load_mnist(root, train=True)
    count = len(everything)
    if not isinstance(validation_size, int) or not 0 < validation_size < count:
        raise ValueError(
            f"validation_size must be an integer from 1 to {count - 1}, "
            f"got {validation_size!r}"
        )
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    held_out, kept = order[:validation_size], order[validation_size:]
    train, validation = (
        ImageTensors(everything.images[part], everything.labels[part])
        for part in (kept, held_out)
    )
    return (
        train.loader(batch_size, shuffle=True, seed=seed),
        validation.loader(batch_size),
        load_mnist(root, train=False).loader(batch_size),
    )


def load_mnist(root: str | Path = "data", *, train: bool = True) -> ImageTensors:
    """Load the 60,000 training or the 10,000 test images into memory.

    Args:
        root: as in `get_mnist_loaders`.
        train: which of the two sets.

    Returns:
        The images, float32 in [0, 1], and their labels.

    Raises:
        RuntimeError: if files are missing and cannot be downloaded, cannot be read, or
            are not MNIST's.

    Examples:
        >>> test = load_mnist(train=False)
        >>> test.images.shape, round(test.images.mean().item(), 4)
        (torch.Size([10000, 1, 28, 28]), 0.1325)
    """
    root = Path(root)
    kind = "train" if train else "t10k"
    names = [name for name in RAW_FILES if name.startswith(kind)]
    if not all(_find(root, name) for name in names):
        _download(root)
    images, labels = (_read(_find(root, name), RAW_FILES[name]) for name in names)
    return ImageTensors(images.unsqueeze(1).to(torch.float32).div_(255), labels.long())


def _check_tensors(images: Tensor, labels: Tensor | None) -> None:
    for name, value in {"images": images, "labels": labels}.items():
        if not isinstance(value, Tensor) and not (name == "labels" and value is None):
            raise TypeError(
                f"{name} must be a tensor, got {type(value).__name__}; "
                f"torch.as_tensor makes one of an array or a list"
            )
    if images.dtype != torch.float32:
        raise TypeError(
            f"images must be float32, got {images.dtype}; of bytes, images.float() / "
            f"255 makes pixels in [0, 1]"
        )
    if images.ndim < 2 or images.numel() == 0:
        raise ValueError(
            f"images must have shape (count, channels, height, width), or (count, ...) "
            f"in general, and none of these 0, got {tuple(images.shape)}"
        )
    if labels is not None and labels.shape != images.shape[:1]:
        raise ValueError(
            f"labels must be one an image, shape ({len(images)},), "
            f"got {tuple(labels.shape)}"
        )


def _find(root: Path, name: str) -> Path | None:
    """Return where a file of MNIST lies, as it is or compressed."""
    raw = root / "MNIST" / "raw"
    places = (raw / name, raw / f"{name}.gz")
    return next((path for path in places if path.exists()), None)


def _read(path: Path, checksum: str) -> Tensor:
    """Read bytes in the shape that their file tells, if they are MNIST's."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            content = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise RuntimeError(
            f"{path} cannot be read ({error}). If it is damaged, delete it and run "
            f"again to fetch it anew."
        ) from error
    found = hashlib.md5(content).hexdigest()
    if found != checksum:
        raise RuntimeError(
            f"{path} is not MNIST's file of that name: its MD5 checksum is {found}, "
            f"MNIST's is {checksum}. If it is damaged, delete it and run again to "
            f"fetch it anew; if it holds other data, give MNIST another root."
        )
    # Two zeros, the type, the number of axes; the length of each; then the bytes.
    axes = struct.unpack_from(f">{content[3]}I", content, offset=4)
    start = 4 + 4 * len(axes)
    return torch.frombuffer(bytearray(content[start:]), dtype=torch.uint8).reshape(axes)


def _download(root: Path) -> None:
    """Fetch all files into a folder in `root`, then move each missing into place."""
    raw = root / "MNIST" / "raw"
    try:
        raw.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".mnist-download-") as folder:
            MNIST(folder, download=True)  # all files, of both sets
            fresh = {name: Path(folder) / "MNIST" / "raw" / name for name in RAW_FILES}
            for name, path in fresh.items():
                _read(path, RAW_FILES[name])
            for name, path in fresh.items():
                if not _find(root, name):
                    os.replace(path, raw / name)
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())  # torchvision's has several lines
        raise RuntimeError(
            f"MNIST is not complete in {raw} and could not be downloaded ({reason}). "
            f"Connect to the network and run again, or put the four files "
            f"{', '.join(RAW_FILES)} there, as they are or with .gz; in a clone of the "
            f"tutorial, `make data` does that."
        ) from error
