"""The one reader of image files, for both halves: from bytes or a path to RGB.

What the network is trained on and what it sees on a robot has gone through this module. It uses
OpenCV alone, which is all that a robot has. docs/dataset_format.md says what is read how.
"""

import os
from typing import Tuple, Union

import cv2
import numpy as np

from semseg.errors import ConfigError, ImageError
from semseg.runtime.images.image_header import UPRIGHT, Header, read_header
from semseg.runtime.images.stretch import stretched

MAX_MEGAPIXELS = "SEMSEG_MAX_MEGAPIXELS"
"""The environment variable that allows larger images."""
DEFAULT_MAX_MEGAPIXELS = 200.0


# Both exist from OpenCV 3.1 on; an orientation is applied here, the same in every version.
_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION


def read_image(path: Union[str, "os.PathLike[str]"], stretch: str = "auto") -> np.ndarray:
    """Reads an image file.

    Args:
      path: the file: JPEG, PNG, TIFF, BMP, WebP or PNM of any depth up to 16 bits.
      stretch: one of ``stretch.STRETCHES``, for 16-bit pixels.

    Returns:
      uint8 (H, W, 3) RGB, turned as an EXIF orientation says; transparency is dropped.

    Raises:
      ImageError: missing, damaged, cut off, too large or no image; names the file.
    """
    return decode_image(read_bytes(path), path, stretch)


def read_bytes(path: Union[str, "os.PathLike[str]"]) -> bytes:
    """Returns the content of a file; raises ``ImageError``, which names it."""
    try:
        with open(os.fspath(path), "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageError("%s: cannot be read: %s" % (path, reason))


def decode_image(data: bytes, source: object, stretch: str = "auto") -> np.ndarray:
    """Decodes the content of an image file as ``read_image`` does.

    Args:
      data: bytes, or anything that has them.
      source: where they are from, for messages.
      stretch: one of ``stretch.STRETCHES``, for 16-bit pixels.

    Returns:
      uint8 (H, W, 3) RGB.

    Raises:
      ImageError: damaged, cut off, too large or no image; names the source.
    """
    header = checked_header(data, source)
    return turned(decode_stored(header, source, stretch), header.orientation)


def decode_stored(header: Header, source: object, stretch: str = "auto") -> np.ndarray:
    """Decodes an image as ``decode_image`` does, but turns it not.

    Args:
      header: what ``checked_header`` returned.
      source: where it is from, for messages.
      stretch: one of ``stretch.STRETCHES``, for 16-bit pixels.

    Returns:
      uint8 (H, W, 3) RGB, as stored.

    Raises:
      ImageError: the pixels cannot be decoded, or are none of a camera's.
    """
    if header.refusal:
        raise ImageError("%s: %s" % (source, header.refusal))
    stored = decode_pixels(header, source, _FLAGS)
    if stored.dtype == np.uint16:
        stored = stretched(stored, stretch)
    if stored.dtype != np.uint8:
        raise ImageError(
            "%s: is a %s of %s pixels; expected 8 or 16 bits" % (source, header.kind, stored.dtype)
        )
    if header.largest:
        stored = cv2.convertScaleAbs(stored, None, 255.0 / header.largest)
    return cv2.cvtColor(stored, cv2.COLOR_BGR2RGB)


def exif_hint(path: Union[str, "os.PathLike[str]"], label_size: Tuple[int, ...]) -> str:
    """Says whether labels of another size than their image fit it without its orientation.

    Args:
      path: the image file.
      label_size: (height, width) of the labels.

    Returns:
      The end of a message, or nothing.
    """
    header = checked_header(read_bytes(path), path)
    if header.orientation == UPRIGHT or (header.height, header.width) != tuple(label_size):
        return ""
    return (
        "; the labels fit the pixels as stored, which its EXIF orientation %d turns: "
        "turn the labels too, or remove the tag from the image" % header.orientation
    )


def read_orientation(path: Union[str, "os.PathLike[str]"]) -> int:
    """Returns the EXIF orientation of an image file, 1 if it has none; raises ``ImageError``."""
    return checked_header(read_bytes(path), path).orientation


def checked_header(data: bytes, source: object) -> Header:
    """Reads the header of an image file and checks its size against the limit.

    Args:
      data: bytes, or anything that has them.
      source: where they are from, for messages.

    Raises:
      ImageError: no whole image of a known format, or of more megapixels than allowed.
    """
    if not isinstance(data, bytes):
        try:
            data = memoryview(data).tobytes()
        except TypeError:
            raise ImageError("%s: is %s; expected bytes" % (source, type(data).__name__))
    try:
        header = read_header(data)
    except ImageError as error:
        raise ImageError("%s: %s" % (source, error))
    allowed = max_megapixels()
    if header.height * header.width > allowed * 1e6:
        raise ImageError(
            "%s: is a %s of %dx%d, %.0f megapixels; expected at most %g (set %s to allow more)"
            % (
                (source, header.kind, header.height, header.width)
                + (header.height * header.width / 1e6, allowed, MAX_MEGAPIXELS)
            )
        )
    return header


def decode_pixels(header: Header, source: object, flags: int) -> np.ndarray:
    """Decodes the pixels of a file as they are stored.

    Args:
      header: what ``checked_header`` returned.
      source: where it is from, for messages.
      flags: OpenCV's, of ``imdecode``.

    Returns:
      What OpenCV returns for the flags: BGR, of any dtype.

    Raises:
      ImageError: OpenCV cannot decode it, or gives another size than the header.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(header.data, np.uint8), flags)
    except (cv2.error, MemoryError) as error:
        reason = " ".join(str(error).split())[:200] or "out of memory"
        raise ImageError("%s: %s cannot be decoded: %s" % (source, header.kind, reason))
    if pixels is None:
        raise ImageError(
            "%s: %s is damaged or cut off (%d bytes)" % (source, header.kind, len(header.data))
        )
    if pixels.shape[:2] != (header.height, header.width):
        raise ImageError(
            "%s: %s says that it is %dx%d and holds %dx%d"
            % ((source, header.kind, header.height, header.width) + pixels.shape[:2])
        )
    return pixels


def turned(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turns an image as an EXIF orientation says.

    Args:
      image: (H, W) or (H, W, channels), as stored.
      orientation: 1..8; 1 changes nothing.

    Returns:
      The image as it is to be seen, contiguous; (W, H, ...) for 5 to 8.
    """
    if orientation >= 5:
        image = np.swapaxes(image, 0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def max_megapixels() -> float:
    """Returns the size in megapixels above which no image is decoded.

    Raises:
      ConfigError: the environment variable holds no positive number.
    """
    text = os.environ.get(MAX_MEGAPIXELS, "")
    try:
        allowed = float(text) if text else DEFAULT_MAX_MEGAPIXELS
    except ValueError:
        allowed = 0.0
    if not allowed > 0:
        raise ConfigError(
            "environment variable %s: expected megapixels, such as 200; found '%s'"
            % (MAX_MEGAPIXELS, text)
        )
    return allowed
