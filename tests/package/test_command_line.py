"""The command line does real work, and tells what is wrong in one line."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from dae_tutorial.__main__ import NOISES, main, read_image, write_image
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
    assert main(words) == 2
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
    assert main(words) == 2
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
    assert main(["denoise", str(text), "--weights", str(weights)]) == 2
    assert "IMAGE must be an image file" in capsys.readouterr().err


RAMP = np.linspace(0, 1, 784, dtype=np.float32).reshape(28, 28)
BYTES = (RAMP * 255).round().astype(np.uint8)
PICTURES = {
    "grey": Image.fromarray(BYTES),
    "colour": Image.fromarray(BYTES).convert("RGB"),
    "palette": Image.fromarray(BYTES).convert("P"),
    "CMYK": Image.fromarray(BYTES).convert("RGB").convert("CMYK"),
    "16 bits": Image.fromarray((RAMP * 65535).round().astype(np.uint16)),
    "floats": Image.fromarray(RAMP),
    "opaque": Image.fromarray(BYTES).convert("RGBA"),
    "grey and alpha": Image.fromarray(BYTES).convert("LA"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_every_kind_of_picture_is_read_from_black_to_white(kind, tmp_path):
    path = tmp_path / "picture.tiff"
    PICTURES[kind].save(path)
    assert np.abs(read_image(path)[0, 0].numpy() - RAMP).max() < 1 / 128
    inverted = read_image(path, invert=True)
    assert np.abs(1 - inverted[0, 0].numpy() - RAMP).max() < 1 / 128


def test_16_bits_survive_a_png_and_resizing(tmp_path):
    path = tmp_path / "picture.png"
    PICTURES["16 bits"].resize((56, 56), Image.Resampling.NEAREST).save(path)
    assert np.abs(read_image(path)[0, 0].numpy() - RAMP).max() < 0.05


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_is_not_ink(mode, tmp_path, capsys):
    path = tmp_path / "picture.png"
    if mode == "P":
        Image.new("P", (28, 28), 0).save(path, transparency=0)
    else:
        Image.new(mode, (28, 28), 0 if mode == "LA" else (255, 255, 255, 0)).save(path)
    assert read_image(path).max() == 0, "over black"
    assert read_image(path, invert=True).max() == 0, "over white, then inverted"
    assert "transparent in places: black shows" in capsys.readouterr().out


@pytest.mark.parametrize("tag", range(1, 9))
def test_photographs_come_out_upright(tag, tmp_path):
    """Whatever the camera was held like: the tag says how to turn the picture."""
    turned = {
        1: RAMP, 2: RAMP[:, ::-1], 3: RAMP[::-1, ::-1], 4: RAMP[::-1],
        5: RAMP.T, 6: np.rot90(RAMP), 7: np.rot90(RAMP.T, 2), 8: np.rot90(RAMP, -1),
    }  # fmt: skip
    path = tmp_path / "picture.png"
    exif = Image.Exif()
    exif[0x0112] = tag
    picture = Image.fromarray((turned[tag] * 255).round().astype(np.uint8))
    picture.save(path, exif=exif)
    assert np.abs(read_image(path)[0, 0].numpy() - RAMP).max() < 1 / 128


def broken_pictures(folder):
    """Yield files that cannot be read, and what is said of them."""
    Image.new("1", (14_000, 14_000)).save(folder / "huge.png")
    Image.new("1", (10_000, 10_000)).save(folder / "large.png")
    Image.new("I", (4, 4), 70_000).save(folder / "wide.tiff")
    Image.fromarray(np.full((4, 4), 2, np.float32)).save(folder / "bright.tiff")
    Image.fromarray(np.full((4, 4), np.nan, np.float32)).save(folder / "nan.tiff")
    Image.new("LAB", (4, 4)).save(folder / "lab.tiff")
    PICTURES["grey"].save(folder / "whole.png")
    whole = (folder / "whole.png").read_bytes()
    for name, content in {"cut": whole[:-40], "torn": whole[:120]}.items():
        (folder / f"{name}.png").write_bytes(content)
    (folder / "folder.png").mkdir()
    yield from (("huge.png", "too large"), ("large.png", "too large"))
    yield from (("wide.tiff", "mode I"), ("bright.tiff", "mode F, from 2 to 2"))
    yield from (("nan.tiff", "mode F"), ("lab.tiff", "mode LAB"))
    yield from (("cut.png", "cannot be read"), ("torn.png", "cannot be read"))
    yield ("folder.png", "cannot be read")


def test_pictures_that_cannot_be_read_are_named(tmp_path):
    for name, message in broken_pictures(tmp_path):
        with pytest.raises(ValueError, match=f"{name} .*{message}"):
            read_image(tmp_path / name)


def test_dark_ink_is_told(tmp_path, capsys):
    paper = np.full((28, 28), 230, np.uint8)
    paper[8:20, 13:15] = 20
    for name, pixels in {"paper.png": paper, "mnist.png": 255 - paper}.items():
        Image.fromarray(pixels).save(tmp_path / name)
        read_image(tmp_path / name)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("/")[-1].split()[0] for line in lines] == ["paper.png"]
    assert "--invert" in lines[0]
    read_image(tmp_path / "paper.png", invert=True)
    assert capsys.readouterr().out == ""


def test_pixels_that_are_no_numbers_are_not_written(tmp_path):
    path = tmp_path / "out.png"
    for value in (math.nan, math.inf):
        with pytest.raises(ValueError, match=r"out.png is not written"):
            write_image(torch.full((1, 1, 4, 4), value), path)
    assert not path.exists()


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
        ({"model": "Autoencoder", "arguments": 3}, "does not fit this version"),
        ({"model": "Autoencoder", "noise": "gaussian", "level": "0.5"}, "--level is"),
        ({"model": "Autoencoder", "noise": "gaussian", "level": [1]}, "--level is"),
    ],
)
def test_weights_that_do_not_say_enough(settings, message, tmp_path, capsys):
    weights = tmp_path / "dae.safetensors"
    save_weights(Autoencoder(), weights, settings)
    assert main(["evaluate", "--weights", str(weights)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "evaluate", "denoise"])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert "--weights" in capsys.readouterr().out


def never(*arguments, **options):
    pytest.fail("the work began")


def test_what_cannot_be_written_is_told_before_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("dae_tutorial.__main__.fit", never)
    (tmp_path / "file").write_text("no folder")
    for place in ("file/dae.safetensors", ""):
        assert main(["train", "--weights", str(tmp_path / place)]) == 2
        assert capsys.readouterr().err.startswith("error: ")
    picture, weights = tmp_path / "p.png", tmp_path / "dae.safetensors"
    PICTURES["grey"].save(picture)
    save_weights(Autoencoder(), weights, {"model": {}})
    monkeypatch.setattr(Autoencoder, "forward", never)
    words = ["denoise", str(picture), "--weights", str(weights)]
    assert main([*words, "--output", str(tmp_path / "file" / "out.png")]) == 2


def test_two_pictures_of_one_name_do_not_replace_each_other_unsaid(tmp_path, capsys):
    weights = tmp_path / "dae.safetensors"
    save_weights(Autoencoder(), weights, {"model": {}})
    for name in ("p.png", "p.jpg"):
        PICTURES["grey"].save(tmp_path / name)
        words = ["denoise", str(tmp_path / name), "--weights", str(weights)]
        assert main(words) == 0
        told = "was there already and is replaced" in capsys.readouterr().out
        assert told == (name == "p.jpg")


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (KeyboardInterrupt(), 130, "stopped: nothing was written"),
        (FloatingPointError("the loss\nbecame nan"), 2, "error: the loss became nan"),
    ],
)
def test_what_ends_a_training(error, status, line, monkeypatch, tmp_path, capsys):
    def stop(*arguments, **options):
        raise error

    monkeypatch.setattr("dae_tutorial.__main__.fit", stop)
    assert main(["train", "--weights", str(tmp_path / "dae.safetensors")]) == status
    assert capsys.readouterr().err.splitlines() == [line]
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_that_knows_ascii_only(tmp_path):
    weights, picture = tmp_path / "dae.safetensors", tmp_path / "gr\u00fc\u00dfe.png"
    save_weights(Autoencoder(), weights, {"model": {}})
    Image.new("L", (30, 40)).save(picture)
    command = [sys.executable, "-m", "dae_tutorial", "denoise", str(picture)]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    result = subprocess.run(
        [*command, "--weights", str(weights)], env=environment, capture_output=True
    )
    assert result.returncode == 0, result.stderr
    assert b"30 ? 40" in result.stdout
