"""Checks of the arrays that a caller gives the segmenter."""

import numpy as np

from semseg.errors import ImageError
from semseg.runtime.images.geometry import Size


def image_size(image: np.ndarray) -> Size:
    """Returns (height, width) of an image."""
    height, width = image.shape[:2]
    return height, width


def checked_image(image: np.ndarray) -> np.ndarray:
    """Returns an image uint8 [H, W, 3], not copied, or raises ``ImageError``."""
    is_image = isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] == 3
    if not is_image or image.dtype != np.uint8 or not image.size:
        raise ImageError("an image is uint8 [H, W, 3] RGB; found %s" % describe(image))
    return image


def checked_disparity(disparity: np.ndarray) -> np.ndarray:
    """Returns a disparity image float32 [H, W], or raises ``ImageError``."""
    is_plane = isinstance(disparity, np.ndarray) and disparity.ndim == 2
    if not is_plane or disparity.dtype != np.float32:
        raise ImageError("a disparity image is float32 [H, W]; found %s" % describe(disparity))
    return disparity


def describe(value: object) -> str:
    """Says what an array is: ``uint8 of shape 4x5``; of anything else, its type."""
    if not isinstance(value, np.ndarray):
        return type(value).__name__
    return "%s of shape %s" % (value.dtype, "x".join(map(str, value.shape)))
