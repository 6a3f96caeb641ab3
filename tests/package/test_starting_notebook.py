"""The notebook that this project started from runs on the package.

`starting_notebook.txt` is its page, word for word. Its definitions are replaced by one
import; everything else is run as it stands.
"""

import ast
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch

PAGE = Path(__file__).with_name("starting_notebook.txt")
IMPORT = """
from dae_tutorial import (get_mnist_loaders, visualize_batch, add_gaussian_noise,
                          add_masking_noise, visualize_noisy_batch, Autoencoder)
"""
DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def cells():
    """Return the notebook's cells without their definitions, and the names of these."""
    _, code = PAGE.read_text(encoding="utf-8").split("## CODE AND EXPLANATION")
    kept, names = [], set()
    for cell in re.findall(r"```python\n(.*?)```", code, flags=re.DOTALL):
        lines = cell.splitlines()
        for node in ast.parse(cell).body:
            if isinstance(node, DEFINITIONS):
                names.add(node.name)
                inside = range(node.lineno - 1, node.end_lineno)
                lines = ["" if i in inside else line for i, line in enumerate(lines)]
        kept.append("\n".join(lines))
    return kept, names


def test_one_import_replaces_all_definitions():
    _, names = cells()
    imported = {alias.name for alias in ast.parse(IMPORT).body[0].names}
    assert imported == names


@pytest.mark.slow
# NumPy tells the authors of torch, while matplotlib reads a tensor: the notebook's own
# drawing does so without the package, too, and readers do not see it.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_cells_run_as_they_stand(monkeypatch, capsys):
    """Warnings are errors in this test, as in all."""
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    kept, _ = cells()
    assert len(kept) == 12
    names = {}
    exec(IMPORT, names)
    for cell in kept:
        exec(compile(cell, "<a cell of the starting notebook>", "exec"), names)
    plt.close("all")
    printed = re.findall(r"Loss: ([\d.]+)", capsys.readouterr().out)
    losses = [float(loss) for loss in printed]
    assert len(losses) == 11  # ten epochs and the test
    assert losses[9] < losses[0] / 2
    assert losses[10] < 0.025
    assert len(shown[-1].axes) == 24
    assert names["reconstructed"].shape == (128, 784)
    assert isinstance(names["criterion"], torch.nn.MSELoss)
