"""Scores: against the formula, fair to every model, averaged over images."""

import math
from contextlib import nullcontext
from importlib import import_module

import pytest
import torch
from skimage.metrics import structural_similarity
from torch import nn

from dae_tutorial.evaluate import evaluate, mean_squared_error, psnr, ssim
from dae_tutorial.noise import (
    add_gaussian_noise,
    add_salt_and_pepper_noise,
    add_varied_gaussian_noise_with_level,
    no_noise,
)


def batches_of(*sizes):
    return [(torch.rand(size, 1, 8, 8), torch.zeros(size)) for size in sizes]


class Darken(nn.Module):
    def forward(self, x):
        return torch.zeros_like(x)


def test_formulas():
    clean, image = torch.zeros(2, 1, 2, 2), torch.zeros(2, 1, 2, 2)
    image[0] += 0.5
    image[1, 0, 0, 0] = 0.2
    assert mean_squared_error(image, clean).tolist() == pytest.approx([0.25, 0.01])
    expected = [10 * math.log10(1 / 0.25), 20.0]
    assert psnr(image, clean).tolist() == pytest.approx(expected)
    assert psnr(clean, clean).tolist() == [math.inf, math.inf]


def test_doing_nothing_scores_what_the_noise_scores():
    scores = evaluate(nn.Identity(), batches_of(8, 3), add_gaussian_noise)
    assert scores.mse == scores.noisy_mse
    assert scores.psnr == scores.noisy_psnr
    assert scores.images == 11


def test_the_noise_is_there():
    """On mid-grey at σ = 0.1, hardly anything is clipped: the error is σ²."""
    count = 20 * 64 * 64
    grey = [(torch.full((20, 1, 64, 64), 0.5), None)]

    def corrupt(images, *, generator):
        return add_gaussian_noise(images, 0.1, generator=generator)

    scores = evaluate(nn.Identity(), grey, corrupt)
    sampling_error = 0.1**2 * math.sqrt(2 / count)
    assert abs(scores.noisy_mse - 0.1**2) < 5 * sampling_error


def test_every_model_meets_the_same_noise():
    batches = batches_of(8, 8)
    torch.rand(3)
    first = evaluate(Darken(), batches, add_gaussian_noise)
    second = evaluate(nn.Identity(), batches, add_gaussian_noise)
    assert first.noisy_mse == second.noisy_mse
    other = evaluate(Darken(), batches, add_gaussian_noise, seed=1)
    assert other.noisy_mse != first.noisy_mse


def test_the_noise_is_that_of_seed_0_unless_told():
    batches = batches_of(8)
    scores = [evaluate(Darken(), batches, add_gaussian_noise, seed=s) for s in (0, 1)]
    assert evaluate(Darken(), batches, add_gaussian_noise) == scores[0] != scores[1]


def test_a_score_is_against_the_clean_image():
    batches = [(torch.ones(4, 1, 2, 2), None)]
    scores = evaluate(Darken(), batches, add_gaussian_noise)
    assert scores.mse == 1.0


def test_average_is_over_images():
    batches = [(torch.ones(9, 1, 2, 2), None), (torch.zeros(1, 1, 2, 2), None)]
    assert evaluate(Darken(), batches, add_gaussian_noise).mse == pytest.approx(0.9)


@pytest.mark.parametrize("training", [True, False])
def test_mode_is_used_and_restored(training):
    seen = []

    class Watching(nn.Identity):
        def forward(self, x):
            seen.append(self.training)
            return x

    model = Watching().train(training)
    evaluate(model, batches_of(4), add_gaussian_noise)
    assert seen == [False]
    assert model.training is training


def test_mode_is_restored_after_an_error():
    class Broken(nn.Identity):
        def forward(self, x):
            raise RuntimeError("broken")

    model = Broken().train()
    with pytest.raises(RuntimeError, match="broken"):
        evaluate(model, batches_of(4), add_gaussian_noise)
    assert model.training


def test_nothing_to_evaluate():
    with pytest.raises(ValueError, match=r"^batches must yield .* image, got none$"):
        evaluate(nn.Identity(), [], add_gaussian_noise)


