"""The middle line of a street: straight pieces of equal length, each with its own heading."""

from __future__ import annotations

import numpy as np

BLOCK = 40.0
"""Length of a piece along z, metres."""

_FIRST = -4
_LAST = 4000


class Path:
    """A middle line x(z) for z from -160 m on, through the origin.

    Everything is placed relative to it by a shear, which keeps planes plane and lets
    neighbouring pieces meet without gaps.

    Args:
      seed: what the bends are drawn from.
      bend: greatest slope dx/dz.
    """

    def __init__(self, seed: tuple[int, ...], bend: float) -> None:
        rng = np.random.default_rng((*seed, 60))
        steps = rng.normal(0, 0.7, _LAST - _FIRST)
        slopes = bend * np.sin(np.cumsum(steps))
        slopes[: 1 - _FIRST] = 0
        self._slopes = slopes
        self._middles = BLOCK * np.concatenate([[0], np.cumsum(slopes)])

    def middle(self, z: float) -> float:
        """Returns x of the middle line, metres."""
        index = int(z // BLOCK) - _FIRST
        return self._middles.item(index) + self._slopes.item(index) * (z % BLOCK)

    def smooth(self, z: float) -> tuple[float, float]:
        """Returns x and slope dx/dz of the line that a driver takes round the corners."""
        reach = 12.0
        behind, here, ahead = (self.middle(z + offset) for offset in (-reach, 0, reach))
        return (behind + 2 * here + ahead) / 4, (ahead - behind) / (2 * reach)
