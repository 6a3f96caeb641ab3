r"""Classical denoisers: what a neural network has to beat.

Three kinds. Filters look at one image: blur, median, total variation, non-local means,
wavelets. Affine denoisers, x̂ = W x̃ + b, are fitted to training images: the mean image,
principal components, the best linear map. And the exact posterior mean knows the whole
training set by heart.

All take images of shape (batch, channels, height, width) with values around [0, 1], on
the CPU, return new images of that shape, and leave their input as it is. They are thin
over scikit-image and scikit-learn: `pip install "dae-tutorial[baselines]"`.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from skimage.filters import median as median_filter
from skimage.restoration import (
    denoise_nl_means,
    denoise_tv_chambolle,
    denoise_wavelet,
)
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from torch import Tensor, nn
from torchvision.transforms.v2.functional import gaussian_blur

TRAINING_CHUNK = 4096  # training images compared at a time: some 50 MB of features


def blur(noisy: Tensor, width: float = 1.0) -> Tensor:
    """Average every pixel with its neighbours, with Gaussian weights.

    Noise averages out, and so do edges.

    Args:
        noisy: (batch, channels, height, width).
        width: standard deviation of the weights in pixels, above 0.

    Returns:
        Blurred images.

    Raises:
        ValueError: if `noisy` is misshapen or `width` is not positive.

    Examples:
        >>> dot = torch.zeros(1, 1, 5, 5)
        >>> dot[0, 0, 2, 2] = 1
        >>> blur(dot, 0.5)[0, 0, 2].round(decimals=2)
        tensor([0.0000, 0.0800, 0.6200, 0.0800, 0.0000])
    """
    _check_images(noisy)
    _check_positive("width", width)
    reach = max(1, round(3 * width))  # beyond three deviations, weights vanish
    return gaussian_blur(noisy, kernel_size=2 * reach + 1, sigma=width)


def median(noisy: Tensor, size: int = 3) -> Tensor:
    """Replace every pixel by the median of the square around it.

    A few wild pixels do not move a median: the classical remedy for salt and pepper.

    Args:
        noisy: (batch, channels, height, width).
        size: side of the square in pixels, odd.

    Returns:
        Filtered images; channels are filtered one by one.

    Raises:
        ValueError: if `noisy` is misshapen or `size` is not odd and positive.

    Examples:
        >>> speck = torch.zeros(1, 1, 5, 5)
        >>> speck[0, 0, 2, 2] = 1
        >>> median(speck).max()
        tensor(0.)
    """
    _check_images(noisy)
    if not isinstance(size, int) or size < 1 or size % 2 == 0:
        raise ValueError(f"size must be an odd integer of at least 1, got {size!r}")
    footprint = np.ones((1, 1, size, size))  # one image and channel at a time
    return torch.from_numpy(median_filter(noisy.numpy(), footprint, mode="reflect"))


def total_variation(noisy: Tensor, weight: float = 0.1) -> Tensor:
    """Find the image near the noisy one whose pixels differ least from neighbours.

    The sum of those differences is the total variation. Unlike a blur it forgives one
    large step, so edges stay, and flat parts become flat.

    Args:
        noisy: (batch, channels, height, width).
        weight: of total variation against closeness to the noisy image, above 0.

    Returns:
        Denoised images.

    Raises:
        ValueError: if `noisy` is misshapen or `weight` is not positive.

    Examples:
        >>> edge = torch.tensor([0.0, 1.0]).repeat_interleave(8).expand(1, 1, 16, 16)
        >>> noisy = edge + 0.1 * torch.randn(edge.shape)
        >>> bool((total_variation(noisy, weight=0.2) - edge).std() < 0.05)
        True

    Source: Rudin, Osher and Fatemi (1992); the algorithm is Chambolle's (2004).
    """
    _check_images(noisy)
    _check_positive("weight", weight)
    return _for_each(
        partial(denoise_tv_chambolle, weight=weight, channel_axis=-1), noisy
    )


def non_local_means(noisy: Tensor, sigma: float, strength: float = 0.8) -> Tensor:
    """Average every pixel with pixels whose surroundings look alike.

    Patches of 5 × 5 pixels are compared within 6 pixels to each side; the closer the
    patch, the larger the weight of its centre.

    Args:
        noisy: (batch, channels, height, width).
        sigma: standard deviation of the noise, above 0.
        strength: how fast weights fall with distance, in units of `sigma`, above 0.

    Returns:
        Denoised images.

    Raises:
        ValueError: if `noisy` is misshapen, or a number is not positive.

    Examples:
        >>> stripes = torch.tensor([0.2, 0.8]).repeat(8).expand(1, 1, 16, 16)
        >>> noisy = stripes + 0.1 * torch.randn(stripes.shape)
        >>> noise_left = (non_local_means(noisy, sigma=0.1) - stripes).std()
        >>> bool(noise_left < 0.05)
        True

    Source: Buades, Coll and Morel (2005), A non-local algorithm for image denoising.
    """
    _check_images(noisy)
    _check_positive("sigma", sigma)
    _check_positive("strength", strength)
    denoise = partial(
        denoise_nl_means,
        patch_size=5,
        patch_distance=6,
        h=strength * sigma,
        sigma=sigma,
        channel_axis=-1,
    )
    return _for_each(denoise, noisy)


def wavelet(noisy: Tensor, sigma: float, levels: int = 2) -> Tensor:
    """Write the image as a sum of wavelets, and shrink all small coefficients.

    An image is mostly a few large coefficients, noise is many small ones. How far to
    shrink is estimated in each band (BayesShrink), given the level of the noise.

    Args:
        noisy: (batch, channels, height, width).
        sigma: standard deviation of the noise, above 0.
        levels: scales, each twice as coarse as the one before, at least 1.

    Returns:
        Denoised images.

    Raises:
        ValueError: if `noisy` is misshapen, or a number is out of range.

    Examples:
        >>> flat = torch.full((1, 1, 16, 16), 0.5)
        >>> noisy = flat + 0.1 * torch.randn(flat.shape)
        >>> bool((wavelet(noisy, sigma=0.1) - flat).std() < 0.05)
        True

    Source: Chang, Yu and Vetterli (2000), Adaptive wavelet thresholding for image
    denoising and compression.
    """
    _check_images(noisy)
    _check_positive("sigma", sigma)
    if not isinstance(levels, int) or levels < 1:
        raise ValueError(f"levels must be an integer of at least 1, got {levels!r}")
    denoise = partial(
        denoise_wavelet,
        sigma=sigma,
        wavelet="db2",
        wavelet_levels=levels,
        channel_axis=-1,
        rescale_sigma=False,  # sigma is in the units of the image already
    )
    return _for_each(denoise, noisy)


class AffineDenoiser(nn.Module):
    """A fixed matrix and offset on flat images: x̂ = W x̃ + b.

    Args:
        weight: W, (pixels, pixels).
        bias: b, (pixels,).

    Examples:
        >>> halve = AffineDenoiser(0.5 * torch.eye(4), torch.zeros(4))
        >>> halve(torch.ones(1, 1, 2, 2))
        tensor([[[[0.5000, 0.5000],
                  [0.5000, 0.5000]]]])
    """

    def __init__(self, weight: Tensor, bias: Tensor):
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)

    def forward(self, noisy: Tensor) -> Tensor:
        """Denoise images.

        Args:
            noisy: (batch, channels, height, width) with as many pixels as `bias`.

        Returns:
            Denoised images of that shape.
        """
        flat = nn.functional.linear(noisy.flatten(start_dim=1), self.weight, self.bias)
        return flat.reshape(noisy.shape)


def fit_mean_image(clean: Tensor) -> AffineDenoiser:
    """Answer every image with the mean of the training images.

    The denoiser that does not even look. What does worse than it is of little use.

    Args:
        clean: training images, (count, channels, height, width).

    Returns:
        The denoiser: W = 0 and b the mean image.

    Raises:
        ValueError: if `clean` is misshapen.

    Examples:
        >>> clean = torch.rand(10, 1, 2, 2)
        >>> torch.equal(fit_mean_image(clean)(clean)[0], clean.mean(dim=0))
        True
    """
    mean = _flat(clean).mean(dim=0)
    return AffineDenoiser(torch.zeros(len(mean), len(mean)), mean)


def fit_pca(clean: Tensor, count: int = 32) -> AffineDenoiser:
    """Project onto the principal components of clean training images.

    What an image has in common with the components stays; the rest is noise, mostly.
    It is the best linear autoencoder with a code of `count` numbers.

    Args:
        clean: training images, (count, channels, height, width).
        count: components, from 1 to the number of pixels.

    Returns:
        The denoiser: x̂ = m + VᵀV (x̃ - m), components in the rows of V.

    Raises:
        ValueError: if `clean` is misshapen or `count` does not fit.

    Examples:
        >>> clean = torch.rand(50, 1, 2, 2)
        >>> torch.allclose(fit_pca(clean, 4)(clean), clean, atol=1e-5)  # all of them
        True

    Source: Pearson (1901); Baldi and Hornik (1989) for the autoencoder.
    """
    flat = _flat(clean)
    if not isinstance(count, int) or not 1 <= count <= flat.shape[1]:
        raise ValueError(
            f"count must be an integer from 1 to {flat.shape[1]}, got {count!r}"
        )
    pca = PCA(count, svd_solver="covariance_eigh").fit(flat.numpy())
    components = torch.from_numpy(pca.components_).to(flat.dtype)
    mean = torch.from_numpy(pca.mean_).to(flat.dtype)
    projection = components.T @ components
    return AffineDenoiser(projection, mean - projection @ mean)


def fit_linear(noisy: Tensor, clean: Tensor, ridge: float = 1.0) -> AffineDenoiser:
    r"""Find the linear map from noisy to clean images of least squared error.

    $$\min_{W,\,b} \sum_n \lVert W \tilde{x}_n + b - x_n \rVert^2
    + \lambda \lVert W \rVert^2$$

    It has a closed form. With λ = 0 no other matrix and offset does better on these
    training pairs; a small λ gives up a little of that, to do better on new ones.

    Args:
        noisy: corrupted training images, (count, channels, height, width).
        clean: the same images without noise.
        ridge: λ, keeps W small where the pairs do not determine it, at least 0.

    Returns:
        The denoiser.

    Raises:
        ValueError: if images are misshapen or differ in shape, or `ridge` is negative.

    Examples:
        >>> clean = torch.rand(500, 1, 2, 2)
        >>> fit_linear(clean / 2, clean, ridge=1e-6).weight.diagonal().round(decimals=3)
        tensor([2., 2., 2., 2.])

    Source: Wiener (1949); Hoerl and Kennard (1970) for the ridge.
    """
    if noisy.shape != clean.shape:
        raise ValueError(
            f"noisy must have the shape of clean, {tuple(clean.shape)}, "
            f"got {tuple(noisy.shape)}"
        )
    if not ridge >= 0:
        raise ValueError(f"ridge must be at least 0, got {ridge}")
    solved = Ridge(ridge, solver="cholesky").fit(
        _flat(noisy).numpy(), _flat(clean).numpy()
    )
    weight = torch.from_numpy(solved.coef_).to(clean.dtype)
    return AffineDenoiser(weight, torch.from_numpy(solved.intercept_).to(clean.dtype))


def posterior_mean(
    noisy: Tensor, training: Tensor, sigma: float, *, clip: bool = True
) -> Tensor:
    r"""Average all training images, weighted by how likely each explains the noisy one.

    $$\hat{x} = \sum_n w_n x_n, \qquad
    w_n = \frac{p(\tilde{x} \mid x_n)}{\sum_k p(\tilde{x} \mid x_k)}$$

    If clean images were drawn from the training set, nothing could have a smaller
    expected squared error: this is what a denoiser that is trained without limits
    tends to, and it is pure memory.

    Gaussian noise gives every pixel a normal density. Clipping moves all that falls
    below 0 onto 0, and all above 1 onto 1; so a pixel found at 0 has the probability
    Φ(-x/σ), one found at 1 has Φ((x - 1)/σ), and only those between have a density.

    Args:
        noisy: (batch, channels, height, width). Memory holds `batch` times the number
            of training images; a few hundred at a time are fine.
        training: clean images in [0, 1], (count, channels, height, width).
        sigma: standard deviation of the noise, above 0.
        clip: whether the noise was clipped, as in `add_gaussian_noise`.

    Returns:
        Posterior means, of the shape of `noisy`.

    Raises:
        ValueError: if images are misshapen, or `sigma` is not positive.

    Examples:
        >>> training = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])
        >>> noisy = torch.tensor([[[[0.9, 1.0], [0.4, 0.8]]]])
        >>> posterior_mean(noisy, training, sigma=0.2)
        tensor([[[[1., 1.],
                  [1., 1.]]]])
    """
    _check_positive("sigma", sigma)
    found, known = _flat(noisy), _flat(training)
    at_zero, at_one = ((found <= 0) & clip, (found >= 1) & clip)
    between = (~(at_zero | at_one)).to(found.dtype)
    # Three sums over pixels, with a factor of `noisy` times one of `training` in each
    # term: one matrix product. (x̃ - x)² = x̃² - 2 x̃x + x², and x̃² cancels in w.
    precision = 1 / sigma**2
    of_noisy = torch.cat(
        [precision * found * between, precision * between, at_zero, at_one], dim=1
    )
    log_likelihood = torch.cat(
        [
            of_noisy @ _likelihood_features(chunk, sigma).T
            for chunk in known.split(TRAINING_CHUNK)
        ],
        dim=1,
    )  # (batch, count), up to a constant of each noisy image
    return (log_likelihood.softmax(dim=1) @ known).reshape(noisy.shape)


def _likelihood_features(flat: Tensor, sigma: float) -> Tensor:
    """Return what the likelihood needs of each training image: (count, 4 · pixels)."""
    log_below_zero = torch.special.log_ndtr(-flat / sigma)
    log_above_one = torch.special.log_ndtr((flat - 1) / sigma)
    return torch.cat([flat, -flat.square() / 2, log_below_zero, log_above_one], dim=1)


def _for_each(denoise: Callable[..., np.ndarray], noisy: Tensor) -> Tensor:
    """Apply a function of (height, width, channels) arrays to each image."""
    # Channels last: with another channel_axis, denoise_nl_means of scikit-image 0.26
    # mixes up the axes of grey images.
    images = noisy.permute(0, 2, 3, 1).numpy()
    denoised = [denoise(image).reshape(image.shape) for image in images]
    return torch.from_numpy(np.stack(denoised)).to(noisy.dtype).permute(0, 3, 1, 2)


def _flat(images: Tensor) -> Tensor:
    _check_images(images)
    return images.flatten(start_dim=1)


def _check_images(images: Tensor) -> None:
    if images.ndim != 4 or len(images) == 0:
        raise ValueError(
            f"images must have shape (batch, channels, height, width) with at least "
            f"one image, got {tuple(images.shape)}"
        )


def _check_positive(name: str, value: float) -> None:
    if not value > 0:  # true for NaN, too
        raise ValueError(f"{name} must be above 0, got {value}")
