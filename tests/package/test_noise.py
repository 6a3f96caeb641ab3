"""Properties of the corruptions, within the sampling error of the draw."""

import math
from functools import partial

import pytest
import torch

from dae_tutorial import noise as noise_module
from dae_tutorial.noise import (
    add_block_occlusion,
    add_gaussian_noise,
    add_masking_noise,
    add_salt_and_pepper_noise,
    add_varied_gaussian_noise,
    add_varied_gaussian_noise_with_level,
    append_noise_level,
    no_noise,
)
from tests.corruptions import CORRUPTIONS

CORRUPTIONS = [
    *CORRUPTIONS,
    partial(add_gaussian_noise, clip=False),
    partial(add_varied_gaussian_noise, clip=False),
]
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
COUNT = 400_000
# A correct function strays beyond five standard errors once in two million draws.
SIGMAS = 5


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("corrupt", CORRUPTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 28, 28), (5, 1, 28, 28), (2, 3, 1, 28, 28)])
def test_shape_dtype_and_input_survive(corrupt, dtype, shape):
    x = torch.full(shape, 0.5, dtype=dtype)
    noisy = corrupt(x, generator=seeded())
    assert noisy.shape == x.shape
    assert noisy.dtype == dtype
    assert (x == 0.5).all(), "the input was modified"
    assert not torch.equal(noisy, x)


@pytest.mark.parametrize("corrupt", CORRUPTIONS)
def test_generator_alone_decides(corrupt):
    x = torch.rand(4, 1, 28, 28)
    first = corrupt(x, generator=seeded(1))
    torch.rand(7)  # moves the global state, which must not matter
    assert torch.equal(first, corrupt(x, generator=seeded(1)))
    assert not torch.equal(first, corrupt(x, generator=seeded(2)))