def test_rows_of_pixels_score_as_images_do():
    scores = [
        evaluate(model, batches, add_gaussian_noise)
        for batches in [batches_of(4, 3)]
        for model in (nn.Identity(), nn.Flatten())
    ]
    assert scores[0] == scores[1]
    clean = torch.rand(4, 3, 11, 12)
    for score in (mean_squared_error, psnr, ssim):
        noisy = add_gaussian_noise(clean)
        assert torch.equal(score(noisy.flatten(1), clean), score(noisy, clean))


@pytest.mark.parametrize("shape", [(4, 8, 8), (64,), (4, 1), (64, 4), (4, 1, 8, 9), ()])
def test_other_shapes_are_refused(shape):
    class Model(nn.Identity):
        def forward(self, x):
            return torch.zeros(shape)

    message = r"image must have the shape of clean, \(4, 1, 8, 8\), or be .* \(4, 64\)"
    with pytest.raises(ValueError, match=message):
        evaluate(Model(), batches_of(4), add_gaussian_noise)
    for score in (mean_squared_error, psnr, ssim):
        with pytest.raises(ValueError, match="must have"):
            score(torch.zeros(shape), torch.zeros(4, 1, 12, 12))


def test_the_window_of_the_similarity_must_fit():
    for sides in [(10, 11), (11, 10)]:
        with pytest.raises(ValueError, match=rf"at least 11, got \(1, 1, {sides[0]}"):
            ssim(torch.zeros(1, 1, *sides), torch.zeros(1, 1, *sides))


def test_an_image_that_is_no_tensor():
    with pytest.raises(TypeError, match="image must be a tensor, got list"):
        mean_squared_error([0.0], torch.zeros(1, 1))


def write_into(images, *, generator):
    images[images > 0.5] = 0
    return images


def test_a_corruption_that_writes_into_its_input():
    batches = batches_of(4)
    before = batches[0][0].clone()
    message = (
        r"^corrupt must return new images, .* given, which are the target; let it "
        r"begin with images = images\.clone\(\)$"
    )
    with pytest.raises(ValueError, match=message):
        evaluate(nn.Identity(), batches, write_into)
    assert torch.equal(batches[0][0], before), "the loader's images are as they were"


def test_images_without_any_error_leave_the_averages_finite():
    """One image of two stays as it was: it counts 100 dB, in both columns."""

    def corrupt(images, *, generator):
        noisy = images.clone()
        noisy[1] += 0.1
        return noisy

    batches = [(torch.full((2, 1, 4, 4), 0.5), None)]
    scores = evaluate(nn.Identity(), batches, corrupt)
    assert scores.psnr == scores.noisy_psnr == pytest.approx((100 + 20) / 2)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.rand(4, 1, 8, 8) * 255, "images in \\[0, 1\\], got .* divide bytes"),
        (torch.rand(4, 1, 8, 8) * 2 - 1, "images in \\[0, 1\\], got"),
        (
            torch.full((4, 1, 8, 8), math.nan),
            "images in .* got values from nan",
        ),
    ],
)
def test_units_of_the_images(images, message):
    with pytest.raises(ValueError, match=message):
        evaluate(nn.Identity(), [(images, None)], lambda x, *, generator: x)


def test_a_thousandth_beyond_the_range_is_rounding():
    def score(pixel):
        images = torch.full((1, 1, 1, 1), pixel, dtype=torch.float64)
        evaluate(nn.Identity(), [images], no_noise)

    for rounded, wrong in [(-0.001, -0.0011), (1.001, 1.0011)]:
        score(rounded)
        with pytest.raises(ValueError, match=r"images in \[0, 1\], got values from"):
            score(wrong)


def test_only_the_first_images_are_looked_at():
    """Looking costs time, and what holds for a batch holds for its followers."""
    batches = [(torch.rand(4, 1, 8, 8) * scale, None) for scale in (1, 2)]
    assert evaluate(nn.Identity(), batches, no_noise).images == 8


def test_bytes_are_no_images():
    batches = [(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), None)]
    with pytest.raises(TypeError, match=r"got a torch.uint8 tensor.* / 255"):
        evaluate(nn.Identity(), batches, lambda x, *, generator: x)


def test_batches_of_no_images():
    with pytest.raises(ValueError, match="batches must yield at least one image"):
        evaluate(nn.Identity(), [(torch.rand(0, 1, 8, 8), None)], add_gaussian_noise)


def test_frozen_parts_stay_frozen():
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Sequential(nn.Dropout(), nn.Identity()))
    for frozen in (model[0], model[1][0]):
        model.train()
        frozen.eval()
        before = [part.training for part in model.modules()]
        evaluate(model, batches_of(4), add_gaussian_noise)
        assert [part.training for part in model.modules()] == before


