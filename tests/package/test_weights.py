"""Weights on disk: the same model back, whole files only, foreign files refused."""

import os
import pickle

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from dae_tutorial.further.weights import load_weights, read_settings, save_weights
from dae_tutorial.model import Autoencoder
from tests.wrappings import WRAPPINGS


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "folder" / "model.safetensors"


def test_loaded_model_gives_the_same_output(path):
    saved, loaded = Autoencoder(), Autoencoder()
    x = torch.rand(4, 784)
    assert not torch.equal(saved(x), loaded(x))
    save_weights(saved, path, {"noise": "gaussian"})
    load_weights(loaded, path)
    assert torch.equal(saved(x), loaded(x))
    assert read_settings(path) == {"noise": "gaussian"}


def test_failed_write_keeps_the_old_file(path, monkeypatch):
    save_weights(Autoencoder(), path, {"version": 1})

    def fail(file):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_weights(Autoencoder(), path, {"version": 2})
    assert read_settings(path) == {"version": 1}
    assert list(path.parent.iterdir()) == [path]


def test_an_unfinished_file_is_hidden_beside_the_old_one(path, monkeypatch):
    """In one file system, so that it takes the other's place in one step."""
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.extend(path.parent.iterdir()))
    save_weights(small(), path, {})
    assert [file.name.startswith(".saving-") for file in seen] == [True]
    assert list(path.parent.iterdir()) == [path]


def test_settings_must_fit_json(path):
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_weights(Autoencoder(), path, {"device": torch.device("cpu")})
    assert not path.exists()


def test_damaged_and_foreign_files(tmp_path):
    good = tmp_path / "good.safetensors"
    save_weights(Autoencoder(), good, {})
    half = tmp_path / "half.safetensors"
    half.write_bytes(good.read_bytes()[:1000])
    foreign = tmp_path / "foreign.pt"
    foreign.write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    for path in (half, foreign):
        model = Autoencoder()
        before = model.encoder[0].weight.clone()
        with pytest.raises(ValueError, match=f"{path.name} is damaged or was not"):
            load_weights(model, path)
        assert torch.equal(model.encoder[0].weight, before)


def small():
    """A model whose file is small enough to flip each of its bits."""
    return nn.Linear(2, 1)


def test_no_flipped_bit_goes_unnoticed(path):
    """In the settings and the numbers each bit is checked, and none passes."""
    save_weights(small(), path, {"width": 16})
    content = path.read_bytes()
    header = content.index(b'{"__metadata__"')
    settings = content.index(rb"{\"width\": 16}")
    numbers = header + int.from_bytes(content[:8], "little")
    places = [*range(settings, settings + 15), *range(numbers, len(content))]
    assert len(places) == 15 + 4 * 3
    for place in places:
        for bit in range(8):
            spoilt = bytearray(content)
            spoilt[place] ^= 1 << bit
            path.write_bytes(spoilt)
            for read in (read_settings, lambda path: load_weights(small(), path)):
                with pytest.raises(ValueError, match=r"model\.safetensors is damaged"):
                    read(path)


def test_files_of_earlier_versions_have_no_checksum(path):
    saved, loaded = small(), small()
    path.parent.mkdir(parents=True)
    save_file(saved.state_dict(), path, metadata={"settings": '{"width": 16}'})
    with pytest.warns(UserWarning, match=r"model.safetensors has no checksum"):
        load_weights(loaded, path)
    assert torch.equal(loaded.weight, saved.weight)
    assert read_settings(path) == {"width": 16}, "and without a warning"


def test_the_warning_points_at_who_loads(path):
    path.parent.mkdir(parents=True)
    save_file(small().state_dict(), path, metadata={"settings": "{}"})
    with pytest.warns(UserWarning, match=r"no checksum") as told:
        load_weights(small(), path)
    assert told[0].filename == __file__


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_that_are_no_numbers(path, value, dtype):
    saved, loaded = small().to(dtype), small()
    before = loaded.weight.clone()
    with torch.no_grad():
        saved.weight[0, 0] = value
    save_weights(saved, path, {})
    with pytest.raises(ValueError, match="weights that are no numbers, in weight"):
        load_weights(loaded, path)
    assert torch.equal(loaded.weight, before)


