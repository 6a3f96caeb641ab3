"""MNIST: what comes out, and what happens when files are missing or damaged."""

import gzip
import hashlib
import pickle
import shutil
import struct
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
        raise RuntimeError("Error downloading it:\nTried here, got:\nno network\n")

    monkeypatch.setattr(MNIST, "download", fail)


def idx(array):
    """Return bytes in the format of MNIST's files."""
    return (
        struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        + array.numpy().tobytes()
    )


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Put six images of 2 × 3 pixels and their labels in MNIST's place."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for seed, name in enumerate(RAW_FILES):
        shape = (6, 2, 3) if "images" in name else (6,)
        generator = torch.Generator().manual_seed(seed)
        content = idx(torch.randint(256, shape, generator=generator).byte())
        (raw / name).write_bytes(content)
        monkeypatch.setitem(RAW_FILES, name, hashlib.md5(content).hexdigest())
    return tmp_path


def compress(path):
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def files_in(folder):
    return {
        path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


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
@pytest.mark.parametrize("shape", [(1, 2, 2), (1, 9), (5,)])
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


def labels_of(loader):
    return torch.cat([labels for _, labels in loader]).tolist()


def test_seeds_matter():
    dataset = ImageTensors(torch.rand(50, 1, 2, 2), torch.arange(50))
    assert labels_of(dataset.loader(8)) == list(range(50))
    orders = [
        labels_of(dataset.loader(8, shuffle=True, **seed))
        for seed in ({}, {"seed": 0}, {"seed": 1})
    ]
    assert orders[0] == orders[1] != orders[2] != list(range(50))


@pytest.fixture
def numbered(monkeypatch):
    """Let fifty images with their own numbers as labels be MNIST."""

    def load(root="data", *, train=True):
        number = torch.arange(50) if train else torch.arange(100, 150)
        return ImageTensors(number.reshape(50, 1, 1, 1) / 200, number)

    monkeypatch.setattr("dae_tutorial.loaders.load_mnist", load)


def test_seeds_of_the_loaders_of_mnist_matter(numbered):
    def orders(**options):
        train, test = get_mnist_loaders(8, **options)
        assert labels_of(test) == list(range(100, 150)), "the test set is shuffled"
        return labels_of(train)

    assert sorted(orders()) == list(range(50))
    assert orders() == orders(seed=0) != orders(seed=1)


def test_seeds_of_the_splits_of_mnist_matter(numbered):
    def orders(**options):
        train, validation, test = get_mnist_splits(8, validation_size=20, **options)
        assert labels_of(test) == list(range(100, 150)), "the test set is shuffled"
        held_out, kept = labels_of(validation), labels_of(train)
        assert held_out == validation.dataset.labels.tolist(), "validation is shuffled"
        positions = [train.dataset.labels.tolist().index(label) for label in kept]
        assert sorted(positions) == list(range(30)) != positions
        return held_out, positions

    assert orders() == orders(seed=0)
    for first, second in zip(orders(), orders(seed=1), strict=True):
        assert first != second, "the seed of the split, or of the shuffling, is ignored"


@pytest.mark.parametrize("size", [1, 49])
def test_all_sizes_of_a_validation_set_that_leave_an_image(numbered, size):
    train, validation, _ = get_mnist_splits(1, validation_size=size)
    assert len(labels_of(validation)) == size
    assert [len(labels) for _, labels in train] == [1] * (50 - size)


def test_defaults_are_those_of_the_pages():
    splits = get_mnist_splits()
    assert [loader.batch_size for loader in splits] == [128] * 3
    assert [len(loader.dataset) for loader in splits] == [50_000, 10_000, 10_000]
    assert len(load_mnist()) == 60_000


def test_all_sets_come_from_one_root(small, no_network):
    train, test = (load_mnist(small, train=kind).images for kind in (True, False))
    both = get_mnist_loaders(root=small)
    three = get_mnist_splits(validation_size=2, root=small)
    assert torch.equal(both[0].dataset.images, train)
    assert len(three[0].dataset) + len(three[1].dataset) == len(train)
    assert all(
        torch.equal(loaders[-1].dataset.images, test) for loaders in (both, three)
    )


def test_training_and_validation_are_disjoint(numbered):
    parts = [split.dataset for split in get_mnist_splits(validation_size=20, seed=3)]
    assert [len(part) for part in parts] == [30, 20, 50]
    assert sorted(torch.cat([part.labels for part in parts[:2]])) == list(range(50))
    for part in parts:
        assert torch.equal(part.images.flatten(), part.labels / 200)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5])
def test_batch_size(numbered, batch_size):
    with pytest.raises(ValueError, match="batch_size must be an integer of at least 1"):
        get_mnist_loaders(batch_size)


@pytest.mark.parametrize("validation_size", [0, 50, 0.1])
def test_validation_size(numbered, validation_size):
    with pytest.raises(ValueError, match=r"validation_size must be .* from 1 to 49"):
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
)
def test_labels_are_checked(labels, error, message):
    with pytest.raises(error, match=message):
        ImageTensors(torch.rand(2, 1, 2, 2), labels)


