"""Label files: from the bytes of a file to raw ids. Images: ``semseg.runtime.images.image_file``.

A raw id is what a label file stores; ``semseg.data.samples.label_decoder`` turns it into a label.
"""

import io
import warnings
from pathlib import Path
from typing import NamedTuple

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
_JPEG_2000_SIGNATURES = (b"\x00\x00\x00\x0cjP  \r\n", b"\xff\x4f\xff\x51")
_LOSSY_COMPRESSIONS = ("jpeg", "tiff_jpeg", "webp")
_TIFF_BITS = 258  # the tag of the bits a channel
_PILLOW_MODES = ("1", "L", "LA", "P", "I", "I;16", "I;16B", "I;16L", "RGB", "RGBA")


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
    stored = decode_stored_labels(data, path)
    if decode == "palette":
        return _palette(stored, path)
    if decode == "rgb" and stored.palette is not None:
        return _palette_colors(stored.pixels, stored.palette, path)
    if stored.palette is not None:
        raise ImageError(
            f"{path}: is a palette {stored.container}; the rule '{decode}' cannot read it, use "
            "palette"
        )
    return _RULES[decode](stored.pixels, path)


class StoredLabels(NamedTuple):
    """What a label file stores, whatever it means.

    Attributes:
      pixels: uint8, uint16 or int32 (H, W), or uint8 or uint16 (H, W, 3 or 4) RGB(A).
      palette: uint8 (n, 3) RGB, the colours of the indices ``pixels``; None if it has none.
      container: name of the file format.
    """

    pixels: np.ndarray
    palette: np.ndarray | None
    container: str


def read_stored_labels(path: str | Path) -> StoredLabels:
    """Reads what a label file stores; raises ``ImageError`` as ``read_raw_ids`` does."""
    return decode_stored_labels(read_bytes(path), path)


def decode_stored_labels(data: bytes, path: str | Path) -> StoredLabels:
    """Decodes what a label file stores, with 1, 2 and 4 bits a pixel as they are.

    Args:
      data: the content of a label file.
      path: where it is from, for messages.

    Returns:
      Pixels, and the palette if there is one.

    Raises:
      ImageError: damaged, or of a kind that changes ids or holds fractions.
    """
    lossy = _lossy_format(data)
    if lossy:
        raise ImageError(f"{path}: labels cannot be {lossy}, which changes ids; expected PNG")
    header = _header(data, path)
    if data.startswith(_PNG_SIGNATURE) and not _is_palette_png(data):
        pixels = _rgb_order(decode_pixels(header, path, cv2.IMREAD_UNCHANGED))
        bits = data[_PNG_BIT_DEPTH]
        if bits < 8 and pixels.ndim == 2:
            # OpenCV spreads 1, 2 and 4 bits over 0..255.
            pixels = pixels // (255 // (2**bits - 1))
        return StoredLabels(pixels, None, "PNG")
    return _stored_by_pillow(header.data, path)


def _lossy_format(data: bytes) -> str | None:
    if data.startswith(_JPEG_SIGNATURE):
        return "JPEG"
    if data.startswith(_JPEG_2000_SIGNATURES):
        return "JPEG 2000"
    if data[4:12] in (b"ftypavif", b"ftypheic", b"ftypheix", b"ftypmif1"):
        return "AVIF or HEIC"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and b"VP8 " in _riff_chunks(data):
        return "lossy WebP"
    return None


def _riff_chunks(data: bytes) -> list[bytes]:
    """Returns the names of the chunks of a WebP file; those of a frame of an animation, too."""
    names, position = [], 12
    while position + 8 <= len(data):
        name = data[position : position + 4]
        names.append(name)
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        # A frame's own chunks follow its 16 bytes of place and size.
        position += 24 if name == b"ANMF" else 8 + size + size % 2
    return names


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


