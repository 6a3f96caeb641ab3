"""What rounding costs the laboratory's models, and which digits it offers."""

import pytest
import torch

from dae_tutorial.evaluate import mean_squared_error, psnr
from dae_tutorial.further.laboratory import DENOISERS, choose_digits
from dae_tutorial.further.onnx_export import in_eight_bits
from dae_tutorial.further.pretrained import CLEAN_TWIN, load_pretrained, read_card
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import add_gaussian_noise


@pytest.mark.parametrize("name", DENOISERS.values())
def test_eight_bits_cost_no_more_than_is_said(name):
    clean = load_mnist(train=False).images[:1000]
    noisy = add_gaussian_noise(clean, generator=torch.Generator().manual_seed(1))
    model = load_pretrained(name)
    with torch.no_grad():
        exact, rounded = (
            psnr(one(noisy).reshape(clean.shape), clean).mean()
            for one in (model, in_eight_bits(model))
        )
    assert abs(exact - rounded) < 0.025


def test_there_are_two_of_each_digit():
    labels = load_mnist(train=False).labels[choose_digits()]
    assert labels.tolist() == [digit for digit in range(10) for _ in range(2)]


def test_the_clean_twin_knows_clean_digits_and_no_noise():
    card, other = read_card(CLEAN_TWIN), read_card("autoencoder")
    for same in ("model", "arguments", "epochs", "batch_size", "peak", "seed"):
        assert card[same] == other[same]
    assert card["noise"].startswith("none")
    clean = load_mnist(train=False).images[:1000]
    noisy = add_gaussian_noise(clean, generator=torch.Generator().manual_seed(1))
    twin, dae = load_pretrained(CLEAN_TWIN), load_pretrained("autoencoder")

    def error(model, given):
        with torch.no_grad():
            return mean_squared_error(model(given), clean).mean()

    assert error(twin, clean) < error(dae, clean)
    assert error(twin, noisy) > 4 * error(dae, noisy)