def test_the_tensors_cannot_come_apart():
    dataset = ImageTensors(torch.rand(2, 1, 2, 2))
    assert dataset.labels is None
    with pytest.raises(AttributeError):
        dataset.images = torch.rand(3, 1, 2, 2)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("compressed", [(), RAW_FILES, ["train-labels-idx1-ubyte"]])
def test_compressed_files_are_used(small, no_network, train, compressed):
    expected = load_mnist(small, train=train)
    assert expected.images.shape == (6, 1, 2, 3)
    for name in compressed:
        compress(small / "MNIST" / "raw" / name)
    before = files_in(small)
    found = load_mnist(small, train=train)
    assert torch.equal(found.images, expected.images)
    assert torch.equal(found.labels, expected.labels)
    assert files_in(small) == before, "reading left something behind"


def test_only_what_is_asked_for_must_be_there(small, no_network):
    (small / "MNIST" / "raw" / "train-images-idx3-ubyte").unlink()
    assert len(load_mnist(small, train=False)) == 6
    with pytest.raises(RuntimeError, match="not complete"):
        load_mnist(small, train=True)


def of_other_data(content):
    return content[:-1] + bytes([content[-1] ^ 1])


def cut(content):
    return content[: len(content) // 2]


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("change", [of_other_data, cut, lambda content: b""])
@pytest.mark.parametrize("name", RAW_FILES)
def test_what_is_not_mnist_is_named(small, no_network, name, change, suffix):
    path = small / "MNIST" / "raw" / name
    if suffix:
        compress(path)
        path = path.with_name(f"{name}.gz")
    path.write_bytes(change(path.read_bytes()))
    before = files_in(small)
    with pytest.raises(RuntimeError, match=f"{name}{suffix} .*delete it") as caught:
        get_mnist_loaders(root=small)
    assert "\n" not in str(caught.value)
    assert files_in(small) == before, "somebody's data were touched"


@pytest.mark.parametrize("name", RAW_FILES)
def test_other_data_are_not_called_damaged(small, name):
    # Fashion-MNIST, KMNIST and others have files of these very names.
    path = small / "MNIST" / "raw" / name
    path.write_bytes(idx(torch.zeros(6, 2, 3, dtype=torch.uint8)))
    message = (
        f"{name} is not MNIST's .* if it holds other data, give MNIST another root"
    )
    with pytest.raises(RuntimeError, match=message):
        get_mnist_loaders(root=small)


def test_what_cannot_be_opened_is_named(small):
    path = small / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    path.unlink()
    path.mkdir()
    with pytest.raises(RuntimeError, match="t10k-labels-idx1-ubyte cannot be read"):
        get_mnist_loaders(root=small)


def test_missing_without_network_says_what_to_do(tmp_path, no_network):
    files = ", ".join(RAW_FILES)
    message = rf"could not be downloaded.* the four files {files} there,.*make data"
    with pytest.raises(RuntimeError, match=message) as it:
        get_mnist_loaders(root=tmp_path)
    assert "\n" not in str(it.value)
    assert files_in(tmp_path) == {}, "something half-written was left"


def test_root_that_cannot_hold_files(tmp_path, no_network):
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(RuntimeError, match=r"not complete in .*data.* downloaded"):
        get_mnist_loaders(root=tmp_path / "data")


@pytest.fixture
def mirror(small, monkeypatch):
    """Let downloads copy the small files, after a change; returns an empty root."""

    def serve(change=lambda raw: None):
        def download(mnist):
            # Of one file system, a file moves in one step.
            assert Path(mnist.root).parent == small / "empty"
            # Whoever finds it after a power cut knows what it was.
            assert Path(mnist.root).name.startswith(".mnist-download-")
            raw = Path(mnist.root) / "MNIST" / "raw"
            shutil.copytree(small / "MNIST" / "raw", raw)
            change(raw)

        monkeypatch.setattr(MNIST, "download", download)
        return small / "empty"

    monkeypatch.setattr(MNIST, "_load_data", lambda mnist: (None, None))
    return serve


def test_first_use_downloads(small, mirror):
    root = mirror()
    assert torch.equal(load_mnist(root).images, load_mnist(small).images)
    assert [path.name for path in root.iterdir()] == ["MNIST"]
    assert files_in(root).keys() == RAW_FILES.keys()


def test_what_is_there_is_kept(small, mirror):
    root = mirror()
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    mine = "train-labels-idx1-ubyte"
    (raw / mine).write_bytes(b"mine")
    with pytest.raises(RuntimeError, match=f"{mine} is not MNIST's"):
        load_mnist(root)
    assert files_in(root)[mine] == b"mine"


def test_interrupted_download_leaves_nothing(mirror):
    def interrupt(raw):
        raise KeyboardInterrupt

    root = mirror(interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_mnist(root)
    assert files_in(root) == {}


@pytest.mark.parametrize("name", RAW_FILES)
def test_damaged_download_is_not_kept(mirror, name):
    def damage(raw):
        (raw / name).write_bytes(of_other_data((raw / name).read_bytes()))

    root = mirror(damage)
    with pytest.raises(RuntimeError, match=f"{name} is not MNIST's"):
        load_mnist(root)
    assert files_in(root) == {}
