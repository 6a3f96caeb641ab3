"""Classical denoisers: against their definitions, by other ways of computing them."""

import itertools
import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import norm

from dae_tutorial.evidence.baselines import (
    AffineDenoiser,
    blur,
    fit_linear,
    fit_mean_image,
    fit_pca,
    median,
    non_local_means,
    posterior_mean,
    total_variation,
    wavelet,
)
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import add_gaussian_noise

SIGMA = 0.1
FILTERS = {
    "blur": blur,
    "median": median,
    "total variation": total_variation,
    "non-local means": partial(non_local_means, sigma=SIGMA),
    "wavelet": partial(wavelet, sigma=SIGMA),
}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def digits():
    """Four hundred training and fifty test images."""
    train, test = load_mnist(train=True).images, load_mnist(train=False).images
    return train[:400], test[:50]


def squares(channels: int) -> torch.Tensor:
    """Bright squares on grey, (2, channels, 32, 32)."""
    clean = torch.full((2, channels, 32, 32), 0.4)
    clean[0, :, 8:24, 8:24] = 0.8
    clean[1, :, :, 16:] = 0.7
    return clean


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_removes_most_of_the_noise(name, channels):
    clean = squares(channels)
    noisy = add_gaussian_noise(clean, SIGMA, clip=False, generator=seeded())
    before = noisy.clone()
    denoised = FILTERS[name](noisy)
    assert torch.equal(noisy, before), "the input was modified"
    assert denoised.shape == clean.shape
    assert denoised.dtype == clean.dtype
    assert (denoised - clean).square().mean() < (noisy - clean).square().mean() / 2


@pytest.mark.parametrize("name", FILTERS)
def test_images_do_not_mix(name):
    noisy = add_gaussian_noise(squares(1), SIGMA, clip=False, generator=seeded())
    together = FILTERS[name](noisy)
    alone = torch.cat([FILTERS[name](image[None]) for image in noisy])
    assert torch.allclose(together, alone, atol=1e-6)


def test_blur_spreads_a_dot_over_its_standard_deviation():
    dot = torch.zeros(1, 1, 41, 41)
    dot[0, 0, 20, 20] = 1
    weights = blur(dot, 2.0)[0, 0]
    offset = torch.arange(41) - 20.0
    assert weights.sum().item() == pytest.approx(1, abs=1e-5)
    deviation = (weights.sum(dim=0) * offset.square()).sum().sqrt().item()
    # The weights stop at three deviations, which takes 1.3 % off.
    assert 2 * 0.98 < deviation < 2


def test_median_is_the_median():
    image = torch.rand(1, 1, 5, 5)
    centre = median(image, 3)[0, 0, 2, 2]
    assert centre == image[0, 0, 1:4, 1:4].flatten().median()


def test_median_erases_lone_specks_and_blur_does_not():
    clean = torch.full((1, 1, 20, 20), 0.5)
    noisy = clean.clone()
    noisy[0, 0, 4::6, 4::6] = 1
    assert torch.equal(median(noisy), clean)
    assert (blur(noisy) - clean).abs().max() > 0.05


@pytest.mark.parametrize("weight", [0.05, 0.2])
def test_total_variation_lowers_its_own_objective(weight):
    """Chambolle's form: half the squared distance plus weight times variation."""
    noisy = add_gaussian_noise(squares(1), SIGMA, clip=False, generator=seeded())

    def objective(image):
        down = np.diff(image[0, 0].numpy(), axis=0, append=image[0, 0, -1:].numpy())
        right = np.diff(image[0, 0].numpy(), axis=1, append=image[0, 0, :, -1:].numpy())
        variation = np.sqrt(down**2 + right**2).sum()
        return ((image - noisy)[0] ** 2).sum().item() / 2 + weight * variation

    found = total_variation(noisy, weight)
    others = [noisy, blur(noisy), squares(1), *(found * s for s in (0.97, 1.03))]
    assert all(objective(found) < objective(other) for other in others)


def test_non_local_means_repeats_a_pattern_that_a_blur_destroys():
    stripes = torch.tensor([0.2, 0.8]).repeat(16).expand(1, 1, 32, 32)
    noisy = add_gaussian_noise(stripes, SIGMA, clip=False, generator=seeded())
    left = [(f(noisy) - stripes).std() for f in (FILTERS["non-local means"], blur)]
    assert left[0] < SIGMA / 2 < left[1]


def test_non_local_means_takes_noise_for_no_difference():
    """Patches of pure noise are all alike, so nearly 13 × 13 pixels are averaged."""
    noisy = 0.5 + SIGMA * torch.randn(1, 1, 32, 32, generator=seeded())
    left = non_local_means(noisy, SIGMA)[..., 8:-8, 8:-8].std().item()
    # Left is 0.0104; 0.0177 if the noise's own distance is not taken off.
    assert SIGMA / 13 < left < 1.7 * SIGMA / 13


