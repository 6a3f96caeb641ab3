"""The models: shapes, gradients, determinism, capacity, errors."""

import re

import pytest
import torch

from dae_tutorial.further.weights import load_weights, save_weights
from dae_tutorial.model import Autoencoder, ConvAutoencoder, GlobalMixing, UNet


@pytest.mark.parametrize("shape", [(7, 1, 28, 28), (7, 784), (1, 28, 28), (0, 784)])
def test_dense_output_is_one_row_of_pixels_an_image(shape):
    output = Autoencoder()(torch.rand(shape))
    assert output.shape == (shape[0], 784)
    assert output.numel() == 0 or (output.min() > 0 and output.max() < 1)


def test_image_and_flat_input_are_the_same():
    model = Autoencoder()
    x = torch.rand(5, 1, 28, 28)
    assert torch.equal(model(x), model(x.flatten(start_dim=1)))


def test_forward_is_decode_of_encode():
    model = Autoencoder(hidden_dim=16, latent_dim=4)
    x = torch.rand(5, 784)
    assert model.encode(x).shape == (5, 4)
    assert torch.equal(model.decode(model.encode(x)), model(x))


def test_architecture_is_the_starting_notebooks():
    layers = [
        (layer.in_features, layer.out_features)
        for layer in Autoencoder().modules()
        if isinstance(layer, torch.nn.Linear)
    ]
    assert layers == [(784, 128), (128, 32), (32, 128), (128, 784)]


