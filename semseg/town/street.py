"""What stands along a street, piece by piece (``path.BLOCK``), each a function of its seed."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from semseg.town.labels import Label
from semseg.town.path import BLOCK, Path
from semseg.town.shadows import Box, Caster, Crown
from semseg.town.style import PARKING, Style
from semseg.town.surface import Surface, Texture, upright
from semseg.town.textures import facade as facades
from semseg.town.textures import foliage, furniture, ground
from semseg.town.vehicles import BODIES, PAINTS, vehicle

CURB = 0.12
"""Height of the footways over the road, metres."""

_DEPTH = 9.0
"""Depth of a house, metres."""

_BACKDROP = 46.0
_TILES = int(BLOCK / ground.TILE)
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


class Plot:
    """One side of a piece, addressed by distance from the middle line, height and z.

    Args:
      style: of the street.
      path: its middle line.
      side: +1 right of it, -1 left.
      start: z where the piece begins, metres.
      rng: source of randomness for this piece.
    """

    def __init__(
        self, style: Style, path: Path, side: int, start: float, rng: np.random.Generator
    ) -> None:
        self.style, self.path, self.side, self.start, self.rng = style, path, side, start, rng

    def point(self, distance: float, height: float, z: float) -> np.ndarray:
        """Returns a world point, (3,) metres."""
        return np.array([self.path.middle(z) + self.side * distance, -height, z])

    def flat(
        self, texture: Texture, near: float, far: float, height: float, z: float, length: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Corner, right and down of a level strip between two distances, from z on."""
        left, right = (near, far) if self.side > 0 else (far, near)
        top = self.point(left, height, z + length)
        across = np.array([self.side * (right - left), 0.0, 0.0])
        return top, across, self.point(left, height, z - _OVERLAP) - top

    def level(
        self,
        texture: Texture,
        label: Label,
        near: float,
        far: float,
        height: float,
        z: float,
        length: float,
    ) -> Surface:
        """A level strip, such as a tile of footway."""
        return Surface(texture, *self.flat(texture, near, far, height, z, length), label)

    def wall(
        self,
        texture: Texture,
        label: Label,
        distance: float,
        low: float,
        high: float,
        z: float,
        length: float,
        two_sided: bool = False,
    ) -> Surface:
        """An upright face along the street that looks towards its middle."""
        ends = (z + length, z) if self.side > 0 else (z, z + length)
        corner, right = (self.point(distance, high, end) for end in ends)
        down = np.array([0.0, high - low, 0.0])
        return Surface(texture, corner, right - corner, down, label, two_sided=two_sided)


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
    mouths = {side: bool(rng.random() < 0.28) for side in (-1, 1)}
    crossing = int(rng.integers(1, _TILES)) if rng.random() < 0.22 else None
    whole = Piece([], [], [], [], [], None if crossing is None else start + crossing * ground.TILE + 5)
    plots = {side: Plot(style, path, side, start, rng) for side in (-1, 1)}
    whole.near.extend(_road(plots[1], crossing))
    whole.far.append(_far_road(plots[1]))
    for side, plot in plots.items():
        _ground_strips(plot, whole, mouths[side])
        _frontage(plot, whole, mouths[side])
        _roadside(plot, whole, mouths[side], crossing)
        _backdrop(plot, whole)
    return whole


def _road(plot: Plot, crossing: int | None) -> Iterator[Surface]:
    style, rng = plot.style, plot.rng
    for tile in range(_TILES):
        feature = (
            "crossing" if tile == crossing else str(rng.choice(("plain", "arrow"), p=(0.9, 0.1)))
        )
        variant = int(rng.integers(ground.ROAD_VARIANTS))
        texture = ground.road(style.half_width, style.marking, style.edge, feature, variant)
        z = plot.start + tile * ground.TILE
        yield plot.level(
            texture, Label.ROAD, -style.half_width, style.half_width, 0, z, ground.TILE
        )


def _far_road(plot: Plot) -> Surface:
    style = plot.style
    texture = ground.road(style.half_width, style.marking, style.edge, "plain", 0)
    half = style.half_width + 0.2
    return plot.level(texture, Label.ROAD, -half, half, 0, plot.start, BLOCK)


