"""Geometry: flip, zoom, crop, rotation and shear as one affine map.

It leads from the pixels of the result to those of the source, so an image is interpolated once
and only where it is needed. Labels are taken from under the same points, never interpolated.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np

from semseg.classes import IGNORE
from semseg.data.batches.augmentation.config import AugmentationConfig
from semseg.data.soft_labels import CELL

PADDING_COLOR = (0, 0, 0)
"""Colour of the pixels that are outside the source image; their label is ``IGNORE``."""


class Geometry(NamedTuple):
    """Where each pixel of the result comes from.

    Attributes:
      affine: float64 (2, 3): (x, y, 1) of the result to (x, y) of the source; pixel i covers
        i to i + 1.
      size: (height, width) of the result.
    """

    affine: np.ndarray
    size: tuple[int, int]

    @property
    def flipped(self) -> bool:
        """Whether the result is mirrored."""
        return bool(np.linalg.det(self.affine[:, :2]) < 0)

    def warp_image(self, image: np.ndarray) -> np.ndarray:
        """Resamples an image, uint8 (H, W, 3) to (h, w, 3), bilinearly."""
        return self._warp(image, cv2.INTER_LINEAR, PADDING_COLOR)

    def warp_labels(self, labels: np.ndarray) -> np.ndarray:
        """Takes for each pixel of the result the label that is under its centre.

        Args:
          labels: uint8 (H, W).

        Returns:
          uint8 (h, w), ``IGNORE`` outside the source.
        """
        return self._pick(labels, IGNORE)

    def warp_disparity(self, disparity: np.ndarray) -> np.ndarray:
        """Takes disparities as ``warp_labels`` takes labels, and magnifies them with the image.

        Args:
          disparity: float32 (H, W, 1), pixels, 0 unknown.

        Returns:
          float32 (h, w, 1), pixels of the result, 0 where unknown and outside the source.
        """
        magnification = 1 / math.sqrt(abs(np.linalg.det(self.affine[:, :2])))
        return self._pick(disparity[..., 0], 0)[..., np.newaxis] * np.float32(magnification)

    def warp_soft_labels(self, soft_labels: np.ndarray, source: tuple[int, int]) -> np.ndarray:
        """Takes for every second pixel of the result the cell that is under its centre.

        That is the cell of the pixel whose label ``warp_labels`` takes.

        Args:
          soft_labels: uint8 (ceil(H / 2), ceil(W / 2), C), see ``semseg.data.soft_labels``.
          source: (H, W) of the source.

        Returns:
          uint8 (ceil(h / 2), ceil(w / 2), C) of the pixels 0, 2, 4, ... of each axis; zeros
          outside the source.
        """
        height, width = source
        (a, b, c), (d, e, f) = self.affine
        y, x = (np.arange(0, side, CELL) + 0.5 for side in self.size)
        if b or d:
            columns = np.floor(a * x + b * y[:, np.newaxis] + c).astype(np.intp)
            rows = np.floor(d * x + e * y[:, np.newaxis] + f).astype(np.intp)
            inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
            rows, columns = rows.clip(0, height - 1), columns.clip(0, width - 1)
            taken = soft_labels[rows // CELL, columns // CELL]
            taken[~inside] = 0
            return taken
        rows = np.floor(e * y + f).astype(np.intp)
        columns = np.floor(a * x + c).astype(np.intp)
        cells = soft_labels.take(rows // CELL, axis=0, mode="clip")
        cells = cells.take(columns // CELL, axis=1, mode="clip")
        cells[(rows < 0) | (rows >= height)] = 0
        cells[:, (columns < 0) | (columns >= width)] = 0
        return cells

    def _pick(self, pixels: np.ndarray, border: int) -> np.ndarray:
        """Takes the pixels (H, W) under the centres of the result's, ``border`` outside."""
        if self.affine[0, 1] or self.affine[1, 0]:
            return self._warp(pixels, cv2.INTER_NEAREST, (border,))
        # Upright, a table for each axis is exact; a point on the line between two pixels, which
        # a rotated map hardly has, is not left to the rounding of OpenCV's fixed-point numbers.
        (a, _, c), (_, e, f) = self.affine
        rows = np.floor(e * (np.arange(self.size[0]) + 0.5) + f).astype(np.intp)
        columns = np.floor(a * (np.arange(self.size[1]) + 0.5) + c).astype(np.intp)
        return _take(pixels, rows, columns, border)

    def _warp(self, pixels: np.ndarray, interpolation: int, border: tuple[int, ...]) -> np.ndarray:
        # OpenCV counts from pixel centres: x_cv = x - 0.5 on both sides of the map.
        centered = self.affine.copy()
        centered[:, 2] += self.affine[:, :2].sum(axis=1) / 2 - 0.5
        flags = interpolation | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(pixels, centered, self.size[::-1], flags=flags, borderValue=border)


def draw_geometry(
    rng: np.random.Generator,
    source: tuple[int, int],
    config: AugmentationConfig,
    focus: tuple[int, int] | None = None,
) -> Geometry:
    """Draws a map from the result to the source.

    The result shows a window of the source, of the result's size over the zoom. It begins at any
    whole pixel of the source, or, where it is larger, lies anywhere around it.

    Args:
      rng: where the random numbers come from.
      source: (height, width) of the source.
      config: crop, flip, zoom, rotation and shear.
      focus: (row, column) of a pixel of the source that the window is to show, at any place in it.

    Returns:
      The map.
    """
    size = config.crop or source
    flip = -1.0 if rng.random() < config.flip else 1.0
    scale = 1.0 / rng.uniform(*config.zoom)
    angle = math.radians(rng.uniform(-config.rotation_deg, config.rotation_deg))
    slant = math.tan(math.radians(rng.uniform(-config.shear_deg, config.shear_deg)))
    window = scale * np.array(size[::-1])
    slack = np.trunc(np.array(source[::-1]) - window)
    low, high = np.minimum(slack, 0), np.maximum(slack, 0)
    if focus is not None:
        point = np.array(focus[::-1])
        low = np.clip(np.ceil(point + 1 - window), low, high)
        high = np.clip(point, low, high)
    corner = low + np.floor(rng.random(2) * (high - low + 1))
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    # Mirrored first, then slanted, then rotated and scaled.
    linear = np.array([[cosine, -sine], [sine, cosine]]) @ [[flip, slant], [0, 1]]
    offset = corner + window / 2 - linear @ (window / scale / 2)
    return Geometry(np.column_stack([linear, offset]), size)


def _take(pixels: np.ndarray, rows: np.ndarray, columns: np.ndarray, border: int) -> np.ndarray:
    """Returns pixels[rows][:, columns], ``border`` where an index is outside."""
    height, width = pixels.shape
    taken = pixels.take(rows, axis=0, mode="clip").take(columns, axis=1, mode="clip")
    taken[(rows < 0) | (rows >= height)] = border
    taken[:, (columns < 0) | (columns >= width)] = border
    return taken
