"""Sizes: how an image becomes the network's size, and how labels come back.

Sizes are (height, width). Images are interpolated by OpenCV; labels never are, they go
through index tables.
"""

from functools import lru_cache
from typing import NamedTuple, Tuple

import numpy as np

from semseg.errors import ImageError, unknown_name
from semseg.runtime.graph.card import FITS, LETTERBOX

Size = Tuple[int, int]

_INTERPOLATIONS = {"linear": "INTER_LINEAR", "area": "INTER_AREA"}


def resize_image(image: np.ndarray, size: Size, interpolation: str = "linear") -> np.ndarray:
    """Resizes an image; one that has the size already is returned as it is, not copied.

    Args:
      image: uint8 or float32 (H, W) or (H, W, channels).
      size: the new (height, width).
      interpolation: ``linear``, or ``area`` (the mean of the covered pixels) to shrink.

    Returns:
      The image of that size, with as many dimensions.
    """
    if interpolation not in _INTERPOLATIONS:
        raise ImageError(unknown_name("interpolation", interpolation, _INTERPOLATIONS))
    if image.shape[:2] == tuple(size):
        return image
    import cv2  # Not before it is needed: Debian's takes half a second and 100 MiB.

    method = getattr(cv2, _INTERPOLATIONS[interpolation])
    resized = cv2.resize(image, (size[1], size[0]), interpolation=method)
    return resized.reshape(tuple(size) + image.shape[2:])


def resize_labels(labels: np.ndarray, size: Size) -> np.ndarray:
    """Resizes labels (or any per-pixel values) by index tables, without interpolation.

    Target pixel i shows source pixel ``floor((i + 0.5) * source / target)`` on each axis, the
    one under its centre. ``cv2.INTER_NEAREST`` is half a pixel off.

    Args:
      labels: (H, W) or (H, W, channels) of any type.
      size: the new (height, width).

    Returns:
      The labels of that size; the same array if it has the size already.
    """
    height, width = labels.shape[:2]
    if (height, width) == tuple(size):
        return labels
    rows, columns = _index_table(height, size[0]), _index_table(width, size[1])
    if size[0] < height:  # The slow gather along a row then sees as few rows as possible.
        return _gather(_gather(labels, rows, 0), columns, 1)
    return _gather(_gather(labels, columns, 1), rows, 0)


def resize_disparity(disparity: np.ndarray, size: Size) -> np.ndarray:
    """Resizes a disparity image, and its disparities with its width.

    Not interpolated: a mean with an unknown or with the background would be the disparity of
    nothing.

    Args:
      disparity: float32 (H, W) or (H, W, 1), pixels at the image's width, 0 unknown.
      size: the new (height, width).

    Returns:
      float32 of that size, pixels at the new width.
    """
    return resize_labels(disparity, size) * np.float32(size[1] / disparity.shape[1])


class Fit(NamedTuple):
    """Places an image in the network's input and takes labels back out of it.

    Attributes:
      image_size: (height, width) of the image.
      network_size: (height, width) of the network's input.
      corner: (top, left) of the image inside the network's input.
      inner_size: (height, width) that the image has there.
      interpolation: as in ``resize_image``.
    """

    image_size: Size
    network_size: Size
    corner: Size
    inner_size: Size
    interpolation: str = "linear"

    @classmethod
    def create(
        cls, image_size: Size, network_size: Size, mode: str, interpolation: str = "linear"
    ) -> "Fit":
        """Computes the placement.

        Args:
          image_size: (height, width) of the image.
          network_size: (height, width) of the network's input.
          mode: ``squash`` scales both axes freely; ``letterbox`` keeps the aspect, centres
            the image and pads it with zeros.
          interpolation: as in ``resize_image``.
        """
        if mode not in FITS:
            raise ImageError(unknown_name("fit", mode, FITS))
        height, width = network_size
        if mode == LETTERBOX:
            scale = min(height / image_size[0], width / image_size[1])
            height = min(height, max(1, int(round(scale * image_size[0]))))
            width = min(width, max(1, int(round(scale * image_size[1]))))
        corner = ((network_size[0] - height) // 2, (network_size[1] - width) // 2)
        return cls(image_size, network_size, corner, (height, width), interpolation)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Returns an image (H, W, channels) at the network's size."""
        return self._pad(resize_image(image, self.inner_size, self.interpolation))

    def apply_disparity(self, disparity: np.ndarray) -> np.ndarray:
        """Returns a disparity image at the network's size.

        Args:
          disparity: float32 (H, W), pixels at the image's width, 0 unknown.

        Returns:
          float32 (h, w, 1), pixels at the network's width, as ``resize_disparity`` gives them.
        """
        return self._pad(resize_disparity(disparity[..., np.newaxis], self.inner_size))

    def undo(self, labels: np.ndarray) -> np.ndarray:
        """Returns labels (h, w) or (h, w, channels) of the network at the image's size."""
        top, left = self.corner
        height, width = self.inner_size
        return resize_labels(labels[top : top + height, left : left + width], self.image_size)

    def _pad(self, image):
        if self.inner_size == self.network_size:
            return image
        padded = np.zeros(self.network_size + image.shape[2:], image.dtype)
        top, left = self.corner
        padded[top : top + self.inner_size[0], left : left + self.inner_size[1]] = image
        return padded


def _gather(values, indices, axis):
    # The tables stay inside; "clip" takes numpy half the time of a check that raises.
    return values.take(indices, axis=axis, mode="clip")


@lru_cache(maxsize=64)
def _index_table(source, target):
    # Whole numbers, so that no rounding of floats moves an index.
    return (2 * np.arange(target, dtype=np.intp) + 1) * source // (2 * target)