def scored(batches, corrupt=add_gaussian_noise, **options):
    """Return what the model was given, and the result."""
    seen = []

    class Watching(nn.Identity):
        def forward(self, x):
            seen.append(x.clone())
            return x

    model = Watching()
    scores = evaluate(model, batches, corrupt, **options)
    return seen[0], scores


IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("batch", "options"),
    [
        (IMAGES, {}),  # two of them: not images and labels
        ((IMAGES,), {}),
        ([IMAGES, torch.arange(2)], {}),
        ((IMAGES, torch.arange(2), "more", None), {}),
        ({"image": IMAGES, "label": torch.arange(2)}, {}),
        ({"pixels": IMAGES}, {"key": "pixels"}),
    ],
)
def test_images_are_found_in_what_loaders_yield(batch, options):
    run = scored
    expected = run([(IMAGES, torch.arange(2))])
    found = run([batch], **options)
    assert torch.equal(found[0], expected[0])
    assert found[1] == expected[1]


def test_pairs_bring_their_own_noise():
    noisy = IMAGES * 0.5
    given, result = scored([(noisy, IMAGES)], None)
    assert torch.equal(given, noisy)
    error = (noisy - IMAGES).square().mean().item()
    assert result.noisy_mse == pytest.approx(error)


def test_noisy_images_may_bring_their_level_along():
    noisy = torch.cat([IMAGES * 0.5, torch.full_like(IMAGES, 0.3)], dim=1)
    result = evaluate(lambda x: x[:, :1] + x[:, 1:], [(noisy, IMAGES)], None)
    errors = [(x - IMAGES).square().mean() for x in (IMAGES * 0.5 + 0.3, IMAGES * 0.5)]
    assert [result.mse, result.noisy_mse] == pytest.approx([e.item() for e in errors])
    # Beside a corruption, what has other channels than the images is a label.
    assert torch.equal(scored([(noisy, IMAGES)], no_noise)[0], noisy)
    for other in (IMAGES[:1], IMAGES[..., :4], IMAGES[:, :0]):
        with pytest.raises(ValueError, match="corrupt must be given"):
            scored([(other, IMAGES)], None)


def test_rows_can_be_pairs_and_whole_numbers_cannot():
    rows = IMAGES.flatten(1)
    assert torch.equal(scored([(rows / 2, rows)], None)[0], rows / 2)
    assert torch.equal(scored([(rows, rows.long())], no_noise)[0], rows)


def test_rows_that_a_corruption_lengthens_are_refused():
    """Only images have channels that can tell of the noise."""
    rows = torch.rand(2, 4)

    def longer(images, *, generator):
        return torch.cat([images, images], dim=1)

    with pytest.raises(ValueError, match=r"image must have .* got \(2, 8\)"):
        evaluate(lambda x: x[:, :4], [rows], longer)


@pytest.mark.parametrize(
    ("batch", "corrupt", "error", "message"),
    [
        ((IMAGES, IMAGES), add_gaussian_noise, ValueError, "pass corrupt=None"),
        ((IMAGES, torch.arange(2)), None, ValueError, "^corrupt must .* one shape$"),
        ((torch.rand(2), torch.rand(2)), None, ValueError, "^corrupt must be given"),
        ((torch.rand(2), torch.rand(2, 1)), None, ValueError, "^corrupt must be given"),
        ((torch.rand(2, 1), torch.rand(2)), None, ValueError, "^corrupt must be given"),
        (IMAGES, None, ValueError, "^corrupt must be given, unless"),
        (
            {"pixels": IMAGES, "label": torch.arange(2)},
            add_gaussian_noise,
            ValueError,
            "^key must be one of pixels, label, got 'image'$",
        ),
        (("a", IMAGES), add_gaussian_noise, TypeError, "tensors of images, got str"),
        (IMAGES.numpy(), add_gaussian_noise, TypeError, "of images, got ndarray"),
        ((), add_gaussian_noise, TypeError, "tensors of images, got tuple"),
    ],
)
def test_batches_that_cannot_be_understood(batch, corrupt, error, message):
    with pytest.raises(error, match=message):
        scored([batch], corrupt)


