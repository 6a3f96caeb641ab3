r"""Trained models as ONNX files, which run without Python: in a web page, say.

ONNX is a format for graphs of operations with their weights. Runtimes for it exist in
many languages. A file holds what a model computes, and nothing of how it was trained.

Weights may be rounded to eight bits first. A reader then waits for a quarter of the
bytes, and a denoiser loses some hundredths of a decibel.
"""

import copy
import logging
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

STEPS = 127  # from 0 to the largest weight of a row, in eight bits with a sign


def in_eight_bits(model: nn.Module) -> nn.Module:
    r"""Round the weights to multiples of one step for each row, 255 values in all.

    $$w \to s\,\mathrm{round}(w / s), \qquad s = \max_j |w_{ij}| / 127$$

    A row is what one index of a weight's first axis holds. Biases stay as they are:
    there are few of them.

    Args:
        model: any model; it is not changed.

    Returns:
        A copy in evaluation mode, in float32, whose weights are rounded.

    Examples:
        >>> line = nn.Linear(3, 1)
        >>> line.weight.data = torch.tensor([[1.0, 0.5, 0.01]])
        >>> in_eight_bits(line).weight.data * 127
        tensor([[127.,  64.,   1.]])

    Source: Jacob et al. (2018), Quantization and training of neural networks for
    efficient integer-arithmetic-only inference, section 2; here only the weights.
    """
    rounded = copy.deepcopy(model).float().eval()
    with torch.no_grad():
        for weight in rounded.parameters():
            if weight.ndim > 1:
                step = _step(weight)
                weight.copy_((weight / step).round() * step)
    return rounded


def export_onnx(model: nn.Module, path: str | Path, example: Tensor) -> None:
    """Write what a model computes in evaluation mode to an ONNX file.

    The file's input is called `input`, its output `output`; the first axis of both, the
    batch, may have any length. Weights that `in_eight_bits` has rounded are stored as
    whole numbers, which the graph multiplies by their steps.

    Args:
        model: takes one tensor and returns one; it is not changed.
        path: the file to write, whole or not at all.
        example: an input of at least two items, (batch, ...), float32.

    Raises:
        ValueError: if `example` is a batch of fewer than two: the exporter would take
            its length for part of the model.

    Examples:
        >>> model = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "model.onnx"
        ...     export_onnx(model, file, torch.rand(2, 4))
        ...     file.stat().st_size < 1000
        True
    """
    if len(example) < 2:
        raise ValueError(
            f"example must be a batch of at least two, got {tuple(example.shape)}"
        )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".exporting-") as folder:
        file = Path(folder) / path.name
        _trace(copy.deepcopy(model).eval(), file, example)
        _store_as_integers(file)
        os.replace(file, path)


def _trace(model: nn.Module, file: Path, example: Tensor) -> None:
    logger = logging.getLogger("torch.onnx")
    level, batch = logger.level, {0: torch.export.Dim.DYNAMIC}
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporter, about its own insides
            torch.onnx.export(
                model,
                (example,),
                file,
                input_names=["input"],
                output_names=["output"],
                dynamic_shapes=(batch,),
                external_data=False,  # one file, which a page can fetch
                verbose=False,
            )
    finally:
        logger.setLevel(level)


def _store_as_integers(file: Path) -> None:
    """Replace rounded weights by integers, steps, and two operations."""
    import onnx
    from onnx import helper, numpy_helper

    proto = onnx.load(file)
    graph = proto.graph
    nodes, weights = [], []
    for stored in graph.initializer:
        weight = numpy_helper.to_array(stored)
        parts = _as_integers(weight)
        if parts is None:
            weights.append(stored)
            continue
        name = stored.name
        for part, what in zip(parts, ("integers", "step"), strict=True):
            weights.append(numpy_helper.from_array(part, f"{name}.{what}"))
        integers, real, step = (f"{name}.{w}" for w in ("integers", "real", "step"))
        nodes.append(
            helper.make_node("Cast", [integers], [real], to=onnx.TensorProto.FLOAT)
        )
        nodes.append(helper.make_node("Mul", [real, step], [name]))
    nodes.extend(graph.node)
    for node in nodes:  # what the exporter notes of its work is longer than the graph
        del node.metadata_props[:]
    for field, content in ((graph.node, nodes), (graph.initializer, weights)):
        del field[:]
        field.extend(content)
    del graph.value_info[:], graph.metadata_props[:], proto.metadata_props[:]
    onnx.checker.check_model(proto, full_check=True)
    file.write_bytes(proto.SerializeToString())


def _as_integers(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return integers and steps whose product is the weight, if there are such."""
    if weight.dtype != np.float32 or weight.ndim < 2 or weight.size < 128:
        return None
    step = _step(torch.from_numpy(weight.copy())).numpy()
    integers = np.round(weight / step)
    if np.abs(integers * step - weight).max() > 1e-6 * np.abs(weight).max():
        return None  # nobody has rounded it
    return integers.astype(np.int8), step


def _step(weight: Tensor) -> Tensor:
    """Return the step of each row, of a shape that multiplies the weight."""
    largest = weight.detach().abs().flatten(start_dim=1).amax(dim=1)
    step = largest.clamp(min=1e-30) / STEPS
    return step.reshape(-1, *[1] * (weight.ndim - 1))
