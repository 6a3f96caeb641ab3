"""Image files as tensors in [0, 1], and back.

All that Pillow reads comes out upright, from black to white, whatever its bits, its
mode or its transparency. What could only be guessed is refused.
"""

import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor


def read_image(
    path: str | Path, *, colour: bool = False, background: str = "black"
) -> Tensor:
    """Read the first picture of an image file, as its orientation tag turns it.

    Args:
        path: any file that Pillow reads.
        colour: read red, green and blue; else grey alone.
        background: the colour that shows through where the picture is transparent, by
            any name that Pillow knows.

    Returns:
        The picture, (1, height, width), or (3, height, width) with `colour`; float32
        in [0, 1], where 0 is black.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, too large, no image, or of a mode whose
            white is not known.

    Warns:
        UserWarning: if the background shows through.

    Examples:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(torch.full((1, 4, 6), 0.5), f"{folder}/grey.png")
        ...     image = read_image(f"{folder}/grey.png")
        >>> image.shape, image.mean()
        (torch.Size([1, 4, 6]), tensor(0.5020))
    """
    picture = _plain(_open_upright(path), path, "RGB" if colour else "L", background)
    white = 1 if picture.mode == "F" else 255
    pixels = torch.from_numpy(np.asarray(picture, dtype=np.float32) / white)
    if pixels.ndim == 3:
        return pixels.permute(2, 0, 1).contiguous()
    return pixels.repeat(3 if colour else 1, 1, 1)


def write_image(image: Tensor, path: str | Path) -> None:
    """Write an image to a file of 8 bits a colour, whole or not at all.

    Args:
        image: (1, height, width) for grey, (3, height, width) for colour. Pixels
            outside [0, 1] are cut to it.
        path: the file to write; its ending says which kind, such as `.png`.

    Raises:
        ValueError: if `image` has another shape or NaN or infinite pixels, or if Pillow
            writes no such kind.
        OSError: if the file cannot be written.

    Examples:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(torch.zeros(3, 4, 6), f"{folder}/black.png")
        ...     read_image(f"{folder}/black.png", colour=True).max()
        tensor(0.)
    """
    path = Path(path)
    if image.ndim != 3 or len(image) not in (1, 3) or image.numel() == 0:
        raise ValueError(
            f"image must have shape (1, height, width) or (3, height, width), "
            f"got {tuple(image.shape)}"
        )
    if not image.isfinite().all():
        raise ValueError(f"{path} is not written: image has NaN or infinite pixels")
    if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:
        raise ValueError(
            f"path must end as an image file does, such as in .png, got {path.name}"
        )
    pixels = (image.cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    picture = Image.fromarray(pixels.squeeze(2) if len(image) == 1 else pixels)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder:
        picture.save(Path(folder) / path.name)
        os.replace(Path(folder) / path.name, path)


def _open_upright(path: str | Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                return ImageOps.exif_transpose(picture)
    except UnidentifiedImageError as error:
        raise ValueError(f"{path} is no image file that Pillow can read") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(
            f"{path} is too large: at most {Image.MAX_IMAGE_PIXELS:,} pixels are read"
        ) from error
    except FileNotFoundError:
        raise
    except Exception as error:  # each format has errors of its own
        raise ValueError(f"{path} cannot be read as an image: {error}") from error


def _plain(
    picture: Image.Image, path: str | Path, mode: str, background: str
) -> Image.Image:
    """Convert to L or RGB, or to mode F in [0, 1] where grey has more levels."""
    if picture.mode.startswith("I;16"):
        return Image.fromarray(np.asarray(picture).astype(np.float32) / 65535)
    if picture.has_transparency_data:
        colours = picture.convert("RGBA")
        if colours.getextrema()[3][0] < 255:
            warnings.warn(
                f"{path} is transparent in places: {background} shows through",
                stacklevel=3,
            )
        below = Image.new("RGBA", colours.size, background)
        return Image.alpha_composite(below, colours).convert(mode)
    if picture.mode in ("1", "L", "P", "RGB", "CMYK", "YCbCr"):
        return picture.convert(mode)
    low, high = np.min(picture), np.max(picture)
    if picture.mode == "F" and low >= 0 and high <= 1:  # false for NaN, too
        return picture
    raise ValueError(
        f"{path} has mode {picture.mode}, from {low:g} to {high:g}: which of them is "
        f"white is not known. Save it in grey, with 8 or 16 bits"
    )
