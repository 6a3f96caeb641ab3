"""The command line does real work, and tells what is wrong in one line."""

import inspect
import io
import math
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from dae_tutorial import __main__ as grammar, __version__, command_line
from dae_tutorial.__main__ import main
from dae_tutorial.command_line import MODELS, NOISES, OPTIONS
from dae_tutorial.further.image_files import read_image, write_image
from dae_tutorial.further.pretrained import FOLDER, NAMES, load_pretrained, read_card
from dae_tutorial.further.weights import read_settings, save_weights
from dae_tutorial.loaders import ImageTensors, load_mnist
from dae_tutorial.model import Autoencoder, UNet
from dae_tutorial.noise import append_noise_level

COMMANDS = ("train", "evaluate", "denoise", "models")


@pytest.fixture
def toys(monkeypatch):
    """Put 24 small images in the place of MNIST."""
    images = torch.rand(24, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    data = ImageTensors(images.round(), torch.zeros(24, dtype=torch.int64))

    def splits(batch_size, *, root, seed):
        train = data.loader(batch_size, shuffle=True, seed=seed)
        return train, data.loader(batch_size), data.loader(batch_size)

    monkeypatch.setattr(command_line, "get_mnist_splits", splits)
    loaders = data.loader(8), data.loader(8)
    monkeypatch.setattr(command_line, "get_mnist_loaders", lambda root: loaders)


@pytest.fixture
def weights(tmp_path):
    """Return weights of an untrained dense autoencoder."""
    path = tmp_path / "weights" / "dae.safetensors"
    save_weights(Autoencoder(), path, {"model": "Autoencoder"})
    return path


@pytest.fixture
def any_size(tmp_path):
    """Return weights of a U-Net for any size that gives every image back."""
    path = tmp_path / "weights" / "unet.safetensors"
    model = UNet()
    for parameter in (model.leave.weight, model.leave.bias):
        torch.nn.init.zeros_(parameter)
    save_weights(model, path, {"model": "UNet"})
    return path


def picture(path, *, pixels=0.25, shape=(1, 28, 28)):
    path.parent.mkdir(exist_ok=True)
    write_image(torch.full(shape, pixels), path)
    return path


def never(*arguments, **options):
    pytest.fail("the work began")


# What may be typed


def test_the_names_are_those_of_the_tables():
    assert tuple(MODELS) == grammar.MODELS
    assert tuple(NOISES) == grammar.NOISES
    for _, _, level in NOISES.values():
        assert f"{level:g}" in grammar.LEVEL_HELP


def test_help_is_there_at_once():
    code = "from dae_tutorial.__main__ import build_parser; build_parser()"
    code += "; import sys; assert not {'torch', 'numpy'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)])
def test_help_shows_what_works(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*words, "--help"])
    assert stop.value.code == 0
    examples = re.findall(
        r"^  python -m dae_tutorial ([^#\n]*)", capsys.readouterr().out
    )
    for example in examples:
        grammar.build_parser().parse_args(shlex.split(example))


