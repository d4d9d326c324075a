"""A street, piece by piece (``path.BLOCK``), each a function of its seed and number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from semseg.town.houses import build_houses
from semseg.town.labels import Label
from semseg.town.path import BLOCK, Path
from semseg.town.plot import CURB, Piece, Plot
from semseg.town.roadside import build_park, furnish
from semseg.town.style import Style
from semseg.town.surface import Surface
from semseg.town.textures import foliage, ground

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
