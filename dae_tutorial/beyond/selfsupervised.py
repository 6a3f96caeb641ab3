r"""Training a denoiser where the noise is known and no clean image is.

One noisy copy y = x + n of each image is enough, if n is Gaussian of known level σ.
Stein's unbiased risk estimate (SURE) counts what squared error against y gets wrong.
Noisier2Noise and Recorrupted-to-Recorrupted (R2R) add more noise, and so make pairs.

With *two* noisy copies nothing is needed: Noise2Noise is `fit(model, pairs, None)` with
the one copy as the input and the other as the target. Nothing here may be clipped.
"""

import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Generator, Tensor, nn

Denoiser = Callable[[Tensor], Tensor]


def divergence(
    denoise: Denoiser,
    noisy: Tensor,
    probe: Tensor,
    *,
    answer: Tensor | None = None,
    step: float = 1e-3,
) -> Tensor:
    r"""Estimate the sum of $\partial D_i / \partial y_i$ with a single probe.

    $$b^\top \frac{D(y + h\,b) - D(y)}{h} \approx b^\top J\,b, \qquad
    \mathbb{E}_b\; b^\top J\,b = \operatorname{tr} J
    \quad\text{if}\quad \mathbb{E}\,b\,b^\top = I$$

    J is the matrix of all derivatives. Random signs as b vary least.

    Args:
        denoise: D, keeps the shape of what it is given, or answers rows of pixels. It
            must answer the same twice: no dropout, and no half precision.
        noisy: y, (batch, ...).
        probe: b, of that shape.
        answer: D(y), where it is known already.
        step: h, how far to go along the probe, above 0.

    Returns:
        One estimate an image, (batch,); the gradient flows to what is in `denoise`.

    Raises:
        ValueError: if `step` is not positive and finite, or shapes do not fit.

    Examples:
        >>> noisy, signs = torch.zeros(1, 4), torch.tensor([[1.0, -1.0, -1.0, 1.0]])
        >>> divergence(lambda y: 0.25 * y, noisy, signs)  # 4 pixels, 0.25 each
        tensor([1.])

    Source: Ramani, Blu and Unser (2008), Monte-Carlo SURE.
    """
    _check_positive("step", step)
    if probe.shape != noisy.shape:
        raise ValueError(
            f"probe must have the shape of noisy, {tuple(noisy.shape)}, "
            f"got {tuple(probe.shape)}"
        )
    answer = _as_images(denoise(noisy) if answer is None else answer, noisy)
    slope = (_as_images(denoise(noisy + step * probe), noisy) - answer) / step
    return (probe * slope).flatten(start_dim=1).sum(dim=1)


def sure(
    denoise: Denoiser,
    noisy: Tensor,
    sigma: float,
    *,
    answer: Tensor | None = None,
    generator: Generator | None = None,
) -> Tensor:
    r"""Estimate each image's mean squared error without the clean image.

    $$\frac1N \lVert D(y) - y \rVert^2 - \sigma^2
    + \frac{2\sigma^2}{N} \sum_i \frac{\partial D_i}{\partial y_i}$$

    Its mean over the noise is the mean squared error of D(y) against x. For one image
    it may be far off, and below 0.

    Args:
        denoise: D, as in `divergence`. It must not have been chosen by looking at this
            noise, beyond a few numbers.
        noisy: y, (batch, ...), Gaussian noise of level `sigma`, not clipped.
        sigma: σ, in units of pixel value, above 0.
        answer: D(y), where it is known already.
        generator: source of the probe's random signs, on the device of `noisy`.

    Returns:
        (batch,), in squared units of pixel value.

    Raises:
        ValueError: if `sigma` is not positive and finite, or shapes do not fit.

    Examples:
        >>> clean, generator = torch.zeros(1, 10**6), Generator().manual_seed(0)
        >>> noisy = clean + 0.5 * torch.randn(clean.shape, generator=generator)
        >>> estimate = sure(lambda y: 0.2 * y, noisy, 0.5, generator=generator)
        >>> print(f"{estimate.item():.3f}")  # the truth: 0.04 · 0.25
        0.010

    Source: Stein (1981), Estimation of the mean of a multivariate normal distribution.
    """
    _check_positive("sigma", sigma)
    answer = _as_images(denoise(noisy) if answer is None else answer, noisy)
    coins = torch.rand(noisy.shape, device=noisy.device, generator=generator)
    signs = (coins < 0.5).to(noisy.dtype) * 2 - 1
    slopes = divergence(denoise, noisy, signs, answer=answer)
    residual = (answer - noisy).square().flatten(start_dim=1).mean(dim=1)
    return residual - sigma**2 + 2 * sigma**2 * slopes / noisy[0].numel()


