"""Three denoisers: a dense autoencoder, a convolutional one, and a residual U-Net.

The first two squeeze an image through a narrow code and rebuild it, so the code can be
used as features. The U-Net has skip connections past every narrow place: it is a better
denoiser, and no representation learner.
"""

from torch import Tensor, nn
from torch.nn import functional


class Autoencoder(nn.Module):
    """A fully connected autoencoder, 784 → 128 → 32 → 128 → 784.

    It flattens the images that it is given, and returns one row of pixels an image:
    compare it with `clean.flatten(start_dim=1)`, and give it the shape of images with
    `reshape(clean.shape)`.

    Args:
        input_dim: numbers in one image, such as 28 · 28 = 784.
        hidden_dim: width of the hidden layer on each side of the code.
        latent_dim: length of the code, the bottleneck.

    Raises:
        ValueError: if a width is not a positive integer, or if the images that are
            passed in do not hold `input_dim` numbers each.

    Examples:
        >>> import torch
        >>> model = Autoencoder()
        >>> model(torch.rand(16, 1, 28, 28)).shape
        torch.Size([16, 784])
        >>> model(torch.rand(16, 784)).shape
        torch.Size([16, 784])
        >>> model.encode(torch.rand(16, 1, 28, 28)).shape
        torch.Size([16, 32])
        >>> sum(parameter.numel() for parameter in model.parameters())
        209968
    """

    def __init__(
        self, input_dim: int = 784, hidden_dim: int = 128, latent_dim: int = 32
    ):
        super().__init__()
        _check_positive(
            input_dim=input_dim, hidden_dim=hidden_dim, latent_dim=latent_dim
        )
        self.input_dim = input_dim
        self.latent_dim = latent_dim
        self.encoder = nn.Sequential(
            nn.Linear(input_dim, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, latent_dim),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, input_dim),
            nn.Sigmoid(),  # pixels lie in [0, 1], and so does this
        )

    def encode(self, x: Tensor) -> Tensor:
        """Map images to codes.

        Args:
            x: images, (batch, 1, 28, 28) or (batch, 784), or in general
                (batch, ...) with `input_dim` numbers an image.

        Returns:
            Codes, (batch, latent_dim); any real value.

        Raises:
            ValueError: if an image does not hold `input_dim` numbers.

        Examples:
            >>> import torch
            >>> Autoencoder(latent_dim=2).encode(torch.rand(5, 784)).shape
            torch.Size([5, 2])
        """
        if x.ndim < 2 or x[0:1].numel() not in (0, self.input_dim):
            raise ValueError(
                f"x must have shape (batch, ...) with {self.input_dim} numbers an "
                f"image, got {tuple(x.shape)}"
            )
        return self.encoder(x.flatten(start_dim=1))

    def decode(self, code: Tensor) -> Tensor:
        """Map codes to flat images.

        Args:
            code: (batch, latent_dim).

        Returns:
            Images in [0, 1], (batch, input_dim).

        Raises:
            ValueError: if `code` does not have `latent_dim` columns.

        Examples:
            >>> import torch
            >>> Autoencoder().decode(torch.zeros(5, 32)).shape
            torch.Size([5, 784])
        """
        _check_code(code, self.latent_dim)
        return self.decoder(code)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct images.

        Args:
            x: images, as in `encode`.

        Returns:
            Reconstructions in [0, 1], one row of pixels an image: (batch, input_dim).

        Raises:
            ValueError: if an image does not hold `input_dim` numbers.

        Examples:
            >>> import torch
            >>> Autoencoder()(torch.rand(2, 1, 28, 28)).shape
            torch.Size([2, 784])
        """
        return self.decode(self.encode(x))


class ConvAutoencoder(nn.Module):
    """A convolutional autoencoder for 28 × 28 images, with a real bottleneck.

    Two strided convolutions halve the sides, 28 → 14 → 7, while the channels grow,
    1 → width → 2 · width. A linear layer then squeezes all of it into the code, and
    the decoder takes the same way back. Convolutions look for the same strokes
    everywhere, so they need far fewer weights than dense layers; the two linear layers
    around the code hold most of what there is.

    Args:
        latent_dim: length of the code, the bottleneck.
        width: channels after the first convolution.

    Raises:
        ValueError: if an argument is not a positive integer.

    Examples:
        >>> import torch
        >>> model = ConvAutoencoder()
        >>> model(torch.rand(16, 1, 28, 28)).shape
        torch.Size([16, 1, 28, 28])
        >>> model.encode(torch.rand(16, 1, 28, 28)).shape
        torch.Size([16, 32])
        >>> sum(parameter.numel() for parameter in model.parameters())
        115217
    """

    def __init__(self, latent_dim: int = 32, width: int = 16):
        super().__init__()
        _check_positive(latent_dim=latent_dim, width=width)
        self.latent_dim = latent_dim
        self.encoder = nn.Sequential(
            nn.Conv2d(1, width, 3, stride=2, padding=1),  # 28 × 28 → 14 × 14
            nn.SiLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),  # → 7 × 7
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(2 * width * 7 * 7, latent_dim),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 2 * width * 7 * 7),
            nn.SiLU(),
            nn.Unflatten(1, (2 * width, 7, 7)),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),  # → 14 × 14
            nn.SiLU(),
            nn.ConvTranspose2d(width, 1, 4, stride=2, padding=1),  # → 28 × 28
            nn.Sigmoid(),
        )

    def encode(self, x: Tensor) -> Tensor:
        """Map images to codes.

        Args:
            x: images, (batch, 1, 28, 28).

        Returns:
            Codes, (batch, latent_dim); any real value.

        Raises:
            ValueError: if `x` has another shape.

        Examples:
            >>> import torch
            >>> ConvAutoencoder(latent_dim=2).encode(torch.rand(5, 1, 28, 28)).shape
            torch.Size([5, 2])
        """
        if x.shape[1:] != (1, 28, 28):
            raise ValueError(
                f"x must have shape (batch, 1, 28, 28), got {tuple(x.shape)}"
            )
        return self.encoder(x)

    def decode(self, code: Tensor) -> Tensor:
        """Map codes to images.

        Args:
            code: (batch, latent_dim).

        Returns:
            Images in [0, 1], (batch, 1, 28, 28).

        Raises:
            ValueError: if `code` does not have `latent_dim` columns.

        Examples:
            >>> import torch
            >>> ConvAutoencoder().decode(torch.zeros(5, 32)).shape
            torch.Size([5, 1, 28, 28])
        """
        _check_code(code, self.latent_dim)
        return self.decoder(code)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct images.

        Args:
            x: images, (batch, 1, 28, 28).

        Returns:
            Reconstructions in [0, 1], of the shape of `x`.

        Examples:
            >>> import torch
            >>> ConvAutoencoder()(torch.rand(2, 1, 28, 28)).shape
            torch.Size([2, 1, 28, 28])
        """
        return self.decode(self.encode(x))


