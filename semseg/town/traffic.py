"""What moves: cars, cyclists and pedestrians, as functions of time.

A stream is an endless row of places that moves along the street at one speed. Each place is
taken or free by its own draw, so that any moment can be drawn without those before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from semseg.town.labels import Label
from semseg.town.path import Path
from semseg.town.plot import CURB
from semseg.town.style import Style
from semseg.town.surface import Cutout, Surface, upright
from semseg.town.textures import people
from semseg.town.vehicles import BODIES, PAINTS, vehicle


class Street(NamedTuple):
    """Where the traffic is: style and middle line of the street, seed of the scene."""

    style: Style
    path: Path
    seed: tuple[int, ...]


class Stream(NamedTuple):
    """A row of moving places.

    Attributes:
      kind: 'car', 'cyclist' or 'pedestrian'.
      number: tells it from the other streams of the scene.
      distance: from the middle line, metres, right positive.
      speed: along +z, m/s.
      spacing: between two places, metres.
      share: of places that are taken, 0..1.
    """

    kind: str
    number: int
    distance: float
    speed: float
    spacing: float
    share: float


class Actor(NamedTuple):
    """Someone or something at one moment.

    Attributes:
      surfaces: at the origin.
      foot: (3,) metres, where they are.
      shade: (width, length) metres of the dark under it.
    """

    surfaces: tuple[Surface, ...]
    foot: np.ndarray
    shade: tuple[float, float]


class _Place(NamedTuple):
    """What was drawn for a place: taken, variant, and offsets in 0..1."""

    taken: bool
    variant: int
    along: float
    across: float


def streams(style: Style, speed: float) -> tuple[Stream, ...]:
    """Returns the streams of a street on which the camera's own lane moves at ``speed``."""
    side, lane, edge = style.drive_side, style.lane, style.driving_half_width
    walk = style.half_width + style.pavement / 2
    return (
        Stream("car", 0, side * lane, speed, 17.0, style.traffic),
        Stream("car", 1, -side * lane, -speed * 0.9, 20.0, style.traffic),
        Stream("cyclist", 2, side * (edge - 0.55), 4.2, 19.0, style.cyclists),
        Stream("cyclist", 3, -side * (edge - 0.55), -4.2, 19.0, style.cyclists),
        Stream("pedestrian", 4, walk, 1.3, 7.0, style.walkers),
        Stream("pedestrian", 5, walk, -1.2, 7.0, style.walkers),
        Stream("pedestrian", 6, -walk, 1.2, 7.0, style.walkers),
        Stream("pedestrian", 7, -walk, -1.3, 7.0, style.walkers),
    )


def actors(
    stream: Stream, street: Street, time: float, start: float, end: float
) -> Iterator[Actor]:
    """Yields who is on a stretch of street.

    Args:
      stream: one of ``streams``.
      street: where.
      time: seconds.
      start: least z, metres.
      end: greatest z, metres.
    """
    moved = stream.speed * time
    first = int(np.floor((start - moved) / stream.spacing))
    last = int(np.ceil((end - moved) / stream.spacing))
    for index in range(first, last + 1):
        place = _place(street.seed, stream.number, index, stream.share)
        cameras_own = stream.number == 0 and index in (0, -1)
        z = (index + 0.7 * place.along) * stream.spacing + moved
        if place.taken and not cameras_own and start < z < end:
            yield _actor(stream, street, place, time, z)


def crossing_pedestrians(street: Street, time: float, z: float, arrival: float) -> Iterator[Actor]:
    """Yields who crosses the road.

    Args:
      street: where.
      time: seconds.
      z: of the zebra crossing, metres.
      arrival: when the camera gets there, seconds; people leave it the road before.
    """
    style = street.style
    # Below zero at the start of a drive, where a crossing may be behind the camera.
    rng = np.random.default_rng((*street.seed, 71, int(z) % 2**32))
    for _ in range(rng.integers(0, 4)):
        variant, direction = int(rng.integers(people.PEOPLE)), int(rng.choice((-1, 1)))
        offset, pace = rng.uniform(-1.2, 1.2), rng.uniform(1.1, 1.5)
        leaves = arrival - rng.uniform(3, 9)
        across = direction * (pace * (time - leaves) - style.half_width)
        if abs(across) < style.half_width + style.pavement and time < arrival - 1:
            height = CURB if abs(across) > style.half_width else 0.0
            foot = np.array([street.path.middle(z) + across, -height, z + offset])
            picture = people.pedestrian(variant, _phase(time * 1.9 + variant / 7), True)
            yield _person(picture, people.WALKER, Label.PEDESTRIAN, foot, direction < 0)


def _phase(turns: float) -> int:
    return int(turns * people.PHASES) % people.PHASES


@lru_cache(maxsize=4096)
def _place(seed: tuple[int, ...], number: int, index: int, share: float) -> _Place:
    rng = np.random.default_rng((*seed, 70, number, index + 100_000))
    taken = bool(rng.random() < share)
    return _Place(taken, int(rng.integers(1 << 16)), float(rng.random()), float(rng.random()))


def _actor(stream: Stream, street: Street, place: _Place, time: float, z: float) -> Actor:
    foot = np.array([street.path.middle(z) + stream.distance, 0.0, z])
    away = stream.speed > 0
    if stream.kind == "car":
        return _car(place, foot, not away)
    variant = place.variant % people.PEOPLE
    if stream.kind == "cyclist":
        picture = people.cyclist(variant, _phase(time * 1.2 + place.along), False, away)
        return _person(picture, people.CYCLIST_ALONG, Label.BICYCLIST, foot, False)
    foot += ((place.across - 0.5) * (street.style.pavement - 0.9), -CURB, 0.0)
    picture = people.pedestrian(variant, _phase(time * 1.9 + place.along), False, away)
    return _person(picture, people.WALKER, Label.PEDESTRIAN, foot, False)


def _car(place: _Place, foot: np.ndarray, oncoming: bool) -> Actor:
    odds = np.cumsum((0.33, 0.24, 0.13, 0.16, 0.09, 0.05))
    kind = list(BODIES)[int(np.searchsorted(odds, place.across * odds[-1] * 0.999))]
    body = BODIES[kind]
    faces = vehicle(kind, place.variant % PAINTS, oncoming)
    return Actor(faces, foot, (body.width + 0.5, body.length + 0.5))


def _person(
    picture: Cutout, size: tuple[float, float], label: Label, foot: np.ndarray, mirrored: bool
) -> Actor:
    surface = upright(picture, np.zeros(3), size, label)
    if mirrored:
        surface = surface._replace(corner=surface.corner + surface.right, right=-surface.right)
    return Actor((surface,), foot, (0.7, 0.5))
