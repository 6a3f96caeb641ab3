"""Checkpoints: a killed run goes on exactly, and no wrong file is taken for right."""

import json
import os
import pickle
import re
import runpy
import signal
import subprocess
import sys
import textwrap
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import distributed, nn
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

from dae_tutorial.further import checkpoint as checkpoint_module
from dae_tutorial.further.checkpoint import Checkpoint
from dae_tutorial.further.weights import read_settings
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import History, fit
from tests.wrappings import WRAPPINGS

BATCHES = [(torch.rand(8, 4, generator=torch.Generator().manual_seed(1)), None)]


def corrupt(images, *, generator):
    return images + torch.randn(images.shape, generator=generator)


def begin(*, width=4, optimizer=torch.optim.Adam, steps=9, seed=0, **hyperparameters):
    """The parts of a run, as `fit` puts them together."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, width), nn.Dropout(), nn.Linear(width, 4))
    optimizer = optimizer(model.parameters(), lr=0.1, **hyperparameters)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.1, total_steps=steps
    )
    return {
        "model": model,
        "optimizer": optimizer,
        "scheduler": schedule,
        "history": History(),
        "noise": torch.Generator().manual_seed(seed),
        "order": None,
    }


def train(run, path, *, epochs, settings=None):
    return fit(
        run["model"],
        BATCHES,
        corrupt,
        epochs=epochs,
        optimizer=run["optimizer"],
        scheduler=run["scheduler"],
        validate=lambda model: torch.rand(()),  # draws from the global generator
        device="cpu",
        checkpoint=path and Checkpoint(path, settings),
    )


def saved(path, **changes):
    """A checkpoint of a run that had only begun."""
    checkpoint, run = Checkpoint(path), begin(**changes)
    checkpoint.resume(run)
    checkpoint.save(run)
    return run


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "folder" / "run.safetensors"


@pytest.mark.parametrize("stop", [1, 4])
@pytest.mark.parametrize("fused", [True, False])
def test_resumed_run_equals_the_uninterrupted_one(path, stop, fused):
    whole = begin(fused=fused)
    expected = train(whole, None, epochs=6)
    train(begin(fused=fused), path, epochs=stop)
    resumed = begin(fused=fused)
    torch.manual_seed(99)  # dropout's generator comes back with the checkpoint
    history = train(resumed, path, epochs=6)
    assert history.train_loss == expected.train_loss
    assert history.validation == expected.validation
    assert len(history.seconds) == 6
    for name, tensor in whole["model"].state_dict().items():
        assert torch.equal(resumed["model"].state_dict()[name], tensor)
    assert resumed["scheduler"].state_dict() == whole["scheduler"].state_dict()


def test_finished_run_is_not_trained_further(path):
    train(begin(), path, epochs=2)
    before = path.read_bytes()
    assert len(train(begin(), path, epochs=2).train_loss) == 2
    assert path.read_bytes() == before


SCRIPT = """
    import sys
    import torch
    from torch.utils.data import DataLoader, TensorDataset
    from dae_tutorial.further.checkpoint import Checkpoint
    from dae_tutorial.model import Autoencoder
    from dae_tutorial.noise import add_gaussian_noise
    from dae_tutorial.train import fit
    from dae_tutorial.further.weights import save_weights

    checkpoint, result = sys.argv[1:]
    steps = 0

    def corrupt(images, *, generator):
        global steps
        steps += 1
        print(steps, flush=True)  # the parent reads this, and kills
        return add_gaussian_noise(images, generator=generator)

    torch.manual_seed(0)
    digits = TensorDataset(torch.rand(80, 1, 28, 28), torch.zeros(80))
    order = torch.Generator().manual_seed(3)
    batches = DataLoader(digits, batch_size=32, shuffle=True, generator=order)
    model = Autoencoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=6e-3, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=15)
    history = fit(
        model, batches, corrupt, epochs=5, optimizer=optimizer, scheduler=schedule,
        checkpoint=Checkpoint(checkpoint, {"noise": "gaussian"}), device="cpu",
    )
    save_weights(model, result, {"train_loss": history.train_loss, "steps": steps})
