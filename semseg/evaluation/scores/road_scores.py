"""The scores of the KITTI road benchmark, in the image plane.

The official benchmark counts in a bird's-eye view; the same formulas over camera pixels give
other, usually higher numbers, so that they are named ``image plane`` wherever they are printed.
"""

import math
from typing import NamedTuple

import numpy as np

THRESHOLDS = 256
RECALLS = np.linspace(0, 1, 11)


class RoadScore(NamedTuple):
    """The benchmark's columns, all 0..1, at the threshold with the largest F.

    Attributes:
      max_f: largest F1 over all thresholds (MaxF).
      average_precision: mean precision at 11 recalls (AvgPrec).
      precision: PRE at the threshold of ``max_f``.
      recall: REC there.
      false_positive_rate: FPR there.
      false_negative_rate: FNR there.
      threshold: the probability from which a pixel is road there.
    """

    max_f: float
    average_precision: float
    precision: float
    recall: float
    false_positive_rate: float
    false_negative_rate: float
    threshold: float


class RoadScores:
    """Histograms of the probability of road, over road and over the rest.

    Source: KITTI road development kit (Fritsch et al., "A New Performance Measure and Evaluation
    Benchmark for Road Detection Algorithms", ITSC 2013): 256 thresholds, F1, and the interpolated
    average precision of PASCAL VOC.
    """

    def __init__(self) -> None:
        self._road = np.zeros(THRESHOLDS, np.int64)
        self._rest = np.zeros(THRESHOLDS, np.int64)

    def update(self, is_road: np.ndarray, is_valid: np.ndarray, probability: np.ndarray) -> None:
        """Adds one image.

        Args:
          is_road: true road, bool (H, W).
          is_valid: pixels that count, bool (H, W).
          probability: of road, (H, W), 0..1.
        """
        level = np.clip(probability * (THRESHOLDS - 1), 0, THRESHOLDS - 1).astype(np.int64)
        self._road += np.bincount(level[is_valid & is_road], minlength=THRESHOLDS)
        self._rest += np.bincount(level[is_valid & ~is_road], minlength=THRESHOLDS)

    def score(self) -> RoadScore:
        """Returns the scores so far; all NaN if there was no road or nothing else."""
        road, rest = self._road.sum(), self._rest.sum()
        if not road or not rest:
            return RoadScore(*[math.nan] * len(RoadScore._fields))
        found = self._road[::-1].cumsum()[::-1]  # Road at or above each threshold.
        false = self._rest[::-1].cumsum()[::-1]
        precision = found / np.maximum(found + false, 1)
        recall = found / road
        f_score = 2 * found / (found + false + road)
        best = int(f_score.argmax())
        return RoadScore(
            max_f=float(f_score[best]),
            average_precision=float(
                np.mean([_precision_from(r, recall, precision) for r in RECALLS])
            ),
            precision=float(precision[best]),
            recall=float(recall[best]),
            false_positive_rate=float(false[best] / rest),
            false_negative_rate=float(1 - recall[best]),
            threshold=best / (THRESHOLDS - 1),
        )


def _precision_from(least: float, recall: np.ndarray, precision: np.ndarray) -> float:
    """Returns the best precision at a recall of ``least`` or more; 0 if it is never reached."""
    return float(precision[recall >= least].max(initial=0))
