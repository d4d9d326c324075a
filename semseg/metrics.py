"""Confusion matrix and the scores computed from it, by the Cityscapes rule.

Source: cityscapesScripts, ``evaluation/evalPixelLevelSemanticLabeling.py``:
``IoU = TP / (TP + FP + FN)``. Pixels whose true label is ``IGNORE`` count nowhere. A
prediction of ``IGNORE`` on a pixel that has a true class is a false negative of that class.
A class that is neither present nor predicted has no score (NaN) and leaves the mean.
"""

import numpy as np

from semseg.classes import IGNORE
from semseg.errors import ImageError


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
        # One histogram of the 16-bit pairs: a single pass without masks or copies per class.
        pairs = (labels.astype(np.uint16) << 8) | predictions
        histogram = np.bincount(pairs.ravel(), minlength=65536).reshape(256, 256)
        strangers = (
            np.flatnonzero(histogram[self.num_classes : IGNORE].any(axis=1)) + self.num_classes
        )
        if strangers.size:
            raise ImageError(
                "true label %d is neither a class (0..%d) nor ignore (%d)"
                % (strangers[0], self.num_classes - 1, IGNORE)
            )
        rows = histogram[: self.num_classes]
        self.counts[:, :-1] += rows[:, : self.num_classes]
        self.counts[:, -1] += rows[:, self.num_classes :].sum(axis=1)

    def merge(self, other: "ConfusionMatrix") -> None:
        """Adds the counts of another matrix of the same size."""
        self.counts += other.counts

    @property
    def iou(self) -> np.ndarray:
        """Intersection over union per class, float64 (C,); NaN where a class never occurs."""
        true_positives = np.diag(self.counts).astype(np.float64)
        union = self.counts.sum(axis=1) + self.counts[:, :-1].sum(axis=0) - true_positives
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(union > 0, true_positives / union, np.nan)

    @property
    def mean_iou(self) -> float:
        """Mean of ``iou`` over the classes that occur; NaN if none does."""
        iou = self.iou
        return float(np.nanmean(iou)) if np.isfinite(iou).any() else float("nan")

    @property
    def pixel_accuracy(self) -> float:
        """Share of the scored pixels that are predicted right; NaN without pixels."""
        total = self.counts.sum()
        return float(np.trace(self.counts[:, :-1]) / total) if total else float("nan")


def _shape_text(array: np.ndarray) -> str:
    return "x".join(str(size) for size in array.shape)
