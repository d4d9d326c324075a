"""Textured rectangles and parallelograms: all that the town is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np

from semseg.town.labels import Label

WHITE = (1.0, 1.0, 1.0)


class Texture:
    """An RGBA picture with its reduced versions, made when first asked for.

    Width and height are reduced independently (a "rip map"), so that a wall seen at a
    grazing angle is filtered along the street and stays sharp up its height.

    Args:
      rgba: uint8 (height, width, 4); alpha 0 is a hole.

    Attributes:
      rgba: the picture.
    """

    def __init__(self, rgba: np.ndarray) -> None:
        self.rgba = _without_fringes(rgba)
        self._reduced: dict[tuple[int, int], np.ndarray] = {(0, 0): self.rgba}

    @property
    def size(self) -> tuple[int, int]:
        """(columns, rows)."""
        return self.rgba.shape[1], self.rgba.shape[0]

    def reduced(self, columns: int, rows: int) -> np.ndarray:
        """Returns a smaller version, uint8 RGBA.

        Args:
          columns: how often the width is halved.
          rows: how often the height is.
        """
        level = (columns, rows)
        if level not in self._reduced:
            height, width = self.rgba.shape[:2]
            size = (max(1, width >> columns), max(1, height >> rows))
            self._reduced[level] = cv2.resize(self.rgba, size, interpolation=cv2.INTER_AREA)
        return self._reduced[level]


def _without_fringes(rgba: np.ndarray) -> np.ndarray:
    """Gives holes the mean colour of what surrounds them, so that filtering shows no rim."""
    solid = (rgba[..., 3] >= 8).view(np.uint8)
    if solid.all() or not solid.any():
        return rgba
    filled = np.empty_like(rgba)
    filled[:] = (*cv2.mean(rgba, solid)[:3], 0)
    return cv2.copyTo(rgba, solid, filled)


class Surface(NamedTuple):
    """A textured parallelogram.

    Its outer side is the one from which the texture reads the right way round.

    Attributes:
      texture: what is painted on it; the holes of the texture are holes of the surface.
      corner: where the texture's top left corner is, (3,) metres.
      right: from there to the top right corner, (3,) metres.
      down: from there to the bottom left corner, (3,) metres.
      label: class of its pixels.
      tint: RGB factor on the texture.
      two_sided: whether it is seen from behind, too.
      sunlit_above: height in metres below which it lies in the shadow of something else.
    """

    texture: Texture
    corner: np.ndarray
    right: np.ndarray
    down: np.ndarray
    label: Label
    tint: tuple[float, float, float] = WHITE
    two_sided: bool = False
    sunlit_above: float = 0.0

    def moved(self, offset: np.ndarray, sunlit_above: float) -> "Surface":
        """Returns the surface at another place and in the light of that place."""
        return self._replace(corner=self.corner + offset, sunlit_above=sunlit_above)


class Cutout(NamedTuple):
    """A figure cut out of a larger picture, and where it was there.

    Attributes:
      texture: the figure, with as few holes around it as possible.
      window: left, top, right, bottom of it in the whole picture, 0..1.
    """

    texture: Texture
    window: tuple[float, float, float, float]

    @classmethod
    def of(cls, rgba: np.ndarray) -> "Cutout":
        """Cuts off the empty margins of a picture, uint8 (height, width, 4)."""
        rows, columns = (np.flatnonzero((rgba[..., 3] > 0).any(axis=axis)) for axis in (1, 0))
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        height, width = rgba.shape[:2]
        texture = Texture(np.ascontiguousarray(rgba[top:bottom, left:right]))
        return cls(texture, (left / width, top / height, right / width, bottom / height))


def upright(
    picture: Texture | Cutout,
    foot: np.ndarray,
    size: tuple[float, float],
    label: Label,
    tint: tuple[float, float, float] = WHITE,
) -> Surface:
    """Stands a two-sided picture across the street.

    Args:
      picture: what to show.
      foot: middle of the lower edge of the whole picture, (3,) metres.
      size: width and height of the whole picture, metres.
      label: class of its pixels.
      tint: RGB factor on the texture.
    """
    if isinstance(picture, Texture):
        picture = Cutout(picture, (0.0, 0.0, 1.0, 1.0))
    left, top, right, bottom = picture.window
    width, height = size
    corner = foot + np.array([(left - 0.5) * width, (top - 1) * height, 0.0])
    across = np.array([(right - left) * width, 0.0, 0.0])
    down = np.array([0.0, (bottom - top) * height, 0.0])
    return Surface(picture.texture, corner, across, down, label, tint, two_sided=True)


class Surfaces(NamedTuple):
    """Many surfaces as arrays, N of them.

    Attributes:
      textures: N textures.
      sizes: int (N, 2), columns and rows of the textures.
      frames: float64 (N, 3, 3), columns right, down, corner: it takes a texture coordinate
        (u, v, 1), u and v in 0..1, to a point of the world.
      labels: uint8 (N,).
      tints: float32 (N, 3).
      two_sided: bool (N,).
      sunlit_above: float32 (N,), metres.
    """

    textures: tuple[Texture, ...]
    sizes: np.ndarray
    frames: np.ndarray
    labels: np.ndarray
    tints: np.ndarray
    two_sided: np.ndarray
    sunlit_above: np.ndarray

    @property
    def normals(self) -> np.ndarray:
        """Unit vectors that point away from the outer sides, float64 (N, 3)."""
        normals = np.cross(self.frames[:, :, 1], self.frames[:, :, 0])
        return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def pack(surfaces: Iterable[Surface]) -> Surfaces:
    """Turns a list of surfaces into arrays."""
    surfaces = list(surfaces)
    frames = [(s.right, s.down, s.corner) for s in surfaces]
    return Surfaces(
        textures=tuple(s.texture for s in surfaces),
        sizes=np.array([s.texture.size for s in surfaces], int).reshape(-1, 2),
        frames=np.array(frames, np.float64).reshape(-1, 3, 3).transpose(0, 2, 1),
        labels=np.array([s.label for s in surfaces], np.uint8),
        tints=np.array([s.tint for s in surfaces], np.float32).reshape(-1, 3),
        two_sided=np.array([s.two_sided for s in surfaces], bool),
        sunlit_above=np.array([s.sunlit_above for s in surfaces], np.float32),
    )


def join(parts: Iterable[Surfaces]) -> Surfaces:
    """Puts several packs behind one another."""
    columns = list(zip(*parts))
    textures = tuple(texture for part in columns[0] for texture in part)
    return Surfaces(textures, *(np.concatenate(column) for column in columns[1:]))
