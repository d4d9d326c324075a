"""Files that are whole or not there: written beside, then moved to their name."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from semseg.errors import DatasetError


@contextmanager
def partial_file(path: str | Path) -> Iterator[BinaryIO]:
    """Opens a file that gets its name when it is written to the end, and not before.

    Args:
      path: the file; replaced if it exists. The folders above it are made.

    Yields:
      The file beside it, open for writing.

    Raises:
      DatasetError: it cannot be written (no permission, a full disk).
    """
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            yield file
        os.replace(partial, path)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror}")
    finally:
        with suppress(OSError):  # A path that cannot be made has no partial file either.
            partial.unlink(missing_ok=True)


def write_file(path: str | Path, data: bytes) -> None:
    """Writes a file and the folders above it.

    Args:
      path: the file; replaced if it exists.
      data: its content.

    Raises:
      DatasetError: it cannot be written (no permission, a full disk).
    """
    with partial_file(path) as file:
        file.write(data)


def encode_png(pixels: np.ndarray) -> bytes:
    """Returns a PNG file.

    Args:
      pixels: RGB, uint8 (H, W, 3), or one channel, uint8 or uint16 (H, W).
    """
    return _encode(".png", pixels, [])


def encode_jpeg(image: np.ndarray, quality: int = 95) -> bytes:
    """Returns a JPEG file.

    Args:
      image: RGB, uint8 (H, W, 3).
      quality: 0..100.
    """
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def write_png(path: str | Path, pixels: np.ndarray) -> None:
    """Writes a PNG file of what ``encode_png`` takes."""
    write_file(path, encode_png(pixels))


def _encode(suffix: str, pixels: np.ndarray, options: list[int]) -> bytes:
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(suffix, pixels, options)[1].tobytes()
