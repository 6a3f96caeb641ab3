"""Several processes: together they take the very steps that one would take.

This file is also the script that each of the processes runs.
"""

import re
import runpy
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from dae_tutorial.further.checkpoint import Checkpoint
from dae_tutorial.further.weights import read_settings, save_weights
from dae_tutorial.loaders import ImageTensors
from dae_tutorial.noise import add_gaussian_noise
from dae_tutorial.train import fit

SIZE = (1, 4, 4)
PAGE = (
    Path(__file__).parents[2] / "docs/how-to/train-on-gpus-and-resume.md"
).read_text()


def train(prepare=lambda model: model, **options):
    """Three epochs of batches of 8, 8 and 4 images."""
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(16, 8),
        nn.Tanh(),
        nn.Linear(8, 16),
        nn.Unflatten(1, SIZE),
    )
    images = torch.rand(20, *SIZE, generator=torch.Generator().manual_seed(5))
    batches = ImageTensors(images, torch.zeros(20)).loader(8, shuffle=True, seed=3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    history = fit(
        prepare(model),
        batches,
        partial(add_gaussian_noise, noise_factor=0.3, clip=False),
        optimizer=optimizer,
        scheduler=torch.optim.lr_scheduler.StepLR(optimizer, 4, gamma=0.9),
        device="cpu",
        **{"epochs": 3} | options,
    )
    return model, history


def train_in_this_process(folder):
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    for epochs in (2, 3):  # the third epoch is a resumed one
        torch.manual_seed(accelerator.process_index)  # the first one's model counts
        checkpoint = Checkpoint(folder / "run.safetensors")
        model, history = train(
            accelerator.prepare, epochs=epochs, checkpoint=checkpoint
        )
    path = folder / f"{accelerator.process_index}.safetensors"
    save_weights(model, path, {"train_loss": history.train_loss})
    runpy.run_path(folder / "script_of_the_page.py")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """What two processes wrote and printed; starting them takes the most time."""
    folder = tmp_path_factory.mktemp("together")
    script = re.search(r"```python title=.*?\n(.+?)```", PAGE, re.DOTALL)
    (folder / "script_of_the_page.py").write_text(script[1])
    arguments = re.search(r"^torchrun (--standalone .+?) \S+\.py$", PAGE, re.MULTILINE)
    torchrun = [sys.executable, "-m", "torch.distributed.run", *arguments[1].split()]
    command = [*torchrun, __file__, folder]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return folder, done.stdout


@pytest.mark.slow
def test_two_processes_equal_one(finished):
    torch.manual_seed(0)
    model, history = train()
    for process in (0, 1):
        path = finished[0] / f"{process}.safetensors"
        # float32 sums in another order differ by some 1e-7; the steps are 1e-2.
        assert read_settings(path)["train_loss"] == pytest.approx(
            history.train_loss, rel=1e-5
        )
        for name, tensor in load_file(path).items():
            torch.testing.assert_close(
                tensor, model.state_dict()[name], rtol=0, atol=2e-6
            )


@pytest.mark.slow
def test_the_script_of_the_page(finished):
    assert finished[1].count("training loss: [0.") == 1, "from the first process only"


if __name__ == "__main__":
    train_in_this_process(Path(sys.argv[1]))
