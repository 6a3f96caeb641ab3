"""The models that come with the package do what their cards say."""

import pytest
import torch

from dae_tutorial.evaluate import mean_squared_error
from dae_tutorial.further.pretrained import FOLDER, NAMES, load_pretrained, read_card
from dae_tutorial.further.weights import load_weights
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import add_gaussian_noise


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_card_tells_the_error(name):
    """On 1,000 of the test images, within five standard errors of the card."""
    clean = load_mnist(train=False).images[:1000]
    noisy = add_gaussian_noise(clean, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        errors = mean_squared_error(load_pretrained(name)(noisy), clean)
    standard_error = errors.std().item() / len(errors) ** 0.5
    card = read_card(name)
    assert abs(errors.mean().item() - card["test"]["mse"]) < 5 * standard_error
    assert card["test"]["images"] == 10_000


@pytest.mark.parametrize("name", NAMES)
def test_card_describes_the_model(name):
    model, card = load_pretrained(name), read_card(name)
    assert type(model).__name__ == card["model"]
    assert sum(p.numel() for p in model.parameters()) == card["parameters"]
    assert not model.training
    for key in ("data", "noise", "epochs", "batch_size", "peak", "seed", "licence"):
        assert key in card


@pytest.mark.parametrize("name", NAMES)
def test_one_flipped_bit_is_told(name, tmp_path):
    """Wherever it is: in the card, in the names, or in the weights."""
    content = (FOLDER / f"{name}.safetensors").read_bytes()
    card = content.index(b"checksum")  # in the file's head
    path = tmp_path / "flipped.safetensors"
    model = load_pretrained(name)
    for place in (card + 12, content.index(b"licence"), len(content) // 2, -1):
        flipped = bytearray(content)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match="is damaged"):
            load_weights(model, path)


def test_models_are_named_from_worst_to_best():
    errors = [read_card(name)["test"]["mse"] for name in NAMES]
    assert errors == sorted(errors, reverse=True)


def test_unknown_name():
    with pytest.raises(ValueError, match="name must be one of autoencoder, "):
        load_pretrained("vae")