def _stored_by_pillow(data: bytes, path: str | Path) -> StoredLabels:
    """Decodes containers of which OpenCV would expand palettes, bits and 32-bit numbers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd tags
            image = Image.open(io.BytesIO(data))
            pages = getattr(image, "n_frames", 1)
            if pages > 1:
                raise ImageError(f"{path}: has {pages} pages; expected one of labels")
            container, bits = str(image.format), _tiff_bits(image)
            if container == "TIFF" and image.info.get("compression") in _LOSSY_COMPRESSIONS:
                raise ImageError(
                    f"{path}: labels cannot be TIFF with JPEG or WebP compression, which changes "
                    "ids; expected PNG"
                )
            image.load()
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever they like.
        raise ImageError(f"{path}: damaged, cut off or no image ({len(data)} bytes): {error}")
    if image.mode == "F":
        raise ImageError(
            f"{path}: stores fractions (32-bit float); expected whole numbers: save the ids as 8 "
            "or 16 bits a pixel"
        )
    if image.mode not in _PILLOW_MODES:
        raise ImageError(
            f"{path}: has the pixel type {image.mode}; expected ids, a palette or RGB colours"
        )
    if image.mode == "P":
        colors = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
        return StoredLabels(np.asarray(image), colors, container)
    pixels = np.asarray(image)
    if pixels.dtype == bool:
        return StoredLabels(pixels.astype(np.uint8), None, container)
    if image.mode == "LA":
        pixels = pixels[..., 0]
    if image.mode == "L" and bits in (2, 4):
        pixels = pixels // (255 // (2**bits - 1))  # Pillow spreads them over 0..255.
    if container == "PPM" and image.mode == "L":
        pixels = _unspread(pixels, data)
    if pixels.dtype.kind == "i":
        pixels = _narrow(pixels, path)
    return StoredLabels(pixels.astype(pixels.dtype.newbyteorder("=")), None, container)


def _tiff_bits(image: Image.Image) -> int:
    tags = getattr(image, "tag_v2", None)
    bits = tags.get(_TIFF_BITS, (8,)) if tags is not None else (8,)
    return int(bits[0] if isinstance(bits, tuple) else bits)


def _unspread(pixels: np.ndarray, data: bytes) -> np.ndarray:
    """Returns the stored values of a PGM, which Pillow spreads from 0..greatest over 0..255."""
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels if decoded is None or decoded.shape != pixels.shape else decoded


def _narrow(pixels: np.ndarray, path: str | Path) -> np.ndarray:
    """Returns 32-bit numbers as 16 bits, or as 8 if these suffice; -1 is 255 as elsewhere."""
    least, most = int(pixels.min(initial=0)), int(pixels.max(initial=0))
    if least < -1 or most > np.iinfo(np.uint16).max:
        raise ImageError(f"{path}: holds {least}..{most}; expected ids of 0..65535")
    return np.where(pixels < 0, 255, pixels).astype(np.uint16)


def _palette(stored: StoredLabels, path: str | Path) -> np.ndarray:
    # The colours are not looked at: they need not be unique.
    if stored.palette is None:
        mode = "one channel" if stored.pixels.ndim == 2 else "colours"
        raise ImageError(f"{path}: has no palette ({mode}); the rule 'palette' needs one")
    return stored.pixels


def _palette_colors(indices: np.ndarray, palette: np.ndarray, path: str | Path) -> np.ndarray:
    colors = palette.astype(np.uint32)
    if indices.max(initial=0) >= len(colors):
        raise ImageError(
            f"{path}: has indices beyond its palette of {len(colors)} colours; it is damaged"
        )
    packed = colors[:, 0] << 16 | colors[:, 1] << 8 | colors[:, 2]
    return packed[indices]


def _rgb_order(pixels: np.ndarray) -> np.ndarray:
    """Returns OpenCV's pixels with the channels in the order red, green, blue(, alpha)."""
    if pixels.ndim == 2:
        return pixels
    code = cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    return cv2.cvtColor(pixels, code)


def _gray8(pixels: np.ndarray, path: str | Path) -> np.ndarray:
    ids = _single_channel(pixels, path)
    if ids.dtype != np.uint8:
        raise ImageError(f"{path}: has 16 bits a pixel; the rule 'gray8' reads 8, see 'uint16'")
    return ids


def _top8(pixels: np.ndarray, path: str | Path) -> np.ndarray:
    ids = _single_channel(pixels, path)
    return (ids >> 8).astype(np.uint8) if ids.dtype == np.uint16 else _gray8(ids, path)


def _uint16(pixels: np.ndarray, path: str | Path) -> np.ndarray:
    ids = _single_channel(pixels, path)
    if ids.dtype != np.uint16:
        raise ImageError(f"{path}: has 8 bits a pixel; the rule 'uint16' reads 16, see 'gray8'")
    return ids


def _red(pixels: np.ndarray, path: str | Path) -> np.ndarray:
    if pixels.ndim != 3:
        raise ImageError(f"{path}: has one channel; the rule 'red' reads the first of three")
    return np.ascontiguousarray(pixels[..., 0])


def _rgb(pixels: np.ndarray, path: str | Path) -> np.ndarray:
    if pixels.ndim == 2 and pixels.dtype == np.uint8 and np.isin(pixels, (0, 255)).all():
        # A file without any colour but black and white is often saved as grey.
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    if pixels.ndim != 3 or pixels.dtype != np.uint8:
        raise ImageError(f"{path}: is no 8-bit colour image; the rule 'rgb' reads colours")
    code = cv2.COLOR_RGB2BGRA if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    # The bytes blue, green, red, alpha are the little-endian number alpha << 24 | ... | blue.
    return cv2.cvtColor(pixels, code).view("<u4")[..., 0] & 0xFFFFFF


def _single_channel(pixels: np.ndarray, path: str | Path) -> np.ndarray:
    """Returns the grey channel; colour channels that are equal (and any alpha) say the same."""
    if pixels.ndim == 2:
        return pixels
    red, green, blue = (pixels[..., channel] for channel in range(3))
    if not (np.array_equal(blue, green) and np.array_equal(blue, red)):
        raise ImageError(f"{path}: holds colours; expected one channel of ids, see 'rgb' and 'red'")
    return np.ascontiguousarray(red)


_RULES = {"gray8": _gray8, "top8": _top8, "uint16": _uint16, "red": _red, "rgb": _rgb}
