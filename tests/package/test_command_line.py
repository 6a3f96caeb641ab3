"""The command line does real work, and tells what is wrong in one line."""

import numpy as np
import pytest
import torch
from PIL import Image

from dae_tutorial.__main__ import NOISES, main
from dae_tutorial.further.pretrained import FOLDER, NAMES, load_pretrained, read_card
from dae_tutorial.further.weights import read_settings, save_weights
from dae_tutorial.loaders import load_mnist
from dae_tutorial.model import Autoencoder
from dae_tutorial.train import History


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "dae.safetensors"
    assert main(["train", "--epochs", "1", "--weights", str(path)]) == 0
    return path


@pytest.mark.slow
def test_train_then_evaluate(trained, capsys):
    assert main(["evaluate", "--weights", str(trained)]) == 0
    lines = capsys.readouterr().out.splitlines()
    nothing, model = (float(line.split("MSE ")[1].split(",")[0]) for line in lines[1:])
    assert lines[0] == "10000 test images, gaussian noise of level 0.5"
    assert model < nothing / 2


@pytest.mark.slow
def test_denoise_an_image_file(trained, tmp_path, capsys):
    clean = load_mnist(train=False).images[0, 0].numpy()
    noise = np.random.default_rng(0).normal(0, 0.5, clean.shape)
    noisy = np.clip(clean + noise, 0, 1)
    source = tmp_path / "digit.png"
    Image.fromarray((noisy * 255).astype(np.uint8)).save(source)
    assert main(["denoise", str(source), "--weights", str(trained)]) == 0
    result = tmp_path / "digit.denoised.png"
    with Image.open(result) as image:
        denoised = np.asarray(image) / 255
    assert denoised.shape == (28, 28)
    assert ((denoised - clean) ** 2).mean() < ((noisy - clean) ** 2).mean() / 2


@pytest.mark.slow
def test_other_sizes_and_dark_ink(trained, tmp_path, capsys):
    page = tmp_path / "page.png"
    Image.new("RGB", (300, 200), "white").save(page)
    words = ["denoise", str(page), "--invert", "--weights", str(trained)]
    assert main([*words, "--output", str(tmp_path / "out.png")]) == 0
    assert "300 × 200: resized to 28 × 28" in capsys.readouterr().out
    with Image.open(tmp_path / "out.png") as image:
        assert image.size == (28, 28)


@pytest.mark.slow
def test_other_noise_needs_a_level(trained, capsys):
    words = ["evaluate", "--weights", str(trained), "--noise", "masking"]
    assert main(words) == 1
    assert "--level is needed" in capsys.readouterr().err
    assert main([*words, "--level", "0.5"]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "--level", "-1"], "--level must be a finite number above 0"),
        (["train", "--level", "0"], "--level must be a finite number above 0"),
        (["train", "--level", "nan"], "--level must be a finite number above 0"),
        (["train", "--level", "inf"], "--level must be a finite number above 0"),
        (["train", "--noise", "blocks", "--level", "0.5"], "a whole number of pixels"),
        (["train", "--noise", "blocks", "--level", "2.5"], "a whole number of pixels"),
        (["train", "--noise", "blocks", "--level", "29"], "block_size must be"),
        (["train", "--noise", "salt-and-pepper", "--level", "1.5"], "flip_prob must"),
        (["train", "--noise", "masking", "--level", "2"], "mask_prob must be"),
        (["train", "--epochs", "0"], "epochs must be an integer"),
        (["train", "--latent-dim", "0"], "latent_dim must be an integer"),
        (["evaluate", "--weights", "nowhere.safetensors"], "nowhere.safetensors"),
        (["denoise", "README.md", "--weights", "README.md"], "README.md is damaged"),
    ],
)
def test_mistakes_are_told_in_one_line(words, message, capsys, tmp_path):
    if words[0] == "train":
        words = [*words, "--weights", str(tmp_path / "dae.safetensors")]
    assert main(words) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("noise", NOISES)
def test_each_noise_has_a_default_that_changes_images(noise, monkeypatch, tmp_path):
    seen = {}

    def note(model, batches, corrupt, **options):
        seen["noise"] = corrupt
        return History()

    monkeypatch.setattr("dae_tutorial.__main__.fit", note)
    weights = tmp_path / "dae.safetensors"
    assert main(["train", "--noise", noise, "--weights", str(weights)]) == 0
    images = torch.rand(16, 1, 28, 28)
    lost = (seen["noise"](images) - images).square().mean()
    assert lost > 0.005
    assert read_settings(weights)["level"] == NOISES[noise][2]


def test_image_that_is_none(tmp_path, capsys):
    weights = tmp_path / "dae.safetensors"
    save_weights(Autoencoder(), weights, {"model": {}})
    text = tmp_path / "text.png"
    text.write_text("not an image")
    assert main(["denoise", str(text), "--weights", str(weights)]) == 1
    assert "IMAGE must be an image file" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_downloads_of_the_site_denoise(name, tmp_path, capsys):
    noisy = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    source, result = tmp_path / "digit.png", tmp_path / "out.png"
    Image.fromarray(noisy).save(source)
    words = ["denoise", str(source), "--output", str(result)]
    assert main([*words, "--weights", str(FOLDER / f"{name}.safetensors")]) == 0
    pixels = torch.from_numpy(noisy / np.float32(255)).reshape(1, 1, 28, 28)
    with torch.no_grad():
        image = load_pretrained(name)(pixels).reshape(28, 28)
    expected = (image * 255).round().byte().numpy()
    with Image.open(result) as image:
        assert np.array_equal(np.asarray(image), expected)


@pytest.mark.slow  # reads the whole test set
def test_downloads_of_the_site_are_evaluated(capsys):
    """On the noise of their card, where they score what the card says."""
    weights = str(FOLDER / "autoencoder.safetensors")
    assert main(["evaluate", "--weights", weights]) == 0
    first, _, last = capsys.readouterr().out.splitlines()
    assert first == "10000 test images, gaussian noise of level 0.5"
    card = read_card("autoencoder")["test"]["mse"]
    assert float(last.split("MSE ")[1].split(",")[0]) == pytest.approx(card, abs=2e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "must name a model, one of Autoencoder, ConvAutoencoder, UNet, got None"),
        ({"model": "VAE"}, "got 'VAE'"),
        ({"model": ["Autoencoder"]}, "must name a model"),
        ({"model": "Autoencoder", "arguments": {"depth": 3}}, "does not fit this ver"),
        ({"model": {"depth": 3}}, "does not fit this version"),
        ({"model": "ConvAutoencoder"}, "holds the weights of another model"),
        ({"model": "Autoencoder", "arguments": {}}, "--noise is needed"),
        ({"model": "Autoencoder", "noise": "of another kind"}, "--noise is needed"),
    ],
)
def test_weights_that_do_not_say_enough(settings, message, tmp_path, capsys):
    weights = tmp_path / "dae.safetensors"
    save_weights(Autoencoder(), weights, settings)
    assert main(["evaluate", "--weights", str(weights)]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "evaluate", "denoise"])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert "--weights" in capsys.readouterr().out
