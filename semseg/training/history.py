"""The epochs of a run so far, and what they say about going on."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from semseg.training.validation import Score

Epoch = dict[str, Any]
"""One row of ``log.csv``: the step, losses, the learning rate and validation scores."""


def validation_columns(scores: Mapping[str, Score]) -> dict[str, float]:
    """Returns the validation columns of an epoch.

    Args:
      scores: of each dataset by its name.

    Returns:
      Loss, mean IoU and pixel accuracy, averaged over the datasets if there are several; then
      those of each dataset follow.
    """
    rows = {
        name: {
            "validation_loss": score.loss,
            "validation_mean_iou": score.confusion.mean_iou,
            "validation_pixel_accuracy": score.confusion.pixel_accuracy,
        }
        for name, score in scores.items()
    }
    columns = next(iter(rows.values())).keys()
    means = {column: float(np.mean([row[column] for row in rows.values()])) for column in columns}
    if len(rows) == 1:
        return means
    return means | {
        f"{column}/{name}": value for name, row in rows.items() for column, value in row.items()
    }


def best_mean_iou(history: Sequence[Epoch]) -> float:
    """Returns the best validation mean IoU; NaN before the first validation."""
    return max((epoch["validation_mean_iou"] for epoch in history), default=math.nan)


def has_stalled(history: Sequence[Epoch], patience: int) -> bool:
    """Returns whether the last ``patience`` epochs all stayed below or at the best before them."""
    before, latest = history[:-patience], history[-patience:]
    return bool(before) and not best_mean_iou(latest) > best_mean_iou(before)
