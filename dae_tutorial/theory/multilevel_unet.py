"""A U-Net that hears how strong the noise is, and what is to be seen."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class MultilevelUNet(nn.Module):
    """A U-Net that is told the noise level, and may be told the class.

    As in `UNet`, the work happens at half and at a quarter of the sides, and a dense
    layer lets every place of the lowest level depend on every other. The level and the
    class reach each block as a factor and a shift for each of its channels.

    Args:
        width: channels at half the sides, a multiple of 8; three times as many below.
        classes: how many channels tell the class.

    Examples:
        >>> told = torch.zeros(5, 12, 28, 28)
        >>> MultilevelUNet(width=8, classes=10)(told).shape
        torch.Size([5, 1, 28, 28])
    """

    def __init__(self, width: int = 32, classes: int = 10):
        super().__init__()
        deep, told = 3 * width, 64
        self.classes = classes
        self.register_buffer("frequencies", 2 ** torch.linspace(-1, 4, 16))
        self.tell = nn.Sequential(
            nn.Linear(2 * 16 + classes, told), nn.SiLU(), nn.Linear(told, told)
        )
        self.enter = nn.Conv2d(4, width, 3, padding=1)
        self.encode = ToldBlock(width, told)
        self.down = nn.Conv2d(width, deep, 2, stride=2)
        self.bottom = nn.ModuleList([ToldBlock(deep, told), ToldBlock(deep, told)])
        self.mix = nn.Sequential(
            nn.GroupNorm(8, deep),
            nn.Conv2d(deep, 8, 1),
            nn.Flatten(),
            nn.Linear(8 * 7 * 7, 128),
            nn.SiLU(),
            nn.Linear(128, 8 * 7 * 7),
            nn.Unflatten(1, (8, 7, 7)),
            _zero(nn.Conv2d(8, deep, 1)),
        )
        self.up = nn.ConvTranspose2d(deep, width, 2, stride=2)
        self.decode = ToldBlock(width, told)
        self.leave = nn.Sequential(
            nn.GroupNorm(8, width), nn.SiLU(), _zero(nn.Conv2d(width, 4, 3, padding=1))
        )

    def forward(self, told: Tensor) -> Tensor:
        """Answer for (batch, 2 + classes, 28, 28): image, level, and the classes."""
        waves = told[:, 1:2, 0, 0] * self.frequencies
        tags = torch.cat([waves.cos(), waves.sin(), told[:, 2:, 0, 0]], dim=1)
        tags = self.tell(tags)
        half = self.enter(functional.pixel_unshuffle(told[:, :1], 2))  # → 4 × 14 × 14
        half = self.encode(half, tags)
        quarter = self.bottom[0](self.down(half), tags)
        quarter = self.bottom[1](quarter + self.mix(quarter), tags)
        half = self.decode(half + self.up(quarter), tags)  # the skip connection
        return functional.pixel_shuffle(self.leave(half), 2)


class ToldBlock(nn.Module):
    """A residual block whose channels are scaled and shifted by what it is told.

    Args:
        channels: of input and output, a multiple of 8.
        told: length of what it is told.

    Examples:
        >>> x = torch.rand(2, 8, 14, 14)
        >>> torch.equal(ToldBlock(8, 3)(x, torch.rand(2, 3)), x)  # begins as identity
        True

    Source: Perez et al. (2018), FiLM: visual reasoning with a general conditioning
    layer; Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models.
    """

    def __init__(self, channels: int, told: int):
        super().__init__()
        self.norms = nn.ModuleList([nn.GroupNorm(8, channels) for _ in range(2)])
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = _zero(nn.Conv2d(channels, channels, 3, padding=1))
        self.scale_and_shift = nn.Linear(told, 2 * channels)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """Add a change to feature maps, (batch, channels, height, width)."""
        scale, shift = self.scale_and_shift(functional.silu(told)).chunk(2, dim=1)
        change = self.first(functional.silu(self.norms[0](x)))
        change = self.norms[1](change) * (1 + scale[..., None, None])
        return x + self.second(functional.silu(change + shift[..., None, None]))


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
