"""Boundary F: are the outlines right, to within a few pixels?"""

import cv2
import numpy as np

from semseg.classes import IGNORE


class BoundaryScores:
    """Counts, per class, of outline pixels that have a counterpart nearby.

    Source: Csurka et al., "What is a good evaluation measure for semantic segmentation?", BMVC
    2013: precision is the share of predicted outline within ``tolerance`` of a true one, recall
    the reverse, F their harmonic mean; counted over all images. Outlines against void, and what
    is predicted on void, do not count.

    Args:
      num_classes: number of classes.
      tolerance: largest distance in pixels, measured in the Chebyshev sense.
    """

    def __init__(self, num_classes: int, tolerance: int = 2) -> None:
        self._tolerance = tolerance
        self._kernel = np.ones((2 * tolerance + 1, 2 * tolerance + 1), np.uint8)
        self._matched = np.zeros((num_classes, 2), np.int64)  # Of the predicted, of the true.
        self._total = np.zeros((num_classes, 2), np.int64)

    def update(self, labels: np.ndarray, predictions: np.ndarray) -> None:
        """Adds one pair of label images, uint8 (H, W); ``IGNORE`` where there is no truth."""
        valid = (labels != IGNORE).astype(np.uint8)
        inner = cv2.erode(valid, self._kernel)  # A step beside void is no outline of a class.
        for label in range(len(self._total)):
            outlines = [_outline(image == label) & inner for image in (predictions, labels)]
            near = [cv2.dilate(outline, self._kernel) for outline in reversed(outlines)]
            self._total[label] += [int(outline.sum()) for outline in outlines]
            self._matched[label] += [
                int((outline & close).sum()) for outline, close in zip(outlines, near, strict=True)
            ]

    @property
    def f_score(self) -> np.ndarray:
        """Boundary F per class, float64 (C,); NaN where a class has no outline at all."""
        with np.errstate(invalid="ignore", divide="ignore"):
            precision, recall = (self._matched / self._total).T
            score = 2 * precision * recall / (precision + recall)
        missed = (self._total.sum(axis=1) > 0) & ~np.isfinite(score)
        return np.where(missed, 0.0, score)


def _outline(mask: np.ndarray) -> np.ndarray:
    """Returns the pixels of a mask that touch its outside, uint8 (H, W) 0 or 1."""
    mask = mask.astype(np.uint8)
    # The image's own edge is no outline: erode as if the mask went on there.
    return mask - cv2.erode(mask, np.ones((3, 3), np.uint8))
