"""Corruption inside a `torchvision.transforms.v2` pipeline."""

from collections.abc import Callable

from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2


class Corrupt(v2.Transform):
    """Apply a corruption to the images of a sample, and leave the rest alone.

    As with every v2 transform, a sample may be an image, or a tuple or dict that holds
    one: `tv_tensors.Image` and `Video` are corrupted, and so is a plain tensor where
    the sample holds no such image. Labels, boxes and masks pass through.

    Args:
        corruption: maps clean images to noisy ones of the same shape, such as
            `add_gaussian_noise`, or `functools.partial(add_masking_noise,
            mask_prob=0.3)`.

    Raises:
        TypeError: if `corruption` is not callable.

    Examples:
        >>> import torch
        >>> from dae_tutorial.noise import add_masking_noise
        >>> pipeline = v2.Compose([
        ...     v2.ToDtype(torch.float32, scale=True),
        ...     Corrupt(add_masking_noise),
        ... ])
        >>> image = tv_tensors.Image(torch.full((1, 28, 28), 255, dtype=torch.uint8))
        >>> noisy, label = pipeline((image, 7))
        >>> type(noisy).__name__, noisy.unique(), label
        ('Image', tensor([0., 1.]), 7)
    """

    def __init__(self, corruption: Callable[[Tensor], Tensor]):
        if not callable(corruption):
            raise TypeError(
                f"corruption must be a function from clean images to noisy ones, "
                f"got {type(corruption).__name__}"
            )
        super().__init__()
        self.corruption = corruption

    def transform(self, inpt: Tensor, params: dict) -> Tensor:
        """Corrupt one image; called by torchvision for each tensor of a sample."""
        images = (tv_tensors.Image, tv_tensors.Video)
        if isinstance(inpt, tv_tensors.TVTensor) and not isinstance(inpt, images):
            return inpt  # a mask or a box
        return tv_tensors.wrap(self.corruption(inpt), like=inpt)
