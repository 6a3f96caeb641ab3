"""Image files are read upright, from black to white, or refused by name."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from dae_tutorial.further.image_files import read_image, write_image

RAMP = np.linspace(0, 1, 24 * 36, dtype=np.float32).reshape(24, 36)
BYTES = (RAMP * 255).round().astype(np.uint8)
PICTURES = {
    "grey": Image.fromarray(BYTES),
    "colour": Image.fromarray(BYTES).convert("RGB"),
    "palette": Image.fromarray(BYTES).convert("P"),
    "CMYK": Image.fromarray(BYTES).convert("RGB").convert("CMYK"),
    "16 bits": Image.fromarray((RAMP * 65535).round().astype(np.uint16)),
    "floats": Image.fromarray(RAMP),
    "opaque": Image.fromarray(BYTES).convert("RGBA"),
    "grey and alpha": Image.fromarray(BYTES).convert("LA"),
}


def difference(image):
    """Return how far a picture of the ramp is off, at the worst pixel."""
    return np.abs(image.numpy() - RAMP).max()


@pytest.mark.parametrize("kind", PICTURES)
def test_every_kind_of_picture_is_read_from_black_to_white(kind, tmp_path):
    path = tmp_path / "picture.tiff"
    PICTURES[kind].save(path)
    for colour in (False, True):
        image = read_image(path, colour=colour)
        assert image.shape == (3 if colour else 1, 24, 36)
        assert image.dtype == torch.float32
        assert difference(image) < 1 / 128


def test_16_bits_are_not_cut_to_8(tmp_path):
    PICTURES["16 bits"].save(tmp_path / "picture.png")
    assert difference(read_image(tmp_path / "picture.png")) < 1 / 60_000


def test_colours_come_in_their_order(tmp_path):
    Image.new("RGB", (2, 1), (255, 51, 0)).save(tmp_path / "red.png")
    image = read_image(tmp_path / "red.png", colour=True)
    assert torch.allclose(image, torch.tensor([1, 0.2, 0]).reshape(3, 1, 1))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_the_background_shows_through(mode, tmp_path):
    path = tmp_path / "picture.png"
    if mode == "P":
        Image.new("P", (28, 28), 0).save(path, transparency=0)
    else:
        Image.new(mode, (28, 28), 0 if mode == "LA" else (90, 90, 90, 0)).save(path)
    for background, value in {"black": 0, "white": 1}.items():
        with pytest.warns(UserWarning, match=rf"picture\.png .*: {background} shows"):
            image = read_image(path, background=background)
        assert image.unique().tolist() == [value]


@pytest.mark.parametrize("tag", range(1, 9))
def test_photographs_come_out_upright(tag, tmp_path):
    """Whatever the camera was held like: the tag says how to turn the picture."""
    turned = {
        1: RAMP, 2: RAMP[:, ::-1], 3: RAMP[::-1, ::-1], 4: RAMP[::-1],
        5: RAMP.T, 6: np.rot90(RAMP), 7: np.rot90(RAMP.T, 2), 8: np.rot90(RAMP, -1),
    }  # fmt: skip
    path = tmp_path / "picture.png"
    exif = Image.Exif()
    exif[0x0112] = tag
    picture = Image.fromarray((turned[tag] * 255).round().astype(np.uint8))
    picture.save(path, exif=exif)
    assert difference(read_image(path)) < 1 / 128


def broken_pictures(folder):
    """Yield files that cannot be read, and what is said of them."""
    Image.new("1", (14_000, 14_000)).save(folder / "huge.png")
    Image.new("1", (10_000, 10_000)).save(folder / "large.png")
    Image.new("I", (4, 4), 70_000).save(folder / "wide.tiff")
    Image.fromarray(np.full((4, 4), 2, np.float32)).save(folder / "bright.tiff")
    Image.fromarray(np.full((4, 4), -1, np.float32)).save(folder / "dark.tiff")
    Image.fromarray(np.full((4, 4), np.nan, np.float32)).save(folder / "nan.tiff")
    Image.new("LAB", (4, 4)).save(folder / "lab.tiff")
    PICTURES["grey"].save(folder / "whole.png")
    whole = (folder / "whole.png").read_bytes()
    contents = {"cut": whole[:-40], "torn": whole[:120], "empty": b"", "text": b"text"}
    for name, content in contents.items():
        (folder / f"{name}.png").write_bytes(content)
    (folder / "folder.png").mkdir()
    yield from (("huge.png", "too large"), ("large.png", "too large"))
    yield from (("wide.tiff", "mode I"), ("bright.tiff", "mode F, from 2 to 2"))
    yield ("dark.tiff", "mode F, from -1 to -1")
    yield from (("nan.tiff", "mode F"), ("lab.tiff", "mode LAB"))
    yield from (("cut.png", "cannot be read"), ("torn.png", "cannot be read"))
    yield from (("empty.png", "no image file"), ("text.png", "no image file"))
    yield ("folder.png", "cannot be read")


@pytest.mark.filterwarnings("ignore")  # a user's filters decide nothing
def test_pictures_that_cannot_be_read_are_named(tmp_path):
    for name, message in broken_pictures(tmp_path):
        with pytest.raises(ValueError, match=f"{name} .*{message}"):
            read_image(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.png"):
        read_image(tmp_path / "nowhere.png")


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_written_is_read_again(channels, tmp_path):
    levels = torch.arange(channels * 256).reshape(channels, 16, 16) % 256
    image = levels.flip(0) / 255
    write_image(image, tmp_path / "picture.png")
    assert torch.equal(
        read_image(tmp_path / "picture.png", colour=channels == 3), image
    )


def test_pixels_outside_the_range_are_cut_to_it(tmp_path):
    write_image(torch.tensor([[[-0.5, 1.5, 0.999]]]), tmp_path / "picture.png")
    assert read_image(tmp_path / "picture.png").flatten().tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("image", "name", "message"),
    [
        (torch.full((1, 4, 4), math.nan), "p.png", r"p\.png is not written: .* NaN"),
        (torch.full((3, 4, 4), math.inf), "p.png", r"p\.png is not written: .* inf"),
        (torch.zeros(4, 4), "p.png", r"got \(4, 4\)"),
        (torch.zeros(2, 4, 4), "p.png", r"got \(2, 4, 4\)"),
        (torch.zeros(1, 0, 4), "p.png", r"got \(1, 0, 4\)"),
        (torch.zeros(1, 4, 4), "p.txt", r"got p\.txt"),
        (torch.zeros(1, 4, 4), "p", "got p"),
        (torch.zeros(1, 4, 4), "p.pcd", r"got p\.pcd"),  # Pillow only reads these
    ],
)
def test_what_is_no_picture_is_not_written(image, name, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        write_image(image, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    write_image(torch.ones(1, 4, 4), path)

    def cut(picture, place):
        place.write_bytes(b"half of ")
        raise OSError("no space left")

    monkeypatch.setattr(Image.Image, "save", cut)
    with pytest.raises(OSError, match="no space left"):
        write_image(torch.zeros(1, 4, 4), path)
    assert list(tmp_path.iterdir()) == [path]
    assert read_image(path).min() == 1
