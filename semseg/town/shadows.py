"""Shadows that things standing along the street throw on the ground."""

from typing import NamedTuple

import cv2
import numpy as np

from semseg.town.path import BLOCK, Path

HALF_SPAN = 20.0
"""Distance from the middle line to which shadows are kept, metres."""

SCALE = 5
"""Pixels per metre; coarse, so that edges come out as soft as those of real shadows."""

_LONGEST = 40.0


class Box(NamedTuple):
    """Something that stands on the ground.

    Attributes:
      base: its outline there, (N, 2) as (x, z), metres.
      height: metres.
    """

    base: np.ndarray
    height: float


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


Caster = Box | Crown


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
    shape = (int(BLOCK * SCALE), int(2 * HALF_SPAN * SCALE))
    picture = np.zeros(shape, np.uint8)
    per_height = -to_sun[[0, 2]] / max(-to_sun[1], 0.05)
    for caster in casters:
        if isinstance(caster, Box):
            _box(picture, caster, per_height, path, start)
        else:
            _crown(picture, caster, per_height, path, start)
    return cv2.GaussianBlur(picture, (3, 3), 0)


def map_frame(path: Path, start: float) -> np.ndarray:
    """Returns where a shadow map lies in the world, as a frame (3, 3) of ``Surfaces``."""
    near, far = path.middle(start), path.middle(start + BLOCK)
    right = (2 * HALF_SPAN, 0.0, 0.0)
    down = (near - far, 0.0, -BLOCK)
    corner = (far - HALF_SPAN, 0.0, start + BLOCK)
    return np.array([right, down, corner]).T


def shadow_at(picture: np.ndarray, path: Path, start: float, point: np.ndarray) -> float:
    """Looks up a shadow map at a world point; 0 sunlit to 1 in shadow."""
    row = int((start + BLOCK - point[2]) * SCALE)
    column = int((point[0] - path.middle(point[2]) + HALF_SPAN) * SCALE)
    rows, columns = picture.shape
    return float(picture[min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)]) / 255


def _box(picture: np.ndarray, box: Box, per_height: np.ndarray, path: Path, start: float) -> None:
    reach = per_height * box.height
    length = float(np.hypot(*reach))
    reach = reach * min(1.0, _LONGEST / max(length, 1e-6))
    outline = np.concatenate([box.base, box.base + reach])
    pixels = _pixels(outline, path, start)
    cv2.fillConvexPoly(picture, cv2.convexHull(pixels), 255)


def _crown(
    picture: np.ndarray, crown: Crown, per_height: np.ndarray, path: Path, start: float
) -> None:
    """Several discs, for a rim and gaps as irregular as leaves."""
    middle = crown.foot + per_height * crown.middle
    rng = np.random.default_rng(int(abs(crown.foot[1]) * 100))
    for offset in rng.normal(0, 0.5, (7, 2)):
        pixel = _pixels((middle + offset * crown.radius)[None], path, start)[0, 0]
        radius = max(1, int(crown.radius * 0.55 * SCALE))
        if -radius < pixel[0] < picture.shape[1] + radius:
            cv2.circle(picture, pixel.tolist(), radius, 255 * crown.density, -1)
    outline = crown.foot + np.array([[-0.15, 0], [0.15, 0]])
    _box(picture, Box(outline, crown.middle), per_height, path, start)


def _pixels(points: np.ndarray, path: Path, start: float) -> np.ndarray:
    across = points[:, 0] - [path.middle(z) for z in points[:, 1]] + HALF_SPAN
    up = start + BLOCK - points[:, 1]
    return np.round(np.stack([across, up], axis=1) * SCALE).astype(np.int32)[:, None]
