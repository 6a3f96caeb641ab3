"""The store of trainings: bit for bit what training gives, and never a wrong hit."""

import random
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dae_tutorial import train
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise, add_masking_noise
from tests.test_notebooks import HEAD, make_project
from tools.notebooks import trained
from tools.notebooks.cache import evict_oldest
from tools.notebooks.pipeline import cached, executed
from tools.notebooks.source import read
from tools.notebooks.trained import packed, remembered, unpacked

REPOSITORY = Path(__file__).parents[1]


class Problem:
    """A small training: the objects of one call of `fit`, made afresh."""

    def __init__(self, seed: int = 0):
        torch.manual_seed(seed)
        images = torch.rand(24, 1, 4, 4)
        self.loader = ImageTensors(images, torch.zeros(24)).loader(8, shuffle=True)
        self.model = nn.Sequential(
            Autoencoder(16, 8, 4), nn.Dropout(0.1), nn.BatchNorm2d(1)
        )
        self.model.eval()  # training switches it
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-2)
        self.scheduler = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=1e-2, total_steps=6
        )

    def train(self, fit, **changes):
        given = {
            "optimizer": self.optimizer,
            "scheduler": self.scheduler,
            "epochs": 2,
            "device": "cpu",
        }
        corrupt = changes.pop("corrupt", add_gaussian_noise)
        return fit(self.model, self.loader, corrupt, **(given | changes))

    def left_behind(self) -> dict:
        """Return all that a training may change, and that later code may see."""
        return {
            "state": self.model.state_dict(),
            "gradients": [one.grad for one in self.model.parameters()],
            "modes": [one.training for one in self.model.modules()],
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.loader.generator.get_state(),
            "sampler": self.loader.sampler.generator.get_state(),
            "random": torch.get_rng_state(),
        }


class Counted:
    """`fit`, and how often it was called."""

    def __init__(self):
        self.calls = 0

    def remembered(self, folder: Path, monkeypatch):
        real = train.train_one_epoch

        def counting(*args, **kwargs):
            self.calls += 1
            return real(*args, **kwargs)

        counting.__module__ = real.__module__
        monkeypatch.setattr(train, "train_one_epoch", counting)
        return remembered(train.fit, folder)


@pytest.fixture
def counted():
    return Counted()


@pytest.fixture
def fit(counted, tmp_path, monkeypatch):
    return counted.remembered(tmp_path, monkeypatch)


