"""The emphasised loss, against sums done by hand and against torch."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from dae_tutorial.further.losses import (
    EmphasisedLoss,
    corrupt_and_mark,
    emphasised_error,
)
from dae_tutorial.noise import (
    add_block_occlusion,
    add_gaussian_noise,
    add_masking_noise,
    add_salt_and_pepper_noise,
    no_noise,
)
from dae_tutorial.train import fit
from tests.corruptions import CORRUPTIONS

CLEAN = torch.tensor([[0.0, 1.0, 0.5, 1.0]])
CHOSEN = torch.tensor([[False, True, False, True]])
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
        RECONSTRUCTION, CLEAN, CHOSEN, corrupted=corrupted, intact=intact
    )
    assert error.item() == pytest.approx(expected, rel=1e-6)


def random_images(count: int = 8) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    clean = torch.rand(count, 1, 28, 28, dtype=torch.float64)
    return torch.rand_like(clean), clean, torch.rand_like(clean) < 0.5


def test_equal_weights_give_the_mean_squared_error():
    reconstruction, clean, chosen = random_images()
    expected = nn.functional.mse_loss(reconstruction, clean)
    error = emphasised_error(reconstruction, clean, chosen, corrupted=1, intact=1)
    torch.testing.assert_close(error, expected)


def test_corrupted_and_intact_part_make_up_the_mean_squared_error():
    images = random_images()
    corrupted = emphasised_error(*images, corrupted=1, intact=0)
    intact = emphasised_error(*images, corrupted=0, intact=1)
    expected = nn.functional.mse_loss(*images[:2])
    torch.testing.assert_close(corrupted + intact, expected)
    assert 0 < corrupted < expected


def test_gradient_is_the_numerical_one_and_spares_what_has_no_weight():
    reconstruction, clean, chosen = random_images(count=1)
    reconstruction.requires_grad_()
    error = partial(emphasised_error, clean=clean, chosen=chosen)
    assert torch.autograd.gradcheck(error, reconstruction)
    error(reconstruction, intact=0.0).backward()
    assert torch.equal(reconstruction.grad != 0, chosen)


@pytest.mark.parametrize("corruption", [*CORRUPTIONS, no_noise])
def test_marking_leaves_noise_and_generator_as_they_are(corruption):
    images = torch.rand(4, 1, 28, 28)
    alone, marked = (torch.Generator().manual_seed(5) for _ in range(2))
    expected = corruption(images, generator=alone)
    noisy, chosen = corrupt_and_mark(corruption, images, generator=marked)
    assert torch.equal(noisy, expected)
    assert torch.equal(marked.get_state(), alone.get_state())
    assert chosen[noisy != images].all(), "what has changed was chosen"


@pytest.mark.parametrize("colour", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("corruption", "share"),
    [
        (partial(add_masking_noise, mask_prob=0.75), 0.75),
        (partial(add_salt_and_pepper_noise, flip_prob=0.25), 0.25),
        (partial(add_block_occlusion, block_size=10), 100 / 784),
        (add_gaussian_noise, 1.0),
        (no_noise, 0.0),
    ],
)
def test_pixels_are_chosen_whatever_their_colour(corruption, share, colour):
    images = torch.full((50, 1, 28, 28), colour)
    generator = torch.Generator().manual_seed(0)
    _, chosen = corrupt_and_mark(corruption, images, generator=generator)
    error = math.sqrt(share * (1 - share) / images.numel())
    assert abs(chosen.float().mean() - share) <= 5 * error + 1e-6


def test_chosen_is_what_was_hidden_and_not_what_has_changed():
    images = torch.tensor([0.0, 1.0]).repeat(500)
    noisy, chosen = corrupt_and_mark(add_masking_noise, images)
    white = images == 1
    assert torch.equal(chosen[white], noisy[white] == 0)
    assert chosen[~white].float().mean() > 0.35


def test_a_corruption_that_writes_into_its_input_is_marked_all_the_same():
    def hide_first(images, *, generator):
        images[:, 0] = 0
        return images

    _, chosen = corrupt_and_mark(hide_first, torch.zeros(2, 3))
    assert chosen.tolist() == 2 * [[True, False, False]]


def test_without_a_generator_torch_s_own_decides():
    draws = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        draws += [corrupt_and_mark(add_masking_noise, torch.ones(99))[0] for _ in "ab"]
    first, second, again, _, other, _ = draws
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_error_keeps_the_dtype(dtype):
    reconstruction, clean, chosen = random_images()
    error = emphasised_error(reconstruction.to(dtype), clean.to(dtype), chosen)
    assert error.dtype == dtype


def test_noisy_images_do_not_pass_for_a_mask():
    with pytest.raises(TypeError, match=r"chosen must be boolean, got torch\.float32"):
        emphasised_error(RECONSTRUCTION, CLEAN, CLEAN)


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
        emphasised_error(CLEAN, CLEAN, CHOSEN, **{name: weight})
    with pytest.raises(ValueError, match="weights must be at least 0"):
        EmphasisedLoss(add_masking_noise, **{name: weight})


def test_loss_compares_with_the_noise_that_it_handed_out():
    _, clean, _ = random_images()
    loss = EmphasisedLoss(add_masking_noise, corrupted=2.0, intact=0.25)
    for seed in range(2):  # the second batch replaces the first
        generator = torch.Generator().manual_seed(seed)
        noisy = loss.corrupt(clean, generator=generator)
        generator = torch.Generator().manual_seed(seed)
        expected, chosen = corrupt_and_mark(
            add_masking_noise, clean, generator=generator
        )
        assert torch.equal(noisy, expected)
        reconstruction = torch.rand_like(clean)
        expected = emphasised_error(
            reconstruction, clean, chosen, corrupted=2.0, intact=0.25
        )
        assert loss(reconstruction, clean) == expected


def test_loss_needs_the_noisy_images():
    loss = EmphasisedLoss(add_masking_noise)
    says = r"^the loss has not seen the noisy .* its `corrupt`, as in fit\(.*\)$"
    with pytest.raises(RuntimeError, match=says):
        loss(CLEAN, CLEAN)


@pytest.mark.parametrize(
    ("corrupted", "intact", "expected"),
    [(1.0, 1.0, 1 / 3), (1.0, 0.5, 2 / 5), (1.0, 0.0, 1 / 2), (0.0, 1.0, 0.0)],
)
def test_training_finds_the_weighted_mean(corrupted, intact, expected):
    # Half of the pixels are white, and half of either colour are masked. So of three
    # pixels that are black then, one was white and chosen, one was black and chosen,
    # and one is intact. The best guess weighs the first against the other two.
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


def test_unless_told_corrupted_pixels_count_twice_as_much():
    """The double emphasis of the paper, in the function and in the criterion."""
    clean, guess = torch.rand(2, 1, 1, 8, 8)
    loss = EmphasisedLoss(add_masking_noise)
    loss.corrupt(clean, generator=torch.Generator().manual_seed(0))
    chosen = corrupt_and_mark(
        add_masking_noise, clean, generator=torch.Generator().manual_seed(0)
    )[1]
    expected = emphasised_error(guess, clean, chosen, corrupted=1.0, intact=0.5)
    assert emphasised_error(guess, clean, chosen) == expected
    assert loss(guess, clean) == expected


def test_without_a_generator_no_two_draws_are_alike():
    clean = torch.full((1, 1, 4, 4), 0.5)
    draws = {
        tuple(corrupt_and_mark(add_gaussian_noise, clean)[0].flatten().tolist())
        for _ in range(80)
    }
    assert len(draws) == 80