def test_any_function_is_scored():
    """The package's own median beats doing nothing on salt and pepper."""
    from dae_tutorial.evidence.baselines import median

    flat = [(torch.full((4, 1, 16, 16), 0.5), None)]
    scores = evaluate(median, flat, add_salt_and_pepper_noise)
    assert scores.mse < scores.noisy_mse / 5
    assert evaluate(lambda x: x, flat, add_salt_and_pepper_noise).mse > scores.mse


def test_a_noise_aware_model_is_scored_on_the_images_alone():
    """The channel that tells the level is no part of what doing nothing leaves."""

    class FirstChannel(nn.Module):
        def forward(self, x):
            assert x.shape[1:] == (2, 8, 8)
            return x[:, :1]

    told = evaluate(
        FirstChannel(), batches_of(8, 3), add_varied_gaussian_noise_with_level
    )
    assert told.mse == told.noisy_mse > 0
    assert told.images == 11


@pytest.mark.parametrize("shape", [(1, 8), (1, 1, 8), (3, 2, 4), (2, 2, 2, 2)])
def test_what_tells_the_level_is_left_out_of_signals_and_volumes_too(shape):
    def corrupt(images, *, generator):
        return torch.cat([images / 2, torch.ones_like(images[:, :1])], dim=1)

    told = evaluate(lambda x: x[:, :-1], [torch.rand(5, *shape)], corrupt)
    assert told.mse == told.noisy_mse > 0


def test_a_model_is_run_where_it_is_and_scored_on_the_cpu(monkeypatch):
    """A device without memory takes images in, and gives none back."""
    seen = []

    class Model(nn.Linear):
        def forward(self, x):
            seen.append(x.device.type)
            return super().forward(x)

    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    module = import_module("dae_tutorial.evaluate")  # the flat name is the function
    monkeypatch.setattr(module, "_score", lambda *_: pytest.fail("scored elsewhere"))
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        evaluate(Model(4, 4, device="meta"), [torch.rand(8, 4)], no_noise)
    assert seen == ["meta"]


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float64])
def test_a_model_is_given_images_in_its_own_precision(kind):
    batches = batches_of(8)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.Sigmoid())
    usual = evaluate(model, batches, add_gaussian_noise)
    other = evaluate(model.to(kind), batches, add_gaussian_noise)
    assert other.noisy_mse == usual.noisy_mse
    assert other.mse == pytest.approx(usual.mse, rel=0.01)


def test_scores_are_taken_in_the_precision_of_the_images():
    scores = evaluate(lambda x: x.double() + 1e-9, batches_of(8), add_gaussian_noise)
    assert scores.mse == scores.noisy_mse


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_autocast_runs_the_model_alone_in_half_precision(half):
    seen = []

    class Linear(nn.Linear):
        def forward(self, x):
            seen.append(super().forward(x))
            return seen[-1]

    model = nn.Sequential(nn.Flatten(), Linear(64, 64))
    usual = evaluate(model, batches_of(8), add_gaussian_noise)
    scores = evaluate(model, batches_of(8), add_gaussian_noise, autocast=half)
    assert [output.dtype for output in seen] == [torch.float32, half]
    assert 0 < abs(scores.mse - usual.mse) < 0.2 * usual.mse


def test_nothing_is_kept_for_a_gradient():
    seen = []

    def model(noisy):
        seen.append(torch.is_grad_enabled())
        return noisy

    evaluate(model, batches_of(8), add_gaussian_noise)
    assert seen == [False]


def test_averages_are_taken_in_double_precision():
    """One large error among many small ones: single precision would lose them."""
    clean = torch.zeros(100_000, 1, 1, 1)
    noisy = torch.full_like(clean, 1e-3)
    noisy[0] = 1.0
    scores = evaluate(nn.Identity(), [(noisy, clean)], None)
    exact = (noisy[0].double() ** 2 + 99_999 * noisy[1].square().double()) / 100_000
    assert scores.mse == pytest.approx(exact.item(), rel=1e-9)


def test_ssim_is_for_pixels_up_to_one_however_dark_the_images_are():
    """Against scikit-image, with the window of the paper."""
    clean = 0.1 * torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    noisy = add_gaussian_noise(clean, 0.1, generator=torch.Generator().manual_seed(0))
    expected = structural_similarity(
        noisy[0, 0].numpy(),
        clean[0, 0].numpy(),
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(noisy, clean).item() == pytest.approx(expected, abs=0.02)
