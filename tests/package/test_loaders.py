"""MNIST: what comes out, and what happens when files are missing or damaged."""

import pickle
import shutil
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, random_split
from torchvision.datasets import MNIST

from dae_tutorial.loaders import (
    RAW_FILES,
    ImageTensors,
    get_mnist_loaders,
    get_mnist_splits,
    load_mnist,
)

DATA = Path("data")


@pytest.fixture
def no_network(monkeypatch):
    """Make every download fail, as it does without a network."""

    def fail(*args, **kwargs):
        raise RuntimeError("no network")

    monkeypatch.setattr(MNIST, "download", fail)


@pytest.fixture
def copy_of_mnist(tmp_path):
    shutil.copytree(DATA / "MNIST" / "raw", tmp_path / "MNIST" / "raw")
    return tmp_path


def test_batches(no_network):
    train_loader, test_loader = get_mnist_loaders()
    assert isinstance(train_loader, DataLoader)
    assert train_loader.batch_size == 128
    for loader, count in ((train_loader, 60_000), (test_loader, 10_000)):
        sizes = []
        for images, labels in loader:
            assert images.shape == (len(labels), 1, 28, 28)
            assert images.dtype == torch.float32
            assert labels.dtype == torch.int64
            sizes.append(len(labels))
        assert sum(sizes) == count
        assert set(sizes[:-1]) == {128}


def test_pixels_are_those_of_torchvision():
    ours = load_mnist(train=False)
    theirs = MNIST(DATA, train=False)
    assert ours.images.min() == 0
    assert ours.images.max() == 1
    assert torch.equal((ours.images[:, 0] * 255).round().byte(), theirs.data)
    assert torch.equal(ours.labels, theirs.targets)


def test_each_image_once_an_epoch_in_a_new_order():
    dataset = ImageTensors(torch.rand(1000, 1, 2, 2), torch.arange(1000))
    loader = dataset.loader(64, shuffle=True)
    first, second = (torch.cat([labels for _, labels in loader]) for _ in range(2))
    assert torch.equal(first.sort().values, torch.arange(1000))
    assert not torch.equal(first, second)
    again = torch.cat([labels for _, labels in dataset.loader(64, shuffle=True)])
    assert torch.equal(first, again)


def test_a_batch_is_one_indexing():
    calls = []

    class Counting(ImageTensors):
        def __getitem__(self, index):
            calls.append(index)
            return super().__getitem__(index)

    dataset = Counting(torch.rand(256, 1, 2, 2), torch.arange(256))
    for images, labels in dataset.loader(64, shuffle=True):
        assert torch.equal(images, dataset.images[labels])
    assert calls == [], "images were fetched one at a time"


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("labels", [None, torch.arange(10)], ids=["none", "labels"])
@pytest.mark.parametrize("shape", [(1, 2, 2), (1, 9), (5,)], ids=str)
def test_an_ordinary_loader_gives_the_same_batches(shape, labels, workers):
    dataset = ImageTensors(torch.rand(10, *shape), labels)
    order = {"shuffle": True, "generator": torch.Generator().manual_seed(3)}
    ordinary = DataLoader(dataset, batch_size=4, num_workers=workers, **order)
    ours = dataset.loader(4, shuffle=True, seed=3)
    pairs = list(zip(ordinary, ours, strict=True))
    assert [len(batch[0]) for batch, _ in pairs] == [4, 4, 2]
    for theirs, batch in pairs:
        assert isinstance(batch, tuple)
        assert len(theirs) == len(batch) == 1 + (labels is not None)
        for part, same in zip(theirs, batch, strict=True):
            assert torch.equal(part, same)


@pytest.mark.parametrize("labels", [None, torch.arange(10)], ids=["none", "labels"])
def test_random_split_parts_it(labels):
    images = torch.arange(10.0).reshape(10, 1, 1, 1)
    parts = random_split(ImageTensors(images, labels), [7, 3])
    together = []
    for part, sizes in zip(parts, ([4, 3], [3]), strict=True):
        batches = list(DataLoader(part, batch_size=4))
        assert [batch[0].shape for batch in batches] == [(n, 1, 1, 1) for n in sizes]
        for image, *label in batches:
            together += image.flatten().tolist()
            assert all(torch.equal(image.flatten(), value) for value in label)
    assert sorted(together) == images.flatten().tolist()


def test_loaders_can_be_sent_to_another_process():
    loader = ImageTensors(torch.rand(5, 1, 2, 2)).loader(2)
    again = pickle.loads(pickle.dumps(loader))
    for (images,), (same,) in zip(loader, again, strict=True):
        assert torch.equal(images, same)


