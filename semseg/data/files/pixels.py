"""Label files: from the bytes of a file to raw ids. Images: ``semseg.runtime.images.image_file``.

A raw id is what a label file stores; ``semseg.data.samples.label_decoder`` turns it into a label.
"""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from semseg.errors import ImageError
from semseg.runtime.images.image_file import checked_header, decode_pixels, read_bytes
from semseg.runtime.images.image_header import UPRIGHT, Header

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_BIT_DEPTH = 24
_PNG_COLOR_TYPE = 25
_PALETTE = 3  # the colour type of a palette PNG
_JPEG_SIGNATURE = b"\xff\xd8"


def read_raw_ids(path: str | Path, decode: str) -> np.ndarray:
    """Reads the raw ids of a label file.

    Args:
      path: the file, in a lossless format.
      decode: name of a decode rule, one of ``RAW_LIMITS``.

    Returns:
      uint8, uint16 or (colours) uint32 (H, W).

    Raises:
      ImageError: a damaged file, or one whose pixels are not what the rule reads.
    """
    return decode_raw_ids(read_bytes(path), path, decode)


def decode_raw_ids(data: bytes, path: str | Path, decode: str) -> np.ndarray:
    """Decodes raw ids as ``read_raw_ids`` does.

    Args:
      data: the content of a label file.
      path: where it is from, for messages.
      decode: name of a decode rule, one of ``RAW_LIMITS``.

    Returns:
      uint8, uint16 or (colours) uint32 (H, W).

    Raises:
      ImageError: damaged, or the pixels are not what the rule reads.
    """
    if data.startswith(_JPEG_SIGNATURE):
        raise ImageError(f"{path}: labels cannot be JPEG, which changes ids; expected PNG")
    if decode == "palette":
        return _palette_indices(data, path)
    if decode != "rgb" and _is_palette_png(data):
        raise ImageError(
            f"{path}: is a palette PNG; the rule '{decode}' cannot read it, use palette"
        )
    pixels = _decode(data, path, cv2.IMREAD_UNCHANGED)
    return _RULES[decode](pixels, data, path)


def guess_decode(path: str | Path) -> str:
    """Returns the decode rule that a label file looks made for.

    Args:
      path: the file.

    Returns:
      ``palette``, ``gray8``, ``uint16`` or ``rgb``; equal colour channels are one of ids.

    Raises:
      ImageError: the file cannot be read.
    """
    data = read_bytes(path)
    if _is_palette_png(data):
        return "palette"
    pixels = _decode(data, path, cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3 and np.ptp(pixels[..., :3], axis=2).any():
        return "rgb"
    return "uint16" if pixels.dtype == np.uint16 else "gray8"


def _decode(data: bytes, path: str | Path, flags: int) -> np.ndarray:
    return decode_pixels(_header(data, path), path, flags)


def _header(data: bytes, path: str | Path) -> Header:
    header = checked_header(data, path)
    if header.orientation != UPRIGHT:
        raise ImageError(
            f"{path}: labels have the EXIF orientation {header.orientation}, which some programs"
            " apply and some do not; turn the labels and remove the tag"
        )
    return header


def _is_palette_png(data: bytes) -> bool:
    is_png = data.startswith(_PNG_SIGNATURE) and len(data) > _PNG_COLOR_TYPE
    return is_png and data[_PNG_COLOR_TYPE] == _PALETTE


def _palette_indices(data: bytes, path: str | Path) -> np.ndarray:
    # OpenCV would expand the palette to its colours, and those need not be unique.
    try:
        image = Image.open(io.BytesIO(_header(data, path).data))
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path}: damaged, cut off or no image: {error}")
    if image.mode != "P":
        raise ImageError(
            f"{path}: has no palette (mode {image.mode}); the rule 'palette' needs one"
        )
    return np.asarray(image)


def _gray8(pixels: np.ndarray, data: bytes, path: str | Path) -> np.ndarray:
    ids = _single_channel(pixels, path)
    if ids.dtype != np.uint8:
        raise ImageError(f"{path}: has 16 bits a pixel; the rule 'gray8' reads 8, see 'uint16'")
    bits = data[_PNG_BIT_DEPTH] if data.startswith(_PNG_SIGNATURE) else 8
    # OpenCV spreads 1, 2 and 4 bits over 0..255.
    return ids // (255 // (2**bits - 1)) if bits < 8 else ids


def _top8(pixels: np.ndarray, data: bytes, path: str | Path) -> np.ndarray:
    ids = _single_channel(pixels, path)
    return (ids >> 8).astype(np.uint8) if ids.dtype == np.uint16 else _gray8(ids, data, path)


def _uint16(pixels: np.ndarray, data: bytes, path: str | Path) -> np.ndarray:
    ids = _single_channel(pixels, path)
    if ids.dtype != np.uint16:
        raise ImageError(f"{path}: has 8 bits a pixel; the rule 'uint16' reads 16, see 'gray8'")
    return ids


def _red(pixels: np.ndarray, data: bytes, path: str | Path) -> np.ndarray:
    if pixels.ndim != 3:
        raise ImageError(f"{path}: has one channel; the rule 'red' reads the first of three")
    return pixels[..., 2]


def _rgb(pixels: np.ndarray, data: bytes, path: str | Path) -> np.ndarray:
    if pixels.ndim != 3 or pixels.dtype != np.uint8:
        raise ImageError(f"{path}: is no 8-bit colour image; the rule 'rgb' reads colours")
    if pixels.shape[2] == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA)
    # The bytes blue, green, red, alpha are the little-endian number alpha << 24 | ... | blue.
    return pixels.view("<u4")[..., 0] & 0xFFFFFF


def _single_channel(pixels: np.ndarray, path: str | Path) -> np.ndarray:
    """Returns the grey channel; colour channels that are equal (and any alpha) say the same."""
    if pixels.ndim == 2:
        return pixels
    blue, green, red = (pixels[..., channel] for channel in range(3))
    if not (np.array_equal(blue, green) and np.array_equal(blue, red)):
        raise ImageError(f"{path}: holds colours; expected one channel of ids, see 'rgb' and 'red'")
    return np.ascontiguousarray(blue)


_RULES = {"gray8": _gray8, "top8": _top8, "uint16": _uint16, "red": _red, "rgb": _rgb}
