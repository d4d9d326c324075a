"""A picture that is painted in metres, and noise to paint with."""

from __future__ import annotations

from typing import Sequence, Union

import cv2
import numpy as np

from semseg.town.surface import Cutout, Texture

Color = Union[Sequence[float], np.ndarray]
Points = Union[Sequence[Sequence[float]], Sequence[np.ndarray], np.ndarray]


class Canvas:
    """An RGBA picture of something upright, addressed in metres from its lower left corner.

    Args:
      width: metres.
      height: metres.
      scale: pixels per metre.
      color: RGB, 0..255, of an opaque start; None starts with nothing but a hole.
    """

    def __init__(
        self, width: float, height: float, scale: float, color: Color | None = None
    ) -> None:
        self.width, self.height, self.scale = width, height, scale
        shape = (max(1, round(height * scale)), max(1, round(width * scale)), 4)
        self.rgba = np.zeros(shape, np.uint8)
        if color is not None:
            self.rgba[:] = _opaque(color)

    def rectangle(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        """Fills a rectangle whose lower left corner is (x, y)."""
        rows, columns = self._span(x, y, width, height)
        self.rgba[rows, columns] = _opaque(color)

    def patch(self, x: float, y: float, width: float, height: float) -> np.ndarray:
        """Returns the pixels of a rectangle, uint8 RGBA, as a view to paint on."""
        rows, columns = self._span(x, y, width, height)
        return self.rgba[rows, columns]

    def polygon(self, points: Points, color: Color) -> None:
        """Fills a polygon given by its (x, y) corners."""
        cv2.fillPoly(self.rgba, [self._pixels(points)], _opaque(color), cv2.LINE_AA, shift=4)

    def line(self, points: Points, width: float, color: Color) -> None:
        """Draws a broken line through (x, y) points, ``width`` metres thick, with round ends."""
        thickness = max(1, round(width * self.scale))
        pixels = [self._pixels(points)]
        cv2.polylines(self.rgba, pixels, False, _opaque(color), thickness, cv2.LINE_AA, shift=4)

    def ellipse(self, x: float, y: float, rx: float, ry: float, color: Color) -> None:
        """Fills an ellipse about (x, y)."""
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        points = np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1)
        self.polygon(points, color)

    def ring(self, x: float, y: float, radius: float, width: float, color: Color) -> None:
        """Draws a circle about (x, y)."""
        angles = np.linspace(0, 2 * np.pi, 25)
        points = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)
        self.line(points, width, color)

    def shade(self, factor: np.ndarray) -> None:
        """Multiplies the colours by a factor that broadcasts to (rows, columns)."""
        shape = self.rgba.shape[:2]
        factor = np.ascontiguousarray(np.broadcast_to(factor, shape), np.float32)
        factors = cv2.merge([factor, factor, factor, np.ones(shape, np.float32)])
        cv2.multiply(self.rgba, factors, dst=self.rgba, dtype=cv2.CV_8U)

    def texture(self) -> Texture:
        """Returns the picture as a texture."""
        return Texture(self.rgba)

    def cutout(self) -> Cutout:
        """Returns what was painted without its empty margins."""
        return Cutout.of(self.rgba)

    def _span(self, x: float, y: float, width: float, height: float) -> tuple[slice, slice]:
        rows, columns = self.rgba.shape[:2]
        top, bottom = (
            round((self.height - y - height) * self.scale),
            round((self.height - y) * self.scale),
        )
        left, right = round(x * self.scale), round((x + width) * self.scale)
        return (
            slice(min(max(top, 0), rows), min(max(bottom, 0), rows)),
            slice(min(max(left, 0), columns), min(max(right, 0), columns)),
        )

    def _pixels(self, points: Points) -> np.ndarray:
        """Metres to pixel centres in the 1/16 pixel units of OpenCV's ``shift=4``."""
        metres = np.asarray(points, np.float64)
        pixels = np.stack([metres[:, 0], self.height - metres[:, 1]], axis=1) * self.scale - 0.5
        return np.round(pixels * 16).astype(np.int32)


def _opaque(color: Color) -> tuple[float, float, float, float]:
    red, green, blue = (float(min(max(value, 0), 255)) for value in color)
    return red, green, blue, 255.0


def noise(rng: np.random.Generator, shape: tuple[int, ...], *cells: float) -> np.ndarray:
    """Makes smooth noise.

    Args:
      rng: source of randomness.
      shape: (rows, columns).
      *cells: sizes in pixels of the lumps, each of equal weight.

    Returns:
      float32 of that shape, mean about 0, standard deviation about 1.
    """
    rows, columns = shape
    total = np.zeros(shape, np.float32)
    for cell in cells:
        grid = (int(rows / cell) + 2, int(columns / cell) + 2)
        coarse = rng.standard_normal(grid, np.float32)
        total += cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return total / np.float32(0.75 * len(cells) ** 0.5)


def jitter(rng: np.random.Generator, color: Color, amount: float) -> np.ndarray:
    """Returns a colour near another: one common factor and a little of each channel's own."""
    common, own = rng.uniform(-amount, amount), rng.uniform(-amount / 4, amount / 4, 3)
    return np.clip(np.asarray(color) * (1 + common + own), 0, 255)
