"""Signs that a file was read, but may not say what its maker meant."""

from collections.abc import Iterator

import numpy as np

from semseg.classes import IGNORE

_BLENDED_SHARE = 0.25
"""Share of steps in three at a border from which on it looks interpolated; sharp ones have few."""
_FEWEST_STEPS = 32


def blending_signs(labels: np.ndarray) -> Iterator[str]:
    """Yields a line if the borders of labels look interpolated.

    Between two areas of labels 2 and 7, interpolation puts 4 or 5: a step in three, each
    higher (or each lower) than the one before. In sharp labels only a line one pixel wide does so.

    Args:
      labels: uint8 (H, W).
    """
    blended = sharp = 0
    for rows in (labels, labels.T):
        steps = np.diff(rows.astype(np.int16), axis=1)
        known = (rows[:, 1:] != IGNORE) & (rows[:, :-1] != IGNORE)
        up, down, flat = (steps > 0) & known, (steps < 0) & known, steps == 0
        blended += int(np.count_nonzero(up[:, 1:] & up[:, :-1]))
        blended += int(np.count_nonzero(down[:, 1:] & down[:, :-1]))
        wide = (np.abs(steps[:, 1:-1]) > 1) & known[:, 1:-1]
        sharp += int(np.count_nonzero(wide & flat[:, :-2] & flat[:, 2:]))
    if blended >= _FEWEST_STEPS and blended > _BLENDED_SHARE * (blended + sharp):
        yield (
            "label files have borders that look interpolated, with ids in between that mean other "
            "classes: resize labels by nearest neighbour"
        )
