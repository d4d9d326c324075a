"""Houses in a row along the street, and what closes the gaps between them."""

from typing import Tuple

import numpy as np

from semseg.town.labels import Label
from semseg.town.plot import Plot, Span
from semseg.town.roadside import plant_tree
from semseg.town.shadows import Box
from semseg.town.surface import Surface, upright
from semseg.town.textures import facade as facades
from semseg.town.textures import foliage, furniture

_DEPTH = 9.0
"""Depth of a house, metres."""

_NARROWEST = 4.0
"""Width of a house that is still built at the end of a row, metres."""

Tint = Tuple[float, float, float]


def build_houses(plot: Plot) -> None:
    """Fills a plot with houses, wall to wall or with gaps."""
    kind = "terrace" if plot.style.kind == "park" else plot.style.kind
    z, end = plot.span
    neighbour = 0.0
    while z < end:
        front = facades.facade(kind, int(plot.rng.integers(facades.VARIANTS)))
        gap = float(plot.rng.uniform(2, 5)) if kind == "houses" or plot.rng.random() < 0.08 else 0.0
        z_end = z + front.width
        if end - z_end - gap < _NARROWEST:
            z_end, gap = end, 0.0
        _house(plot, front, (z, z_end), neighbour)
        if gap:
            _close_gap(plot, (z_end, z_end + gap))
        neighbour = 0.0 if gap else front.height
        z = z_end + gap


def _house(plot: Plot, front: facades.Facade, span: Span, neighbour: float) -> None:
    """Front, the side wall that shows above the neighbour, and at times a pitched roof."""
    rng, whole, line = plot.rng, plot.piece, plot.style.building_line
    tint = tuple(rng.uniform(0.82, 1.12) * rng.uniform(0.94, 1.06, 3))
    masonry = tuple(np.array(front.masonry) / 235 * tint)
    face = plot.wall(front.texture, Label.BUILDING, line, (0, front.height), span)
    whole.surfaces.append(face._replace(tint=tint))
    if front.height > neighbour:
        wall, heights = facades.blank_wall(int(rng.integers(4))), (neighbour, front.height)
        side = plot.front(wall, Label.BUILDING, (line, line + _DEPTH), heights, span[0])
        whole.surfaces.append(side._replace(tint=masonry))
    ridge = 0.0
    if rng.random() < (0.9 if plot.style.kind == "houses" else 0.55):
        ridge = float(rng.uniform(1.5, 3.2))
        _roof(plot, span, (front.height, front.height + ridge), masonry)
    corners = [plot.point(d, 0, z)[[0, 2]] for d in (line, line + _DEPTH) for z in span]
    whole.casters.append(Box(np.array(corners), front.height + ridge * 0.6))
    if plot.style.kind == "shops" and rng.random() < 0.35:
        whole.near.append(_hanging_sign(plot, sum(span) / 2))


def _roof(plot: Plot, span: Span, heights: Span, masonry: Tint) -> None:
    """The slope towards the street, and at times a chimney."""
    line, texture = plot.style.building_line, facades.roof(int(plot.rng.integers(8)))
    eaves, ridge = heights
    ends = span[::-1] if plot.side > 0 else span
    corner = plot.point(line + _DEPTH / 2, ridge, ends[0])
    right = plot.point(line + _DEPTH / 2, ridge, ends[1]) - corner
    down = plot.point(line - 0.25, eaves - 0.1, ends[0]) - corner
    plot.piece.surfaces.append(Surface(texture, corner, right, down, Label.BUILDING))
    if plot.rng.random() < 0.7:
        foot = plot.point(line + 2.5, (eaves + ridge) / 2, plot.rng.uniform(*span))
        size = (0.9, (ridge - eaves) / 2 + 1.3)
        chimney = upright(facades.blank_wall(0), foot, size, Label.BUILDING, masonry)
        plot.piece.near.append(chimney)


def _hanging_sign(plot: Plot, z: float) -> Surface:
    texture, width, height = furniture.sign(furniture.POSTERS[int(plot.rng.integers(2))])
    foot = plot.point(plot.style.building_line - 0.5, 2.6, z)
    return upright(texture, foot, (0.7, 0.7 * height / width), Label.SIGN)


def _close_gap(plot: Plot, span: Span) -> None:
    """Puts a fence or a hedge between two houses, and at times a tree behind it."""
    distance = plot.style.building_line + plot.rng.uniform(0, 2)
    if plot.rng.random() < 0.5:
        fence = furniture.fence(furniture.PLANKS[int(plot.rng.integers(3))])
        wall = plot.wall(fence, Label.FENCE, distance, (0, 1.8), span)
    else:
        hedge = foliage.hedge(int(plot.rng.integers(foliage.HEDGES)))
        wall = plot.wall(hedge, Label.TREE, distance, (0, 2.2), span)
    plot.piece.surfaces.append(wall)
    if plot.rng.random() < 0.6:
        plant_tree(plot, distance + 3, sum(span) / 2, plot.rng.uniform(0.7, 1.2))
