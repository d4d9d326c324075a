"""A scene: one street in one weather, with all that stands and moves in it."""

from typing import NamedTuple

import numpy as np

from semseg.town import traffic
from semseg.town.path import BLOCK, Path
from semseg.town.shadows import map_frame, shadow_at, shadow_map
from semseg.town.street import Piece, piece
from semseg.town.style import style
from semseg.town.surface import Surface, Surfaces, join, pack
from semseg.town.weather import weather

PIECES_AHEAD = 6
"""Pieces of street that are drawn beyond the one in which the camera is."""

_IN_SHADOW = 100.0
"""Height that nothing reaches."""


class Block(NamedTuple):
    """A piece of street, ready to be drawn.

    Attributes:
      surfaces: what stands there.
      shadows: see ``shadows.shadow_map``.
      shadow_frame: where that picture lies in the world, (3, 3).
      shades: frames (N, 3, 3) of the dark spots under parked vehicles.
      crossing: z of a zebra crossing, or None.
    """

    surfaces: Surfaces
    shadows: np.ndarray
    shadow_frame: np.ndarray
    shades: np.ndarray
    crossing: float | None


class Moment(NamedTuple):
    """All that can be seen from some place at some time.

    Attributes:
      surfaces: what is there.
      blocks: the pieces of street, for their shadows.
      shades: frames (N, 3, 3) of the dark spots under what rests on the ground.
    """

    surfaces: Surfaces
    blocks: list[Block]
    shades: np.ndarray


class Scene:
    """A street in a weather; a pure function of its seed.

    Args:
      seed: non-negative integers.

    Attributes:
      style: what kind of street.
      path: its middle line.
      weather: light and air.
      speed: of the camera along z, m/s.
    """

    def __init__(self, seed: tuple[int, ...]) -> None:
        rng = np.random.default_rng((*seed, 0))
        self.seed = seed
        self.style = style(rng)
        self.path = Path(seed, self.style.bend)
        self.weather = weather(rng)
        self.speed = float(rng.uniform(5, 11))
        self.camera_height = float(rng.uniform(1.25, 1.7))
        self._streams = traffic.streams(self.style, self.speed)
        self._pieces: dict[int, Piece] = {}
        self._blocks: dict[int, Block] = {}

    def moment(self, z: float, time: float) -> Moment:
        """Gathers what is ahead of a place.

        Args:
          z: the place along the street, metres, 0 or more.
          time: seconds.
        """
        first = int(z // BLOCK)
        blocks = [self._block(first + i) for i in range(PIECES_AHEAD + 1)]
        movers = list(self._movers(blocks, z, time))
        moving = [self._placed(faces, foot, blocks, first) for faces, foot, _ in movers]
        shades = [_shade_frame(foot, *shade) for _, foot, shade in movers]
        surfaces = [face for faces in moving for face in faces]
        return Moment(
            join([block.surfaces for block in blocks] + [pack(surfaces)]),
            blocks,
            np.concatenate([b.shades for b in blocks] + [np.reshape(shades, (-1, 3, 3))]),
        )

    def _movers(self, blocks: list[Block], z: float, time: float):
        start, end = z - 2, z + 150
        for stream in self._streams:
            yield from traffic.actors(stream, self.style, self.path, self.seed, time, start, end)
        for block in blocks[:4]:
            if block.crossing is not None:
                arrival = block.crossing / self.speed
                yield from traffic.crossing_pedestrians(
                    self.path, self.style, self.seed, time, block.crossing, arrival
                )

    def _placed(self, faces, foot: np.ndarray, blocks: list[Block], first: int) -> list[Surface]:
        """Moves what was built at the origin to its place, into the sun or shadow there."""
        index = int(foot[2] // BLOCK)
        block = blocks[min(max(index - first, 0), len(blocks) - 1)]
        dark = shadow_at(block.shadows, self.path, index * BLOCK, foot) > 0.5
        return [face.moved(foot, _IN_SHADOW if dark else 0.0) for face in faces]

    def _piece(self, index: int) -> Piece:
        if index not in self._pieces:
            self._pieces[index] = piece(self.style, self.path, self.seed, index)
        return self._pieces[index]

    def _block(self, index: int) -> Block:
        if index not in self._blocks:
            self._blocks[index] = self._build(index)
        return self._blocks[index]

    def _build(self, index: int) -> Block:
        here, start = self._piece(index), index * BLOCK
        casters = [c for i in (index - 1, index, index + 1) for c in self._piece(i).casters]
        shadows = shadow_map(casters, self.path, start, self.weather.to_sun)
        surfaces, shades = list(here.surfaces), []
        for faces, foot in here.vehicles:
            dark = shadow_at(shadows, self.path, start, foot) > 0.5
            surfaces.extend(face.moved(foot, _IN_SHADOW if dark else 0.0) for face in faces)
            shades.append(_shade_frame(foot, 2.3, 4.9))
        return Block(
            pack(surfaces),
            shadows,
            map_frame(self.path, start),
            np.reshape(shades, (-1, 3, 3)),
            here.crossing,
        )


def _shade_frame(foot: np.ndarray, width: float, length: float) -> np.ndarray:
    corner = (foot[0] - width / 2, foot[1], foot[2] + length / 2)
    return np.array([(width, 0.0, 0.0), (0.0, 0.0, -length), corner]).T
