"""The emphasised loss, against sums done by hand and against torch."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from dae_tutorial.further.losses import EmphasisedLoss, emphasised_error
from dae_tutorial.noise import add_gaussian_noise, add_masking_noise
from dae_tutorial.train import fit

CLEAN = torch.tensor([[0.0, 1.0, 0.5, 1.0]])
NOISY = torch.tensor([[0.0, 0.0, 0.5, 0.9]])  # the second and fourth have changed
RECONSTRUCTION = torch.tensor([[0.2, 0.6, 0.5, 0.7]])
SQUARES = [0.04, 0.16, 0.0, 0.09]  # by hand


@pytest.mark.parametrize(
    ("corrupted", "intact", "expected"),
    [
        (1, 1, (0.04 + 0.16 + 0.0 + 0.09) / 4),
        (1, 0, (0.16 + 0.09) / 4),
        (0, 1, (0.04 + 0.0) / 4),
        (1, 0.5, (0.02 + 0.16 + 0.0 + 0.09) / 4),
        (3, 2, (0.08 + 0.48 + 0.0 + 0.27) / 4),
    ],
)
def test_error_is_the_sum_done_by_hand(corrupted, intact, expected):
    error = emphasised_error(
        RECONSTRUCTION, CLEAN, NOISY, corrupted=corrupted, intact=intact
    )
    assert error.item() == pytest.approx(expected, rel=1e-6)


def random_images(count: int = 8) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    clean = torch.rand(count, 1, 28, 28, dtype=torch.float64)
    return torch.rand_like(clean), clean, add_masking_noise(clean)


def test_equal_weights_give_the_mean_squared_error():
    reconstruction, clean, noisy = random_images()
    expected = nn.functional.mse_loss(reconstruction, clean)
    error = emphasised_error(reconstruction, clean, noisy, corrupted=1, intact=1)
    torch.testing.assert_close(error, expected)


def test_corrupted_and_intact_part_make_up_the_mean_squared_error():
    images = random_images()
    corrupted = emphasised_error(*images, corrupted=1, intact=0)
    intact = emphasised_error(*images, corrupted=0, intact=1)
    expected = nn.functional.mse_loss(*images[:2])
    torch.testing.assert_close(corrupted + intact, expected)
    assert 0 < corrupted < expected


def test_gradient_is_the_numerical_one_and_spares_what_has_no_weight():
    reconstruction, clean, noisy = random_images(count=1)
    reconstruction.requires_grad_()
    error = partial(emphasised_error, clean=clean, noisy=noisy)
    assert torch.autograd.gradcheck(error, reconstruction)
    error(reconstruction, intact=0.0).backward()
    assert torch.equal(reconstruction.grad != 0, noisy != clean)


def test_noise_that_touches_every_pixel_leaves_nothing_to_emphasise():
    _, clean, _ = random_images()
    noisy = add_gaussian_noise(clean, clip=False)
    error = emphasised_error(torch.zeros_like(clean), clean, noisy, intact=0.0)
    torch.testing.assert_close(error, clean.square().mean())


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_error_keeps_the_dtype(dtype):
    images = [image.to(dtype) for image in random_images()]
    assert emphasised_error(*images).dtype == dtype


@pytest.mark.parametrize("position", range(3))
def test_shapes_must_agree(position):
    images = list(random_images())
    images[position] = images[position].squeeze(1)  # would broadcast
    with pytest.raises(ValueError, match="must have one shape"):
        emphasised_error(*images)


@pytest.mark.parametrize("weight", [-0.1, math.nan])
@pytest.mark.parametrize("name", ["corrupted", "intact"])
def test_weights_must_not_be_negative(name, weight):
    with pytest.raises(ValueError, match="weights must be at least 0"):
        emphasised_error(CLEAN, CLEAN, NOISY, **{name: weight})
    with pytest.raises(ValueError, match="weights must be at least 0"):
        EmphasisedLoss(add_masking_noise, **{name: weight})


def test_loss_compares_with_the_noise_that_it_handed_out():
    _, clean, _ = random_images()
    loss = EmphasisedLoss(add_masking_noise, corrupted=2.0, intact=0.25)
    for seed in range(2):  # the second batch replaces the first
        generator = torch.Generator().manual_seed(seed)
        noisy = loss.corrupt(clean, generator=generator)
        generator = torch.Generator().manual_seed(seed)
        assert torch.equal(noisy, add_masking_noise(clean, generator=generator))
        reconstruction = torch.rand_like(clean)
        expected = emphasised_error(
            reconstruction, clean, noisy, corrupted=2.0, intact=0.25
        )
        assert loss(reconstruction, clean) == expected


def test_loss_needs_the_noisy_images():
    loss = EmphasisedLoss(add_masking_noise)
    with pytest.raises(RuntimeError, match="has not seen the noisy images"):
        loss(CLEAN, CLEAN)


@pytest.mark.parametrize(
    ("corrupted", "intact", "expected"),
    [(1.0, 1.0, 1 / 3), (1.0, 0.5, 1 / 2), (1.0, 0.0, 1.0), (0.0, 1.0, 0.0)],
)
def test_training_finds_the_weighted_mean(corrupted, intact, expected):
    # Half of the pixels are white, half of all are masked: of the pixels that are
    # black then, q = 1/3 hide white. The best guess for them weighs q against 1 - q.
    count = 20_000
    clean = (torch.arange(count) % 2).float().unsqueeze(1)
    model = nn.Linear(1, 1)  # its bias is what it makes of a black pixel
    loss = EmphasisedLoss(add_masking_noise, corrupted=corrupted, intact=intact)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    batches = [clean]
    fit(
        model,
        batches,
        loss.corrupt,
        criterion=loss,
        optimizer=optimizer,
        epochs=150,
        device="cpu",
    )
    error = math.sqrt(2 / 9 / (0.75 * count))
    assert abs(model.bias.item() - expected) < 5 * error
