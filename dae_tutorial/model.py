"""The autoencoder: squeeze an image through a narrow code, then rebuild it."""

from torch import Tensor, nn


class Autoencoder(nn.Module):
    """A fully connected autoencoder, 784 → 128 → 32 → 128 → 784.

    The output has the shape of the input, so a loss compares the two as they are.

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
        torch.Size([16, 1, 28, 28])
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
        widths = {
            "input_dim": input_dim,
            "hidden_dim": hidden_dim,
            "latent_dim": latent_dim,
        }
        for name, width in widths.items():
            if not isinstance(width, int) or width < 1:
                raise ValueError(
                    f"{name} must be an integer of at least 1, got {width!r}"
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
        if code.shape[-1] != self.latent_dim:
            raise ValueError(
                f"code must have shape (batch, {self.latent_dim}), "
                f"got {tuple(code.shape)}"
            )
        return self.decoder(code)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct images.

        Args:
            x: images, as in `encode`.

        Returns:
            Reconstructions in [0, 1], of the shape of `x`.

        Examples:
            >>> import torch
            >>> Autoencoder()(torch.rand(2, 1, 28, 28)).shape
            torch.Size([2, 1, 28, 28])
        """
        return self.decode(self.encode(x)).reshape(x.shape)