def _ground_strips(plot: Plot, whole: Piece, mouth: bool) -> None:
    """Footways with curbs, gardens, and the mouth of a side street."""
    style, out = plot.style, whole.near
    inner, outer = style.half_width, style.half_width + style.pavement
    paving, lawn = ground.pavement(style.pavement, style.paving), ground.lawn(style.paving % 3)
    for tile in range(_TILES):
        z = plot.start + tile * ground.TILE
        if mouth and tile == 0:
            out.append(
                plot.level(ground.side_road(30), Label.ROAD, inner, inner + 30, 0, z, ground.TILE)
            )
            continue
        out.append(plot.level(paving, Label.PAVEMENT, inner, outer, CURB, z, ground.TILE))
        out.append(plot.wall(ground.curb(), Label.PAVEMENT, inner, 0, CURB, z, ground.TILE))
        far = _BACKDROP if style.kind == "park" and plot.side > 0 else style.building_line + 1
        if far > outer + 1.5:
            out.append(plot.level(lawn, Label.TREE, outer, far, CURB, z, ground.TILE))
    if mouth:
        out.append(_pavement_end(plot))
    z, length = plot.start + mouth * ground.TILE, BLOCK - mouth * ground.TILE
    whole.far.append(plot.level(paving, Label.PAVEMENT, inner, outer, CURB, z, length))


def _pavement_end(plot: Plot) -> Surface:
    """The curb across the footway at the far side of a side street."""
    near = plot.style.half_width
    far = plot.style.building_line + 1
    left = near if plot.side > 0 else far
    corner = plot.point(left, CURB, plot.start + ground.TILE)
    right, down = np.array([far - near, 0.0, 0.0]), np.array([0.0, CURB, 0.0])
    return Surface(ground.curb(), corner, right, down, Label.PAVEMENT)


def _frontage(plot: Plot, whole: Piece, mouth: bool) -> None:
    """Houses wall to wall or with gaps, or a park."""
    z, end = plot.start + (ground.TILE if mouth else 0), plot.start + BLOCK
    if plot.style.kind == "park" and plot.side > 0:
        _park(plot, whole, z, end)
        return
    kind = "terrace" if plot.style.kind == "park" else plot.style.kind
    neighbour = 0.0
    while end - z > 4:
        front = facades.facade(kind, int(plot.rng.integers(facades.VARIANTS)))
        length = front.width if end - z - front.width > 4 else end - z
        gap = float(plot.rng.uniform(2, 5)) if kind == "houses" or plot.rng.random() < 0.08 else 0.0
        length = max(length - gap, 3.0)
        _house(plot, whole, front, z, length, neighbour)
        neighbour = 0.0 if gap else front.height
        if gap:
            _gap(plot, whole, z + length, gap)
        z += length + gap


def _house(
    plot: Plot, whole: Piece, front: facades.Facade, z: float, length: float, neighbour: float
) -> None:
    rng, distance = plot.rng, plot.style.building_line
    tint = tuple(rng.uniform(0.82, 1.12) * rng.uniform(0.94, 1.06, 3))
    height = front.height
    face = plot.wall(front.texture, Label.BUILDING, distance, 0, height, z, length)
    whole.surfaces.append(face._replace(tint=tint))
    masonry = tuple(np.array(front.masonry) / 235 * tint)
    if height > neighbour:
        whole.surfaces.append(_side_wall(plot, z, neighbour, height, masonry))
    ridge = 0.0
    if rng.random() < (0.9 if plot.style.kind == "houses" else 0.55):
        ridge = float(rng.uniform(1.5, 3.2))
        _roof(plot, whole, z, length, height, ridge, masonry)
    corners = [
        plot.point(d, 0, at)[[0, 2]]
        for d in (distance, distance + _DEPTH)
        for at in (z, z + length)
    ]
    whole.casters.append(Box(np.array(corners), height + ridge * 0.6))
    if plot.style.kind == "shops" and rng.random() < 0.35:
        whole.near.append(_hanging_sign(plot, z + length / 2))


def _side_wall(
    plot: Plot, z: float, low: float, high: float, masonry: tuple[float, float, float]
) -> Surface:
    """The end of a house that one sees on the way there, above its neighbour."""
    distance = plot.style.building_line
    left = distance if plot.side > 0 else distance + _DEPTH
    texture = facades.blank_wall(int(plot.rng.integers(4)))
    down, right = np.array([0.0, high - low, 0.0]), np.array([_DEPTH, 0.0, 0.0])
    return Surface(texture, plot.point(left, high, z), right, down, Label.BUILDING, masonry)