class SureLoss(nn.Module):
    """`sure` as a criterion: `fit(model, pairs, None, criterion=SureLoss(model, σ))`.

    Each pair is a noisy image and the same image again. The model runs twice a step.

    Args:
        model: the model that is trained, as `denoise` in `divergence`.
        sigma: as in `sure`.
        generator: as in `sure`.

    Raises:
        ValueError: if `sigma` is not positive and finite; in the first call, if the
            model, asked again, answers otherwise.

    Examples:
        >>> from dae_tutorial.train import fit
        >>> noisy, model = torch.randn(8, 4), nn.Linear(4, 4)
        >>> loss = SureLoss(model, sigma=1.0)
        >>> history = fit(model, [(noisy, noisy)], None, criterion=loss, epochs=3)
        >>> len(history.train_loss)
        3

    Source: Soltanayev and Chun (2018), Training deep learning based denoisers without
    ground truth data.
    """

    def __init__(
        self, model: nn.Module, sigma: float, *, generator: Generator | None = None
    ):
        super().__init__()
        _check_positive("sigma", sigma)
        self.model, self.sigma, self.generator = model, sigma, generator
        self._is_steady = False

    def forward(self, reconstruction: Tensor, noisy: Tensor) -> Tensor:
        """Return the estimated mean squared error of what the model made of `noisy`."""
        if not self._is_steady:  # a slope would be measured between two chances
            with torch.no_grad():
                again = _as_images(self.model(noisy), noisy).to(reconstruction.dtype)
            self._is_steady = torch.allclose(again, reconstruction, atol=1e-5)
        if not self._is_steady:
            raise ValueError("model must answer alike twice: no dropout, no autocast")
        parts = {"answer": reconstruction, "generator": self.generator}
        return sure(self.model, noisy, self.sigma, **parts).mean()


def undo_extra_noise(answer: Tensor, noisier: Tensor, strength: float) -> Tensor:
    r"""Turn a guess at the noisy image into one at the clean image (Noisier2Noise).

    Train on pairs (y + ασε, y): the best answer to z = y + ασε is E[y | z]. Of all the
    noise in z, the part that was added is α² / (1 + α²), so

    $$\mathbb{E}[x \mid z] = \frac{(1 + \alpha^2)\,\mathbb{E}[y \mid z] - z}{\alpha^2}$$

    Args:
        answer: the model's, to `noisier`, any shape.
        noisier: z, of that shape.
        strength: α, the level of the added noise in units of σ, above 0.

    Returns:
        The guess at the clean image, of that shape; errors are (1 + α²) / α² times
        those of `answer`.

    Raises:
        ValueError: if `strength` is not positive and finite.

    Examples:
        >>> noisier = torch.tensor([2.0])
        >>> undo_extra_noise(torch.tensor([1.5]), noisier, 1.0)  # as much again off
        tensor([1.])

    Source: Moran, Schmidt, Zhong and Coady (2020), Noisier2Noise.
    """
    _check_positive("strength", strength)
    return ((1 + strength**2) * answer - noisier) / strength**2


class RecorruptedPairs:
    r"""Pairs for `fit(model, pairs, None)` out of one noisy copy of each image (R2R).

    $$y_1 = y + \alpha\sigma\varepsilon, \qquad y_2 = y - \sigma\varepsilon / \alpha$$

    The noise in y₁ and in y₂ is uncorrelated, and being Gaussian, independent. So they
    are two noisy copies of x, as Noise2Noise asks for. ε is drawn anew at each pass.

    Args:
        loader: yields noisy images, or tuples that begin with them. If it has a
            `generator`, as `DataLoader` may, ε is drawn from it, too.
        sigma: σ, the level of the noise that is in the images, above 0.
        strength: α, above 0. If small, targets are mostly noise; if large, inputs are.

    Raises:
        ValueError: if `sigma` or `strength` is not positive and finite.

    Examples:
        >>> from dae_tutorial.loaders import ImageTensors
        >>> noisy = ImageTensors(torch.zeros(4, 1, 100, 100))
        >>> pairs = RecorruptedPairs(noisy.loader(4), sigma=0.2, strength=0.5)
        >>> for first, second in pairs:
        ...     print(f"{first.std():.2f} {second.std():.2f}")
        0.10 0.40

    Source: Pang, Zheng, Quan and Ji (2021), Recorrupted-to-Recorrupted.
    """

    def __init__(self, loader: Iterable, sigma: float, strength: float = 0.5):
        _check_positive("sigma", sigma)
        _check_positive("strength", strength)
        self.loader, self.generator = loader, getattr(loader, "generator", None)
        self.sigma, self.strength = sigma, strength

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in self.loader:
            noisy = batch if isinstance(batch, Tensor) else batch[0]
            more = self.sigma * torch.randn(noisy.shape, generator=self.generator)
            yield noisy + self.strength * more, noisy - more / self.strength


def _as_images(answer: Tensor, noisy: Tensor) -> Tensor:
    """Give rows of pixels the shape of images, as `fit` does; refuse all else."""
    if answer.shape not in (noisy.shape, (len(noisy), noisy[0].numel())):
        raise ValueError(
            f"denoise must return images as noisy, {tuple(noisy.shape)}, or one row of "
            f"pixels for each, got {tuple(answer.shape)}"
        )
    return answer.reshape(noisy.shape)


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
