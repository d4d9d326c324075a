"""A scene: one street in one weather, with all that stands and moves in it.

The street is made piece by piece (``path.BLOCK``), each a function of its seed and number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from semseg.town import traffic
from semseg.town.labels import Label
from semseg.town.path import BLOCK, Path
from semseg.town.plot import CURB, Piece, Plot
from semseg.town.roadside import build_houses, build_park, furnish
from semseg.town.shadows import Box, Caster, map_frame, shadow_at, shadow_map
from semseg.town.style import Style, style
from semseg.town.surface import Surface, Surfaces, join, pack
from semseg.town.textures import foliage, ground
from semseg.town.vehicles import FAR_FACES
from semseg.town.weather import weather

_BACKDROP = 46.0
"""Distance of the trees behind the town, metres."""

_SIDE_STREET = 30.0
_TILES = int(BLOCK / ground.TILE)


def piece(style: Style, path: Path, seed: tuple[int, ...], index: int) -> Piece:
    """Builds piece ``index`` of a street, z from index * BLOCK to (index + 1) * BLOCK.

    Args:
      style: of the street.
      path: its middle line.
      seed: of the scene.
      index: -4 or more.
    """
    rng = np.random.default_rng((*seed, 61, index + 4))
    start = index * BLOCK
    crossing = None
    if rng.random() < 0.22:
        crossing = start + (int(rng.integers(1, _TILES)) + 0.5) * ground.TILE
    whole = Piece([], [], [], [], [], crossing)
    for side in (-1, 1):
        mouth = ground.TILE if rng.random() < 0.28 else 0.0
        plot = Plot(style, path, side, (start + mouth, start + BLOCK), rng, whole)
        if side > 0:
            _lay_road(plot, start)
        if mouth:
            whole.near.extend(_side_street(plot, start))
        _lay_pavement(plot)
        if style.kind == "park" and side > 0:
            build_park(plot)
        else:
            build_houses(plot)
        furnish(plot)
        _plant_backdrop(plot, start)
    return whole


def _lay_road(plot: Plot, start: float) -> None:
    style, whole = plot.style, plot.piece
    half, look = style.half_width, (style.half_width, style.marking, style.edge)
    for tile in range(_TILES):
        span = (start + tile * ground.TILE, start + (tile + 1) * ground.TILE)
        feature = "arrow" if style.drive_side > 0 and plot.rng.random() < 0.1 else "plain"
        if whole.crossing is not None and span[0] < whole.crossing < span[1]:
            feature = "crossing"
        texture = ground.road(*look, feature, int(plot.rng.integers(ground.ROAD_VARIANTS)))
        whole.near.append(plot.level(texture, Label.ROAD, (-half, half), 0, span))
    wide, span = half + 0.2, (start, start + BLOCK)
    texture = ground.road(*look, "plain", 0)
    whole.far.append(plot.level(texture, Label.ROAD, (-wide, wide), 0, span))


def _side_street(plot: Plot, start: float) -> Iterator[Surface]:
    """The mouth of a side street, and the curb at the end of the footway beyond it."""
    style = plot.style
    distances = (style.half_width, style.half_width + _SIDE_STREET)
    texture, span = ground.side_road(_SIDE_STREET), (start, plot.span[0])
    yield plot.level(texture, Label.ROAD, distances, 0, span)
    distances = (style.half_width, style.building_line + 1)
    yield plot.front(ground.curb(), Label.PAVEMENT, distances, (0, CURB), plot.span[0])


def _lay_pavement(plot: Plot) -> None:
    """Footway with its curb, and lawn beyond it where there is room."""
    style, whole = plot.style, plot.piece
    inner, outer = style.half_width, style.half_width + style.pavement
    paving, lawn = ground.pavement(style.pavement, style.paving), ground.lawn(style.paving % 3)
    garden = _BACKDROP if style.kind == "park" and plot.side > 0 else style.building_line + 1
    for z in np.arange(*plot.span, ground.TILE):
        span = (z, z + ground.TILE)
        whole.near.append(plot.level(paving, Label.PAVEMENT, (inner, outer), CURB, span))
        whole.near.append(plot.wall(ground.curb(), Label.PAVEMENT, inner, (0, CURB), span))
        if garden > outer + 1.5:
            whole.near.append(plot.level(lawn, Label.TREE, (outer, garden), CURB, span))
    whole.far.append(plot.level(paving, Label.PAVEMENT, (inner, outer), CURB, plot.span))


def _plant_backdrop(plot: Plot, start: float) -> None:
    """Trees far behind the houses, seen through gaps."""
    belt = foliage.tree_belt(int(plot.rng.integers(4)))
    heights, span = (0, plot.rng.uniform(8, 12)), (start, start + BLOCK)
    plot.piece.surfaces.append(plot.wall(belt, Label.TREE, _BACKDROP, heights, span))


_PIECES = 6
"""Pieces of street that are drawn, from that of the camera on."""

_WITH_CARS = 4
"""The first of them, in which parked cars are drawn."""

_DETAILED = 2
"""The first of them, which are drawn in detail."""

_TRAFFIC = 110.0
"""How far ahead there is traffic, metres."""

_IN_SHADOW = 100.0
"""A height that nothing reaches."""


class Block(NamedTuple):
    """A piece of street, ready to be drawn.

    Attributes:
      near: what stands there, in detail.
      far: the same without what is lost at a distance, and without cars.
      cars: the parked cars, without what is lost at a distance.
      shadows: see ``shadows.shadow_map``.
      shadow_frame: where that picture lies in the world, (3, 3).
      shades: frames (N, 3, 3) of the dark spots under parked vehicles.
      crossing: z of a zebra crossing, or None.
    """

    near: Surfaces
    far: Surfaces
    cars: Surfaces
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
      seed: as given.
      style: what kind of street.
      path: its middle line.
      weather: light and air.
      speed: of the camera along z, m/s.
      camera_height: metres.
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
        blocks = [self._block(first + i) for i in range(_PIECES)]
        moving, shades = [], []
        for actor in self._actors(blocks, z, time):
            index = max(int(actor.foot[2] // BLOCK) - first, 0)
            faces = actor.surfaces if index < _DETAILED else actor.surfaces[:FAR_FACES]
            moving.extend(self._placed(faces, actor.foot, blocks[index].shadows))
            shades.append(_shade_frame(actor.foot, *actor.shade))
        standing = [block.near for block in blocks[:_DETAILED]]
        standing += [block.far for block in blocks[_DETAILED:]]
        standing += [block.cars for block in blocks[_DETAILED:_WITH_CARS]]
        dark = [block.shades for block in blocks[:_DETAILED]]
        return Moment(
            surfaces=join([*standing, pack(moving)]),
            blocks=blocks,
            shades=np.concatenate([*dark, np.reshape(shades, (-1, 3, 3))]),
        )

    def _actors(self, blocks: list[Block], z: float, time: float) -> Iterator[traffic.Actor]:
        street = traffic.Street(self.style, self.path, self.seed)
        for stream in self._streams:
            yield from traffic.actors(stream, street, time, z - 2, z + _TRAFFIC)
        for block in blocks[:3]:
            if block.crossing is not None:
                arrival = block.crossing / self.speed
                yield from traffic.crossing_pedestrians(street, time, block.crossing, arrival)

    def _placed(
        self, faces: tuple[Surface, ...], foot: np.ndarray, shadows: np.ndarray
    ) -> list[Surface]:
        """Moves what was built at the origin to its place, into the sun or shadow there."""
        dark = shadow_at(shadows, self.path, foot) > 0.5
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
        parked = [
            (self._placed(faces, foot, shadows), _shade_frame(foot, 2.3, 4.9))
            for faces, foot in here.vehicles
        ]
        cars = pack(face for faces, _ in parked for face in faces)
        far_cars = pack(face for faces, _ in parked for face in faces[:FAR_FACES])
        near = self._in_shadow(pack(here.surfaces + here.near), here.casters)
        far = self._in_shadow(pack(here.surfaces + here.far), here.casters)
        return Block(
            near=join([near, cars]),
            far=far,
            cars=far_cars,
            shadows=shadows,
            shadow_frame=map_frame(self.path, start),
            shades=np.reshape([shade for _, shade in parked], (-1, 3, 3)),
            crossing=here.crossing,
        )

    def _in_shadow(self, surfaces: Surfaces, casters: list[Caster]) -> Surfaces:
        """Shades surfaces up to where the houses on the sun's side let light over their roofs."""
        across, up, _ = self.weather.to_sun
        houses = [c for c in casters if isinstance(c, Box) and len(c.base) > 3]
        sides = [np.sign(c.base[:, 0].mean() - self.path.middle(c.base[0, 1])) for c in houses]
        heights = [c.height for c, side in zip(houses, sides) if side == np.sign(across)]
        if not heights:
            return surfaces
        middles = np.array([self.path.middle(z) for z in surfaces.frames[:, 2, 2]])
        distance = self.style.building_line - np.sign(across) * (surfaces.frames[:, 0, 2] - middles)
        limit = np.mean(heights) + np.maximum(distance, 0) * up / max(abs(across), 0.05)
        return surfaces._replace(sunlit_above=np.maximum(limit, 0).astype(np.float32))


def _shade_frame(foot: np.ndarray, width: float, length: float) -> np.ndarray:
    """Where the dark spot under something lies, (3, 3)."""
    corner = (foot[0] - width / 2, foot[1], foot[2] + length / 2)
    return np.array([(width, 0.0, 0.0), (0.0, 0.0, -length), corner]).T