class UNet(nn.Module):
    """A small residual U-Net: what it predicts is added to the noisy image.

    Nearly all of the work happens at half and at a quarter of the image's sides, where
    a convolution costs a quarter and a sixteenth as much. The way down loses no pixel:
    the first step folds each 2 × 2 square into channels. The skip connection adds the
    upper level to what comes back from the lower one.

    In training the output is unbounded. A sigmoid there would stall: pushed far
    below zero by the many black pixels of MNIST, it passes no gradient on, and the
    model stays black. In evaluation the output is cut to [0, 1], where pixels lie.

    Args:
        width: channels at half the sides; three times as many at a quarter.
        in_channels: channels of the input. The first `out_channels` of them are the
            noisy image; more can carry its noise level.
        out_channels: channels of the image.
        image_size: if all images are squares of this side, a fully connected layer
            in the lowest level lets every place depend on every other, and on
            where it is. Without it, images may have any size.

    Raises:
        ValueError: if an argument is not a positive integer, if `image_size` is no
            multiple of 4, or if `in_channels` is below `out_channels`.

    Examples:
        >>> import torch
        >>> model = UNet()
        >>> model(torch.rand(2, 1, 28, 28)).shape
        torch.Size([2, 1, 28, 28])
        >>> model(torch.rand(2, 1, 64, 96)).shape
        torch.Size([2, 1, 64, 96])
        >>> sum(parameter.numel() for parameter in model.parameters())
        99796
        >>> model = UNet(image_size=28)
        >>> sum(parameter.numel() for parameter in model.parameters())
        151252

    Source: Ronneberger, Fischer and Brox (2015), U-Net: convolutional networks for
    biomedical image segmentation; the residual prediction follows Zhang et al. (2017),
    Beyond a Gaussian denoiser; the folding, Shi et al. (2016), Real-time single image
    and video super-resolution using an efficient sub-pixel convolutional network.
    """

    def __init__(
        self,
        width: int = 16,
        in_channels: int = 1,
        out_channels: int = 1,
        image_size: int | None = None,
    ):
        super().__init__()
        _check_positive(width=width, in_channels=in_channels, out_channels=out_channels)
        if in_channels < out_channels:
            raise ValueError(
                f"in_channels must be at least out_channels, {out_channels}, "
                f"got {in_channels}"
            )
        self.in_channels, self.out_channels = in_channels, out_channels
        self.image_size = image_size
        deep = 3 * width
        self.enter = nn.Conv2d(4 * in_channels, width, 3, padding=1)
        self.encode = ResidualBlock(width)
        self.down = nn.Conv2d(width, deep, 2, stride=2)
        self.bottom = nn.Sequential(
            ResidualBlock(deep),
            nn.Identity() if image_size is None else GlobalMixing(deep, image_size),
            ResidualBlock(deep),
        )
        self.up = nn.ConvTranspose2d(deep, width, 2, stride=2)
        self.decode = ResidualBlock(width)
        self.leave = nn.Conv2d(width, 4 * out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Denoise images.

        Args:
            x: (batch, in_channels, height, width); both sides are `image_size`, if the
                model has one. Sides that 4 does not divide are continued to the right
                and below by their last pixels, and what comes out there is cut off.

        Returns:
            (batch, out_channels, height, width); unbounded in training, in [0, 1] in
            evaluation.

        Raises:
            ValueError: if `x` has another number of channels, no pixels, or other
                sides than `image_size`.

        Examples:
            >>> import torch
            >>> UNet(in_channels=2)(torch.rand(5, 2, 28, 28)).shape
            torch.Size([5, 1, 28, 28])
            >>> UNet()(torch.rand(5, 1, 33, 50)).shape
            torch.Size([5, 1, 33, 50])
        """
        if x.ndim != 4 or x.shape[1] != self.in_channels or 0 in x.shape[2:]:
            raise ValueError(
                f"x must have shape (batch, {self.in_channels}, height, width), "
                f"got {tuple(x.shape)}"
            )
        size = self.image_size
        if size is not None and x.shape[2:] != (size, size):
            raise ValueError(
                f"x must have shape (batch, {self.in_channels}, {size}, {size}), for "
                f"this model's image_size is {size}, got {tuple(x.shape)}"
            )
        height, width = x.shape[2:]
        padded = x
        if height % 4 or width % 4:
            padding = (0, -width % 4, 0, -height % 4)
            padded = functional.pad(x, padding, mode="replicate")
        half = self.encode(self.enter(functional.pixel_unshuffle(padded, 2)))
        quarter = self.bottom(self.down(half))
        half = self.decode(half + self.up(quarter))  # the skip connection
        change = functional.pixel_shuffle(self.leave(half), 2)
        reconstruction = x[:, : self.out_channels] + change[..., :height, :width]
        return reconstruction if self.training else reconstruction.clamp(0, 1)


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions whose result is added to the input.

    It begins as the identity: the second convolution starts at zero.

    Args:
        channels: of input and output.

    Examples:
        >>> import torch
        >>> x = torch.rand(2, 8, 14, 14)
        >>> torch.equal(ResidualBlock(8)(x), x)
        True

    Source: He, Zhang, Ren and Sun (2016), Deep residual learning for image recognition.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = _zero(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Add a change to feature maps, (batch, channels, height, width)."""
        return x + self.second(functional.silu(self.first(x)))


class GlobalMixing(nn.Module):
    """Let every place of the lowest level depend on every other, through a code.

    Eight channels of the feature maps are squeezed into 64 numbers by a dense layer,
    and a second one spreads these over the image again. It begins as the identity.

    Args:
        channels: of input and output.
        image_size: side of the image, four times that of the feature maps.

    Raises:
        ValueError: if `image_size` is not a positive multiple of 4.

    Examples:
        >>> import torch
        >>> x = torch.rand(2, 48, 7, 7)
        >>> torch.equal(GlobalMixing(48, 28)(x), x)
        True
    """

    def __init__(self, channels: int, image_size: int):
        super().__init__()
        _check_positive(image_size=image_size)
        if image_size % 4:
            raise ValueError(f"image_size must be a multiple of 4, got {image_size}")
        side = image_size // 4
        self.mix = nn.Sequential(
            nn.Conv2d(channels, 8, 1),
            nn.Flatten(),
            nn.Linear(8 * side * side, 64),
            nn.SiLU(),
            nn.Linear(64, 8 * side * side),
            nn.Unflatten(1, (8, side, side)),
            _zero(nn.Conv2d(8, channels, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Add a change to feature maps, (batch, channels, side, side)."""
        return x + self.mix(x)


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _check_positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"{name} must be an integer of at least 1, got {size!r}")


def _check_code(code: Tensor, latent_dim: int) -> None:
    if code.shape[-1] != latent_dim:
        raise ValueError(
            f"code must have shape (batch, {latent_dim}), got {tuple(code.shape)}"
        )