"""


@pytest.mark.slow
def test_killed_run_equals_the_uninterrupted_one(tmp_path, monkeypatch):
    """Another process, killed in the midst of an epoch; what is left is the file."""
    script, *results = (tmp_path / name for name in ("run.py", "whole", "killed"))
    script.write_text(textwrap.dedent(SCRIPT))
    monkeypatch.setattr(sys, "argv", ["run.py", str(tmp_path / "a"), str(results[0])])
    runpy.run_path(str(script))

    command = [sys.executable, script, tmp_path / "b", results[1]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        for line in killed.stdout:
            if int(line) == 8:  # the second of three steps in the third epoch
                killed.send_signal(signal.SIGKILL)
                break
    assert killed.returncode == -signal.SIGKILL
    assert not results[1].exists()
    subprocess.run(command, check=True, stdout=subprocess.PIPE)

    expected, got = (read_settings(path) for path in results)
    assert got["train_loss"] == expected["train_loss"]
    assert expected["steps"] == 15
    assert got["steps"] == 9, "it must go on behind the second epoch, not begin anew"
    resumed = load_file(results[1])
    for name, tensor in load_file(results[0]).items():
        assert torch.equal(resumed[name], tensor), name


def damaged(path):
    path.write_bytes(path.read_bytes()[:1000])


def with_a_flipped_bit(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def rewritten(path, change):
    """Keep the tensors, and change the text beside them."""
    with safe_open(path, framework="pt") as file:
        metadata = change(file.metadata())
    save_file(load_file(path), path, metadata=metadata)


def with_another_learning_rate(path):
    def change(metadata):
        text = metadata["checkpoint"]
        assert '["initial_lr", 0.004]' in text
        changed = text.replace('["initial_lr", 0.004]', '["initial_lr", 0.009]')
        return metadata | {"checkpoint": changed}

    rewritten(path, change)


def without_checksum(path):
    """As earlier versions of the package wrote it."""
    rewritten(path, lambda metadata: {"checkpoint": metadata["checkpoint"]})


def of_weights(path):
    save_file({"weight": torch.zeros(2)}, path, metadata={"settings": "{}"})


def without_metadata(path):
    save_file({"weight": torch.zeros(2)}, path)


class Dangerous:
    def __reduce__(self):
        return (Path.touch, (Path("executed"),))


def of_pickle(path):
    path.write_bytes(pickle.dumps(Dangerous()))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (damaged, ".+"),
        (with_a_flipped_bit, r"the checksum of \.noise is wrong"),
        (with_another_learning_rate, "the checksum of its JSON is wrong"),
        (without_checksum, "it has no checksum, as those .* delete it to begin anew"),
        (of_weights, "'checkpoint'"),
        (without_metadata, ".+"),
        (of_pickle, ".+"),
    ],
)
def test_damaged_and_foreign_files(path, spoil, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved(path)
    spoil(path)
    run = begin()
    before = run["model"][0].weight.clone()
    message = rf"run\.safetensors is damaged or is no checkpoint: {reason}$"
    with pytest.raises(ValueError, match=message):
        Checkpoint(path).resume(run)
    assert torch.equal(run["model"][0].weight, before)
    assert not Path("executed").exists()


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        (
            {"width": 5},
            r"run\.model\.0\.weight is float32 \[4, 4\] there and float32 \[",
        ),
        ({"optimizer": torch.optim.RMSprop}, r"run\.optimizer\.param_groups"),
        ({"weight_decay": 0.1}, r"groups\.0\.weight_decay is 0 there and 0\.1 here"),
        ({"steps": 10}, r"run\.scheduler\.total_steps is 9 there and 10 here"),
        ({"seed": 1}, r"run\.noise is cpu, seed 0 there and cpu, seed 1 here"),
    ],
)
def test_another_run(path, changes, difference):
    saved(path)
    run = begin(**changes)
    before = run["model"][0].weight.clone()
    with pytest.raises(ValueError, match=difference) as error:
        Checkpoint(path).resume(run)
    assert str(path) in str(error.value)
    assert torch.equal(run["model"][0].weight, before)


def test_without_the_schedule(path):
    saved(path)
    with pytest.raises(ValueError, match=r"holds another run: run\.scheduler is {"):
        Checkpoint(path).resume(begin() | {"scheduler": None})


def test_other_settings(path):
    train(begin(), path, epochs=1, settings={"noise": 0.5})
    with pytest.raises(
        ValueError, match=r"settings\.noise is 0\.5 there and 0\.3 here"
    ):
        train(begin(), path, epochs=2, settings={"noise": 0.3})


def test_settings_that_are_there_or_not(path):
    train(begin(), path, epochs=1, settings={"noise": 0.5})
    told = (
        "run.settings.noise is 0.5 there and nothing here; "
        "run.settings.size is nothing there and 28 here. Name another file"
    )
    with pytest.raises(ValueError, match=re.escape(told)):
        train(begin(), path, epochs=2, settings={"size": 28})


def test_a_message_about_much_that_differs_stays_short(path):
    """Four of nine places, with sixty letters at most of what is there."""
    names = [f"setting {i}" for i in range(9)]
    train(begin(), path, epochs=1, settings=dict.fromkeys(names, "a " * 100))
    differs = f"is {'a ' * 27}[...] there and b here"
    told = "; ".join(f"run.settings.{name} {differs}" for name in names[:4])
    with pytest.raises(ValueError, match=re.escape(f"another run: {told}. Name")):
        train(begin(), path, epochs=2, settings=dict.fromkeys(names, "b"))


def test_settings_must_fit_json(path):
    with pytest.raises(TypeError, match="not JSON serializable"):
        Checkpoint(path, {"device": torch.device("cpu")})


def test_state_must_fit_the_file(path):
    checkpoint, run = Checkpoint(path), begin()
    checkpoint.resume(run)
    run["scheduler"].odd = object()
    with pytest.raises(
        TypeError, match=r"cannot hold \.scheduler\.odd: it is a object"
    ):
        checkpoint.save(run)
    assert not path.exists()


def test_save_needs_the_beginning(path):
    with pytest.raises(RuntimeError, match=r"^call resume .* begins, and save after "):
        Checkpoint(path).save(begin())


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "folder").write_text("a file")
    checkpoint, run = Checkpoint(tmp_path / "folder" / "run.safetensors"), begin()
    checkpoint.resume(run)  # there is no checkpoint, which is no error yet
    with pytest.raises(OSError, match="folder"):
        checkpoint.save(run)


def test_failed_write_keeps_the_old_file(path, monkeypatch):
    saved(path)
    before = path.read_bytes()

    def fail(file):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        saved(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_content_is_on_the_disk_before_the_old_file_is_gone(path, monkeypatch):
    saved(path)
    old, seen = path.read_bytes(), []
    fsync = os.fsync

    def watch(file):
        fsync(file)
        seen.append((os.fstat(file).st_size, path.read_bytes() == old))

    monkeypatch.setattr(os, "fsync", watch)
    saved(path, seed=0)
    assert seen == [(path.stat().st_size, True)]


TOGETHER = """
    import sys
    import torch
    from torch import distributed
    from dae_tutorial.further.checkpoint import Checkpoint

    folder, rank = sys.argv[1], int(sys.argv[2])
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    run = {"model": torch.nn.Linear(2, 1)}

    def told(act):
        try:
            act()
        except Exception as error:
            print(type(error).__name__, error)

    told(lambda: Checkpoint(f"{folder}/spoilt").resume(run))
    checkpoint = Checkpoint(f"{folder}/spoilt/no folder")
    checkpoint.resume(run)
    told(lambda: checkpoint.save(run))
    checkpoint = Checkpoint(f"{folder}/good")
    checkpoint.resume(run)
    checkpoint.save(run)
    distributed.destroy_process_group()
