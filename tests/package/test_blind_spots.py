"""Blind denoisers: what they cannot see, and what guessing it teaches."""

import math

import pytest
import torch
from torch import nn

from dae_tutorial.beyond.blind_spots import (
    BlindPixelLoss,
    BlindSpotNet,
    answer_blindly,
    give_back,
    grid_mask,
    hide_pixels,
)

SIDE, PIXELS, SIGMA = 4, 16, 0.5


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_grids_of_all_phases_tile_the_image():
    noisy = torch.zeros(1, 1, 7, 10)
    masks = [grid_mask(noisy, 3, phase) for phase in range(9)]
    assert torch.equal(torch.stack(masks).sum(dim=0), torch.ones(7, 10).long())


@pytest.mark.parametrize("period", [2, 3, 4])
def test_no_pixel_of_a_hidden_image_depends_on_a_chosen_one(period):
    noisy = torch.rand(1, 1, 8, 8, generator=seeded())
    for phase in range(period**2):
        mask = grid_mask(noisy, period, phase)
        jacobian = torch.autograd.functional.jacobian(
            lambda y, m=mask: hide_pixels(y, m), noisy
        )
        assert (jacobian.reshape(64, 8, 8)[:, mask] == 0).all()
        kept = hide_pixels(noisy, mask)[..., ~mask]
        assert torch.equal(kept, noisy[..., ~mask])


def test_what_is_put_in_place_has_the_brightness_around_it():
    flat = torch.full((2, 3, 5, 5), 0.3)
    assert torch.allclose(hide_pixels(flat, torch.tensor(True)), flat)


class Linear(nn.Module):
    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def forward(self, noisy):
        return (noisy.flatten(1) @ self.weight.T).reshape(noisy.shape)


@pytest.fixture(scope="module")
def world():
    """Return clean and noisy images whose second moments are exact."""
    drawn = torch.randn(80, 2 * PIXELS, generator=seeded(), dtype=torch.float64)
    white = torch.linalg.qr(drawn).Q * math.sqrt(len(drawn))
    clean, noise = white.split(PIXELS, dim=1)
    mix = torch.randn(PIXELS, PIXELS, generator=seeded(1), dtype=torch.float64)
    clean = clean @ (mix.T / 4)
    shape = (-1, 1, SIDE, SIDE)
    return clean.reshape(shape), (clean + SIGMA * noise).reshape(shape)


def best_guess(clean, noisy, mask):
    """Return the best linear guess at chosen clean pixels from the other noisy ones."""
    known, wanted = noisy[..., ~mask].flatten(1), clean[..., mask].flatten(1)
    return known @ torch.linalg.lstsq(known, wanted).solution


def test_the_loss_teaches_the_clean_pixel_as_far_as_its_neighbours_tell(world):
    clean, noisy = world
    loss, generator = BlindPixelLoss(period=2), seeded(2)
    draws = [(loss.corrupt(noisy, generator=generator), loss._mask) for _ in range(20)]
    phases = {int(mask.flatten().nonzero()[0]) for _, mask in draws}
    assert phases == {0, 1, SIDE, SIDE + 1}  # all four grids come up

    def total(flat):
        model, sum_of = Linear(flat.reshape(PIXELS, PIXELS)), 0
        for hidden, mask in draws:
            loss._mask = mask
            sum_of = sum_of + loss(model(hidden), noisy)
        return sum_of

    start = torch.zeros(PIXELS**2, dtype=torch.float64)
    gradient = torch.autograd.functional.jacobian(total, start)
    curvature = torch.autograd.functional.hessian(total, start)
    # A hidden pixel shows its neighbours' mean, which tells nothing new: no unique W.
    weight = -torch.linalg.pinv(curvature, rtol=1e-10, hermitian=True) @ gradient
    answer = answer_blindly(Linear(weight.reshape(PIXELS, PIXELS)), noisy, period=2)
    for phase in range(4):
        mask = grid_mask(noisy, 2, phase)
        expected = best_guess(clean, noisy, mask)
        found = answer[..., mask].flatten(1)
        torch.testing.assert_close(found, expected, atol=1e-8, rtol=0)


