"""Files that are whole or not there: written beside, then moved to their name."""

import os
from pathlib import Path

import cv2
import numpy as np

from semseg.errors import DatasetError


def write_file(path: str | Path, data: bytes) -> None:
    """Writes a file and the folders above it.

    Args:
      path: the file; replaced if it exists.
      data: its content.

    Raises:
      DatasetError: it cannot be written (no permission, a full disk).
    """
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        os.replace(partial, path)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror}")


def write_png(path: str | Path, pixels: np.ndarray) -> None:
    """Writes a PNG file.

    Args:
      path: the file.
      pixels: RGB, uint8 (H, W, 3), or one channel, uint8 or uint16 (H, W).
    """
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    write_file(path, cv2.imencode(".png", pixels)[1].tobytes())
