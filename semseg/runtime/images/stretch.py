"""How the 16-bit pixels of a camera become 8-bit ones."""

import cv2
import numpy as np

from semseg.errors import ImageError, unknown_name

_DEPTHS = {"8": 8, "10": 10, "12": 12, "14": 14, "16": 16}
STRETCHES = ("auto", "minmax") + tuple(_DEPTHS)
"""The sensor's depth in bits; ``auto`` takes the smallest depth here that holds the brightest
pixel, ``minmax`` maps the image's own range to 0..255."""


def stretched(pixels: np.ndarray, stretch: str) -> np.ndarray:
    """Returns pixels of 8 bits; what lies outside the range is cut off.

    Args:
      pixels: uint16 (H, W) or (H, W, channels).
      stretch: one of ``STRETCHES``.

    Returns:
      uint8 of the same shape.

    Raises:
      ImageError: there is no such stretch.
    """
    if stretch not in STRETCHES:
        raise ImageError(unknown_name("stretch", stretch, STRETCHES))
    low, high = _range(pixels, stretch)
    scale = 255 / max(1, high - low)
    return cv2.convertScaleAbs(
        np.maximum(pixels, low) if low else pixels, None, scale, -low * scale
    )


def _range(pixels, stretch):
    if stretch == "minmax":
        return int(pixels.min()), int(pixels.max())
    if stretch == "auto":
        brightest = int(pixels.max())
        return 0, (1 << min(depth for depth in _DEPTHS.values() if brightest >> depth == 0)) - 1
    return 0, (1 << _DEPTHS[stretch]) - 1
