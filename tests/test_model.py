"""The autoencoder: shapes, gradients, determinism, errors."""

import pytest
import torch

from dae_tutorial.model import Autoencoder


@pytest.mark.parametrize("shape", [(7, 1, 28, 28), (7, 784), (1, 28, 28), (0, 784)])
def test_output_has_the_shape_of_the_input(shape):
    output = Autoencoder()(torch.rand(shape))
    assert output.shape == shape
    assert output.numel() == 0 or (output.min() > 0 and output.max() < 1)


def test_image_and_flat_input_are_the_same():
    model = Autoencoder()
    x = torch.rand(5, 1, 28, 28)
    assert torch.equal(model(x).flatten(start_dim=1), model(x.flatten(start_dim=1)))


def test_forward_is_decode_of_encode():
    model = Autoencoder(hidden_dim=16, latent_dim=4)
    x = torch.rand(5, 784)
    assert model.encode(x).shape == (5, 4)
    assert torch.equal(model.decode(model.encode(x)), model(x))


def test_architecture_is_the_starting_notebooks():
    layers = [
        (layer.in_features, layer.out_features)
        for layer in Autoencoder().modules()
        if isinstance(layer, torch.nn.Linear)
    ]
    assert layers == [(784, 128), (128, 32), (32, 128), (128, 784)]


def test_gradient_reaches_every_parameter():
    model = Autoencoder()
    model(torch.rand(64, 784)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_not_contiguous_input():
    x = torch.rand(28, 28, 5).permute(2, 0, 1)
    assert Autoencoder()(x).shape == (5, 28, 28)


@pytest.mark.parametrize("width", [0, -1, 2.5])
@pytest.mark.parametrize("name", ["input_dim", "hidden_dim", "latent_dim"])
def test_widths(name, width):
    with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1"):
        Autoencoder(**{name: width})


@pytest.mark.parametrize("shape", [(784,), (3, 783), (2, 1, 32, 32)])
def test_wrong_images(shape):
    with pytest.raises(ValueError, match=r"x must have shape .*784 numbers"):
        Autoencoder()(torch.rand(shape))


def test_wrong_code():
    with pytest.raises(ValueError, match=r"code must have shape \(batch, 32\)"):
        Autoencoder().decode(torch.rand(3, 31))
