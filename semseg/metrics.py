"""Confusion matrix and the scores computed from it, by the Cityscapes rule.

Source: cityscapesScripts, ``evaluation/evalPixelLevelSemanticLabeling.py``:
``IoU = TP / (TP + FP + FN)``. Pixels whose true label is ``IGNORE`` count nowhere. A
prediction of ``IGNORE`` on a pixel that has a true class is a false negative of that class.
A class that is neither present nor predicted has no score (NaN) and leaves the mean.
"""

from typing import Sequence

import cv2
import numpy as np

from semseg.classes import IGNORE
from semseg.errors import ImageError

_EXACT_IN_FLOAT32 = 2**24
_MOST_RUNS = 1 / 16
"""Runs of equal pairs for each two pixels from which on a histogram is faster."""


class ConfusionMatrix:
    """Counts of true against predicted labels.

    Attributes:
      counts: int64 (C, C + 1); rows are true classes, columns predictions, the last
        column counts predictions that are no class.
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = int(num_classes)
        self.counts = np.zeros((self.num_classes, self.num_classes + 1), np.int64)

    def update(self, labels: np.ndarray, predictions: np.ndarray) -> None:
        """Adds one pair of label images.

        Args:
          labels: true labels, uint8 of any shape; ``IGNORE`` where there is no truth.
          predictions: predicted labels, uint8 of the same shape.

        Raises:
          ImageError: the shapes differ, an array is not uint8, or a true label is neither a
            class nor ``IGNORE``.
        """
        for array in (labels, predictions):
            if array.dtype != np.uint8:
                raise ImageError("labels must be uint8, found %s" % array.dtype)
        if labels.shape != predictions.shape:
            raise ImageError(
                "prediction is %s, its truth is %s; both must be of one size"
                % (_shape_text(predictions), _shape_text(labels))
            )
        histogram = _count_pairs(labels.ravel(), predictions.ravel())
        rows = histogram[: self.num_classes].astype(np.int64)
        if rows.sum() + histogram[IGNORE].sum() != labels.size:
            strangers = labels[(labels >= self.num_classes) & (labels != IGNORE)]
            raise ImageError(
                "true label %d is neither a class (0..%d) nor ignore (%d)"
                % (strangers.min(), self.num_classes - 1, IGNORE)
            )
        self.counts[:, :-1] += rows[:, : self.num_classes]
        self.counts[:, -1] += rows[:, self.num_classes :].sum(axis=1)

    def merge(self, other: "ConfusionMatrix") -> None:
        """Adds the counts of another matrix of the same size."""
        self.counts += other.counts

    @property
    def true_positives(self) -> np.ndarray:
        """Pixels of each class that are predicted right, int64 (C,)."""
        return np.diag(self.counts).copy()

    @property
    def false_positives(self) -> np.ndarray:
        """Pixels of other classes that are predicted as each class, int64 (C,)."""
        return self.counts[:, :-1].sum(axis=0) - self.true_positives

    @property
    def false_negatives(self) -> np.ndarray:
        """Pixels of each class that are predicted as anything else, int64 (C,)."""
        return self.counts.sum(axis=1) - self.true_positives

    @property
    def iou(self) -> np.ndarray:
        """Intersection over union per class, float64 (C,); NaN where a class never occurs."""
        return _ratio(
            self.true_positives, self.true_positives + self.false_positives + self.false_negatives
        )

    @property
    def mean_iou(self) -> float:
        """Mean of ``iou`` over the classes that occur; NaN if none does."""
        return mean_of_known(self.iou)

    @property
    def frequency_weighted_iou(self) -> float:
        """Mean of ``iou``, each class weighted by its share of the true pixels; NaN without any."""
        shares = self.counts.sum(axis=1)
        present = shares > 0
        return float(_ratio((shares * self.iou)[present].sum(), shares.sum()))

    @property
    def precision(self) -> np.ndarray:
        """Share of the predictions of each class that are right, (C,); NaN without any."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> np.ndarray:
        """Share of the pixels of each class that are found, (C,); NaN without any."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f_score(self) -> np.ndarray:
        """Harmonic mean of precision and recall, (C,); NaN where a class never occurs."""
        doubled = 2 * self.true_positives
        return _ratio(doubled, doubled + self.false_positives + self.false_negatives)

    def grouped(self, groups: Sequence[int], num_groups: int) -> "ConfusionMatrix":
        """Returns the matrix of groups of classes: a mix-up within a group is no error in it.

        Its ``iou`` is the category IoU of Cityscapes.

        Args:
          groups: for each class its group, 0..num_groups-1.
          num_groups: number of groups.
        """
        membership = np.zeros((self.num_classes + 1, num_groups + 1), np.int64)
        membership[np.arange(self.num_classes), list(groups)] = 1
        membership[-1, -1] = 1
        of_groups = ConfusionMatrix(num_groups)
        of_groups.counts = membership[:-1, :-1].T @ self.counts @ membership
        return of_groups

    @property
    def pixel_accuracy(self) -> float:
        """Share of the scored pixels that are predicted right; NaN without pixels."""
        return float(_ratio(self.true_positives.sum(), self.counts.sum()))


def mean_of_known(values: np.ndarray) -> float:
    """Returns the mean of the values that are numbers; NaN if none is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _count_pairs(labels, predictions):
    """Counts the pairs of two flat uint8 arrays: whole numbers, float64 (256, 256)."""
    even = labels.size // 2 * 2
    counts = _count_runs(labels[:even], predictions[:even])
    if counts is None:
        return _histogram(labels, predictions)
    if even < labels.size:
        counts[labels[-1], predictions[-1]] += 1
    return counts


def _count_runs(labels, predictions):
    """Counts pairs by runs of equal ones, as labels have them; None if there are too many.

    A histogram waits at each pixel for the sum of the one before. Looking for the ends of runs
    does not, and two pixels at a time are compared.
    """
    true, found = (np.ascontiguousarray(array).view(np.uint16) for array in (labels, predictions))
    changes = true[1:] != true[:-1]
    changes |= found[1:] != found[:-1]
    ends = np.flatnonzero(changes)
    if not true.size or ends.size > true.size * _MOST_RUNS:
        return None
    ends = np.append(ends, true.size - 1)
    pairs = true[ends].view(np.uint8).astype(np.uint16) << 8
    pairs |= found[ends].view(np.uint8)
    lengths = np.repeat(np.diff(ends, prepend=-1), 2)
    return np.bincount(pairs, lengths, 1 << 16).reshape(256, 256)


def _histogram(labels, predictions):
    """Counts the pairs of two flat uint8 arrays, float64 (256, 256), whatever they hold.

    OpenCV's histogram of two channels is several times faster than ``np.bincount`` of 16-bit
    pairs. It counts in float32, which is exact up to 2**24: longer arrays go in pieces.
    """
    histogram = np.zeros((256, 256))
    for start in range(0, labels.size, _EXACT_IN_FLOAT32):
        piece = slice(start, start + _EXACT_IN_FLOAT32)
        channels = [labels[None, piece], predictions[None, piece]]
        histogram += cv2.calcHist(channels, [0, 1], None, [256, 256], [0, 256, 0, 256])
    return histogram


def _ratio(part, whole):
    """``part / whole`` in float64; NaN where ``whole`` is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.asarray(whole) > 0, np.true_divide(part, whole), np.nan)


def _shape_text(array: np.ndarray) -> str:
    return "x".join(str(size) for size in array.shape)