def test_every_command_of_the_pages_can_be_typed():
    for page in (Path("README.md"), Path("docs/reference/command-line.md")):
        found = re.findall(
            r"python -m dae_tutorial((?: [\w./=-]+)+)", page.read_text(encoding="utf-8")
        )
        assert found, page
        for words in found:
            if "--help" not in words:
                grammar.build_parser().parse_args(words.split())


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"dae-tutorial {__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "COMMAND"),
        ("trane", "'trane'"),
        ("train --model VAE", "--model: invalid choice: 'VAE' (choose from"),
        ("train --noise gauss", "--noise: invalid choice: 'gauss'"),
        ("train --epochs many", "--epochs: invalid int value: 'many'"),
        ("train --level high", "--level: invalid float value: 'high'"),
        ("train --seed -1", "--seed: must be from 0 to 2^63 - 1, got -1"),
        (f"evaluate --seed {2**63}", "--seed: must be from 0"),
        ("train extra", "unrecognized arguments: extra"),
        ("denoise", "IMAGE"),
    ],
)
def test_what_cannot_be_typed_is_told_in_one_line(words, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words.split())
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert "--help" in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train --level -1", "--level must be a finite number above 0"),
        ("train --level 0", "--level must be a finite number above 0"),
        ("train --level nan", "--level must be a finite number above 0"),
        ("train --level inf", "--level must be a finite number above 0"),
        ("train --level 25", "at most 10, where white is 1, got 25"),
        ("evaluate --weights unet --level 1e300", "at most 10, where white is 1"),
        ("train --noise varied-gaussian --level 10.1", "at most 10, where white is 1"),
        ("train --noise blocks --level 0.5", "a whole number of pixels"),
        ("train --noise blocks --level 2.5", "a whole number of pixels"),
        ("train --noise blocks --level 29", "block_size must be"),
        ("train --noise salt-and-pepper --level 1.5", "flip_prob must"),
        ("train --noise masking --level 2", "mask_prob must be"),
        ("train --epochs 0", "epochs must be an integer"),
        ("train --latent-dim 0", "latent_dim must be an integer"),
        ("train --model unet --width 0", "width must be"),
        ("train --model unet --noise masking --noise-aware", "for a noise-aware model"),
        ("train --device abacus", "--device must be one that is here"),
        ("train --device meta", "--device must be one that is here"),
        ("train --resume", "--resume needs --checkpoint FILE"),
        ("train --resume --checkpoint run", "--resume needs a run to go on with: run"),
        ("train --checkpoint dae.safetensors", "must be two files"),
        ("train --checkpoint ./x/../dae.safetensors", "must be two files"),
        ("evaluate --weights nowhere", "--weights must be a file, such as `train` wr"),
        ("evaluate --weights .", "must be a file of weights, it is a folder"),
        ("evaluate --weights unet --noise masking", "--level is needed"),
        ("denoise nowhere.png --weights unet", "nowhere.png"),
        ("denoise nowhere.png --weights unet --level 0.5", "--level is for weights"),
    ],
)
def test_mistakes_are_told_in_one_line(
    words, message, capsys, tmp_path, toys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(words.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_of_another_model_is_refused(model, name, toys, tmp_path, capsys):
    words = ["train", "--model", model, "--weights", str(tmp_path / "dae.safetensors")]
    words += ["--epochs", "1", OPTIONS[name]]
    words += [] if name == "in_channels" else ["4"]
    taken = {
        "autoencoder": {"hidden_dim", "latent_dim"},
        "conv-autoencoder": {"latent_dim", "width"},
        "unet": {"width", "in_channels"},
    }
    assert main(words) == (0 if name in taken[model] else 2)
    if name in taken[model]:
        value = 2 if name == "in_channels" else 4
        settings = read_settings(tmp_path / "dae.safetensors")
        assert settings["arguments"][name] == value
    else:
        assert f"{OPTIONS[name]} is not for --model {model}" in capsys.readouterr().err


# Train and evaluate


@pytest.mark.slow
def test_train_then_evaluate_and_denoise(tmp_path, capsys):
    weights, noisy_file = str(tmp_path / "dae.safetensors"), tmp_path / "digit.png"
    assert main(["train", "--epochs", "1", "--weights", weights]) == 0
    capsys.readouterr()
    assert main(["evaluate", "--weights", weights]) == 0
    lines = capsys.readouterr().out.splitlines()
    nothing, model = (float(line.split("MSE ")[1].split(",")[0]) for line in lines[1:])
    assert lines[0] == "10000 test images, gaussian noise of level 0.5"
    assert model < nothing / 2
    clean = load_mnist(train=False).images[0]
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    noisy = (clean + 0.5 * noise).clamp(0, 1)
    write_image(noisy, noisy_file)
    assert main(["denoise", str(noisy_file), "--weights", weights]) == 0
    denoised = read_image(tmp_path / "digit.denoised.png")
    assert (denoised - clean).square().mean() < (noisy - clean).square().mean() / 2


@pytest.mark.parametrize("noise", NOISES)
def test_each_noise_has_a_default_that_changes_images(
    noise, toys, monkeypatch, tmp_path
):
    seen, fit = {}, command_line.fit

    def note(model, batches, corrupt, **options):
        seen["noise"] = corrupt
        return fit(model, batches, corrupt, **options)

    monkeypatch.setattr(command_line, "fit", note)
    weights = tmp_path / "dae.safetensors"
    words = ["train", "--noise", noise, "--epochs", "1", "--weights", str(weights)]
    assert main(words) == 0
    images = torch.rand(16, 1, 28, 28)
    lost = (seen["noise"](images) - images).square().mean()
    assert lost > 0.005
    assert read_settings(weights)["level"] == NOISES[noise][2]


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_trained_scored_and_used(model, toys, tmp_path, capsys):
    weights, source = str(tmp_path / "dae.safetensors"), picture(tmp_path / "p.png")
    words = ["train", "--model", model, "--epochs", "2", "--batch-size", "8"]
    assert main([*words, "--weights", weights]) == 0
    assert "epoch 2: training 0." in capsys.readouterr().out
    settings = read_settings(weights)
    assert settings["model"] == MODELS[model].__name__
    assert (settings["noise"], settings["level"]) == ("gaussian", 0.5)
    assert (settings["epochs"], settings["seed"]) == (2, 0)
    again = MODELS[model](**settings["arguments"])
    assert (
        settings["arguments"].keys() == inspect.signature(type(again)).parameters.keys()
    )
    assert main(["evaluate", "--weights", weights]) == 0
    assert "24 test images, gaussian noise of level 0.5" in capsys.readouterr().out
    assert main(["denoise", str(source), "--weights", weights]) == 0
    assert read_image(tmp_path / "p.denoised.png").shape == (1, 28, 28)


def test_a_noise_aware_model_is_told_the_level(toys, tmp_path, monkeypatch, capsys):
    weights, source = str(tmp_path / "dae.safetensors"), picture(tmp_path / "p.png")
    told, forward = [], UNet.forward

    def note(model, images):
        told.append(images[:, 1])
        return forward(model, images)

    monkeypatch.setattr(UNet, "forward", note)
    words = ["train", "--model", "unet", "--noise-aware", "--epochs", "1"]
    words += ["--noise", "varied-gaussian", "--level", "0.8", "--weights", weights]
    assert main(words) == 0
    levels = torch.cat(told).unique()
    assert len(levels) >= 24, "one for each image"
    assert 0 < levels.min() < 0.2 < 0.6 < levels.max() < 0.8
    assert main(["evaluate", "--weights", weights]) == 0
    told.clear()
    words = ["evaluate", "--weights", weights, "--noise", "gaussian", "--level", "0.3"]
    assert main(words) == 0
    assert torch.cat(told).unique().tolist() == pytest.approx([0.3])
    assert main(["denoise", str(source), "--weights", weights]) == 2
    assert "--level is for weights of a noise-aware model" in capsys.readouterr().err
    told.clear()
    for level in ("0.4", "0"):
        words = ["denoise", str(source), "--weights", weights, "--level", level]
        assert main(words) == 0
    assert torch.cat(told).unique().tolist() == pytest.approx([0, 0.4])
    for level in ("-1", "inf", "nan"):
        words = ["denoise", str(source), "--weights", weights, "--level", level]
        assert main(words) == 2
        assert "--level must be a finite number from 0" in capsys.readouterr().err


def test_a_told_model_meets_the_noise_that_the_others_meet():
    images = torch.rand(4, 1, 28, 28)
    blind, told = UNet(), UNet(in_channels=2)
    for noise in ("gaussian", "varied-gaussian"):
        first, second = (
            command_line.corruption(noise, 0.5, model)(
                images, generator=torch.Generator().manual_seed(0)
            )
            for model in (blind, told)
        )
        assert torch.equal(first, second[:, :1])
    assert torch.equal(second, append_noise_level(first, second[:, 1:]))


def test_seed_and_device_reach_the_work(toys, tmp_path, monkeypatch):
    seen, weights = {}, str(tmp_path / "dae.safetensors")

    def noted(name):
        do = getattr(command_line, name)

        def note(*arguments, **options):
            seen[name] = options
            return do(*arguments, **options)

        return note

    for name in ("get_mnist_splits", "fit", "evaluate"):
        monkeypatch.setattr(command_line, name, noted(name))
    options = ["--seed", "7", "--device", "cpu", "--epochs", "1"]
    assert main(["train", "--weights", weights, *options]) == 0
    assert seen["get_mnist_splits"]["seed"] == seen["fit"]["seed"] == 7
    assert seen["fit"]["device"] == "cpu"
    assert main(["evaluate", "--weights", weights, "--seed", "8"]) == 0
    assert seen["evaluate"]["seed"] == 8
    assert not command_line.load_model(Path(weights))[0].training


def test_weights_that_are_replaced_are_named_before_the_work(
    toys, weights, monkeypatch, capsys
):
    monkeypatch.setattr(command_line, "get_mnist_splits", never)
    with pytest.raises(pytest.fail.Exception):
        main(["train", "--weights", str(weights)])
    assert f"{weights} is there already and will be replaced" in capsys.readouterr().err


# Stop and go on


def interrupt(monkeypatch, after):
    """Press Ctrl-C in the validation that comes after so many epochs."""
    calls, evaluate = [], command_line.evaluate

    def stop(*arguments, **options):
        calls.append(arguments)
        if len(calls) > after:
            raise KeyboardInterrupt
        return evaluate(*arguments, **options)

    monkeypatch.setattr(command_line, "evaluate", stop)


def test_a_run_that_is_resumed_is_the_run(toys, tmp_path, monkeypatch, capsys):
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    train = ["train", "--epochs", "3", "--batch-size", "8", "--weights"]
    assert main([*train, str(whole)]) == 0
    words = [*train, str(parts), "--checkpoint", str(tmp_path / "run.safetensors")]
    with monkeypatch.context() as patch:
        interrupt(patch, after=1)
        assert main(words) == 130
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("stopped: ")
    assert "run.safetensors keeps the finished epochs; the same command with" in line
    assert not parts.exists()
    assert main(words) == 2, "a run that is there is not begun anew unsaid"
    assert "run.safetensors is there already: add --resume" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 0
    assert read_settings(parts) == read_settings(whole)
    for name, tensor in load_file(whole).items():
        assert torch.equal(load_file(parts)[name], tensor)
    shorter = ["2" if word == "3" else word for word in words]
    assert main([*shorter, "--resume"]) == 0, "a run that has had its epochs is done"
    assert read_settings(parts)["epochs"] == 3


@pytest.mark.parametrize(
    "other",
    ["--seed 1", "--level 0.4", "--noise masking", "--batch-size 4", "--latent-dim 8"],
)
def test_another_run_is_not_resumed(other, toys, tmp_path, capsys):
    words = [
        "train",
        "--checkpoint",
        str(tmp_path / "run.safetensors"),
        "--epochs",
        "1",
    ]
    words += ["--batch-size", "8", "--weights", str(tmp_path / "dae.safetensors")]
    assert main(words) == 0
    assert main([*words, "--resume", *other.split()]) == 2
    assert "run.safetensors holds another run" in capsys.readouterr().err


def test_another_level_is_not_resumed_where_the_model_is_told(toys, tmp_path, capsys):
    words = [
        "train",
        "--checkpoint",
        str(tmp_path / "run.safetensors"),
        "--epochs",
        "1",
    ]
    words += ["--weights", str(tmp_path / "dae.safetensors"), "--model", "unet"]
    words += ["--noise-aware", "--level"]
    assert main([*words, "0.5"]) == 0
    assert main([*words, "0.4", "--resume"]) == 2
    assert "run.safetensors holds another run" in capsys.readouterr().err


def test_what_a_stopped_training_says(toys, tmp_path, monkeypatch, capsys):
    words = ["train", "--weights", str(tmp_path / "dae.safetensors")]
    interrupt(monkeypatch, after=0)
    assert main(words) == 130
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("stopped: nothing was kept; --checkpoint FILE would")
    assert main([*words, "--checkpoint", str(tmp_path / "run.safetensors")]) == 130
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == "stopped: nothing was kept, as no epoch was finished"
    assert list(tmp_path.iterdir()) == []


def test_what_other_commands_say(weights, tmp_path, monkeypatch, capsys):
    def stop(*arguments):
        raise KeyboardInterrupt

    for owner, name in [(command_line, "load_model"), (Autoencoder, "forward")]:
        monkeypatch.setattr(owner, name, stop)
        words = ["denoise", str(picture(tmp_path / "p.png"))]
        assert main([*words, "--weights", str(weights)]) == 130
        assert capsys.readouterr().err == "stopped: nothing more was written\n"
        monkeypatch.undo()


def test_a_training_that_fails(toys, monkeypatch, tmp_path, capsys):
    def fail(*arguments, **options):
        raise FloatingPointError("the loss\nbecame nan")

    monkeypatch.setattr(command_line, "fit", fail)
    assert main(["train", "--weights", str(tmp_path / "dae.safetensors")]) == 2
    assert capsys.readouterr().err == "error: the loss became nan\n"
    assert list(tmp_path.iterdir()) == []


# Denoise


def denoise(*words, weights):
    return main(["denoise", *map(str, words), "--weights", str(weights)])


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_denoises(name, tmp_path):
    noisy = torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(0))
    source = tmp_path / "digit.png"
    write_image(noisy, source)
    with torch.no_grad():
        clean = load_pretrained(name)(read_image(source)[None]).reshape(1, 28, 28)
    write_image(clean, tmp_path / "expected.png")
    expected = read_image(tmp_path / "expected.png")
    for weights in (name, FOLDER / f"{name}.safetensors"):
        assert denoise(source, "--output", tmp_path / "out.png", weights=weights) == 0
        assert torch.equal(read_image(tmp_path / "out.png"), expected)
        (tmp_path / "out.png").unlink()


def test_a_model_of_28_pixels_has_images_resized(weights, tmp_path, capsys):
    page = picture(tmp_path / "page.png", shape=(3, 200, 300))
    assert denoise(page, weights=weights) == 0
    assert f"note: {page} is 300 × 200: resized to 28 × 28" in capsys.readouterr().err
    assert read_image(tmp_path / "page.denoised.png").shape == (1, 28, 28)


def test_resizing_leaves_pixels_where_they_are(tmp_path):
    pixels = torch.zeros(1, 56, 84)
    pixels[:, :28, :42] = 1
    write_image(pixels, tmp_path / "p.png")
    image = command_line.read_for(Autoencoder(), tmp_path / "p.png", invert=False)
    expected = torch.zeros(1, 28, 28)
    expected[:, :14, :14] = 1
    assert (image - expected).abs().max() < 0.2
    assert (image - expected).abs().mean() < 0.02
    assert 0 <= image.min() < image.max() <= 1
    board = (torch.arange(280).reshape(-1, 1) + torch.arange(280)) % 2
    write_image(board.float()[None], tmp_path / "p.png")
    image = command_line.read_for(Autoencoder(), tmp_path / "p.png", invert=False)
    assert (image - 0.5).abs().max() < 0.1, "pixels are averaged, not left out"


@pytest.mark.parametrize("shape", [(1, 33, 50), (3, 33, 50), (3, 1, 1)])
def test_a_model_of_any_size_keeps_size_and_colours(shape, any_size, tmp_path, capsys):
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    write_image(image, tmp_path / "p.png")
    assert denoise(tmp_path / "p.png", weights=any_size) == 0
    assert "resized" not in capsys.readouterr().err
    with Image.open(tmp_path / "p.denoised.png") as result:
        assert result.mode == ("L" if shape[0] == 1 else "RGB")
    sent, back = (
        read_image(tmp_path / name, colour=True) for name in ("p.png", "p.denoised.png")
    )
    assert torch.equal(sent, back)


def test_a_model_of_colours_sees_them_together(tmp_path):
    class Turned(torch.nn.Module):
        image_size, in_channels, out_channels = None, 3, 3

        def forward(self, images):
            return images.flip(1)

    image = torch.rand(3, 5, 6)
    assert torch.equal(command_line.denoised(Turned(), image), image.flip(0))
    picture(tmp_path / "grey.png", shape=(1, 40, 30))
    for side, shape in {None: (3, 40, 30), 28: (3, 28, 28)}.items():
        Turned.image_size = side
        grey = command_line.read_for(Turned(), tmp_path / "grey.png", invert=False)
        assert grey.shape == shape


@pytest.mark.parametrize("height", [1, 511, 512, 513, 1030])
def test_strips_give_what_the_whole_gives(height):
    torch.manual_seed(0)
    model = UNet(width=4).double().eval()
    for part in model.modules():
        if isinstance(part, torch.nn.Conv2d):  # some begin at zero, and see nothing
            torch.nn.init.normal_(part.weight, std=0.2)
    image = torch.rand(1, height, 8, dtype=torch.float64)
    with torch.no_grad():
        whole = model(image[None])[0]
    heights = []
    model.register_forward_pre_hook(lambda _, given: heights.append(given[0].shape[2]))
    denoised = command_line.denoised(model, image)
    assert (denoised - whole).abs().max() < 1e-12
    assert max(heights) <= 576
    assert not denoised.requires_grad


def test_a_folder_and_files_together(any_size, tmp_path, capsys):
    names = ["scans/a.png", "scans/b.JPG", "scans/c.tiff", "more/d.png"]
    for name in names:
        picture(tmp_path / name)
    (tmp_path / "scans" / "notes.txt").write_text("no image")
    words = [tmp_path / "scans", tmp_path / "more" / "d.png"]
    assert denoise(*words, weights=any_size) == 0
    made = sorted(tmp_path.rglob("*.denoised.png"))
    assert [path.name[0] for path in made] == ["d", "a", "b", "c"]
    assert [read_image(path).shape for path in made] == [(1, 28, 28)] * 4
    assert capsys.readouterr().out.count(" written\n") == 4
    assert denoise(*words, weights=any_size) == 0, "results are not denoised again"
    assert capsys.readouterr().out.count(" replaced\n") == 4
    assert sorted(tmp_path.rglob("*.denoised.png")) == made


def test_a_folder_is_read_in_order(tmp_path, monkeypatch):
    files = [tmp_path / f"{name}.png" for name in "bca"]
    monkeypatch.setattr(Path, "iterdir", lambda folder: iter(files))
    assert command_line.pictures_of(tmp_path) == sorted(files)


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_for_the_results(there, any_size, tmp_path):
    picture(tmp_path / "a.png"), picture(tmp_path / "b.png")
    clean = tmp_path / "clean"
    if there:
        clean.mkdir()
        only = (tmp_path / "a.png", "--output", clean)
        assert denoise(*only, weights=any_size) == 0
    both = (tmp_path / "a.png", tmp_path / "b.png", "--output", clean)
    assert denoise(*both, weights=any_size) == 0
    assert sorted(path.name for path in clean.iterdir()) == [
        "a.denoised.png",
        "b.denoised.png",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("p.png p.jpg", "p.png and p.jpg would both be written to p.denoised.png"),
        ("p.png ./q/../p.jpg", "would both be written to"),
        ("p.png q --output out", "would both be written to out/p.denoised.png"),
        ("p.png --output p.png", "p.png would be replaced, and is an image to denoise"),
        ("p.png --output q/../p.png", "is an image to denoise"),
        ("r.png r.denoised.png", "is an image to denoise"),
        ("r.png --output p.png/out.png", "p.png/out.png cannot be written"),
        ("r.png p.png --output p.jpg", "--output must be a folder for several images"),
        ("q --output p.jpg", "--output must be a folder for several images, got p.jpg"),
        ("r.png --output out.txt", "got out.txt"),
        ("empty", "empty holds no image to denoise"),
    ],
)
def test_nothing_begins_that_would_lose_an_image(
    words, message, weights, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    names = ("p.png", "p.jpg", "q/p.png", "r.png", "r.denoised.png")
    for name in names:
        picture(tmp_path / name)
    (tmp_path / "empty").mkdir()
    before = {name: Path(name).read_bytes() for name in names}
    monkeypatch.setattr(command_line, "read_image", never)
    assert denoise(*words.split(), weights=weights) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert {name: Path(name).read_bytes() for name in names} == before
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == len(names) + 1  # and the weights


def test_one_bad_file_does_not_stop_the_others(weights, tmp_path, capsys):
    for name in ("a.png", "c.png", "e.png"):
        picture(tmp_path / name)
    (tmp_path / "b.png").write_text("no image")
    (tmp_path / "d.png").write_bytes((tmp_path / "a.png").read_bytes()[:50])
    files = [*sorted(tmp_path.glob("*.png")), tmp_path / "nowhere.png"]
    assert denoise(*files, weights=weights) == 2
    told = capsys.readouterr()
    for name in "ace":
        assert (tmp_path / f"{name}.denoised.png").exists()
    for name, line in zip(
        ("b", "d", "nowhere"), told.err.splitlines()[:-1], strict=True
    ):
        assert line.startswith(f"error: {tmp_path / name}.png is not denoised: ")
    assert told.err.splitlines()[-1] == "error: 3 of 6 images are not denoised"
    assert not (tmp_path / "b.denoised.png").exists()
    assert denoise(tmp_path / "b.png", weights=weights) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {tmp_path / 'b.png'} is no image file")


def test_a_bar_is_shown_on_a_terminal_alone(weights, tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def __init__(self, there):
            super().__init__()
            self.isatty = lambda: there

    files = [picture(tmp_path / name) for name in ("a.png", "b.png")]
    for count, there, shown in [(2, True, True), (2, False, False), (1, True, False)]:
        monkeypatch.setattr(sys, "stderr", terminal := Terminal(there))
        assert denoise(*files[:count], weights=weights) == 0
        assert (f"{count}/{count}" in terminal.getvalue()) == shown


def test_dark_ink_is_told_for_each_file(weights, tmp_path, capsys):
    paper = torch.full((1, 28, 28), 0.9)
    paper[:, 8:20, 13:15] = 0.1
    images = {"paper.png": paper, "mnist.png": 1 - paper}
    for name, image in images.items():
        write_image(image, tmp_path / name)
    files = [tmp_path / name for name in images]
    assert denoise(*files, weights=weights) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"note: {tmp_path / 'paper.png'} looks like dark ink")
    assert "--invert" in line
    assert denoise(*files, "--invert", weights=weights) == 0
    assert capsys.readouterr().err == ""


def test_a_bright_photograph_is_not_taken_for_paper(any_size, tmp_path, capsys):
    sky = torch.tensor([0.6, 0.8, 1.0]).reshape(3, 1, 1).expand(3, 28, 28)
    write_image(sky, tmp_path / "sky.png")
    assert denoise(tmp_path / "sky.png", weights=any_size) == 0
    assert capsys.readouterr().err == ""


def test_inverted_ink_is_white_on_black(any_size, tmp_path):
    write_image(torch.tensor([[[0.2, 1.0]]]), tmp_path / "p.png")
    assert denoise(tmp_path / "p.png", "--invert", weights=any_size) == 0
    result = read_image(tmp_path / "p.denoised.png")
    assert torch.allclose(result, torch.tensor([[[0.8, 0.0]]]))


@pytest.mark.parametrize(("invert", "below"), [([], "black"), (["--invert"], "white")])
def test_transparent_is_not_ink(invert, below, any_size, tmp_path, capsys):
    Image.new("RGBA", (8, 8), (90, 90, 90, 0)).save(tmp_path / "p.png")
    assert denoise(tmp_path / "p.png", *invert, weights=any_size) == 0
    assert read_image(tmp_path / "p.denoised.png").max() == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"note: {tmp_path / 'p.png'} is transparent in places")
    assert f"{below} shows through" in line


