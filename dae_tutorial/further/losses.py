r"""Losses that are not in torch.nn: the emphasised loss of denoising autoencoders.

Mean squared error, binary cross-entropy and absolute error are `nn.MSELoss`,
`nn.BCELoss` and `nn.L1Loss`.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn


def corrupt_and_mark(
    corruption: Callable[..., Tensor],
    images: Tensor,
    *,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Corrupt images, and tell which pixels were chosen for corruption.

    A black pixel that masking noise sets to black looks as before, yet it was chosen.
    So the same noise is drawn twice, first over uniform grey: what is no longer grey
    was chosen. This holds for any corruption that picks pixels without looking at
    them, such as masking noise, salt-and-pepper noise and blocks; Gaussian noise picks
    them all.

    Args:
        corruption: called as `corruption(images, generator=generator)`.
        images: clean images, floating point, (batch, ...).
        generator: source of randomness. It is left as after one corruption, and the
            noisy images are those of the corruption alone. Without one, a new one is
            seeded from torch's own.

    Returns:
        The noisy images, as the corruption returns them, and a mask of the same shape,
        True where a pixel was chosen.

    Examples:
        >>> from dae_tutorial.noise import add_masking_noise
        >>> images = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
        >>> generator = torch.Generator().manual_seed(1)
        >>> corrupt_and_mark(add_masking_noise, images, generator=generator)
        (tensor([[0., 0., 0., 1.]]), tensor([[False,  True,  True, False]]))
    """
    if generator is None:
        seed = int(torch.randint(2**63 - 1, ()))
        generator = Generator(images.device).manual_seed(seed)
    before = generator.get_state()
    grey = torch.full_like(images, 0.5)
    chosen = corruption(grey, generator=generator) != 0.5
    generator.set_state(before)
    return corruption(images, generator=generator), chosen


def emphasised_error(
    reconstruction: Tensor,
    clean: Tensor,
    chosen: Tensor,
    *,
    corrupted: float = 1.0,
    intact: float = 0.5,
) -> Tensor:
    r"""Weigh squared errors by whether the pixel was chosen for corruption.

    $$\frac{1}{N} \Big( \alpha \sum_{i \in J} (\hat{x}_i - x_i)^2
    + \beta \sum_{i \notin J} (\hat{x}_i - x_i)^2 \Big)$$

    J is the set of chosen pixels, and N counts all. So two weights of 1 give the mean
    squared error, and the error with weights 1 and 0 plus that with weights 0 and 1 is
    the mean squared error, too.

    Args:
        reconstruction: what the model returned, (batch, ...).
        clean: what it should return, the same shape.
        chosen: True where a pixel was chosen for corruption, boolean, the same shape;
            `corrupt_and_mark` finds it.
        corrupted: the weight of chosen pixels, at least 0.
        intact: the weight of the other pixels, at least 0.

    Returns:
        A scalar, in squared units of pixel value.

    Raises:
        TypeError: if `chosen` is not boolean.
        ValueError: if the shapes differ, or a weight is negative or NaN.

    Examples:
        >>> clean = torch.tensor([[1.0, 1.0]])
        >>> chosen = torch.tensor([[True, False]])
        >>> emphasised_error(torch.tensor([[0.6, 1.0]]), clean, chosen)
        tensor(0.0800)
        >>> emphasised_error(torch.tensor([[1.0, 0.6]]), clean, chosen)
        tensor(0.0400)

    Source: Vincent et al. (2010), Stacked denoising autoencoders, the extension that
    puts an emphasis on corrupted dimensions. Weights 1 and 0.5 are its double
    emphasis, 1 and 0 its full emphasis.
    """
    if chosen.dtype != torch.bool:
        raise TypeError(
            f"chosen must be boolean, got {chosen.dtype}; "
            f"corrupt_and_mark returns it beside the noisy images"
        )
    if not reconstruction.shape == clean.shape == chosen.shape:
        raise ValueError(
            f"reconstruction, clean and chosen must have one shape, got "
            f"{tuple(reconstruction.shape)}, {tuple(clean.shape)} and "
            f"{tuple(chosen.shape)}"
        )
    _check_weights(corrupted, intact)
    weight = chosen.to(clean.dtype) * (corrupted - intact) + intact
    return (weight * (reconstruction - clean).square()).mean()


class EmphasisedLoss(nn.Module):
    """`emphasised_error` as a criterion for training.

    A training loop shows its criterion the reconstruction and the clean images. This
    one must know the chosen pixels as well, so it wraps the corruption: pass its
    `corrupt` to the loop, and it remembers what was chosen last. The loop must use
    the batch whole, as it does in a single process.

    Args:
        corruption: called as `corruption(images, generator=generator)`, twice a batch,
            as `corrupt_and_mark` says.
        corrupted: the weight of pixels that are chosen for corruption, at least 0.
        intact: the weight of the others, at least 0.

    Raises:
        ValueError: if a weight is negative or NaN.

    Examples:
        >>> from dae_tutorial.model import Autoencoder
        >>> from dae_tutorial.noise import add_masking_noise
        >>> from dae_tutorial.train import fit
        >>> batches = [(torch.rand(8, 1, 28, 28), torch.zeros(8))]
        >>> loss = EmphasisedLoss(add_masking_noise)
        >>> history = fit(
        ...     Autoencoder(), batches, loss.corrupt, criterion=loss, epochs=9
        ... )
        >>> history.train_loss[-1] < history.train_loss[0]
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
        self._chosen: Tensor | None = None

    def corrupt(self, images: Tensor, *, generator: Generator | None = None) -> Tensor:
        """Corrupt images, and remember what was chosen for the next call of the loss.

        Args:
            images: clean images, (batch, ...).
            generator: source of randomness, handed to the corruption.

        Returns:
            What the corruption returns.

        Examples:
            >>> from dae_tutorial.noise import add_masking_noise
            >>> EmphasisedLoss(add_masking_noise).corrupt(torch.ones(2, 3)).shape
            torch.Size([2, 3])
        """
        noisy, self._chosen = corrupt_and_mark(
            self.corruption, images, generator=generator
        )
        return noisy

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
            >>> from dae_tutorial.noise import add_masking_noise
            >>> loss = EmphasisedLoss(add_masking_noise)
            >>> clean = torch.ones(2, 3)
            >>> noisy = loss.corrupt(clean)
            >>> loss(clean, clean)
            tensor(0.)
        """
        if self._chosen is None:
            raise RuntimeError(
                "the loss has not seen the noisy images; corrupt them with its "
                "`corrupt`, as in fit(model, batches, loss.corrupt, criterion=loss)"
            )
        return emphasised_error(
            reconstruction,
            clean,
            self._chosen,
            corrupted=self.corrupted,
            intact=self.intact,
        )


def _check_weights(corrupted: float, intact: float) -> None:
    if not (corrupted >= 0 and intact >= 0):  # false for NaN, too
        raise ValueError(
            f"weights must be at least 0, got corrupted={corrupted}, intact={intact}"
        )
