"""What kind of street a scene is."""

from typing import NamedTuple

import numpy as np

from semseg.town.textures import furniture, ground

PARKING = 2.2
"""Width of a parking lane, metres."""

KINDS = ("terrace", "shops", "houses", "offices", "park")
_ODDS = (0.22, 0.3, 0.22, 0.12, 0.14)


class Style(NamedTuple):
    """A street, in metres.

    Attributes:
      kind: one of KINDS; a park has houses on one side only.
      drive_side: +1 where one drives on the right, -1 on the left.
      half_width: of the road, parking lanes included.
      parking: whether there are parking lanes.
      pavement: width of each footway.
      paving: its texture.
      setback: depth of the gardens between footway and houses.
      marking, edge: of the road, see ``textures.ground``.
      trees: mean distance between street trees.
      lamps: distance between lamps.
      post: texture of posts.
      bend: greatest slope of the middle line.
      traffic, walkers, cyclists: share of the places for them that are taken, 0..1.
      fence: texture of fences.
    """

    kind: str
    drive_side: int
    half_width: float
    parking: bool
    pavement: float
    paving: int
    setback: float
    marking: str
    edge: str
    trees: float
    lamps: float
    post: int
    bend: float
    traffic: float
    walkers: float
    cyclists: float
    fence: int

    @property
    def lane(self) -> float:
        """Distance of the driver from the middle line."""
        return self.driving_half_width / 2

    @property
    def driving_half_width(self) -> float:
        """Half the width that is driven on."""
        return self.half_width - (PARKING if self.parking else 0)

    @property
    def building_line(self) -> float:
        """Distance of the house fronts from the middle line."""
        return self.half_width + self.pavement + self.setback


def style(rng: np.random.Generator) -> Style:
    """Draws a street."""
    kind = str(rng.choice(KINDS, p=_ODDS))
    parking = bool(rng.random() < 0.6)
    busy = kind in ("shops", "offices")
    return Style(
        kind=kind,
        drive_side=int(rng.choice((-1, 1))),
        half_width=float(rng.choice((5.4, 6.2) if parking else (3.4, 4.4, 5.4))),
        parking=parking,
        pavement=float(rng.choice((2.0, 2.8, 3.6))),
        paving=int(rng.integers(ground.PAVEMENTS)),
        setback=float(rng.uniform(3, 7)) if kind in ("houses", "park") else 0.0,
        marking=str(rng.choice(ground.MARKINGS, p=(0.45, 0.25, 0.1, 0.2))),
        edge="bays" if parking and rng.random() < 0.6 else str(rng.choice(ground.EDGES[:3])),
        trees=float(rng.uniform(9, 40) if kind != "park" else rng.uniform(7, 14)),
        lamps=float(rng.uniform(18, 32)),
        post=int(rng.integers(furniture.POSTS)),
        bend=float(rng.choice((0.0, 0.05, 0.12, 0.18))),
        traffic=float(rng.uniform(0.1, 0.5)),
        walkers=float(rng.uniform(0.15, 0.6) if busy else rng.uniform(0.03, 0.25)),
        cyclists=float(rng.uniform(0.02, 0.28)),
        fence=int(rng.integers(furniture.FENCES)),
    )
