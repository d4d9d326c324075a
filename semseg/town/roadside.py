"""What stands along the road: trees, lamps, signs, fences, parked cars; a park; houses in a row."""

from typing import Tuple

import numpy as np

from semseg.town.labels import Label
from semseg.town.plot import CURB, Plot, Span
from semseg.town.shadows import Box, Crown
from semseg.town.style import PARKING
from semseg.town.surface import Surface, upright
from semseg.town.textures import facade as facades
from semseg.town.textures import foliage, furniture
from semseg.town.vehicles import BODIES, PAINTS, vehicle

_LAMP_HEIGHT = 7.0
_LAMP_REACH = 1.6
_PARKED = {"hatchback": 0.34, "saloon": 0.24, "estate": 0.16, "suv": 0.18, "van": 0.08}


def furnish(plot: Plot) -> None:
    """Furnishes a footway and fills its parking lane."""
    style, rng = plot.style, plot.rng
    z, end = plot.span
    if style.pavement > 2.4 or style.setback:
        distance = style.half_width + (0.7 if style.pavement > 2.4 else style.pavement + 1.2)
        for at in np.arange(z + rng.uniform(0, style.trees), end, style.trees):
            plant_tree(plot, distance, at, rng.uniform(0.6, 1.05))
    for at in np.arange(z + 4, end, style.lamps):
        _lamp(plot, at)
    for at in rng.uniform(z, end, rng.integers(1, 4)):
        _sign_post(plot, at)
    _line(plot)
    if plot.piece.crossing is not None:
        _traffic_light(plot, plot.piece.crossing - 1.8 * plot.side)
    if style.parking:
        _park_cars(plot)


def build_park(plot: Plot) -> None:
    """Builds a fence or hedge along the footway and trees behind."""
    edge = plot.style.half_width + plot.style.pavement
    z, end = plot.span
    if plot.rng.random() < 0.25:
        hedge = foliage.hedge(int(plot.rng.integers(foliage.HEDGES)))
        for at in np.arange(z, end, 10.0):
            span = (at, min(at + 10, end))
            plot.piece.surfaces.append(plot.wall(hedge, Label.TREE, edge, (0, 1.6), span))
    else:
        _fence(plot, plot.style.fence, edge, 1.15, plot.span)
    for at in np.arange(z + 2, end, 7.0):
        distance = edge + plot.rng.uniform(2, 22)
        plant_tree(plot, distance, at + plot.rng.uniform(0, 4), plot.rng.uniform(0.8, 1.6))


def plant_tree(plot: Plot, distance: float, z: float, size: float) -> None:
    """Plants a tree: two pictures, one behind the other, so that the crown has some depth.

    Args:
      plot: where.
      distance: from the middle line, metres.
      z: metres.
      size: 1 is a tree about 8 m high.
    """
    variant = int(plot.rng.integers(foliage.TREES))
    bare = foliage.is_bare(variant)
    foot = plot.point(distance, 0, z)
    tint = plot.rng.uniform(0.8, 1.15) * plot.rng.uniform(0.92, 1.08, 3)
    width, height = 6 * size * plot.rng.uniform(0.85, 1.2), 8 * size
    picture = upright(foliage.tree(variant), foot, (width, height), Label.TREE, tuple(tint))
    plot.piece.surfaces.append(picture)
    if not bare:
        leaves, behind = foliage.crown((variant + 5) % foliage.TREES), foot + (0.4, 0.0, 0.9)
        plot.piece.near.append(
            upright(leaves, behind, (width, height * 1.02), Label.TREE, tuple(0.8 * tint))
        )
    density = 0.45 if bare else 0.9
    plot.piece.casters.append(Crown(foot[[0, 2]], width * 0.38, height * 0.62, density))