def test_mean_image_does_not_look():
    train = torch.rand(20, 1, 4, 4)
    answers = fit_mean_image(train)(torch.rand(3, 1, 4, 4))
    assert torch.allclose(answers, train.mean(dim=0).expand(3, -1, -1, -1))


def test_pca_keeps_what_lies_in_the_subspace_and_drops_the_rest():
    directions = torch.linalg.qr(torch.randn(16, 16))[0]
    inside, outside = directions[:, :3], directions[:, 3:]
    train = 0.5 + (torch.randn(200, 3) @ inside.T).reshape(200, 1, 4, 4)
    clean = 0.5 + (torch.randn(5, 3) @ inside.T).reshape(5, 1, 4, 4)
    noise = (torch.randn(5, 13) @ outside.T).reshape(5, 1, 4, 4)
    denoise = fit_pca(train, 3)
    assert torch.allclose(denoise(clean), clean, atol=1e-4)
    assert torch.allclose(denoise(clean + noise), clean, atol=1e-4)


def test_pca_is_the_best_of_the_linear_codes(digits):
    train, _ = digits
    flat = train.flatten(start_dim=1)
    singular = torch.linalg.svdvals(flat - flat.mean(dim=0))
    left = (fit_pca(train, 10)(train) - train).square().sum()
    assert left.item() == pytest.approx(singular[10:].square().sum().item(), rel=1e-3)


def test_channels_of_an_affine_denoiser_are_pixels_like_others():
    swap = torch.eye(8).roll(4, dims=0)  # of 2 channels with 4 pixels each
    image = torch.arange(8.0).reshape(1, 2, 2, 2)
    assert torch.equal(AffineDenoiser(swap, torch.zeros(8))(image), image.flip(1))


def test_best_linear_solves_the_normal_equations():
    clean = torch.rand(300, 1, 3, 3)
    noisy = add_gaussian_noise(clean, 0.3, clip=False, generator=seeded())
    ridge = 5.0
    found = fit_linear(noisy, clean, ridge)
    x, y = (i.flatten(start_dim=1) - i.flatten(1).mean(dim=0) for i in (noisy, clean))
    weight = torch.linalg.solve(x.T @ x + ridge * torch.eye(9), x.T @ y).T
    assert torch.allclose(found.weight, weight, atol=1e-4)
    assert torch.allclose(found(noisy).mean(dim=0), clean.mean(dim=0), atol=1e-4)


def test_best_linear_beats_nothing_the_mean_and_pca_on_digits(digits):
    train, test = digits
    noisy_train, noisy = (
        add_gaussian_noise(images, 0.5, generator=seeded(i))
        for i, images in enumerate((train, test))
    )
    scores = {
        name: (denoise(noisy) - test).square().mean().item()
        for name, denoise in {
            "nothing": lambda images: images,
            "mean": fit_mean_image(train),
            "pca": fit_pca(train, 32),
            "linear": fit_linear(noisy_train, train, 100.0),
        }.items()
    }
    assert scores["linear"] < min(scores["nothing"], scores["mean"], scores["pca"])


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize("sigma", [0.2, 0.7])
def test_posterior_mean_equals_brute_force(sigma, clip):
    """Pixel by pixel and image by image, with SciPy's normal distribution."""
    training = torch.rand(6, 1, 2, 3, dtype=torch.float64)
    noisy = add_gaussian_noise(training[:4], sigma, clip=clip, generator=seeded())
    assert not clip or {0.0, 1.0} & set(noisy.flatten().tolist()), "nothing was cut"
    weights = torch.ones(4, 6, dtype=torch.float64)
    for (i, found), (n, image) in itertools.product(
        enumerate(noisy), enumerate(training)
    ):
        pairs = zip(found.flatten().tolist(), image.flatten().tolist(), strict=True)
        for pixel, mean in pairs:
            if clip and pixel == 0:
                weights[i, n] *= norm.cdf(0, mean, sigma)
            elif clip and pixel == 1:
                weights[i, n] *= norm.sf(1, mean, sigma)
            else:
                weights[i, n] *= norm.pdf(pixel, mean, sigma)
    weights /= weights.sum(dim=1, keepdim=True)
    expected = torch.einsum("in,nchw->ichw", weights, training)
    found = posterior_mean(noisy, training, sigma, clip=clip)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)


def test_posterior_mean_remembers_a_training_image(digits):
    train, _ = digits
    noisy = add_gaussian_noise(train[:20], 0.2, generator=seeded())
    assert torch.allclose(posterior_mean(noisy, train, 0.2), train[:20], atol=1e-4)