def test_gradient_reaches_every_parameter():
    model = Autoencoder()
    model(torch.rand(64, 784)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_not_contiguous_input():
    x = torch.rand(28, 28, 5).permute(2, 0, 1)
    model = Autoencoder()
    torch.testing.assert_close(model(x), model(x.contiguous()))


@pytest.mark.parametrize("width", [0, -1, 2.5])
@pytest.mark.parametrize("name", ["input_dim", "hidden_dim", "latent_dim"])
def test_widths(name, width):
    with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1"):
        Autoencoder(**{name: width})


@pytest.mark.parametrize("shape", [(784,), (3, 783), (2, 1, 32, 32)])
def test_wrong_images(shape):
    with pytest.raises(ValueError, match=r"x must have shape .*784 numbers"):
        Autoencoder()(torch.rand(shape))


@pytest.mark.parametrize("build", [Autoencoder, ConvAutoencoder])
@pytest.mark.parametrize("shape", [(3, 31), (31,)])
def test_wrong_code(build, shape):
    message = rf"^code must have shape \(batch, 32\), got {re.escape(str(shape))}$"
    with pytest.raises(ValueError, match=message):
        build().decode(torch.rand(shape))


ALL = {
    "dense": Autoencoder,
    "conv": ConvAutoencoder,
    "U-Net": lambda: UNet(width=8),
    "U-Net of one size": lambda: UNet(width=8, image_size=28),
}


@pytest.fixture(params=ALL.values(), ids=ALL)
def model(request):
    torch.manual_seed(0)
    return request.param()


def digits(count):
    """Return a few smooth blobs, in [0, 1]: cheap stand-ins for digits."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(count, 1, 4, 4, generator=generator)
    return torch.nn.functional.interpolate(coarse, (28, 28), mode="bilinear")


def rebuilt(model, x):
    return model(x).reshape(x.shape)  # the dense model returns rows of pixels


def train(model, x, steps, lr=3e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(rebuilt(model, x), x)
        loss.backward()
        optimizer.step()
    return loss.item()


@pytest.mark.parametrize("count", [1, 5])
def test_images_in_images_out(model, count):
    output = model.eval()(torch.rand(count, 1, 28, 28))
    is_dense = isinstance(model, Autoencoder)
    assert output.shape == ((count, 784) if is_dense else (count, 1, 28, 28))
    assert output.min() >= 0
    assert output.max() <= 1


def test_learning_reaches_every_parameter(model):
    """After one step, for the layers that start at zero hold back what is before."""
    x = digits(8)
    train(model, x + 0.1 * torch.randn_like(x), steps=1)
    torch.nn.functional.mse_loss(rebuilt(model, x), x).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("build", ALL.values(), ids=ALL)
def test_seed_decides_the_weights(build):
    x = torch.rand(2, 1, 28, 28)
    outputs = []
    for _ in range(2):
        torch.manual_seed(7)
        outputs.append(build().eval()(x))
    assert torch.equal(*outputs)


def test_a_batch_can_be_learned_by_heart(model):
    """Eight images that are far from their mean come out far nearer than it."""
    x = digits(8)
    mean_image = (x - x.mean(dim=0)).square().mean().item()
    assert train(model, x, steps=150) < mean_image / 10


@pytest.mark.parametrize("build", ALL.values(), ids=ALL)
def test_weights_go_round(build, tmp_path):
    x = torch.rand(3, 1, 28, 28)
    saved, loaded = build().eval(), build().eval()
    save_weights(saved, tmp_path / "model.safetensors", {})
    load_weights(loaded, tmp_path / "model.safetensors")
    assert torch.equal(loaded(x), saved(x))


@pytest.mark.slow  # imports the compiler
def test_exports_and_reloads(model, tmp_path):
    """What `torch.export` writes needs no code of ours, and gives the same images."""
    x = digits(3)
    train(model, x, steps=1)  # so that no layer is zero
    path = tmp_path / "model.pt2"
    torch.export.save(torch.export.export(model.eval(), (x,)), path)
    reloaded = torch.export.load(path).module()
    with torch.no_grad():
        torch.testing.assert_close(reloaded(x), model(x), rtol=0, atol=1e-6)


def weights_after_two_steps(build, seed):
    """Let the seed decide the first weights, and the noise of each step."""
    torch.manual_seed(seed)
    model, x = build(), digits(4)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(2):
        optimizer.zero_grad()
        noisy = x + 0.5 * torch.randn_like(x)
        torch.nn.functional.mse_loss(rebuilt(model, noisy), x).backward()
        optimizer.step()
    return torch.cat([parameter.flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("build", ALL.values(), ids=ALL)
def test_seed_decides_the_training(build):
    first, again, other = (weights_after_two_steps(build, seed) for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_conv_code_is_a_bottleneck():
    model = ConvAutoencoder(latent_dim=5)
    x = torch.rand(3, 1, 28, 28)
    assert model.encode(x).shape == (3, 5)
    assert torch.equal(model.decode(model.encode(x)), model(x))


SHAPES = [(2, 1, 28, 32), (2, 1, 4, 4), (1, 1, 64, 40), (2, 1, 30, 33), (1, 1, 1, 2)]
SHAPES += [(1, 1, 30, 28), (1, 1, 28, 30)]


@pytest.mark.parametrize("shape", SHAPES)
def test_unet_takes_images_of_any_size(shape):
    assert UNet(width=8)(torch.rand(shape)).shape == shape


def trained_a_little(model):
    train(model, digits(8), steps=3)  # a fresh one changes nothing
    return model.eval()


@pytest.mark.parametrize("sides", [(126, 128), (128, 125), (127, 126)])
def test_sides_that_4_does_not_divide_change_nothing_inside(sides):
    """Where the border is out of sight, a cut image is denoised as the whole one is."""
    model, whole = trained_a_little(UNet(width=8)), torch.rand(1, 1, 128, 128)
    height, width = sides
    with torch.no_grad():
        expected, found = model(whole), model(whole[..., :height, :width])
    assert found.shape == (1, 1, height, width)
    assert not torch.equal(expected, whole)
    inside = (..., slice(80), slice(80))
    torch.testing.assert_close(found[inside], expected[inside], atol=1e-6, rtol=0)


def test_a_padded_image_is_denoised_as_its_continuation_is():
    model, image = trained_a_little(UNet(width=8)), torch.rand(2, 1, 30, 31)
    continued = torch.cat([image, image[..., -1:]], dim=-1)
    continued = torch.cat([continued, *[continued[:, :, -1:]] * 2], dim=2)
    with torch.no_grad():
        assert torch.equal(model(image), model(continued)[..., :30, :31])


def test_unet_begins_near_the_identity():
    """What it predicts is a change, so an untrained one does little harm."""
    torch.manual_seed(0)
    x = digits(8)
    change = UNet()(x) - x
    assert change.abs().mean() < x.mean()


def test_unet_treats_every_place_alike_unless_told_the_size():
    """A shift of the input shifts the output, where the border is out of sight."""
    torch.manual_seed(0)
    free, fixed = UNet(width=8), UNet(width=8, image_size=128)
    x = torch.zeros(1, 1, 128, 128)
    x[..., 60:68, 60:68] = digits(1)[..., :8, :8]
    for model in (free, fixed):
        train(model, x + 0.1 * torch.randn(4, 1, 128, 128), steps=2)  # leave zero
    middle = (..., slice(56, 72), slice(56, 72))

    def difference(model):
        shifted = model(x.roll(4, dims=3)).roll(-4, dims=3)
        return (shifted - model(x))[middle].abs().max().item()

    assert difference(free) < 1e-5 < difference(fixed)


def test_unet_output_is_cut_in_evaluation_only():
    torch.manual_seed(0)
    model = UNet(width=8)
    x = torch.cat([torch.zeros(1, 1, 28, 28), torch.ones(1, 1, 28, 28)])
    output = model(x)
    assert output.min() < 0
    assert output.max() > 1
    assert torch.equal(model.eval()(x), output.clamp(0, 1))


def test_what_a_unet_learns_is_added():
    """To the image, to the upper level, to what a block is given: never taken off.

    An untrained model would do as well with other signs; the shipped weights do not.
    """
    model, x, seen = UNet(width=8, image_size=28), digits(8), {}
    train(model, x, steps=1)  # so that no layer is zero
    for name, part in model.named_modules():
        part.register_forward_hook(
            lambda part, given, output, name=name: seen.update({name: (*given, output)})
        )
    model(x)
    change = torch.nn.functional.pixel_shuffle(seen["leave"][1], 2)
    assert torch.equal(seen[""][1], x + change)
    assert torch.equal(seen["decode"][0], seen["encode"][1] + seen["up"][1])
    for block, learned in [("encode", "encode.second"), ("bottom.1", "bottom.1.mix")]:
        given, output = seen[block]
        assert torch.equal(output, given + seen[learned][1])


def test_the_code_of_the_global_mixing_is_no_linear_map():
    layer, x = GlobalMixing(4, 8), torch.rand(3, 4, 2, 2)
    torch.nn.init.normal_(layer.mix[-1].weight)  # else it changes nothing
    up, down, middle = (layer.mix(value) for value in (x, -x, 0 * x))
    assert not torch.allclose(up + down, 2 * middle, atol=1e-3)


def test_wrong_images_for_convolutions():
    with pytest.raises(ValueError, match=r"x must have shape \(batch, 1, 28, 28\)"):
        ConvAutoencoder()(torch.rand(2, 784))
    for shape in [(2, 784), (2, 2, 28, 28), (1, 28, 28), (2, 1, 0, 28)]:
        with pytest.raises(ValueError, match=r"x must have shape .*height, width"):
            UNet()(torch.rand(shape))
    with pytest.raises(ValueError, match=r"\(batch, 1, 28, 28\).* image_size is 28"):
        UNet(image_size=28)(torch.rand(2, 1, 28, 32))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0}, "width must be an integer of at least 1"),
        ({"in_channels": 1.5}, "in_channels must be an integer of at least 1"),
        ({"out_channels": 0}, "out_channels must be an integer of at least 1"),
        ({"image_size": 0}, "image_size must be an integer of at least 1"),
        (
            {"in_channels": 1, "out_channels": 2},
            "^in_channels must be at least out_channels, 2, got 1$",
        ),
        ({"image_size": 30}, "image_size must be a multiple of 4"),
    ],
)
def test_wrong_sizes_of_a_unet(arguments, message):
    with pytest.raises(ValueError, match=message):
        UNet(**arguments)


def test_convolutional_architecture():
    """Halved twice on the way in, doubled twice on the way out."""
    model, shapes = ConvAutoencoder(), []
    for layer in [*model.encoder, *model.decoder]:
        if sum(parameter.numel() for parameter in layer.parameters()):
            layer.register_forward_hook(
                lambda layer, _, output: shapes.append(tuple(output.shape[1:]))
            )
    model(torch.rand(1, 1, 28, 28))
    inwards, outwards = [(16, 14, 14), (32, 7, 7), (32,)], [(1568,), (16, 14, 14)]
    assert shapes == [*inwards, *outwards, (1, 28, 28)]
    assert sum(parameter.numel() for parameter in model.parameters()) == 115_217


@pytest.mark.parametrize(("size", "count"), [(None, 99_796), (28, 151_252)])
def test_weights_of_a_unet(size, count):
    model = UNet(image_size=size)
    assert sum(parameter.numel() for parameter in model.parameters()) == count


@pytest.mark.parametrize("build", [Autoencoder, ConvAutoencoder])
def test_no_two_linear_layers_in_a_row(build):
    """They would be no more than one; only the code has no nonlinearity."""
    model = build()
    for part in (model.encoder, model.decoder):
        weighted = [bool(list(layer.parameters())) for layer in part]
        squashes = [isinstance(layer, torch.nn.ReLU | torch.nn.SiLU) for layer in part]
        assert sum(squashes) == sum(weighted) - 1


@pytest.mark.parametrize("name", ["latent_dim", "width"])
def test_widths_of_the_convolutional_model(name):
    with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1"):
        ConvAutoencoder(**{name: 0})