def test_training_and_validation_are_disjoint():
    train, validation, test = get_mnist_splits(validation_size=5000, seed=3)
    assert [len(split.dataset) for split in (train, validation, test)] == [
        55_000,
        5_000,
        10_000,
    ]
    everything = load_mnist(train=True).images.flatten(start_dim=1)
    together = torch.cat([train.dataset.images, validation.dataset.images])
    together = together.flatten(start_dim=1)
    # The two hold each training image exactly once, so they share none. (A random
    # projection in double precision is a fingerprint of an image.)
    projection = torch.rand(784, dtype=torch.float64)
    fingerprints = [(images.double() @ projection) for images in (everything, together)]
    assert torch.equal(*(values.sort().values for values in fingerprints))


@pytest.mark.parametrize("batch_size", [0, -1, 2.5])
def test_batch_size(batch_size):
    with pytest.raises(ValueError, match="batch_size must be an integer of at least 1"):
        get_mnist_loaders(batch_size)


@pytest.mark.parametrize("validation_size", [0, 60_000, 0.1])
def test_validation_size(validation_size):
    with pytest.raises(ValueError, match=r"validation_size must be .* from 1 to 59999"):
        get_mnist_splits(validation_size=validation_size)


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        ([[0.0]], TypeError, "images must be a tensor, got list"),
        (torch.rand(2, 3).numpy(), TypeError, "images must be a tensor, got ndarray"),
        (None, TypeError, "images must be a tensor, got NoneType"),
        (torch.zeros(2, 3).byte(), TypeError, r"float32, got torch\.uint8; .* / 255"),
        (torch.zeros(2, 3).double(), TypeError, r"float32, got torch\.float64"),
        (torch.tensor(0.0), ValueError, r"images must have shape .*, got \(\)"),
        (torch.rand(3), ValueError, r"images must have shape .*, got \(3,\)"),
        (torch.rand(0, 1, 2, 2), ValueError, r"none of these 0, got \(0, 1, 2, 2\)"),
        (torch.rand(3, 1, 0, 2), ValueError, r"none of these 0, got \(3, 1, 0, 2\)"),
    ],
    ids=str,
)
def test_images_are_checked(images, error, message):
    with pytest.raises(error, match=message):
        ImageTensors(images)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 1], TypeError, "labels must be a tensor, got list"),
        (torch.arange(3), ValueError, r"labels must be .* \(2,\), got \(3,\)"),
        (torch.zeros(2, 1), ValueError, r"labels must be .* \(2,\), got \(2, 1\)"),
        (torch.tensor(0), ValueError, r"labels must be .* \(2,\), got \(\)"),
    ],
    ids=str,
)
def test_labels_are_checked(labels, error, message):
    with pytest.raises(error, match=message):
        ImageTensors(torch.rand(2, 1, 2, 2), labels)


def test_the_tensors_cannot_come_apart():
    dataset = ImageTensors(torch.rand(2, 1, 2, 2))
    assert dataset.labels is None
    with pytest.raises(AttributeError):
        dataset.images = torch.rand(3, 1, 2, 2)


@pytest.mark.parametrize("name", RAW_FILES)
def test_damaged_file_is_named(copy_of_mnist, name):
    path = copy_of_mnist / "MNIST" / "raw" / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(RuntimeError, match=f"{name} is damaged"):
        get_mnist_loaders(root=copy_of_mnist)


def test_missing_without_network_says_what_to_do(tmp_path, no_network):
    with pytest.raises(RuntimeError, match=r"could not be downloaded.*make data"):
        get_mnist_loaders(root=tmp_path)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [], "something half-written was left"


def test_first_use_downloads(tmp_path, monkeypatch):
    def download(mnist):
        shutil.copytree(DATA / "MNIST" / "raw", Path(mnist.root) / "MNIST" / "raw")

    monkeypatch.setattr(MNIST, "download", download)
    assert len(load_mnist(tmp_path, train=False)) == 10_000
    assert {path.name for path in tmp_path.iterdir()} == {"MNIST"}


def test_interrupted_download_leaves_nothing(tmp_path, monkeypatch):
    def download(mnist):
        raw = Path(mnist.root) / "MNIST" / "raw"
        raw.mkdir(parents=True)
        (raw / "train-images-idx3-ubyte").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(MNIST, "download", download)
    with pytest.raises(KeyboardInterrupt):
        load_mnist(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_damaged_download_is_not_kept(tmp_path, monkeypatch):
    def download(mnist):
        raw = Path(mnist.root) / "MNIST" / "raw"
        shutil.copytree(DATA / "MNIST" / "raw", raw)
        labels = raw / "t10k-labels-idx1-ubyte"
        content = labels.read_bytes()
        labels.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    monkeypatch.setattr(MNIST, "download", download)
    with pytest.raises(RuntimeError, match="is damaged"):
        load_mnist(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
