r"""One denoiser for every noise level, from almost nothing to pure noise.

A network that meets σ = 0.01 and σ = 10 meets inputs of very different size, and is
asked for very different things: at low noise, to take a little off what it is given; at
high noise, to invent. `Preconditioned` scales input and output such that any network
is given, and asked for, numbers of size one at each level.

The images here are not clipped: all of this rests on noise that is exactly Gaussian.
"""

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional


class Preconditioned(nn.Module):
    r"""A denoiser D(x̃, σ) around any network F, alike at all levels.

    $$D(\tilde{x}, \sigma) = \frac{\sigma_d^2}{\sigma^2 + \sigma_d^2}\,\tilde{x}
    + \frac{\sigma\,\sigma_d}{\sqrt{\sigma^2 + \sigma_d^2}}\;
    F\!\left(\frac{\tilde{x}}{\sqrt{\sigma^2 + \sigma_d^2}},\; \tfrac14 \ln \sigma
    \right)$$

    With these factors, F's input and what it should answer have mean square one, for
    data of spread σ_d around zero, and what is wrong with F's answer is made as small
    as it can be on its way out.

    Args:
        network: maps (batch, channels + 1 + classes, ...), the scaled noisy images, one
            channel with the level, and one for each class, to (batch, channels, ...).
        sigma_data: the spread σ_d of the clean data, above 0: measure it. For MNIST in
            [0, 1], 0.308.
        classes: how many classes the network is told of; 0 for none.

    Raises:
        ValueError: if `sigma_data` is not positive and finite.

    Examples:
        >>> class Silent(nn.Module):
        ...     def forward(self, told): return torch.zeros_like(told[:, :1])
        >>> denoise = Preconditioned(Silent(), sigma_data=1.0)
        >>> denoise(torch.full((1, 1, 1, 2), 2.0), 1.0)  # data N(0, I): the best answer
        tensor([[[[1.0000, 1.0000]]]])

    Source: Karras, Aittala, Aila and Laine (2022), Elucidating the design space of
    diffusion-based generative models, section 5 and table 1.
    """

    def __init__(self, network: nn.Module, sigma_data: float, classes: int = 0):
        super().__init__()
        if not 0 < sigma_data < math.inf:
            raise ValueError(
                f"sigma_data must be a finite number above 0, got {sigma_data!r}"
            )
        self.network, self.sigma_data, self.classes = network, sigma_data, classes

    def forward(
        self, noisy: Tensor, sigma: float | Tensor, labels: Tensor | None = None
    ) -> Tensor:
        """Denoise images of a known level; the answer has their shape, and no bounds.

        Args:
            noisy: (batch, channels, ...), any range.
            sigma: the standard deviation of the noise, above 0: one number, or one an
                image, (batch,).
            labels: classes, (batch,), integers; -1 where an image's is not told. None
                is told by default.

        Raises:
            ValueError: if a level is not positive and finite, or `labels` do not fit
                the images or the classes that the network knows.
        """
        skip, out, told = self.scaled(noisy, sigma, labels)
        return skip * noisy + out * self.network(told)

    def question(
        self, clean: Tensor, noisy: Tensor, sigma: Tensor, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return what the network is given in training, and what it should answer.

        That is a pair for `fit(denoiser.network, pairs, None)`, from clean images and
        noisy ones of one shape.
        """
        skip, out, told = self.scaled(noisy, sigma, labels)
        return told, (clean - skip * noisy) / out

    def scaled(
        self, noisy: Tensor, sigma: float | Tensor, labels: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the two factors on the way out, and the network's input."""
        sigma = torch.as_tensor(sigma, dtype=noisy.dtype, device=noisy.device)
        if not ((sigma > 0) & sigma.isfinite()).all():
            raise ValueError("sigma must be finite numbers above 0")
        level = sigma.expand(len(noisy)).reshape(-1, *[1] * (noisy.ndim - 1))
        size = (level**2 + self.sigma_data**2).sqrt()
        skip, out = (self.sigma_data / size) ** 2, level * self.sigma_data / size
        channels = [level.log() / 4]
        if self.classes:
            channels.append(self._one_hot(labels, noisy))
        elif labels is not None:
            raise ValueError("labels must be None: the network was told no classes")
        channels = [part.expand(-1, -1, *noisy.shape[2:]) for part in channels]
        return skip, out, torch.cat([noisy / size, *channels], dim=1)

    def _one_hot(self, labels: Tensor | None, noisy: Tensor) -> Tensor:
        """Return (batch, classes, 1, ...), all zeros where no class is told."""
        if labels is None:
            labels = torch.full((len(noisy),), -1, device=noisy.device)
        if (
            labels.shape != noisy.shape[:1]
            or not ((labels >= -1) & (labels < self.classes)).all()
        ):
            raise ValueError(
                f"labels must be {len(noisy)} integers from -1 to {self.classes - 1}"
            )
        told = functional.one_hot(labels + 1, self.classes + 1)[:, 1:].to(noisy.dtype)
        return told.reshape(*told.shape, *[1] * (noisy.ndim - 2))


class MultilevelPairs:
    r"""Pairs for `fit`: at each pass, new noise of a new level for every image.

    $$\ln \sigma \sim \mathcal{N}(\mu, s^2)$$

    Low levels teach strokes, high ones where digits are; the middle, where most is to
    be learned, is drawn most often.

    Args:
        loader: yields (images, labels) and has a `generator`, as `DataLoader` may; the
            noise is drawn from it, too, so that a checkpoint keeps one stream.
        denoiser: what poses the questions.
        mean: μ, the mean of ln σ.
        deviation: s, its standard deviation.
        unlabelled: the share of images whose class is not told, so that the network
            learns to do without, too.

    Examples:
        >>> from dae_tutorial.loaders import ImageTensors
        >>> images = ImageTensors(torch.rand(6, 1, 4, 4), torch.arange(6))
        >>> denoiser = Preconditioned(nn.Identity(), sigma_data=0.3, classes=10)
        >>> pairs = MultilevelPairs(images.loader(3), denoiser)
        >>> [(given.shape, wanted.shape) for given, wanted in pairs][0]
        (torch.Size([3, 12, 4, 4]), torch.Size([3, 1, 4, 4]))
    """

    def __init__(
        self,
        loader: Iterable,
        denoiser: Preconditioned,
        *,
        mean: float = -1.7,
        deviation: float = 1.2,
        unlabelled: float = 0.15,
    ):
        self.loader, self.denoiser, self.generator = loader, denoiser, loader.generator
        self.mean, self.deviation, self.unlabelled = mean, deviation, unlabelled

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for clean, labels in self.loader:
            draw = {"generator": self.generator}
            sigma = (self.mean + self.deviation * torch.randn(len(clean), **draw)).exp()
            noise = torch.randn(clean.shape, **draw)
            noisy = clean + sigma.reshape(-1, *[1] * (clean.ndim - 1)) * noise
            if self.denoiser.classes:
                hidden = torch.rand(len(clean), **draw) < self.unlabelled
                labels = labels.masked_fill(hidden, -1)
            else:
                labels = None
            yield self.denoiser.question(clean, noisy, sigma, labels)
