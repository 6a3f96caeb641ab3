"""What is said about data before anybody trains on them."""

import math
import re

import pytest
import torch
from torch.utils.data import (
    DataLoader,
    Dataset,
    RandomSampler,
    SubsetRandomSampler,
    TensorDataset,
)

from dae_tutorial.further.inspection import CHUNK, check_data


def images(count=12, *shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, *(shape or (1, 4, 4)), generator=generator)


class Dicts(Dataset):
    """As a Hugging Face data set: a dict for each sample."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return {"picture": self.images[index], "label": index}


@pytest.mark.parametrize("count", [1, 12, CHUNK, CHUNK + 1])
def test_numbers_are_those_of_torch(count):
    data = images(count) * 7 - 3
    found = check_data(data).train
    assert (found.count, found.shape, found.dtype) == (count, (1, 4, 4), torch.float32)
    assert (found.low, found.high) == (data.min().item(), data.max().item())
    assert found.mean == pytest.approx(data.double().mean().item(), abs=1e-9)
    deviation = data.double().std(correction=0).item()
    assert found.std == pytest.approx(deviation, rel=1e-9)


def test_a_small_spread_far_from_zero_is_exact():
    data = torch.tensor([[1e9, 1e9 + 1]], dtype=torch.float64).expand(600, 2)
    assert check_data(data).train.std == pytest.approx(0.5)


@pytest.mark.parametrize(
    "form",
    [
        lambda data: data,
        lambda data: data.numpy(),
        lambda data: [data[:5], data[5:]],
        lambda data: [(data, torch.arange(len(data)))],
        lambda data: [[data]],
        lambda data: [{"picture": data, "label": torch.arange(len(data))}],
        lambda data: TensorDataset(data),
        lambda data: TensorDataset(data, torch.arange(len(data))),
        Dicts,
        lambda data: DataLoader(TensorDataset(data), batch_size=5, shuffle=True),
        lambda data: DataLoader(Dicts(data), batch_size=5),
        lambda data: [(data, data)],  # noisy and clean
    ],
)
def test_all_that_fit_takes_gives_the_same(form):
    data = images()
    found = check_data(form(data), form(images(seed=1)), key="picture")
    expected = check_data(data, images(seed=1))
    for ours, theirs in ((found.train, expected.train), (found.test, expected.test)):
        assert (ours.count, ours.shape, ours.dtype) == (12, (1, 4, 4), torch.float32)
        assert (ours.low, ours.high) == (theirs.low, theirs.high)
        assert (ours.mean, ours.std) == pytest.approx((theirs.mean, theirs.std))
    assert found.overlap == 0
    assert found.problems == ()


def test_a_sampler_is_followed():
    # Validation and training loaders often share one dataset.
    dataset = TensorDataset(images())
    first, second = (
        DataLoader(dataset, batch_size=4, sampler=SubsetRandomSampler(part))
        for part in (range(6), range(6, 12))
    )
    report = check_data(first, second)
    assert (report.train.count, report.test.count, report.overlap) == (6, 6, 0)


def test_copies_are_counted():
    data = images()
    train = torch.cat([data, data[:3], data[:1]])
    test = torch.cat([images(4, seed=1), data[:2], data[:2]])
    report = check_data(train, test)
    assert report.train.duplicates == 4
    assert report.test.duplicates == 2
    assert report.overlap == 4
    assert "4 of train came before" in str(report)
    assert "4 of test are also in train" in str(report)


def test_copies_do_not_hide_behind_layout_or_the_sign_of_zero():
    data = images()
    data[:, 0, 0, 0] = 0
    other = data.clone(memory_format=torch.channels_last)
    other[:, 0, 0, 0] = -0.0
    assert check_data(data, other).overlap == 12
    assert check_data(data, data.transpose(2, 3)).overlap == 0
    nearly = data + 1e-6
    assert check_data(data, nearly.clamp(0, 1)).overlap == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_broken_images_are_counted_and_left_out(value):
    data = images()
    data[10:, 0, 0, 0] = value  # one number spoils an image
    report = check_data(data)
    assert report.train.broken == 2
    finite = data[data.isfinite()]
    assert report.train.high == finite.max().item()
    assert report.train.mean == pytest.approx(finite.mean().item())
    assert "2 of train hold NaN or infinity" in str(report)
    data[:] = value
    nothing = check_data(data).train
    assert nothing.broken == 12
    assert all(math.isnan(number) for number in (nothing.low, nothing.std))


PROBLEMS = {
    "divide bytes by 255": images() * 255,
    r"torch\.uint8": (images() * 255).byte(),
    r"torch\.float64": images().double(),
    "undo its normalisation": images() * 2 - 1,
    "outside .* rescale it": images() * 60_000,
    "divided by 255 twice": images() / 255,
    "hardly any spread": torch.full((1, 1, 4, 4), 0.5),
    "channels last": images(12, 8, 8, 3),
    "no axis for channels": images(12, 8, 8),
    "came before": images().repeat(2, 1, 1, 1),
}


@pytest.mark.parametrize(("message", "data"), PROBLEMS.items())
def test_problems(message, data):
    report = check_data(data)
    assert any(re.search(message, text) for text in report.problems), report
    assert check_data(images(), data).problems, "test data are looked at, too"
    assert str(report).count("problem:") == len(report.problems)


@pytest.mark.parametrize(
    "shape", [(1, 28, 28), (3, 8, 8), (4, 30), (1, 99), (30,), (3, 2, 2)], ids=str
)
def test_usual_shapes_are_no_problem(shape):
    assert check_data(images(12, *shape), images(3, *shape, seed=1)).problems == ()


def test_train_and_test_must_be_alike():
    for other in (images(3, 1, 5, 4), images(3).double()):
        problems = check_data(images(), other).problems
        assert any("train and test differ in" in text for text in problems)


@pytest.mark.parametrize(
    "owners", [(), ("loader",), ("sampler",), ("loader", "sampler")]
)
def test_a_look_changes_no_training(owners):
    def drawn(look):
        torch.manual_seed(7)
        own = {owner: torch.Generator().manual_seed(3) for owner in owners}
        sampler = RandomSampler(range(12), generator=own.get("sampler"))
        loader = DataLoader(
            TensorDataset(images()), 4, sampler=sampler, generator=own.get("loader")
        )
        if look:
            check_data(loader)
        generators = [None, *own.values()]
        return [torch.rand(1, generator=generator) for generator in generators]

    assert drawn(look=True) == drawn(look=False)


def test_a_look_leaves_the_order_of_a_shuffled_loader():
    def first_batch(look):
        generator = torch.Generator().manual_seed(3)
        loader = DataLoader(images(), 4, shuffle=True, generator=generator)
        if look:
            check_data(loader)
        return next(iter(loader))

    assert torch.equal(first_batch(look=True), first_batch(look=False))


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (7, TypeError, "train must be batches, .* got int"),
        ("images", TypeError, "train must be batches, .* got str"),
        ({"image": images()}, TypeError, "train must be batches, .* got dict"),
        (iter([images()]), TypeError, "more than one pass, got list_iterator"),
        ([], ValueError, "train must hold at least one image"),
        (images(0), ValueError, "train must hold at least one image"),
        (torch.tensor(1.0), ValueError, "whole batches"),
        (torch.rand(5), ValueError, r"whole batches, .* got one sample, \(5,\)"),
        ([(images(1, 4, 4), 7)], ValueError, "whole batches"),
        ([(images(1, 4, 4), torch.tensor(7))], ValueError, "whole batches"),
        ([{"image": images(1, 4, 4), "label": 7}], ValueError, "whole batches"),
        ([["a"]], TypeError, "train must yield tensors of images, got str"),
        ([()], TypeError, "train must yield tensors of images, got NoneType"),
        (
            [{"picture": images()}],
            ValueError,
            "must be one of picture, got 'image'",
        ),
        ([images(), images(3, 1, 5, 5)], ValueError, r"one shape .*4, 4.*5, 5"),
        ([images(), images().double()], ValueError, r"one shape and type"),
    ],
)
def test_what_cannot_be_looked_at(data, error, message):
    with pytest.raises(error, match=message):
        check_data(data)
    with pytest.raises(error, match=message.replace("train", "test")):
        check_data(images(), data)


@pytest.mark.parametrize("beyond", [1e-7, 9e-4])
def test_a_hair_beyond_the_range_is_no_problem(beyond):
    images = torch.rand(8, 1, 4, 4) * (1 + 2 * beyond) - beyond
    images[0, 0, 0, :2] = torch.tensor([-beyond, 1 + beyond])
    assert check_data(images).problems == ()
    images[0, 0, 0, 0] = 1.01
    assert "outside" in check_data(images).problems[0]


def test_of_pairs_the_clean_images_are_looked_at():
    clean = torch.rand(8, 1, 4, 4)
    noisy = clean + torch.randn(8, 1, 4, 4)
    batches = [(noisy[:4], clean[:4]), (noisy[4:], clean[4:])]
    assert "outside" in check_data(batches).problems[0]
    report = check_data(batches, batches, pairs=True)
    assert (report.train.low, report.train.high) == (clean.min(), clean.max())
    assert report.overlap == 8
    with pytest.raises(TypeError, match=r"pairs .*got Tensor"):
        check_data([clean], pairs=True)
