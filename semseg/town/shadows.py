"""Shadows that things standing along the street throw on the ground."""

from __future__ import annotations

import math
from typing import NamedTuple, Union

import cv2
import numpy as np

from semseg.town.path import BLOCK, Path

HALF_SPAN = 20.0
"""Distance from the middle line to which shadows are kept, metres."""

SCALE = 5
"""Pixels per metre; coarse, so that edges come out as soft as those of real shadows."""

_SHAPE = (int(BLOCK * SCALE), int(2 * HALF_SPAN * SCALE))
_MIDDLE = np.array([HALF_SPAN, 0.0])
_PIXELS = np.array([SCALE, -SCALE])
_BOTTOM = np.array([0, _SHAPE[0]])

_LONGEST = 40.0
_CIRCLE = np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 9)[:-1]])


class Box(NamedTuple):
    """Something that stands on the ground.

    Attributes:
      base: its outline there, (N, 2) as (x, z), metres.
      height: metres.
    """

    base: np.ndarray
    height: float

    def extent(self, per_height: np.ndarray) -> tuple[float, float]:
        """Least and greatest z in shadow."""
        ends = [*self.base[:, 1], *(self.base + _reach(per_height, self.height))[:, 1]]
        return min(ends), max(ends)

    def shadows(self, per_height: np.ndarray) -> list[tuple[np.ndarray, int]]:
        """Points whose convex hull is in shadow, and how dark it is, 0..255."""
        return [(np.concatenate([self.base, self.base + _reach(per_height, self.height)]), 255)]


class Crown(NamedTuple):
    """The leaves of a tree.

    Attributes:
      foot: (x, z) of the trunk, metres.
      radius: metres.
      middle: height of the middle of the leaves, metres.
      density: 0..1, how much light they take.
    """

    foot: np.ndarray
    radius: float
    middle: float
    density: float

    def extent(self, per_height: np.ndarray) -> tuple[float, float]:
        """Least and greatest z in shadow."""
        middle = self.foot[1] + _reach(per_height, self.middle)[1]
        return min(self.foot[1], middle - 2 * self.radius), max(
            self.foot[1], middle + 2 * self.radius
        )

    def shadows(self, per_height: np.ndarray) -> list[tuple[np.ndarray, int]]:
        """Discs, for a rim as irregular as leaves, and the trunk; see ``Box.shadows``."""
        reach = _reach(per_height, self.middle)
        offsets = np.sin(np.arange(10).reshape(5, 2) * (3.1 + self.foot[1])) * 0.6
        middle = self.foot + reach
        discs = [
            (middle + self.radius * (offset + 0.55 * _CIRCLE), int(255 * self.density))
            for offset in offsets
        ]
        trunk = self.foot + np.array([[-0.15, 0.0], [0.15, 0.0]])
        return [*discs, (np.concatenate([trunk, trunk + reach]), 255)]


Caster = Union[Box, Crown]


def shadow_map(casters: list[Caster], path: Path, start: float, to_sun: np.ndarray) -> np.ndarray:
    """Draws the shadows on one piece of the street.

    Args:
      casters: of this piece and its neighbours.
      path: middle line of the street.
      start: z where the piece begins.
      to_sun: unit vector.

    Returns:
      uint8 (BLOCK * SCALE, 2 * HALF_SPAN * SCALE), 0 sunlit to 255 in shadow; far end up, sheared
      so that the middle line is its middle column.
    """
    picture = np.zeros(_SHAPE, np.uint8)
    per_height = -to_sun[[0, 2]] / max(-to_sun[1], 0.05)
    casters = [caster for caster in casters if _reaches(caster, per_height, start)]
    place = np.array([path.middle(start), start])
    slope = (path.middle(start + BLOCK) - place[0]) / BLOCK
    for caster in casters:
        for outline, darkness in caster.shadows(per_height):
            ground = outline - place
            ground[:, 0] -= slope * ground[:, 1]
            pixels = (ground + _MIDDLE) * _PIXELS + _BOTTOM
            hull = cv2.convexHull(pixels.astype(np.int32))
            cv2.fillConvexPoly(picture, hull, darkness)
    return cv2.GaussianBlur(picture, (3, 3), 0)


def map_frame(path: Path, start: float) -> np.ndarray:
    """Returns where a shadow map lies in the world, as a frame (3, 3) of ``Surfaces``."""
    near, far = path.middle(start), path.middle(start + BLOCK)
    right = (2 * HALF_SPAN, 0.0, 0.0)
    down = (near - far, 0.0, -BLOCK)
    corner = (far - HALF_SPAN, 0.0, start + BLOCK)
    return np.array([right, down, corner]).T


def shadow_at(picture: np.ndarray, path: Path, point: np.ndarray) -> float:
    """Looks up the shadow map of a piece at a world point of it; 0 sunlit to 1 in shadow."""
    rows, columns = picture.shape
    row = int((BLOCK - point[2] % BLOCK) * SCALE)
    column = int((point[0] - path.middle(point[2]) + HALF_SPAN) * SCALE)
    return float(picture[min(row, rows - 1), min(max(column, 0), columns - 1)]) / 255


def _reaches(caster: Caster, per_height: np.ndarray, start: float) -> bool:
    """Whether a shadow may touch a piece of the street."""
    low, high = caster.extent(per_height)
    return high > start and low < start + BLOCK


def _reach(per_height: np.ndarray, height: float) -> np.ndarray:
    """How far a shadow falls from something of some height, (x, z), within reason."""
    reach = per_height * height
    return reach * min(1.0, _LONGEST / max(math.hypot(*reach.tolist()), 1e-6))
