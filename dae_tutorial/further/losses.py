r"""Losses that are not in torch.nn: the emphasised loss of denoising autoencoders.

Mean squared error, binary cross-entropy and absolute error are `nn.MSELoss`,
`nn.BCELoss` and `nn.L1Loss`.
"""

from collections.abc import Callable

from torch import Generator, Tensor, nn


def emphasised_error(
    reconstruction: Tensor,
    clean: Tensor,
    noisy: Tensor,
    *,
    corrupted: float = 1.0,
    intact: float = 0.5,
) -> Tensor:
    r"""Weigh squared errors by whether the noise has changed the pixel.

    $$\frac{1}{N} \Big( \alpha \sum_{i:\, \tilde{x}_i \neq x_i} (\hat{x}_i - x_i)^2
    + \beta \sum_{i:\, \tilde{x}_i = x_i} (\hat{x}_i - x_i)^2 \Big)$$

    N counts all pixels. So two weights of 1 give the mean squared error, and the
    error with weights 1 and 0 plus that with weights 0 and 1 is the mean squared
    error, too.

    A pixel counts as corrupted if its value has changed: a black pixel that masking
    noise set to black is intact.

    Args:
        reconstruction: what the model returned, (batch, ...).
        clean: what it should return, the same shape.
        noisy: what it was given, the same shape.
        corrupted: the weight of pixels that the noise has changed, at least 0.
        intact: the weight of the other pixels, at least 0.

    Returns:
        A scalar, in squared units of pixel value.

    Raises:
        ValueError: if the shapes differ, or a weight is negative or NaN.

    Examples:
        >>> import torch
        >>> clean = torch.tensor([[1.0, 1.0]])
        >>> noisy = torch.tensor([[0.0, 1.0]])  # only the first pixel has changed
        >>> emphasised_error(torch.tensor([[0.6, 1.0]]), clean, noisy)
        tensor(0.0800)
        >>> emphasised_error(torch.tensor([[1.0, 0.6]]), clean, noisy)
        tensor(0.0400)

    Source: Vincent et al. (2010), Stacked denoising autoencoders, section 3.4, the
    extension that puts an emphasis on corrupted dimensions. Weights 1 and 0.5 are its
    double emphasis, 1 and 0 its full emphasis. There a dimension counts as corrupted
    if it was chosen for corruption, whether or not its value has changed; here, only
    if its value has changed. With masking noise the two differ at every black pixel.
    """
    if not reconstruction.shape == clean.shape == noisy.shape:
        raise ValueError(
            f"reconstruction, clean and noisy must have one shape, got "
            f"{tuple(reconstruction.shape)}, {tuple(clean.shape)} and "
            f"{tuple(noisy.shape)}"
        )
    _check_weights(corrupted, intact)
    weight = (noisy != clean).to(clean.dtype) * (corrupted - intact) + intact
    return (weight * (reconstruction - clean).square()).mean()


class EmphasisedLoss(nn.Module):
    """`emphasised_error` as a criterion for training.

    A training loop shows its criterion the reconstruction and the clean images. This
    one must know the noisy images as well, so it wraps the corruption: pass its
    `corrupt` to the loop, and it remembers what it handed out last. The loop must use
    the batch whole, as it does in a single process.

    Args:
        corruption: called as `corruption(images, generator=generator)`.
        corrupted: the weight of pixels that the noise has changed, at least 0.
        intact: the weight of the others, at least 0.

    Raises:
        ValueError: if a weight is negative or NaN.

    Examples:
        >>> import torch
        >>> from dae_tutorial.model import Autoencoder
        >>> from dae_tutorial.noise import add_masking_noise
        >>> from dae_tutorial.train import fit
        >>> batches = [(torch.rand(8, 1, 28, 28), torch.zeros(8))]
        >>> loss = EmphasisedLoss(add_masking_noise)
        >>> history = fit(
        ...     Autoencoder(), batches, loss.corrupt, criterion=loss, epochs=2
        ... )
        >>> history.train_loss[1] < history.train_loss[0]
        True
    """

    def __init__(
        self,
        corruption: Callable[..., Tensor],
        *,
        corrupted: float = 1.0,
        intact: float = 0.5,
    ):
        super().__init__()
        _check_weights(corrupted, intact)
        self.corruption = corruption
        self.corrupted = corrupted
        self.intact = intact
        self._noisy: Tensor | None = None

    def corrupt(self, images: Tensor, *, generator: Generator | None = None) -> Tensor:
        """Corrupt images, and remember the result for the next call of the loss.

        Args:
            images: clean images, (batch, ...).
            generator: source of randomness, handed to the corruption.

        Returns:
            What the corruption returns.

        Examples:
            >>> import torch
            >>> from dae_tutorial.noise import add_masking_noise
            >>> EmphasisedLoss(add_masking_noise).corrupt(torch.ones(2, 3)).shape
            torch.Size([2, 3])
        """
        self._noisy = self.corruption(images, generator=generator)
        return self._noisy

    def forward(self, reconstruction: Tensor, clean: Tensor) -> Tensor:
        """Compare reconstructions with the images that were corrupted last.

        Args:
            reconstruction: (batch, ...).
            clean: the images that `corrupt` was given last, the same shape.

        Returns:
            A scalar, in squared units of pixel value.

        Raises:
            RuntimeError: if `corrupt` was not called before.
            ValueError: if the shapes differ.

        Examples:
            >>> import torch
            >>> from dae_tutorial.noise import add_masking_noise
            >>> loss = EmphasisedLoss(add_masking_noise)
            >>> clean = torch.ones(2, 3)
            >>> noisy = loss.corrupt(clean)
            >>> loss(clean, clean)
            tensor(0.)
        """
        if self._noisy is None:
            raise RuntimeError(
                "the loss has not seen the noisy images; corrupt them with its "
                "`corrupt`, as in fit(model, batches, loss.corrupt, criterion=loss)"
            )
        return emphasised_error(
            reconstruction,
            clean,
            self._noisy,
            corrupted=self.corrupted,
            intact=self.intact,
        )


def _check_weights(corrupted: float, intact: float) -> None:
    if not (corrupted >= 0 and intact >= 0):  # false for NaN, too
        raise ValueError(
            f"weights must be at least 0, got corrupted={corrupted}, intact={intact}"
        )