def _line(plot: Plot) -> None:
    """Lines the footway with garden fences, railings, bollards or nothing."""
    style, rng = plot.style, plot.rng
    z, end = plot.span
    if style.setback:
        edge, height = style.half_width + style.pavement, rng.uniform(0.8, 1.2)
        _fence(plot, style.fence, edge, height, plot.span)
    elif rng.random() < 0.3:
        railing, part = furniture.RAILINGS[style.fence % 3], (z + 2, min(z + 22, end))
        _fence(plot, railing, style.half_width + 0.25, 1.05, part)
    elif rng.random() < 0.3:
        for at in np.arange(z + 1, end, 2.5):
            foot = plot.point(style.half_width + 0.35, CURB, at)
            plot.piece.near.append(upright(furniture.bollard(), foot, (0.16, 1.0), Label.POLE))


def _fence(plot: Plot, variant: int, distance: float, height: float, span: Span) -> None:
    texture = furniture.fence(variant)
    for z in np.arange(span[0], span[1] - 0.5, furniture.FENCE_LENGTH):
        part = (z, min(z + furniture.FENCE_LENGTH, span[1]))
        fence = plot.wall(texture, Label.FENCE, distance, (CURB, CURB + height), part)
        plot.piece.surfaces.append(fence._replace(two_sided=True))


def _lamp(plot: Plot, z: float) -> None:
    whole, post = plot.piece, furniture.post(plot.style.post)
    foot = plot.point(plot.style.half_width + 0.4, CURB, z)
    whole.surfaces.append(upright(post, foot, (0.2, _LAMP_HEIGHT), Label.POLE))
    top = foot + (0.0, 0.1 - _LAMP_HEIGHT, 0.0)
    reach = np.array([-plot.side * _LAMP_REACH, 0.0, 0.0])
    whole.near.append(upright(post, top + reach / 2, (_LAMP_REACH, 0.1), Label.POLE))
    whole.near.append(upright(furniture.lamp(), top + reach, (0.7, 0.2), Label.POLE))
    base = foot[[0, 2]] + np.array([[-0.1, 0], [0.1, 0], [0, 0.1]])
    whole.casters.append(Box(base, _LAMP_HEIGHT))


def _sign_post(plot: Plot, z: float) -> None:
    texture, width, height = furniture.sign(int(plot.rng.integers(furniture.SIGNS)))
    foot = plot.point(plot.style.half_width + plot.rng.uniform(0.5, 0.9), CURB, z)
    low = 2.1 if width < 1.1 else 1.2
    post = furniture.post(int(plot.rng.integers(2)))
    plot.piece.surfaces.append(upright(post, foot, (0.11, low + height), Label.POLE))
    plate = foot + (0.0, -low, -0.06)
    plot.piece.surfaces.append(upright(texture, plate, (width, height), Label.SIGN))


def _traffic_light(plot: Plot, z: float) -> None:
    foot = plot.point(plot.style.half_width + 0.5, CURB, z)
    plot.piece.surfaces.append(upright(furniture.post(2), foot, (0.13, 3.4), Label.POLE))
    light = furniture.traffic_light(int(plot.rng.choice((0, 2))))
    head = foot + (0.0, -2.4, -0.1)
    plot.piece.surfaces.append(upright(light, head, (0.42, 1.1), Label.SIGN))


def _park_cars(plot: Plot) -> None:
    """Parks cars at the curb, but not on a zebra crossing."""
    style, rng, crossing = plot.style, plot.rng, plot.piece.crossing
    z, end = plot.span[0] + 2, plot.span[1]
    while z < end - 5:
        kind = str(rng.choice(list(_PARKED), p=list(_PARKED.values())))
        length = BODIES[kind].length
        middle = z + length / 2
        if rng.random() < 0.5 and (crossing is None or abs(middle - crossing) > 6):
            faces = vehicle(kind, int(rng.integers(PAINTS)), plot.side != style.drive_side)
            distance = style.half_width - PARKING / 2 + rng.uniform(-0.1, 0.1)
            plot.piece.vehicles.append((faces, plot.point(distance, 0, middle)))
        z += length + rng.uniform(0.6, 1.6)


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