@pytest.mark.parametrize("corrupt", CORRUPTIONS)
def test_works_without_a_generator(corrupt):
    x = torch.rand(4, 1, 28, 28)
    assert not torch.equal(corrupt(x), corrupt(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("noise_factor", [0.1, 0.5, 2.0])
def test_gaussian_noise_has_its_mean_and_deviation(noise_factor, dtype):
    x = torch.zeros(COUNT, dtype=dtype)
    noise = add_gaussian_noise(x, noise_factor, clip=False, generator=seeded()).double()
    mean_error = noise_factor / math.sqrt(COUNT)
    deviation_error = noise_factor / math.sqrt(2 * COUNT)
    assert abs(noise.mean().item()) < SIGMAS * mean_error
    assert abs(noise.std().item() - noise_factor) < SIGMAS * deviation_error


def test_gaussian_noise_is_normal():
    noise = add_gaussian_noise(torch.zeros(COUNT), 1, clip=False, generator=seeded())
    # Standard errors of skewness and kurtosis of a normal sample.
    assert abs(noise.pow(3).mean().item()) < SIGMAS * math.sqrt(15 / COUNT)
    assert abs(noise.pow(4).mean().item() - 3) < SIGMAS * math.sqrt(96 / COUNT)


def test_gaussian_noise_differs_between_pixels_and_images():
    x = torch.full((2, 1, 28, 28), 0.5)
    noisy = add_gaussian_noise(x, 0.1, generator=seeded())
    assert noisy.unique().numel() > 1500  # of 1568; a few may be equal by rounding


def test_clipping_only_cuts():
    x = torch.rand(COUNT)
    clipped = add_gaussian_noise(x, generator=seeded())
    unclipped = add_gaussian_noise(x, clip=False, generator=seeded())
    assert torch.equal(clipped, unclipped.clamp(0, 1))
    assert unclipped.min() < 0 < 1 < unclipped.max()


def told_apart(x: torch.Tensor, **arguments) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noisy images (batch, 1, 28, 28) and their levels (batch, 1, 28, 28)."""
    told = add_varied_gaussian_noise_with_level(x, generator=seeded(), **arguments)
    return told[:, :1], told[:, 1:]


@pytest.mark.parametrize(("lowest", "highest"), [(0.0, 1.0), (0.2, 0.4), (0.3, 0.3)])
def test_varied_levels_are_uniform(lowest, highest):
    images = 20_000
    _, level = told_apart(torch.zeros(images, 1, 2, 2), lowest=lowest, highest=highest)
    level = level[:, 0, 0, 0].double()
    width = highest - lowest
    assert lowest - 1e-6 < level.min() <= level.max() < highest + 1e-6
    # Standard errors of mean and mean square of a uniform sample; float32 rounds.
    mean_error = width / math.sqrt(12 * images)
    assert abs(level.mean() - (lowest + highest) / 2) <= SIGMAS * mean_error + 1e-6
    position = (level - lowest) / max(width, 1e-6)
    if width:
        square_error = math.sqrt((1 / 5 - 1 / 9) / images)
        assert abs(position.square().mean() - 1 / 3) < SIGMAS * square_error


def test_varied_noise_has_the_level_that_is_told():
    x = torch.rand(500, 1, 28, 28)
    noisy, level = told_apart(x, lowest=0.1, clip=False)
    standard = ((noisy - x) / level).flatten(start_dim=1)
    assert (level == level[..., :1, :1]).all(), "the channel is constant"
    assert (standard.mean(dim=1).abs() < SIGMAS / 28).all()
    assert ((standard.std(dim=1) - 1).abs() < SIGMAS / math.sqrt(2 * 784)).all()
    assert abs(standard.pow(4).mean() - 3) < SIGMAS * math.sqrt(96 / standard.numel())


def test_varied_level_belongs_to_an_image_not_to_a_channel():
    x = torch.full((3, 2, 3, 28, 28), 0.5)
    noisy = add_varied_gaussian_noise(x, clip=False, generator=seeded())
    deviation = noisy.std(dim=(-2, -1))  # (3, 2, channels)
    relative = deviation / deviation.mean(dim=-1, keepdim=True)
    assert ((relative - 1).abs() < SIGMAS / math.sqrt(2 * 784)).all()
    assert deviation.mean(dim=-1).unique().numel() == 6


def test_aware_and_blind_models_are_given_the_same_images():
    x = torch.rand(5, 1, 28, 28)
    noisy, _ = told_apart(x)
    assert torch.equal(noisy, add_varied_gaussian_noise(x, generator=seeded()))
    unclipped, _ = told_apart(x, clip=False)
    assert torch.equal(noisy, unclipped.clamp(0, 1))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_level_becomes_a_channel(dtype):
    noisy = torch.rand(2, 5, 3, 4, 4).to(dtype)
    told = append_noise_level(noisy, 0.25)
    assert told.shape == (2, 5, 4, 4, 4)
    assert told.dtype == dtype
    assert torch.equal(told[:, :, :3], noisy)
    assert (told[:, :, 3] == 0.25).all()


def test_each_image_can_have_a_level_of_its_own():
    level = torch.tensor([0.0, 0.5, 1.0]).reshape(3, 1, 1, 1)
    told = append_noise_level(torch.rand(3, 1, 4, 4), level)
    assert torch.equal(told[:, 1].mean(dim=(1, 2)), level.flatten())


@pytest.mark.parametrize(
    "levels", [(-0.1, 1.0), (0.5, 0.4), (0.0, math.inf), (math.nan, 1.0)]
)
@pytest.mark.parametrize(
    "corrupt", [add_varied_gaussian_noise, add_varied_gaussian_noise_with_level]
)
def test_levels_out_of_order(corrupt, levels):
    with pytest.raises(ValueError, match="levels must satisfy 0 <= lowest <= highest"):
        corrupt(torch.rand(1, 28, 28), *levels)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mask_prob", [0.1, 0.5, 0.9])
def test_masking_hits_each_pixel_alike(mask_prob, dtype):
    draws = 4000
    x = torch.ones(draws, 1, 10, 10, dtype=dtype)
    noisy = add_masking_noise(x, mask_prob, generator=seeded()).double()
    error = math.sqrt(mask_prob * (1 - mask_prob) / draws)
    lost_at = 1 - noisy.mean(dim=0)
    assert set(noisy.unique().tolist()) == {0.0, 1.0}
    assert (lost_at - mask_prob).abs().max() < SIGMAS * error
    assert abs(lost_at.mean() - mask_prob) < SIGMAS * error / 10


def test_masking_leaves_survivors_as_they_are():
    x = torch.rand(1000) + 0.1
    noisy = add_masking_noise(x, 0.3, generator=seeded())
    kept = noisy != 0
    assert torch.equal(noisy[kept], x[kept])


@pytest.mark.parametrize("flip_prob", [0.1, 0.5, 1.0])
def test_salt_and_pepper_are_equally_likely(flip_prob):
    x = torch.full((COUNT,), 0.5)
    noisy = add_salt_and_pepper_noise(x, flip_prob, generator=seeded())
    half = flip_prob / 2
    error = math.sqrt(half * (1 - half) / COUNT)
    for extreme in (0.0, 1.0):
        share = (noisy == extreme).float().mean().item()
        assert abs(share - half) < SIGMAS * error
    assert set(noisy.unique().tolist()) <= {0.0, 0.5, 1.0}


@pytest.mark.parametrize("block_size", [0, 1, 5, 28])
def test_block_is_one_square_an_image(block_size):
    x = torch.ones(50, 2, 28, 28)
    hidden = add_block_occlusion(x, block_size, generator=seeded()) == 0
    assert torch.equal(hidden[:, 0], hidden[:, 1]), "channels share the square"
    for image in hidden[:, 0]:
        rows, columns = image.any(dim=1), image.any(dim=0)
        assert rows.sum() == columns.sum() == block_size
        assert image.sum() == block_size**2


def test_block_visits_every_position_alike():
    draws, positions = 20_000, 5 * 5
    x = torch.ones(draws, 1, 6, 6)
    hidden = add_block_occlusion(x, 2, generator=seeded()) == 0
    # The first hidden pixel in reading order is the square's top left corner.
    corner = hidden.flatten(start_dim=1).int().argmax(dim=1)
    counts = torch.bincount(corner, minlength=36).float().reshape(6, 6)[:5, :5]
    share = 1 / positions
    error = math.sqrt(share * (1 - share) / draws)
    assert (counts / draws - share).abs().max() < SIGMAS * error
    assert counts.sum() == draws


@pytest.mark.parametrize(
    ("corrupt", "nothing"),
    [
        (add_gaussian_noise, {"noise_factor": 0.0}),
        (add_varied_gaussian_noise, {"highest": 0.0}),
        (add_masking_noise, {"mask_prob": 0.0}),
        (add_salt_and_pepper_noise, {"flip_prob": 0.0}),
        (add_block_occlusion, {"block_size": 0}),
    ],
)
def test_level_zero_changes_nothing(corrupt, nothing):
    x = torch.rand(10, 1, 28, 28)
    noisy = corrupt(x, **nothing)
    assert torch.equal(noisy, x)
    assert noisy.data_ptr() != x.data_ptr()


@pytest.mark.parametrize(
    ("corrupt", "level", "drawn", "expected"),
    [
        (add_masking_noise, 0.0, 0.0, 0.5),
        (add_masking_noise, 0.5, 0.5, 0.5),
        (add_salt_and_pepper_noise, 0.0, 0.0, 0.5),
        (add_salt_and_pepper_noise, 0.5, 0.25, 1.0),
        (add_salt_and_pepper_noise, 0.5, 0.5, 0.5),
    ],
)
def test_draws_at_the_edge_of_a_probability(
    corrupt, level, drawn, expected, monkeypatch
):
    """Draws lie in [0, 1): so a share p of them is below p, and none is below 0."""
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.full(shape, drawn))
    assert corrupt(torch.tensor([0.5]), level).tolist() == [expected]


def test_full_masking_leaves_nothing():
    assert add_masking_noise(torch.rand(COUNT), 1.0).count_nonzero() == 0


@pytest.mark.parametrize("corrupt", CORRUPTIONS)
def test_gradient_flows_where_the_image_survives(corrupt):
    x = torch.full((3, 1, 28, 28), 0.5, requires_grad=True)
    noisy = corrupt(x, generator=seeded())
    noisy.sum().backward()
    if corrupt in (add_masking_noise, add_salt_and_pepper_noise, add_block_occlusion):
        expected = (noisy == 0.5).float()
    elif isinstance(corrupt, partial):
        expected = torch.ones_like(x)
    else:
        expected = ((noisy > 0) & (noisy < 1)).float()
    assert torch.equal(x.grad, expected)


@pytest.mark.parametrize("corrupt", CORRUPTIONS)
@pytest.mark.parametrize(
    ("images", "kind"),
    [
        (torch.ones(3, 1, 4, 4, dtype=torch.uint8), r"a torch\.uint8 tensor"),
        ("x", "str"),
    ],
)
def test_images_must_be_floating_point(corrupt, images, kind):
    with pytest.raises(
        TypeError, match=f"x must be a floating-point tensor, got {kind};"
    ):
        corrupt(images)


@pytest.mark.parametrize(
    "corrupt",
    [
        add_gaussian_noise,
        add_varied_gaussian_noise,
        add_varied_gaussian_noise_with_level,
        add_salt_and_pepper_noise,
    ],
)
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_normalised_images_are_refused_where_they_would_be_cut(corrupt, value):
    x = torch.rand(2, 1, 4, 4)
    x[1, 0, 2, 3] = value
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]"):
        corrupt(x)


def test_black_and_white_are_in_the_range():
    for extreme in (torch.zeros(4), torch.ones(4)):
        assert torch.equal(add_gaussian_noise(extreme, 0.0), extreme)


def test_normalised_images_are_welcome_where_nothing_is_cut():
    x = torch.randn(2, 1, 28, 28)
    add_gaussian_noise(x, clip=False)
    add_varied_gaussian_noise(x, clip=False)
    add_masking_noise(x)
    add_block_occlusion(x)


@pytest.mark.parametrize("noise_factor", [-0.1, float("nan"), float("inf")])
def test_noise_factor_out_of_range(noise_factor):
    with pytest.raises(ValueError, match="noise_factor must be a finite number"):
        add_gaussian_noise(torch.rand(4), noise_factor)


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_probability_out_of_range(probability):
    with pytest.raises(ValueError, match=r"mask_prob must be .* in \[0, 1\], got"):
        add_masking_noise(torch.rand(4), probability)
    with pytest.raises(ValueError, match=r"flip_prob must be .* in \[0, 1\], got"):
        add_salt_and_pepper_noise(torch.rand(4), probability)


@pytest.mark.parametrize("block_size", [-1, 29, 2.5])
def test_block_must_fit(block_size):
    with pytest.raises(ValueError, match="block_size must be an integer from 0 to 28"):
        add_block_occlusion(torch.rand(1, 28, 28), block_size)


@pytest.mark.parametrize(
    "corrupt",
    [
        add_block_occlusion,
        add_varied_gaussian_noise,
        add_varied_gaussian_noise_with_level,
    ],
)
def test_noise_that_differs_between_images_needs_images(corrupt):
    with pytest.raises(ValueError, match=r"x must have shape .*got \(128, 784\)"):
        corrupt(torch.rand(128, 784))


def test_a_level_needs_an_image():
    with pytest.raises(ValueError, match=r"noisy must have shape .*got \(128, 784\)"):
        append_noise_level(torch.rand(128, 784), 0.5)


@pytest.mark.parametrize("corrupt", CORRUPTIONS)
def test_empty_batch_stays_empty(corrupt):
    assert corrupt(torch.rand(0, 1, 28, 28)).shape == (0, 1, 28, 28)


@pytest.mark.parametrize("corrupt", [*CORRUPTIONS, no_noise])
def test_generator_must_match_the_device(corrupt):
    x = torch.rand(2, 1, 28, 28, device="meta")
    with pytest.raises(ValueError, match="generator must be on the device of x, meta"):
        corrupt(x, generator=seeded())


@pytest.mark.parametrize("corrupt", CORRUPTIONS)
def test_nothing_is_drawn_on_another_device(corrupt, monkeypatch):
    """A device without memory refuses to be mixed with the CPU, as a GPU does."""
    monkeypatch.setattr(noise_module, "_check_unit_range", lambda x: None)
    x = torch.empty(2, 1, 28, 28, device="meta")
    assert corrupt(x).device == x.device


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("corrupt", CORRUPTIONS)
def test_device_is_kept(corrupt):
    x = torch.rand(2, 1, 28, 28, device="cuda")
    generator = torch.Generator("cuda").manual_seed(0)
    assert corrupt(x, generator=generator).device == x.device


def test_no_noise_changes_nothing_and_hands_out_a_copy():
    x, generator = torch.rand(2, 3, requires_grad=True), torch.Generator()
    state = generator.get_state()
    noisy = no_noise(x, generator=generator)
    assert torch.equal(noisy, x)
    assert noisy.data_ptr() != x.data_ptr()
    assert torch.equal(generator.get_state(), state), "nothing was drawn"
    noisy.sum().backward()
    assert torch.equal(x.grad, torch.ones(2, 3))
    with pytest.raises(TypeError, match="x must be a floating-point tensor"):
        no_noise(torch.zeros(2, dtype=torch.uint8))


def append_level(images):
    return append_noise_level(images, 0.5)


@pytest.mark.parametrize(
    "corrupt", [add_block_occlusion, add_varied_gaussian_noise, append_level]
)
def test_a_batch_without_a_channel_axis_is_not_one_image(corrupt):
    with pytest.raises(ValueError, match=r"batch without a channel axis.*unsqueeze"):
        corrupt(torch.rand(16, 28, 28))
    assert corrupt(torch.rand(3, 28, 28)).shape[-2:] == (28, 28)  # a colour image


@pytest.mark.parametrize("level", [-0.1, float("nan"), float("inf")])
def test_levels_that_no_model_can_be_told(level):
    levels = torch.tensor([0.5, level]).reshape(2, 1, 1, 1)
    for wrong in (level, levels):
        with pytest.raises(ValueError, match=r"^level must be finite numbers of at"):
            append_noise_level(torch.rand(2, 1, 4, 4), wrong)


def test_up_to_four_channels_are_one_image():
    add_block_occlusion(torch.rand(4, 28, 28))  # colour and transparency
    with pytest.raises(ValueError, match="batch without a channel axis"):
        add_block_occlusion(torch.rand(5, 28, 28))


def test_gaussian_noise_has_half_the_range_as_deviation_unless_told():
    x = torch.rand(100)
    told = add_gaussian_noise(x, 0.5, generator=seeded())
    assert torch.equal(add_gaussian_noise(x, generator=seeded()), told)


def test_a_block_is_ten_pixels_wide_unless_told():
    assert (add_block_occlusion(torch.ones(1, 1, 28, 28)) == 0).sum() == 10 * 10


@pytest.mark.parametrize("corrupt", [add_gaussian_noise, add_varied_gaussian_noise])
def test_double_images_get_double_noise(corrupt):
    noise = corrupt(torch.zeros(1, 1, 8, 8, dtype=torch.float64), clip=False)
    assert not torch.equal(noise, noise.float().double())