def _roof(
    plot: Plot,
    whole: Piece,
    z: float,
    length: float,
    eaves: float,
    ridge: float,
    masonry: tuple[float, float, float],
) -> None:
    """The slope towards the street, and a chimney."""
    distance, texture = plot.style.building_line, facades.roof(int(plot.rng.integers(8)))
    ends = (z + length, z) if plot.side > 0 else (z, z + length)
    corner = plot.point(distance + _DEPTH / 2, eaves + ridge, ends[0])
    right = plot.point(distance + _DEPTH / 2, eaves + ridge, ends[1]) - corner
    down = plot.point(distance - 0.25, eaves - 0.1, ends[0]) - corner
    whole.surfaces.append(Surface(texture, corner, right, down, Label.BUILDING))
    if plot.rng.random() < 0.7:
        foot = plot.point(
            distance + 2.5, eaves + ridge * 0.5, z + plot.rng.uniform(0.5, length - 0.5)
        )
        wall = facades.blank_wall(0)
        whole.near.append(upright(wall, foot, 0.9, ridge * 0.5 + 1.3, Label.BUILDING, masonry))


def _hanging_sign(plot: Plot, z: float) -> Surface:
    texture, width, height = furniture.sign(6 + 7 * int(plot.rng.integers(2)))
    foot = plot.point(plot.style.building_line - 0.5, 2.6, z)
    return upright(texture, foot, 0.7, 0.7 * height / width, Label.SIGN)


def _gap(plot: Plot, whole: Piece, z: float, length: float) -> None:
    """What closes the gap between two houses."""
    distance = plot.style.building_line + plot.rng.uniform(0, 2)
    if plot.rng.random() < 0.5:
        fence = furniture.fence(1 + 3 * int(plot.rng.integers(3)))
        whole.surfaces.append(plot.wall(fence, Label.FENCE, distance, 0, 1.8, z, length))
    else:
        hedge = foliage.hedge(int(plot.rng.integers(foliage.HEDGES)))
        whole.surfaces.append(plot.wall(hedge, Label.TREE, distance, 0, 2.2, z, length))
    if plot.rng.random() < 0.6:
        _tree(plot, whole, distance + 3, z + length / 2, plot.rng.uniform(0.7, 1.2))


def _park(plot: Plot, whole: Piece, z: float, end: float) -> None:
    """A fence or hedge along the footway and trees behind."""
    edge = plot.style.half_width + plot.style.pavement
    if plot.rng.random() < 0.25:
        hedge = foliage.hedge(int(plot.rng.integers(foliage.HEDGES)))
        for at in np.arange(z, end, 8.0):
            whole.surfaces.append(
                plot.wall(hedge, Label.TREE, edge, 0, 1.6, at, min(8.0, end - at))
            )
    else:
        _fence_row(plot, whole, edge, z, end, 1.15)
    for at in np.arange(z + 2, end, 6.0):
        distance = edge + plot.rng.uniform(2, 22)
        _tree(plot, whole, distance, at + plot.rng.uniform(0, 4), plot.rng.uniform(0.8, 1.6))


def _fence_row(
    plot: Plot, whole: Piece, distance: float, z: float, end: float, height: float
) -> None:
    texture = furniture.fence(plot.style.fence)
    for at in np.arange(z, end - 0.5, furniture.FENCE_LENGTH):
        length = min(furniture.FENCE_LENGTH, end - at)
        whole.surfaces.append(
            plot.wall(
                texture, Label.FENCE, distance, CURB, CURB + height, at, length, two_sided=True
            )
        )


def _tree(plot: Plot, whole: Piece, distance: float, z: float, size: float) -> None:
    """Two pictures one behind the other, so that a crown has some depth."""
    variant = int(plot.rng.integers(foliage.TREES))
    foot = plot.point(distance, 0, z)
    tint = tuple(plot.rng.uniform(0.8, 1.15) * plot.rng.uniform(0.92, 1.08, 3))
    width, height = 6 * size * plot.rng.uniform(0.85, 1.2), 8 * size
    picture = upright(foliage.tree(variant), foot, width, height, Label.TREE, tint)
    whole.surfaces.append(picture)
    bare = variant % 3 == 2
    if not bare:
        behind = foot + (0.4, 0.0, 0.9)
        dark = tuple(0.8 * np.array(tint))
        leaves = foliage.crown((variant + 5) % foliage.TREES)
        whole.near.append(upright(leaves, behind, width, height * 1.02, Label.TREE, dark))
    whole.casters.append(Crown(foot[[0, 2]], width * 0.38, height * 0.62, 0.45 if bare else 0.9))