def test_posterior_mean_falls_back_to_the_mean_image_under_great_noise(digits):
    train, _ = digits
    noisy = add_gaussian_noise(train[:5], 1e4, clip=False, generator=seeded())
    answers = posterior_mean(noisy, train, 1e4, clip=False)
    assert torch.allclose(answers, train.mean(dim=0).expand_as(answers), atol=1e-3)


def test_no_estimate_beats_the_posterior_mean_on_images_of_the_training_set(digits):
    """Its average squared error is the least there is: three rivals stay behind."""
    train, _ = digits
    sigma, generator = 3.0, seeded()  # so noisy that memory alone does not suffice
    drawn = train[torch.randint(len(train), (1000,), generator=generator)]
    noisy = add_gaussian_noise(drawn, sigma, generator=generator)
    pairs = add_gaussian_noise(train, sigma, generator=generator)
    errors = {
        name: (rival - drawn).square().mean(dim=(1, 2, 3))
        for name, rival in {
            "best": posterior_mean(noisy, train, sigma),
            "forgets that pixels were cut": posterior_mean(
                noisy, train, sigma, clip=False
            ),
            "underestimates the noise": posterior_mean(noisy, train, sigma / 2),
            "linear": fit_linear(pairs, train, 1e4)(noisy),
        }.items()
    }
    best = errors.pop("best")
    for error in errors.values():
        behind = error - best
        assert behind.mean() > 3 * behind.std() / math.sqrt(len(behind))


def test_chunks_of_the_training_set_make_no_difference(digits, monkeypatch):
    train, test = digits
    whole = posterior_mean(test, train, 0.5)
    monkeypatch.setattr("dae_tutorial.evidence.baselines.TRAINING_CHUNK", 7)
    assert torch.allclose(posterior_mean(test, train, 0.5), whole, atol=1e-4)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_want_a_batch_of_images(name):
    with pytest.raises(ValueError, match=r"images must have shape .*got \(28, 28\)"):
        FILTERS[name](torch.rand(28, 28))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: blur(x, 0), "width must be above 0"),
        (lambda x: median(x, 4), "size must be an odd integer"),
        (lambda x: total_variation(x, -1), "weight must be above 0"),
        (lambda x: non_local_means(x, 0), "sigma must be above 0"),
        (lambda x: non_local_means(x, 0.1, math.nan), "strength must be above 0"),
        (lambda x: wavelet(x, 0), "sigma must be above 0"),
        (lambda x: wavelet(x, 0.1, 0), "levels must be an integer"),
        (lambda x: fit_pca(x, 65), "count must be an integer from 1 to 64"),
        (lambda x: fit_linear(x, x[:1]), "noisy must have the shape of clean"),
        (lambda x: fit_linear(x, x, -1), "ridge must be at least 0"),
        (lambda x: posterior_mean(x, x, 0), "sigma must be above 0"),
    ],
)
def test_numbers_out_of_range(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.rand(2, 1, 8, 8))


@pytest.mark.parametrize("name", FILTERS)
def test_no_channel_is_special(name):
    """Reordered channels come out reordered, however different they are."""
    image = torch.rand(1, 3, 16, 16, generator=seeded()) * torch.tensor(
        [0.2, 0.5, 1.0]
    ).reshape(3, 1, 1)
    order = [1, 2, 0]
    assert torch.allclose(
        FILTERS[name](image[:, order]), FILTERS[name](image)[:, order], atol=1e-6
    )


@pytest.mark.parametrize("name", ["blur", "median", "total variation", "wavelet"])
def test_channels_are_filtered_one_by_one(name):
    image = torch.rand(1, 3, 16, 16, generator=seeded())
    alone = [FILTERS[name](channel) for channel in image.split(1, dim=1)]
    assert torch.allclose(FILTERS[name](image), torch.cat(alone, dim=1), atol=1e-6)


@pytest.mark.parametrize(("width", "reach"), [(0.1, 1), (0.3, 1), (1.0, 3), (2.0, 6)])
def test_blur_reaches_three_deviations(width, reach):
    dot = torch.zeros(1, 1, 41, 41)
    dot[0, 0, 20, 20] = 1
    touched = blur(dot, width)[0, 0, 20].nonzero().flatten()
    assert touched.tolist() == list(range(20 - reach, 21 + reach))


def test_median_of_one_pixel_is_the_pixel():
    image = torch.rand(1, 1, 5, 5)
    assert torch.equal(median(image, 1), image)


def test_median_mirrors_the_image_at_its_border():
    image = torch.rand(1, 1, 6, 7)
    mirrored = torch.cat([image.flip(2), image, image.flip(2)], dim=2)
    mirrored = torch.cat([mirrored.flip(3), mirrored, mirrored.flip(3)], dim=3)
    assert torch.equal(median(mirrored, 5)[..., 6:12, 7:14], median(image, 5))