def same(one, other) -> bool:
    """Return whether two nested states are equal bit for bit."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return (
            type(one) is type(other)
            and len(one) == len(other)
            and all(map(same, one, other))
        )
    return one == other


def test_a_hit_leaves_exactly_what_training_leaves(fit, counted):
    plain, missed, hit = Problem(), None, None
    plain_history = plain.train(train.fit)
    expected, calls = plain.left_behind(), counted.calls
    missed = Problem()
    missed.train(fit)
    assert counted.calls == 2 * calls
    assert same(missed.left_behind(), expected)
    hit = Problem()
    history = hit.train(fit)
    assert counted.calls == 2 * calls, "the second training was looked up"
    assert same(hit.left_behind(), expected)
    assert history.train_loss == plain_history.train_loss
    assert type(history) is train.History


def test_what_follows_a_hit_is_what_follows_a_training(fit):
    """Continued training: the optimiser, the order and the noise go on as they were."""
    results = []
    for function in (train.fit, fit, fit):
        problem = Problem()
        problem.train(function)
        problem.train(train.fit, scheduler=None, seed=1)
        results.append(problem.left_behind())
    assert same(results[0], results[1])
    assert same(results[0], results[2])


def other_weights(problem):
    with torch.no_grad():
        problem.model[0].encoder[0].bias[0] += 1e-6


def other_images(problem):
    problem.loader.dataset.images[3, 0, 0, 0] += 1e-6


def other_learning_rate(problem):
    problem.optimizer.param_groups[0]["lr"] = 2e-2


def other_dropout(problem):
    problem.model[1].p = 0.2


def frozen(problem):
    problem.model[0].encoder[0].weight.requires_grad_(False)


def used_order(problem):
    next(iter(problem.loader))


def other_activation(problem):
    problem.model[0].encoder[1] = nn.SiLU()


def other_random_state(problem):
    torch.rand(1)


CHANGES = {
    "weights": (other_weights, {}),
    "images": (other_images, {}),
    "learning rate": (other_learning_rate, {}),
    "a setting of a layer": (other_dropout, {}),
    "frozen weights": (frozen, {}),
    "the order of the images": (used_order, {}),
    "an activation": (other_activation, {}),
    "the random state": (other_random_state, {}),
    "epochs": (None, {"epochs": 1}),
    "seed": (None, {"seed": 1}),
    "corruption": (None, {"corrupt": add_masking_noise}),
    "loss": (None, {"criterion": nn.L1Loss()}),
    "no schedule": (None, {"scheduler": None}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_an_input_trains_again(fit, counted, change):
    edit, arguments = CHANGES[change]
    Problem().train(fit)
    before, problem = counted.calls, Problem()
    if edit is not None:
        edit(problem)
    problem.train(fit, **arguments)
    assert counted.calls > before


def test_another_strength_of_the_noise_trains_again(fit, counted):
    for noise_factor in (0.1, 0.2):
        before = counted.calls
        corrupt = partial(add_gaussian_noise, noise_factor=noise_factor)
        Problem().train(fit, corrupt=corrupt)
        assert counted.calls > before


def test_other_code_of_the_package_trains_again(fit, counted, monkeypatch):
    Problem().train(fit)
    before = counted.calls
    from tools.notebooks import described

    real = described.code_digest
    monkeypatch.setattr(described, "code_digest", lambda code: real(code + "\nx = 1"))
    Problem().train(fit)
    assert counted.calls > before


def test_another_version_of_torch_trains_again(fit, counted, monkeypatch):
    Problem().train(fit)
    before = counted.calls
    monkeypatch.setattr(torch, "__version__", "0.0")
    Problem().train(fit)
    assert counted.calls > before


def with_hook(problem):
    problem.model[0].register_forward_hook(lambda *_: None)
    return {}


def with_worker(problem):
    problem.loader.num_workers = 1
    return {}


UNKNOWN = {
    "a lambda": lambda _: {"validate": lambda model: 0.0},
    "a nested function": lambda _: {"corrupt": lambda x, generator: x},
    "a hook": with_hook,
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_what_cannot_be_described_just_trains(fit, counted, tmp_path, kind):
    for _ in range(2):
        before, problem = counted.calls, Problem()
        problem.train(fit, **UNKNOWN[kind](problem))
        assert counted.calls > before
    assert not list(tmp_path.rglob("*.entry"))


def test_an_argument_that_the_store_does_not_know_just_trains(tmp_path):
    def fit_with_more(model, batches, corrupt, *, device=None, extra=None):
        calls.append(extra)
        return train.History()

    fit_with_more.__globals__["pick_device"] = train.pick_device
    calls, fit = [], remembered(fit_with_more, tmp_path)
    for _ in range(2):
        fit(None, None, None, extra=1)
    assert calls == [1, 1]


def noisy_by_numpy(x, *, generator):
    return x + float(np.random.rand())  # noqa: NPY002


def noisy_by_python(x, *, generator):
    return x + random.random()


def warning_noise(x, *, generator):
    import warnings

    warnings.warn("Look out", stacklevel=1)
    return x


@pytest.mark.parametrize("corrupt", [noisy_by_numpy, noisy_by_python])
def test_hidden_randomness_is_not_kept(fit, counted, corrupt):
    for _ in range(2):
        before = counted.calls
        Problem().train(fit, corrupt=corrupt)
        assert counted.calls > before


def test_a_training_that_warned_warns_again(fit):
    for _ in range(2):
        with pytest.warns(UserWarning, match="Look out"):
            Problem().train(fit, corrupt=warning_noise)


def test_parameters_outside_of_the_model_are_not_forgotten(fit, counted):
    for _ in range(2):
        before, problem = counted.calls, Problem()
        extra = nn.Parameter(torch.zeros(1))
        problem.optimizer.add_param_group({"params": [extra]})
        problem.train(fit, scheduler=None)
        assert counted.calls > before


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    ],
)
def test_a_damaged_training_is_trained_again(fit, counted, tmp_path, caplog, damage):
    Problem().train(fit)
    (path,) = tmp_path.rglob("*.entry")
    path.write_bytes(damage(path.read_bytes()))
    before = counted.calls
    Problem().train(fit)
    assert counted.calls > before
    assert "damaged training" in caplog.text
    before = counted.calls
    Problem().train(fit)
    assert counted.calls == before


def test_the_store_is_bounded(fit, tmp_path, monkeypatch):
    Problem().train(fit)
    (path,) = tmp_path.rglob("*.entry")
    monkeypatch.setattr(trained, "MOST_BYTES", path.stat().st_size + 10)
    Problem().train(fit, seed=1)
    (left,) = tmp_path.rglob("*.entry")
    assert left != path
    evict_oldest(tmp_path, 0)
    assert not list(tmp_path.rglob("*.entry"))


def test_states_survive_packing():
    state = {"a": [1, 2.5, None, "x", True], "b": {0: (0.9, torch.arange(3))}, "c": ()}
    assert same(unpacked(packed(state)), state)


TRAINS = """# %%
import torch
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.model import Autoencoder
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import fit
torch.manual_seed(0)
model = Autoencoder(16, 8, 4)
images = torch.rand(64, 1, 4, 4)
loader = ImageTensors(images, torch.zeros(64)).loader(8)
history = fit(model, loader, add_gaussian_noise, epochs=2, device="cpu")
print(history.seconds, history.train_loss, sum(p.sum() for p in model.parameters()))
"""


def printed(notebook) -> str:
    return next(
        output.text
        for output in notebook.cells[0].outputs
        if output.output_type == "stream" and output.name == "stdout"
    )


def test_two_notebooks_train_the_same_once(tmp_path):
    project = make_project(tmp_path / "project")
    package = REPOSITORY / "dae_tutorial"
    for name in ("loaders", "model", "noise", "train"):
        (project.root / f"dae_tutorial/{name}.py").write_text(
            (package / f"{name}.py").read_text()
        )
    texts = []
    for name in ("one", "two"):
        path = project.docs / f"{name}.py"
        path.write_text(HEAD + TRAINS + f"# %%\n'{name}'\n")
        texts.append(printed(executed(project, path)))
    for module in ("train", "model"):
        with (project.root / f"dae_tutorial/{module}.py").open("a") as file:
            file.write("# A comment.\n")
    assert cached(project, read(path)) is not None, "the store's reading is no use"
    # Equal seconds: the second was not trained, and everything else is equal too.
    assert texts[0] == texts[1]
    assert len(list((project.root / ".cache/trained").glob("*.entry"))) == 1
    plain = subprocess.run(
        [sys.executable, "-c", TRAINS.replace("# %%", "")],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert plain.split("]", 1)[1] == texts[0].split("]", 1)[1]
