"""A stretch of one side of a street, to be built on."""

from __future__ import annotations

from typing import NamedTuple, Tuple

import numpy as np

from semseg.town.labels import Label
from semseg.town.path import Path
from semseg.town.shadows import Caster
from semseg.town.style import Style
from semseg.town.surface import Surface, Texture

CURB = 0.12
"""Height of the footways over the road, metres."""

Span = Tuple[float, float]
"""From, to: of z, height or distance from the middle line, metres."""

_OVERLAP = 0.02


class Piece(NamedTuple):
    """One piece of a street.

    Attributes:
      surfaces: what is drawn at every distance.
      near: what is drawn only near by.
      far: what is drawn in its place from afar.
      casters: what throws shadows.
      vehicles: parked ones and where they stand.
      crossing: z of a zebra crossing, metres, if there is one.
    """

    surfaces: list[Surface]
    near: list[Surface]
    far: list[Surface]
    casters: list[Caster]
    vehicles: list[tuple[tuple[Surface, ...], np.ndarray]]
    crossing: float | None


class Plot(NamedTuple):
    """One side of a piece, addressed by distance from the middle line, height and z.

    Attributes:
      style: of the street.
      path: its middle line.
      side: +1 right of it, -1 left.
      span: of z that is built on; a side street comes before it where there is one.
      rng: source of randomness for this piece.
      piece: what has been built.
    """

    style: Style
    path: Path
    side: int
    span: Span
    rng: np.random.Generator
    piece: Piece

    def point(self, distance: float, height: float, z: float) -> np.ndarray:
        """Returns a world point, (3,) metres."""
        return np.array([self.path.middle(z) + self.side * distance, -height, z])

    def level(
        self, texture: Texture, label: Label, distances: Span, height: float, span: Span
    ) -> Surface:
        """Returns a level strip along the street, such as a tile of footway."""
        left, right = distances if self.side > 0 else distances[::-1]
        corner = self.point(left, height, span[1])
        across = np.array([self.side * (right - left), 0.0, 0.0])
        down = self.point(left, height, span[0] - _OVERLAP) - corner
        return Surface(texture, corner, across, down, label)

    def wall(
        self, texture: Texture, label: Label, distance: float, heights: Span, span: Span
    ) -> Surface:
        """Returns an upright face along the street that looks towards its middle."""
        ends = span[::-1] if self.side > 0 else span
        corner, right = (self.point(distance, heights[1], end) for end in ends)
        down = np.array([0.0, heights[1] - heights[0], 0.0])
        return Surface(texture, corner, right - corner, down, label)

    def front(
        self, texture: Texture, label: Label, distances: Span, heights: Span, z: float
    ) -> Surface:
        """Returns an upright face across the street that looks towards its beginning."""
        left = distances[0] if self.side > 0 else distances[1]
        across = np.array([distances[1] - distances[0], 0.0, 0.0])
        down = np.array([0.0, heights[1] - heights[0], 0.0])
        return Surface(texture, self.point(left, heights[1], z), across, down, label)
