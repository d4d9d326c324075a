"""What moves: cars, cyclists and pedestrians, as functions of time.

A stream is an endless row of places that moves along the street at one speed. Each place is
taken or free by its own draw, so that any moment can be drawn without those before it.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from semseg.town.labels import Label
from semseg.town.path import Path
from semseg.town.style import Style
from semseg.town.surface import Surface, upright
from semseg.town.textures import people
from semseg.town.vehicles import BODIES, PAINTS, vehicle

CURB = 0.12


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
    stream: Stream,
    style: Style,
    path: Path,
    seed: tuple[int, ...],
    time: float,
    start: float,
    end: float,
) -> Iterator[Actor]:
    """Yields who is on a stretch of street.

    Args:
      stream: one of ``streams``.
      style: of the street.
      path: its middle line.
      seed: of the scene.
      time: seconds.
      start: least z, metres.
      end: greatest z, metres.
    """
    moved = stream.speed * time
    first = int(np.floor((start - moved) / stream.spacing))
    last = int(np.ceil((end - moved) / stream.spacing))
    for index in range(first, last + 1):
        place = _place(seed, stream.number, index, stream.share)
        own_place = stream.number == 0 and index in (0, -1)
        if not place.taken or own_place:
            continue
        z = (index + 0.7 * place.along) * stream.spacing + moved
        if start < z < end:
            yield _actor(stream, style, path, place, time, z)


def crossing_pedestrians(
    path: Path, style: Style, seed: tuple[int, ...], time: float, z: float, arrival: float
) -> Iterator[Actor]:
    """Yields who crosses the road at ``z`` before the camera arrives there at ``arrival`` s."""
    rng = np.random.default_rng((*seed, 71, int(z)))
    for _ in range(rng.integers(0, 4)):
        variant, direction = int(rng.integers(people.PEOPLE)), int(rng.choice((-1, 1)))
        offset, pace = rng.uniform(-1.2, 1.2), rng.uniform(1.1, 1.5)
        leaves = arrival - rng.uniform(3, 9)
        across = direction * (pace * (time - leaves) + style.half_width)
        if abs(across) < style.half_width + style.pavement and time < arrival - 1:
            foot = np.array([path.middle(z) + across, -_ground_height(across, style), z + offset])
            phase = int((time * 1.9 + variant / 7) * people.PHASES) % people.PHASES
            picture = people.pedestrian(variant, phase, True)
            yield _person(picture, people.WALKER, Label.PEDESTRIAN, foot, direction < 0)


def _ground_height(across: float, style: Style) -> float:
    return CURB if abs(across) > style.half_width else 0.0


@lru_cache(maxsize=4096)
def _place(seed: tuple[int, ...], number: int, index: int, share: float) -> _Place:
    rng = np.random.default_rng((*seed, 70, number, index + 100_000))
    taken = bool(rng.random() < share)
    return _Place(taken, int(rng.integers(1 << 16)), float(rng.random()), float(rng.random()))


def _actor(stream: Stream, style: Style, path: Path, place: _Place, time: float, z: float) -> Actor:
    foot = np.array([path.middle(z) + stream.distance, 0.0, z])
    if stream.kind == "car":
        return _car(place, foot, stream.speed < 0)
    pace = 1.9 if stream.kind == "pedestrian" else 1.2
    phase = int((time * pace + place.along) * people.PHASES) % people.PHASES
    away = stream.speed > 0
    variant = place.variant % people.PEOPLE
    if stream.kind == "cyclist":
        picture = people.cyclist(variant, phase, False, away)
        return _person(picture, people.CYCLIST_ALONG, Label.BICYCLIST, foot, False)
    foot += ((place.across - 0.5) * (style.pavement - 0.9), -CURB, 0.0)
    picture = people.pedestrian(variant, phase, False, away)
    return _person(picture, people.WALKER, Label.PEDESTRIAN, foot, False)


def _car(place: _Place, foot: np.ndarray, oncoming: bool) -> Actor:
    odds = np.cumsum((0.33, 0.24, 0.13, 0.16, 0.09, 0.05))
    kind = list(BODIES)[int(np.searchsorted(odds, place.across * odds[-1] * 0.999))]
    body = BODIES[kind]
    faces = vehicle(kind, place.variant % PAINTS, oncoming)
    return Actor(faces, foot, (body.width + 0.5, body.length + 0.5))


def _person(
    picture, size: tuple[float, float], label: Label, foot: np.ndarray, mirrored: bool
) -> Actor:
    surface = upright(picture, np.zeros(3), *size, label)
    if mirrored:
        surface = surface._replace(corner=surface.corner + surface.right, right=-surface.right)
    return Actor((surface,), foot, (0.7, 0.5))
