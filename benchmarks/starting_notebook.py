"""The notebook that this project started from, kept to measure against.

Its loaders, its loop and its test are the notebook's own, line for line where that
matters for speed: images are decoded one at a time, every epoch. Around them there is
only what a benchmark needs: a seed, one epoch a call, and a fixed folder for the data.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def get_mnist_loaders(
    batch_size: int = 128, root: str | Path = "data"
) -> tuple[DataLoader, DataLoader]:
    """Return the notebook's loaders of training and test images."""
    transform = transforms.ToTensor()
    train_dataset = datasets.MNIST(root=root, train=True, transform=transform)
    test_dataset = datasets.MNIST(root=root, train=False, transform=transform)
    train_loader = DataLoader(train_dataset, batch_size=batch_size, shuffle=True)
    test_loader = DataLoader(test_dataset, batch_size=batch_size, shuffle=False)
    return train_loader, test_loader


def add_gaussian_noise(x: Tensor, noise_factor: float = 0.5) -> Tensor:
    """Add noise to the image."""
    noise = torch.randn_like(x) * noise_factor
    x_noisy = x + noise
    return torch.clamp(x_noisy, 0.0, 1.0)


class Autoencoder(nn.Module):
    """784 → 128 → 32 → 128 → 784; returns flat images."""

    def __init__(
        self, input_dim: int = 784, hidden_dim: int = 128, latent_dim: int = 32
    ):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(input_dim, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, latent_dim),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, input_dim),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct images, (batch, 1, 28, 28), as flat ones, (batch, 784)."""
        x = x.view(x.size(0), -1)
        z = self.encoder(x)
        return self.decoder(z)


def train_one_epoch(
    model: nn.Module, train_loader: DataLoader, optim: torch.optim.Optimizer
) -> float:
    """Go through the training images once, as the notebook's training cell does."""
    criterion = nn.MSELoss()
    model.train()
    running_loss = 0.0
    for data in train_loader:
        inputs, _ = data
        noisy_inputs = add_gaussian_noise(inputs)
        optim.zero_grad()
        outputs = model(noisy_inputs)
        loss = criterion(outputs, inputs.view(inputs.size(0), -1))
        loss.backward()
        optim.step()
        running_loss += loss.item()
    return running_loss / len(train_loader)


def denoise(model: nn.Module, test_loader: DataLoader) -> list[Tensor]:
    """Denoise the test images, as the notebook's test cell does."""
    model.eval()
    with torch.no_grad():
        return [model(add_gaussian_noise(inputs)) for inputs, _ in test_loader]