def _roadside(plot: Plot, whole: Piece, mouth: bool, crossing: int | None) -> None:
    """What stands on the footway and parks along it."""
    style, rng = plot.style, plot.rng
    z, end = plot.start + (ground.TILE if mouth else 0), plot.start + BLOCK
    for at in np.arange(z + rng.uniform(0, style.trees), end, style.trees):
        if style.pavement > 2.4 or style.setback:
            distance = style.half_width + (0.7 if style.pavement > 2.4 else style.pavement + 1.2)
            _tree(plot, whole, distance, at, rng.uniform(0.6, 1.05))
    for at in np.arange(z + 4, end, style.lamps):
        _lamp(plot, whole, at)
    for at in z + rng.uniform(0, end - z, rng.integers(1, 4)):
        _sign_post(plot, whole, at)
    if style.setback:
        _fence_row(plot, whole, style.half_width + style.pavement, z, end, rng.uniform(0.8, 1.2))
    elif rng.random() < 0.35:
        _fence_row(plot, whole, style.half_width + 0.25, z + 2, min(z + 22, end), 1.05)
    elif rng.random() < 0.3:
        for at in np.arange(z + 1, end, 2.5):
            foot = plot.point(style.half_width + 0.35, CURB, at)
            whole.near.append(upright(furniture.bollard(), foot, 0.16, 1.0, Label.POLE))
    if crossing is not None:
        _traffic_light(
            plot, whole, plot.start + crossing * ground.TILE + (3.2 if plot.side > 0 else 6.8)
        )
    if style.parking:
        _parked(plot, whole, z + 2, end, crossing)


def _lamp(plot: Plot, whole: Piece, z: float) -> None:
    post = furniture.post(plot.style.post)
    foot = plot.point(plot.style.half_width + 0.4, CURB, z)
    height, reach = 7.0, 1.6
    whole.surfaces.append(upright(post, foot, 0.2, height, Label.POLE))
    arm = foot + (-plot.side * reach / 2, -height + 0.1, 0.0)
    whole.near.append(upright(post, arm, reach, 0.1, Label.POLE))
    head = foot + (-plot.side * reach, -height + 0.1, 0.0)
    whole.near.append(upright(furniture.lamp(), head, 0.7, 0.2, Label.POLE))
    whole.casters.append(Box(foot[[0, 2]] + np.array([[-0.1, 0], [0.1, 0], [0, 0.1]]), height))


def _sign_post(plot: Plot, whole: Piece, z: float) -> None:
    texture, width, height = furniture.sign(int(plot.rng.integers(furniture.SIGNS)))
    foot = plot.point(plot.style.half_width + plot.rng.uniform(0.5, 0.9), CURB, z)
    low = 2.1 if width < 1.1 else 1.2
    whole.surfaces.append(
        upright(furniture.post(plot.rng.integers(2)), foot, 0.11, low + height, Label.POLE)
    )
    plate = foot + (0.0, -low, -0.06)
    whole.surfaces.append(upright(texture, plate, width, height, Label.SIGN))


def _traffic_light(plot: Plot, whole: Piece, z: float) -> None:
    foot = plot.point(plot.style.half_width + 0.5, CURB, z)
    whole.surfaces.append(upright(furniture.post(2), foot, 0.13, 3.4, Label.POLE))
    head = foot + (0.0, -2.4, -0.1)
    light = furniture.traffic_light(int(plot.rng.choice((0, 2))))
    whole.surfaces.append(upright(light, head, 0.42, 1.1, Label.SIGN))


def _parked(plot: Plot, whole: Piece, z: float, end: float, crossing: int | None) -> None:
    style, rng = plot.style, plot.rng
    while z < end - 5:
        kind = str(rng.choice(list(BODIES)[:5], p=(0.34, 0.24, 0.16, 0.18, 0.08)))
        body = BODIES[kind]
        centre = z + body.length / 2
        tile = (centre - plot.start) // ground.TILE
        if rng.random() < 0.5 and tile != crossing:
            faces = vehicle(kind, int(rng.integers(PAINTS)), plot.side != style.drive_side)
            foot = plot.point(style.half_width - PARKING / 2 + rng.uniform(-0.1, 0.1), 0, centre)
            whole.vehicles.append((faces, foot))
        z += body.length + rng.uniform(0.6, 1.6)


def _backdrop(plot: Plot, whole: Piece) -> None:
    """Trees far behind the houses, seen through gaps."""
    belt = foliage.tree_belt(int(plot.rng.integers(4)))
    whole.surfaces.append(
        plot.wall(belt, Label.TREE, _BACKDROP, 0, plot.rng.uniform(8, 12), plot.start, BLOCK)
    )