@pytest.mark.parametrize("settings", ["no JSON", "[1, 2]"])
def test_settings_of_another_program(tmp_path, settings):
    path = tmp_path / "foreign.safetensors"
    save_file(small().state_dict(), path, metadata={"settings": settings})
    for read in (read_settings, lambda path: load_weights(small(), path)):
        with pytest.raises(ValueError, match=r"foreign\.safetensors is damaged or was"):
            read(path)


class Tied(nn.Module):
    """The decoder's weights are those of the encoder."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(4, 4), nn.Linear(4, 4)
        self.decoder.weight = self.encoder.weight


def test_tied_weights(path):
    saved, loaded = Tied(), Tied()
    save_weights(saved, path, {})
    load_weights(loaded, path)
    assert torch.equal(loaded.decoder.weight, saved.encoder.weight)
    assert loaded.decoder.weight is loaded.encoder.weight


def test_channels_last(path):
    saved = nn.Conv2d(3, 2, 3).to(memory_format=torch.channels_last)
    assert not saved.weight.is_contiguous()
    save_weights(saved, path, {})
    loaded = nn.Conv2d(3, 2, 3)
    load_weights(loaded, path)
    assert torch.equal(loaded.weight, saved.weight)


@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_wrapping_does_not_reach_the_file(wrap, path):
    """What was saved from a wrapped model fits a plain one, and the reverse."""
    saved, plain, wrapped = small(), small(), wrap(small())
    save_weights(wrap(saved), path, {})
    assert set(load_file(path)) == {"weight", "bias"}
    load_weights(plain, path)
    load_weights(wrapped, path)
    x = torch.rand(3, 2)
    assert torch.equal(plain(x), saved(x))
    assert torch.equal(next(wrapped.parameters()), saved.weight)


def test_file_may_be_read_by_others(path):
    """As the umask says, so that a web server may hand it out."""
    umask = os.umask(0o022)
    try:
        save_weights(small(), path, {})
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o644
    with safe_open(path, framework="pt") as file:
        assert set(file.metadata()) == {"settings", "checksum"}


def test_another_architecture(path):
    save_weights(Autoencoder(latent_dim=8), path, {})
    with pytest.raises(ValueError, match="holds the weights of another model"):
        load_weights(Autoencoder(), path)


def test_missing_file(path):
    with pytest.raises(FileNotFoundError):
        read_settings(path)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}])
def test_files_of_other_programs_have_no_settings(tmp_path, metadata):
    path = tmp_path / "foreign.safetensors"
    save_file(small().state_dict(), path, metadata=metadata)
    with pytest.raises(ValueError, match=r"foreign.* it holds no settings"):
        read_settings(path)


def test_a_folder_holds_no_weights(tmp_path):
    for read in (read_settings, lambda path: load_weights(small(), path)):
        with pytest.raises(ValueError, match="must be a file of weights, it is a fold"):
            read(tmp_path)


def test_names_and_numbers_that_change_places_do_not_go_unnoticed(path):
    """The checksum covers the names: here all numbers are as they were."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    save_weights(model, path, {})
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    renamed = {
        name.translate(str.maketrans("01", "23")): tensors[name] for name in tensors
    }
    save_file(renamed, path, metadata)
    with pytest.raises(ValueError, match=r"its checksum is wrong$"):
        read_settings(path)


def test_settings_that_are_no_dictionary_are_shown(tmp_path):
    path = tmp_path / "list.safetensors"
    save_file(small().state_dict(), path, metadata={"settings": "[1, 2]"})
    with pytest.raises(ValueError, match=r"must be a dictionary, got \[1, 2\]$"):
        read_settings(path)