def test_the_loss_sees_hidden_pixels_alone():
    noisy, loss = torch.zeros(1, 1, 8, 8), BlindPixelLoss(period=4)
    loss.corrupt(noisy, generator=seeded())
    assert loss(torch.where(loss._mask, 0.0, 9.0)[None, None], noisy) == 0
    assert loss(torch.where(loss._mask, 3.0, 0.0)[None, None], noisy) == 9


def test_blind_answers_do_not_depend_on_their_pixel():
    mix = torch.rand(PIXELS, PIXELS, generator=seeded(), dtype=torch.float64)
    noisy = torch.rand(1, 1, SIDE, SIDE, generator=seeded(1), dtype=torch.float64)

    def blind(noisy):
        return answer_blindly(Linear(mix), noisy, period=2)

    jacobian = torch.autograd.functional.jacobian(blind, noisy).reshape(PIXELS, PIXELS)
    assert (jacobian.diagonal() == 0).all()
    assert (jacobian != 0).any()


def test_the_blind_spot_network_sees_all_it_should_and_not_its_pixel():
    """Eight in nine of the others, up to 2 + 3 · depth pixels away."""
    torch.manual_seed(0)
    model, side = BlindSpotNet(width=8, depth=2).double(), 21
    noisy = torch.rand(1, 1, side, side, generator=seeded(), dtype=torch.float64)
    middle = torch.autograd.functional.jacobian(
        lambda y: model(y)[0, 0, side // 2, side // 2], noisy
    )[0, 0]
    away = (torch.arange(side) - side // 2).abs()
    near = (away <= 2 + 3 * 2)[:, None] & (away <= 2 + 3 * 2)
    skipped = (away % 3 == 0)[:, None] & (away % 3 == 0)
    assert torch.equal(middle != 0, near & ~skipped)


def test_every_output_is_blind_to_its_own_pixel_at_the_borders_too():
    torch.manual_seed(1)
    model = BlindSpotNet(width=4, depth=3).double()
    noisy = torch.rand(1, 1, 7, 7, generator=seeded(), dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(model, noisy).reshape(49, 49)
    assert (jacobian.diagonal() == 0).all()


@pytest.mark.parametrize(("error", "sigma"), [(0.1, 0.1), (0.05, 0.2), (0.2, 0.05)])
def test_two_guesses_are_weighed_by_how_wrong_they_are(error, sigma):
    noise = torch.randn(2, 200_000, generator=seeded(), dtype=torch.float64)
    blind, noisy = 0.25 + error * noise[0], 0.25 + sigma * noise[1]
    better = give_back(blind, noisy, sigma, levels=2)
    least = (error**-2 + sigma**-2) ** -0.5
    # Guesses beyond 0.5 go to another level; here and there, that costs a little.
    assert (better - 0.25).std().item() == pytest.approx(least, rel=0.03)


def test_a_perfect_guess_is_left_alone():
    noisy = 0.5 + 0.1 * torch.randn(10**6, generator=seeded())
    better = give_back(torch.full_like(noisy, 0.5), noisy, 0.1)
    assert (better - 0.5).std() < 0.01 * 0.1


def test_a_loss_without_its_corruption_says_what_is_missing():
    with pytest.raises(RuntimeError, match=r"loss\.corrupt, criterion=loss"):
        BlindPixelLoss()(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))


def test_wrong_arguments_are_named():
    image = torch.zeros(1, 1, 4, 4)
    with pytest.raises(ValueError, match="period must be an integer of at least 2"):
        grid_mask(image, 1, 0)
    with pytest.raises(ValueError, match="period must be an integer of at least 2"):
        BlindPixelLoss(period=1)
    with pytest.raises(ValueError, match="phase must be from 0 to 3, got 4"):
        grid_mask(image, 2, 4)
    with pytest.raises(ValueError, match="noisy must have shape"):
        hide_pixels(torch.zeros(4, 4), torch.tensor(True))
    with pytest.raises(ValueError, match="sigma must be a finite number above 0"):
        give_back(image, image, 0.0)


def test_a_network_that_answers_rows_can_be_asked_blindly():
    mix = torch.rand(PIXELS, PIXELS, generator=seeded())
    noisy = torch.rand(3, 1, SIDE, SIDE, generator=seeded(1))
    rows = answer_blindly(lambda y: y.flatten(1) @ mix.T, noisy, period=2)
    assert torch.equal(rows, answer_blindly(Linear(mix), noisy, period=2))