"""


@pytest.mark.parametrize("error", [None, OSError("disk full")])
def test_the_first_process_acts_and_tells_the_others(error, monkeypatch):
    calls, sent = [], []

    def act():
        calls.append("act")
        if error:
            raise error
        return "result"

    def receive(outcome):
        outcome[:] = sent

    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    for rank, meet in enumerate([sent.extend, receive]):
        monkeypatch.setattr(distributed, "get_rank", lambda rank=rank: rank)
        monkeypatch.setattr(distributed, "broadcast_object_list", meet)
        with pytest.raises(OSError, match="disk full") if error else nullcontext():
            assert checkpoint_module._of_first_process(act) == "result"
    assert calls == ["act"]


@pytest.mark.slow  # starts two processes
def test_an_error_in_the_first_process_is_raised_in_all(tmp_path):
    """And no process waits for ever: a file that is damaged, one that cannot be."""
    script, spoilt = tmp_path / "together.py", tmp_path / "spoilt"
    script.write_text(textwrap.dedent(TOGETHER))
    spoilt.write_bytes(b"half")
    processes = [
        subprocess.Popen(
            [sys.executable, script, tmp_path, str(rank)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        told = [process.communicate(timeout=240)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0]
    first, second = told[0].splitlines()
    assert first.startswith(f"ValueError {spoilt} is damaged or is no checkpoint")
    assert second.startswith(("FileExistsError", "NotADirectoryError"))
    assert told[1] == told[0]
    assert (tmp_path / "good").exists()


@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_a_wrapped_model_is_saved_without_its_wrapping(path, wrap, monkeypatch):
    # The other wrapping of this kind needs several processes.
    monkeypatch.setattr(checkpoint_module, "DistributedDataParallel", nn.DataParallel)
    run = begin()
    wrapped = run | {"model": wrap(run["model"])}
    checkpoint = Checkpoint(path)
    checkpoint.resume(wrapped)
    checkpoint.save(wrapped)
    assert ".model.0.weight" in load_file(path)
    Checkpoint(path).resume(begin())


def test_every_kind_of_value_comes_back():
    tied = torch.rand(2)
    state = {
        "numbers": [1, 2.5, True, None, float("inf")],
        3: {"half": torch.rand(2, 3).bfloat16(), "tuple": (tied, tied[:1])},
        "empty": {},
    }
    tensors = {}
    packed = json.loads(json.dumps(checkpoint_module._pack(state, "", tensors)))
    again = checkpoint_module._unpack(packed, tensors)
    assert again["numbers"] == state["numbers"]
    assert list(again) == list(state)
    assert again["empty"] == {}
    assert isinstance(again[3]["tuple"], tuple)
    assert torch.equal(again[3]["half"], state[3]["half"])
    assert torch.equal(again[3]["tuple"][0], tied)
    assert torch.equal(again[3]["tuple"][1], tied[:1])


def digits(count, batch_size):
    """A loader whose order comes from its own generator."""
    images = torch.rand(count, 4, generator=torch.Generator().manual_seed(1))
    order = torch.Generator().manual_seed(5)
    return DataLoader(TensorDataset(images), batch_size, shuffle=True, generator=order)


def run_of(path, *, epochs, batches=None, noise=corrupt, criterion=None):
    torch.manual_seed(0)
    model = nn.Linear(4, 4)
    checkpoint = path and Checkpoint(path)
    options = {"criterion": criterion, "device": "cpu", "checkpoint": checkpoint}
    return fit(model, batches or digits(16, 4), noise, epochs=epochs, **options)


def louder(images, *, generator):
    return 2 * corrupt(images, generator=generator)


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"batches": digits(16, 8)}, r"batches\.batch_size is 4 there and 8 here"),
        ({"batches": digits(20, 4)}, r"batches\.images is 16 there and 20 here"),
        ({"batches": BATCHES}, r"batches\.type is DataLoader there and list here"),
        ({"noise": louder}, r"corruption is corrupt there and louder here"),
        (
            {"noise": partial(add_gaussian_noise, noise_factor=0.1)},
            r"corruption is corrupt there and {'function': 'add_gaussian_noise', 'n",
        ),
        ({"criterion": nn.L1Loss()}, r"criterion is None there and L1Loss\(\) here"),
    ],
)
def test_what_a_run_is_made_of_stays(path, changes, difference):
    run_of(path, epochs=1)
    with pytest.raises(ValueError, match=difference):
        run_of(path, epochs=2, **changes)


def test_a_criterion_stays(path):
    for epochs in (1, 2):
        run_of(path, epochs=epochs, criterion=nn.L1Loss())
    with pytest.raises(ValueError, match=r"is L1Loss\(\) there and MSELoss\(\) here"):
        run_of(path, epochs=3, criterion=nn.MSELoss())


def test_the_number_of_batches_stays(path):
    run_of(path, epochs=1, batches=BATCHES)
    with pytest.raises(ValueError, match=r"batches\.batches is 1 there and 2 here"):
        run_of(path, epochs=2, batches=BATCHES * 2)


def test_the_type_of_an_object_that_a_corruption_is_given_stays(path):
    def scheduled(images, *, schedule, generator):
        return corrupt(images, generator=generator)

    class Steady: ...

    class Rising: ...

    run_of(path, epochs=1, noise=partial(scheduled, schedule=Steady()))
    run_of(path, epochs=2, noise=partial(scheduled, schedule=Steady()))
    with pytest.raises(ValueError, match="schedule is Steady there and Rising here"):
        run_of(path, epochs=3, noise=partial(scheduled, schedule=Rising()))


def test_the_level_of_the_noise_stays(path):
    noises = [partial(add_gaussian_noise, noise_factor=level) for level in (0.1, 0.2)]
    run_of(path, epochs=1, noise=noises[0])
    run_of(path, epochs=2, noise=noises[0])
    with pytest.raises(ValueError, match=r"noise_factor is 0\.1 there and 0\.2 here"):
        run_of(path, epochs=3, noise=noises[1])


def test_a_sampler_goes_on_with_its_own_generator(path):
    def batches():
        images = TensorDataset(torch.arange(64.0).reshape(16, 4))
        sampler = RandomSampler(images, generator=torch.Generator().manual_seed(5))
        return DataLoader(images, 4, sampler=sampler)

    whole = run_of(None, epochs=4, batches=batches())
    run_of(path, epochs=2, batches=batches())
    resumed = run_of(path, epochs=4, batches=batches())
    assert resumed.train_loss == whole.train_loss


def test_a_second_run_does_not_write_over_the_first(path):
    first, second = Checkpoint(path), Checkpoint(path)
    run = begin()
    for checkpoint in (first, second):
        checkpoint.resume(run)
    first.save(run)
    kept = path.read_bytes()
    with pytest.raises(RuntimeError, match="changed by another run; this run has not"):
        second.save(begin(seed=1))
    assert path.read_bytes() == kept
    first.save(run)  # the first goes on
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_file_that_is_gone_is_not_made_again(path):
    checkpoint = Checkpoint(path)
    run = begin()
    checkpoint.resume(run)
    checkpoint.save(run)
    path.unlink()
    with pytest.raises(RuntimeError, match="changed by another run"):
        checkpoint.save(run)


def test_a_failing_write_leaves_the_old_file_and_no_other(path, monkeypatch):
    run = saved(path)
    checkpoint = Checkpoint(path)
    checkpoint.resume(run)
    kept = path.read_bytes()

    def full_disk(descriptor):
        raise OSError("No space left on device")

    monkeypatch.setattr(checkpoint_module.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(run)
    assert path.read_bytes() == kept
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_tensors_that_share_memory_come_back(path):
    """A decoder may use its encoder's weights: safetensors takes each tensor once."""

    def tied():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        model[1].weight = model[0].weight
        return {"model": model}

    checkpoint, run = Checkpoint(path), tied()
    checkpoint.resume(run)
    with torch.no_grad():
        run["model"][0].weight += 1
    checkpoint.save(run)
    Checkpoint(path).resume(again := tied())
    assert torch.equal(again["model"][1].weight, run["model"][0].weight)
