"""An exported model computes in ONNX Runtime what it computes in PyTorch."""

import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from dae_tutorial.further.onnx_export import export_onnx, in_eight_bits
from dae_tutorial.model import UNet


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def dense():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(30, 20), nn.Dropout(0.5), nn.Linear(20, 8))


def run(path, given):
    session = onnxruntime.InferenceSession(str(path))
    return torch.from_numpy(session.run(None, {"input": given.numpy()})[0])


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model as it is and rounded, each with its file; an export takes seconds."""
    folder = tmp_path_factory.mktemp("exported")
    model = dense()
    models = {"as it is": model, "rounded": in_eight_bits(model)}
    for name, one in models.items():
        export_onnx(one, folder / f"{name}.onnx", torch.rand(2, 30))
    return {name: (one, folder / f"{name}.onnx") for name, one in models.items()}


@pytest.mark.parametrize("name", ["as it is", "rounded"])
def test_the_file_computes_what_the_model_does_for_any_batch(exported, name):
    model, path = exported[name]
    for count in (1, 2, 5):
        given = torch.randn(count, 30, generator=seeded(count))
        with torch.no_grad():
            wanted = model.eval()(given)
        assert (run(path, given) - wanted).abs().max() < 1e-5


def test_convolutions_of_both_kinds(tmp_path):
    """Rows of a transposed convolution are its input channels."""
    torch.manual_seed(0)
    model = UNet(width=8)
    for weight in model.parameters():  # blocks begin as identities, with zeros
        nn.init.normal_(weight, std=0.05)
    rounded = in_eight_bits(model)
    export_onnx(rounded, tmp_path / "unet.onnx", torch.rand(2, 1, 28, 28))
    given = torch.rand(3, 1, 28, 28, generator=seeded())
    with torch.no_grad():
        wanted = rounded(given)
    assert wanted.std() > 0.1
    assert (run(tmp_path / "unet.onnx", given) - wanted).abs().max() < 1e-5
    kinds = [
        part.data_type for part in onnx.load(tmp_path / "unet.onnx").graph.initializer
    ]
    assert onnx.TensorProto.INT8 in kinds


def test_rounding_saves_three_quarters_of_the_weights_bytes(exported):
    before, after = (path.stat().st_size for _, path in exported.values())
    assert before - after > 0.6 * 4 * 760  # 760 weights of four bytes each


def test_no_weight_moves_by_more_than_half_a_step(exported):
    (model, _), (rounded, _) = exported.values()
    for before, after in zip(model.parameters(), rounded.parameters(), strict=True):
        if before.ndim == 1:
            assert torch.equal(before, after)
            continue
        step = before.abs().amax(dim=1, keepdim=True) / 127
        assert ((before - after).abs() <= 0.501 * step).all()
        assert ((after / step).round().abs() <= 127).all()
        assert not torch.equal(before, after)


def test_neither_changes_the_model(exported):
    model, _ = exported["as it is"]
    for one, other in zip(dense().parameters(), model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_row_of_zeros_stays_one():
    line = nn.Linear(200, 2)
    line.weight.data[0] = 0
    assert in_eight_bits(line).weight[0].count_nonzero() == 0


def test_a_batch_of_one_is_refused(tmp_path):
    with pytest.raises(ValueError, match="example must be a batch of at least two"):
        export_onnx(dense(), tmp_path / "model.onnx", torch.rand(1, 30))


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"older")
    with pytest.raises(Exception, match="Failed to export"):
        export_onnx(dense(), path, torch.rand(2, 29))
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]
