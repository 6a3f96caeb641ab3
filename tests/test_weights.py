"""Weights on disk: the same model back, whole files only, foreign files refused."""

import pickle

import pytest
import torch

from dae_tutorial import weights
from dae_tutorial.model import Autoencoder
from dae_tutorial.weights import load_weights, read_settings, save_weights


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new folder" / "model.safetensors"


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

    def fail(tensors, target, metadata):
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(weights, "save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save_weights(Autoencoder(), path, {"version": 2})
    assert read_settings(path) == {"version": 1}
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


def test_another_architecture(path):
    save_weights(Autoencoder(latent_dim=8), path, {})
    with pytest.raises(ValueError, match="holds the weights of another model"):
        load_weights(Autoencoder(), path)


def test_missing_file(path):
    with pytest.raises(FileNotFoundError):
        read_settings(path)