def test_pixels_that_are_no_numbers_make_no_picture(
    weights, tmp_path, monkeypatch, capsys
):
    broken = torch.full((1, 784), math.nan)
    monkeypatch.setattr(Autoencoder, "forward", lambda model, images: broken)
    assert denoise(picture(tmp_path / "p.png"), weights=weights) == 2
    assert "p.denoised.png is not written" in capsys.readouterr().err
    assert not (tmp_path / "p.denoised.png").exists()


# Weights


@pytest.mark.slow  # reads the whole test set
def test_downloads_of_the_site_are_evaluated(capsys):
    """On the noise of their card, where they score what the card says."""
    assert main(["evaluate", "--weights", "autoencoder"]) == 0
    first, _, last = capsys.readouterr().out.splitlines()
    assert first == "10000 test images, gaussian noise of level 0.5"
    card = read_card("autoencoder")["test"]["mse"]
    assert float(last.split("MSE ")[1].split(",")[0]) == pytest.approx(card, abs=2e-5)


def test_models_lists_what_is_there(capsys):
    assert main(["models"]) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    for name, line in zip(NAMES, lines, strict=True):
        card = read_card(name)
        parameters = sum(part.numel() for part in load_pretrained(name).parameters())
        assert f" {parameters:,} " in line
        assert " gaussian    0.5 " in line
        assert f" {card['test']['mse']:.5f} " in line
        assert f" {card['test']['psnr']:.2f} dB " in line
        size = (FOLDER / f"{name}.safetensors").stat().st_size
        assert line.endswith(f" {size / 1e6:.2f} MB")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "must name a model, one of Autoencoder, ConvAutoencoder, UNet, got None"),
        ({"model": "VAE"}, "got 'VAE'"),
        ({"model": ["Autoencoder"]}, "must name a model"),
        ({"model": "Autoencoder", "arguments": {"depth": 3}}, "does not fit this ver"),
        ({"model": "Autoencoder", "arguments": {"latent_dim": 0}}, "does not fit this"),
        ({"model": "UNet", "arguments": {"image_size": "28"}}, "does not fit this ver"),
        ({"model": {"depth": 3}}, "does not fit this version"),
        ({"model": "ConvAutoencoder"}, "holds the weights of another model"),
        ({"model": {}}, "--noise is needed"),
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
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_files_that_are_no_weights(tmp_path, capsys):
    save_file({"x": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    (tmp_path / "empty.safetensors").touch()
    torch.save({"x": torch.zeros(2)}, tmp_path / "pickle.pt")
    source = picture(tmp_path / "p.png")
    for path in [*tmp_path.glob("*.safetensors"), tmp_path / "pickle.pt", source]:
        for words in (["evaluate"], ["denoise", str(source)]):
            assert main([*words, "--weights", str(path)]) == 2
            (line,) = capsys.readouterr().err.splitlines()
            assert f"{path} is damaged or was not written by save_weights" in line


def test_weights_without_a_checksum_are_told_in_one_line(tmp_path, capsys):
    path = tmp_path / "old.safetensors"
    save_file(Autoencoder().state_dict(), path, {"settings": '{"model": {}}'})
    assert denoise(picture(tmp_path / "p.png"), weights=path) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"note: {path} has no checksum")


def test_weights_of_other_images_than_files_hold(tmp_path, capsys):
    save_weights(
        UNet(in_channels=2, out_channels=2),
        tmp_path / "two.safetensors",
        {"model": "UNet", "arguments": {"in_channels": 2, "out_channels": 2}},
    )
    source = picture(tmp_path / "p.png")
    assert denoise(source, weights=tmp_path / "two.safetensors") == 2
    assert "for 1 or 3 channels, got 2" in capsys.readouterr().err


def test_what_cannot_be_written_is_told_before_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command_line, "get_mnist_splits", never)
    (tmp_path / "file").write_text("no folder")
    os.mkfifo(tmp_path / "pipe")
    for option in ("--weights", "--checkpoint"):
        for place in ("file/dae.safetensors", "", "pipe"):
            words = ["train", "--weights", str(tmp_path / "dae.safetensors")]
            assert main([*words, option, str(tmp_path / place)]) == 2
            (line,) = capsys.readouterr().err.splitlines()
            assert line.startswith("error: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "pipe"]
    assert (tmp_path / "pipe").is_fifo()


def test_a_terminal_that_knows_ascii_only(weights, tmp_path):
    source = picture(tmp_path / "gr\u00fc\u00dfe.png", shape=(1, 40, 30))
    command = [sys.executable, "-m", "dae_tutorial", "denoise", str(source)]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    result = subprocess.run(
        [*command, "--weights", str(weights)],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert b"30 ? 40" in result.stderr
    assert b"gr??e.denoised.png written" in result.stdout