def test_non_local_means_looks_at_patches_of_five_within_six_pixels():
    """Together eight pixels to each side: six to the patch, two to its border."""
    image = torch.rand(1, 1, 1, 41, generator=seeded()).expand(1, 1, 41, 41)
    before = non_local_means(image, SIGMA, strength=20)[0, 0, 20, 20]
    sees = []
    for distance in range(1, 15):
        changed = image.clone()
        changed[0, 0, 20, 20 + distance] += 10
        after = non_local_means(changed, SIGMA, strength=20)[0, 0, 20, 20]
        sees.append(abs(after - before) > 1e-6)
    assert sees == [True] * 8 + [False] * 6


@pytest.mark.parametrize("denoise", [non_local_means, wavelet])
def test_brighter_images_with_as_much_more_noise_are_the_same_problem(denoise):
    noisy = add_gaussian_noise(squares(1), SIGMA, clip=False, generator=seeded())
    once, thrice = denoise(noisy, SIGMA), denoise(3 * noisy, 3 * SIGMA)
    assert torch.allclose(thrice, 3 * once, atol=1e-5)


@pytest.mark.parametrize("denoise", [non_local_means, wavelet])
def test_more_noise_that_is_told_is_more_noise_removed(denoise):
    noisy = add_gaussian_noise(squares(1), SIGMA, clip=False, generator=seeded())
    moved = [(denoise(noisy, s) - noisy).std().item() for s in (0.02, 0.1, 0.5)]
    assert moved == sorted(set(moved))


def test_wavelets_are_smooth_enough_for_a_slope():
    """Those of Daubechies with two moments do not see it; those of Haar do."""
    slope = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
    middle = slice(16, 48)
    kept = wavelet(slope, 1.0)[..., middle, middle]
    assert torch.allclose(kept, slope[..., middle, middle], atol=1e-3)


def test_each_level_of_wavelets_smooths_at_a_coarser_scale():
    noisy = 0.5 + SIGMA * torch.randn(1, 1, 64, 64, generator=seeded())
    left = [wavelet(noisy, SIGMA, levels).std().item() for levels in (1, 2, 3)]
    assert left[0] > 1.5 * left[1] > 2 * left[2]


@pytest.mark.parametrize(
    ("default", "told"),
    [
        (blur, partial(blur, width=1.0)),
        (median, partial(median, size=3)),
        (total_variation, partial(total_variation, weight=0.1)),
        (FILTERS["non-local means"], partial(non_local_means, sigma=0.1, strength=0.8)),
        (FILTERS["wavelet"], partial(wavelet, sigma=0.1, levels=2)),
        (lambda x: fit_pca(x)(x), lambda x: fit_pca(x, count=32)(x)),
        (lambda x: fit_linear(x, x)(x), lambda x: fit_linear(x, x, ridge=1.0)(x)),
    ],
)
def test_defaults_are_those_that_the_evidence_was_measured_with(default, told):
    noisy = torch.rand(40, 1, 16, 16)
    assert torch.equal(default(noisy), told(noisy))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: median(x, 3.0), "size must be an odd integer"),
        (lambda x: wavelet(x, 0.1, 2.0), "levels must be an integer"),
        (lambda x: fit_pca(x, 2.0), "count must be an integer"),
        (lambda x: fit_linear(x, x, math.nan), "ridge must be at least 0"),
    ],
)
def test_numbers_of_the_wrong_kind(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.rand(2, 1, 8, 8))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize(
    "denoise",
    [
        total_variation,
        FILTERS["non-local means"],
        FILTERS["wavelet"],
        lambda x: fit_pca(x, 3).weight,
        lambda x: fit_pca(x, 3).bias,
        lambda x: fit_linear(x, x).weight,
        lambda x: fit_linear(x, x).bias,
    ],
)
def test_answers_have_the_dtype_of_the_images(denoise, dtype):
    assert denoise(torch.rand(4, 1, 16, 16).to(dtype)).dtype == dtype


@pytest.mark.parametrize("count", [1, 16])
def test_pca_has_from_one_component_to_all(count):
    projection = fit_pca(torch.rand(50, 1, 4, 4), count).weight
    assert projection.trace().item() == pytest.approx(count, abs=1e-4)


def test_best_linear_without_a_ridge_is_least_squares():
    clean, noisy = torch.rand(2, 50, 1, 2, 2)
    ones = torch.ones(50, 1)
    solved = torch.linalg.lstsq(
        torch.cat([noisy.flatten(1), ones], dim=1), clean.flatten(1)
    ).solution
    found = fit_linear(noisy, clean, ridge=0)
    assert torch.allclose(found.weight, solved[:4].T, atol=1e-4)
    assert torch.allclose(found.bias, solved[4], atol=1e-4)
