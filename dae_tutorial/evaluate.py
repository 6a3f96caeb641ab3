"""How well does a model denoise, and how much better is that than doing nothing?

The noise of an evaluation is drawn from a seed, on the CPU, so every model, on every
device, meets the very same noisy images.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn

HIGHEST_PSNR = 100.0
"""What an image without any error counts in an average, in decibels."""


@dataclass(frozen=True)
class Evaluation:
    """Scores over a set of images, beside those of the noisy images themselves.

    Attributes:
        mse: mean squared error of the reconstructions, averaged over images.
        psnr: peak signal-to-noise ratio of the reconstructions in dB, averaged over
            images, of which none counts more than `HIGHEST_PSNR`.
        noisy_mse: the same error for the noisy images: what doing nothing scores.
        noisy_psnr: the same ratio for the noisy images.
        images: how many images there were.
    """

    mse: float
    psnr: float
    noisy_mse: float
    noisy_psnr: float
    images: int


def mean_squared_error(image: Tensor, clean: Tensor) -> Tensor:
    """Mean squared error of each image.

    Args:
        image: of the shape of `clean`, or one row of pixels an image, (batch, pixels).
        clean: (batch, ...).

    Returns:
        (batch,), in squared units of pixel value.

    Raises:
        TypeError: if `image` is no tensor.
        ValueError: if `image` has another shape.

    Examples:
        >>> mean_squared_error(torch.full((2, 4), 0.1), torch.zeros(2, 4))
        tensor([0.0100, 0.0100])
    """
    difference = _as_images(image, clean) - clean
    return difference.square().flatten(start_dim=1).mean(dim=1)


def psnr(image: Tensor, clean: Tensor) -> Tensor:
    r"""Peak signal-to-noise ratio of each image, for pixels in [0, 1].

    $$\mathrm{PSNR} = 10 \log_{10} \frac{1}{\mathrm{MSE}}$$

    Args:
        image: as in `mean_squared_error`.
        clean: (batch, ...).

    Returns:
        (batch,), in decibels; infinite for a perfect image.

    Raises:
        TypeError: as in `mean_squared_error`.
        ValueError: as in `mean_squared_error`.

    Examples:
        >>> psnr(torch.full((2, 4), 0.1), torch.zeros(2, 4))
        tensor([20., 20.])
    """
    return -10 * mean_squared_error(image, clean).log10()


def ssim(image: Tensor, clean: Tensor) -> Tensor:
    """Structural similarity of each image, for pixels in [0, 1].

    Means, variances and covariance of the two images are compared under a sliding
    Gaussian window of 11 × 11 pixels.

    Args:
        image: as in `mean_squared_error`.
        clean: (batch, channels, height, width), each side of at least 11 pixels.

    Returns:
        (batch,), 1 for a perfect image.

    Raises:
        TypeError: as in `mean_squared_error`.
        ValueError: if `image` has another shape, or is smaller than the window.

    Examples:
        >>> clean = torch.eye(28).expand(2, 1, 28, 28)
        >>> ssim(clean, clean)
        tensor([1., 1.])
        >>> ssim(1 - clean, clean) < 0.1
        tensor([True, True])

    Source: Wang, Bovik, Sheikh and Simoncelli (2004), Image quality assessment: from
    error visibility to structural similarity.
    """
    # Slow to import, and only this function needs it.
    from torchmetrics.functional.image import structural_similarity_index_measure

    if clean.ndim != 4 or min(clean.shape[-2:]) < 11:
        raise ValueError(
            f"clean must have shape (batch, channels, height, width) with sides of at "
            f"least 11, got {tuple(clean.shape)}"
        )
    image = _as_images(image, clean)
    scores = structural_similarity_index_measure(
        image, clean, data_range=1.0, reduction="none"
    )
    return scores.reshape(len(image))


def evaluate(
    model: Callable[[Tensor], Tensor],
    batches: Iterable,
    corrupt: Callable[..., Tensor] | None,
    *,
    seed: int = 0,
    autocast: torch.dtype | None = None,
    key: str = "image",
) -> Evaluation:
    """Corrupt images with seeded noise, reconstruct them, and score the result.

    The model is put into evaluation mode for the while, and each of its parts back
    into the mode it came in.

    Args:
        model: maps noisy images to reconstructions, of the shape of the clean images
            or one row of pixels an image, (batch, pixels). It is given them in the
            precision of its weights. Any function will do, such as a filter, which
            then runs on the CPU.
        batches: yields clean images in [0, 1], or tuples that begin with them, such
            as (images, labels), or dicts. Where `corrupt` is None: pairs (noisy,
            clean).
        corrupt: called as `corrupt(images, generator=generator)`; None where batches
            bring noisy images along. Channels behind the images' own on the noisy
            side, such as the noise level, are for the model alone.
        seed: seed of the noise: the same for every model that is compared.
        autocast: run the model in this precision where that is safe, as `fit` does.
        key: the name of the images, where batches are dicts.

    Returns:
        Scores of the model and of doing nothing, averaged over images: a short last
        batch counts by its images.

    Raises:
        TypeError: if the model or the batches yield no tensor, or the first images
            are none of floating point.
        ValueError: if there are no images, if the first ones lie outside [0, 1], if
            `corrupt` writes into what it is given or does not fit the batches, or if
            the reconstruction is neither as the clean images are nor one row of pixels
            for each of them.

    Examples:
        >>> from dae_tutorial.noise import add_gaussian_noise
        >>> batches = [(torch.rand(8, 1, 28, 28), torch.zeros(8))]
        >>> scores = evaluate(nn.Identity(), batches, add_gaussian_noise)
        >>> scores.mse == scores.noisy_mse, scores.images
        (True, 8)
    """
    network = model if isinstance(model, nn.Module) else nn.Identity()
    parameter = next(network.parameters(), None)
    device = parameter.device if parameter is not None else torch.device("cpu")
    kind = parameter.dtype if parameter is not None else None
    precision = torch.autocast(device.type, autocast, enabled=autocast is not None)
    generator = torch.Generator().manual_seed(seed)
    scores = []
    with torch.no_grad(), _evaluation_mode(network):
        for batch in batches:
            clean, noisy = _unpacked(batch, corrupt, key)
            if not scores:
                _check_images(clean)
            clean = clean.cpu()  # as the noise's generator is
            if noisy is None:
                noisy = _corrupted(corrupt, clean, generator, watch=not scores)
            with precision:
                reconstruction = model(noisy.to(device, kind))
            if isinstance(reconstruction, Tensor):
                reconstruction = reconstruction.to("cpu", clean.dtype)
            scores.append(_score(reconstruction, _images_of(noisy.cpu(), clean), clean))
    every_image = torch.cat(scores, dim=1).double() if scores else torch.zeros(4, 0)
    if every_image.numel() == 0:
        raise ValueError("batches must yield at least one image, got none")
    return Evaluation(*every_image.mean(dim=1).tolist(), images=every_image.shape[1])


@contextmanager
def _evaluation_mode(network: nn.Module) -> Iterator[None]:
    modes = [(part, part.training) for part in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for part, mode in modes:  # one by one: some may be frozen
            part.training = mode


def _unpacked(
    batch: Any, corrupt: Callable[..., Tensor] | None, key: str
) -> tuple[Tensor, Tensor | None]:
    """Return clean images, and noisy ones where batches hold both."""
    if isinstance(batch, Mapping):
        if key not in batch:
            raise ValueError(f"key must be one of {', '.join(batch)}, got {key!r}")
        batch = batch[key]
    parts = batch if isinstance(batch, tuple | list) else [batch]
    if not parts or not isinstance(parts[0], Tensor):
        kind = type(parts[0] if parts else batch).__name__
        raise TypeError(f"batches must yield tensors of images, got {kind}")
    images, second = parts[0], parts[1] if len(parts) == 2 else None
    is_pair = isinstance(second, Tensor) and second.is_floating_point()
    is_pair = is_pair and _go_together(images, second)
    if corrupt is not None:  # more channels are no pair: they may be anything
        is_pair = is_pair and second.shape == images.shape
    if is_pair == (corrupt is None):
        return (second, images) if is_pair else (images, None)
    if is_pair:
        raise ValueError(
            f"batches must not yield two tensors of one shape, {tuple(images.shape)}, "
            f"beside a corruption: pass corrupt=None if they are noisy and clean "
            f"images, or batches of the clean images alone"
        )
    raise ValueError(
        "corrupt must be given, unless batches yield (noisy, clean) images of one shape"
    )


def _go_together(noisy: Tensor, clean: Tensor) -> bool:
    """Tell whether the images are as large; noisy ones may bring their level along."""
    sides = clean.shape[:1] == noisy.shape[:1] and clean.shape[2:] == noisy.shape[2:]
    have_channels = min(clean.ndim, noisy.ndim) > 1
    return have_channels and sides and clean.shape[1] <= noisy.shape[1]


def _check_images(clean: Tensor) -> None:
    """Refuse what the scores do not hold for: they assume pixels in [0, 1]."""
    if not clean.is_floating_point():
        raise TypeError(
            f"batches must yield floating-point images, got a {clean.dtype} tensor; "
            f"for images stored as bytes, pass images.float() / 255"
        )
    if clean.numel() == 0:
        return
    low, high = (bound.item() for bound in clean.aminmax())
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # NaN is out of range, too
        raise ValueError(
            f"batches must yield images in [0, 1], got values from {low:g} to "
            f"{high:g}; divide bytes by 255, and undo any normalisation"
        )


def _corrupted(
    corrupt: Callable[..., Tensor], clean: Tensor, generator: Generator, *, watch: bool
) -> Tensor:
    """Corrupt images; if told to watch, refuse a corruption that changes its input."""
    if not watch:
        return corrupt(clean, generator=generator)
    before = clean.clone()
    noisy = corrupt(clean, generator=generator)
    if not torch.equal(clean, before):
        clean.copy_(before)
        raise ValueError(
            "corrupt must return new images, but wrote into those that it was given, "
            "which are the target; let it begin with images = images.clone()"
        )
    return noisy


def _as_images(image: Tensor, clean: Tensor) -> Tensor:
    """Give rows of pixels the shape of images, and let nothing else through."""
    if not isinstance(image, Tensor):
        raise TypeError(f"image must be a tensor, got {type(image).__name__}")
    rows = (len(clean), math.prod(clean.shape[1:]))
    # Otherwise a difference would broadcast: every pixel minus every other.
    if image.shape not in (clean.shape, rows):
        raise ValueError(
            f"image must have the shape of clean, {tuple(clean.shape)}, or be one row "
            f"of pixels an image, {rows}, got {tuple(image.shape)}"
        )
    return image.reshape(clean.shape)


def _images_of(noisy: Tensor, clean: Tensor) -> Tensor:
    """Leave out the channels that tell a noise-aware model of the noise."""
    if noisy.ndim == clean.ndim > 2 and noisy.shape[1] > clean.shape[1]:
        return noisy[:, : clean.shape[1]]
    return noisy


def _finite_psnr(image: Tensor, clean: Tensor) -> Tensor:
    return psnr(image, clean).clamp(max=HIGHEST_PSNR)


def _score(reconstruction: Tensor, noisy: Tensor, clean: Tensor) -> Tensor:
    """Score a batch in the order of `Evaluation`'s fields: (4, batch)."""
    return torch.stack(
        [
            score(image, clean)
            for image in (reconstruction, noisy)
            for score in (mean_squared_error, _finite_psnr)
        ]
    )
