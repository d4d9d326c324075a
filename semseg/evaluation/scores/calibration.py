"""Calibration: is a network that is 80 % sure right in 80 % of the cases?"""

import math

import numpy as np

from semseg.classes import IGNORE


class Calibration:
    """Counts of confidences and of how often they were right, in bins of equal width.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equations 2 to 5.

    Attributes:
      pixels: scored pixels per bin, int64 (B,); bin b holds confidences from b / B to (b + 1) / B.
      right: those among them that were predicted right, int64 (B,).
      confidence_sums: sum of the confidences per bin, float64 (B,).

    Args:
      bins: number of bins.
    """

    def __init__(self, bins: int = 20) -> None:
        self.pixels = np.zeros(bins, np.int64)
        self.right = np.zeros(bins, np.int64)
        self.confidence_sums = np.zeros(bins)

    def update(self, labels: np.ndarray, predictions: np.ndarray, confidence: np.ndarray) -> None:
        """Adds one image.

        Args:
          labels: true labels, uint8 (H, W); ``IGNORE`` pixels do not count.
          predictions: predicted labels, uint8 (H, W).
          confidence: probability of each predicted label, (H, W), 0..1.
        """
        bins = len(self.pixels)
        # A cell for each bin of the wrong and of the right pixels, and one where there is no truth.
        cell = np.minimum(confidence * np.float32(bins), bins - 1).astype(np.intp)
        cell += bins * (labels == predictions)
        cell[labels == IGNORE] = 2 * bins
        shape, cell = (2, bins), cell.ravel()
        pixels = np.bincount(cell, minlength=2 * bins + 1)[:-1].reshape(shape)
        sums = np.bincount(cell, confidence.ravel(), 2 * bins + 1)[:-1].reshape(shape)
        self.pixels += pixels.sum(axis=0)
        self.right += pixels[1]
        self.confidence_sums += sums.sum(axis=0)

    @property
    def accuracy(self) -> np.ndarray:
        """Share of right predictions per bin, float64 (B,); NaN in empty bins."""
        return self._mean(self.right)

    @property
    def confidence(self) -> np.ndarray:
        """Mean confidence per bin, float64 (B,); NaN in empty bins."""
        return self._mean(self.confidence_sums)

    @property
    def expected_error(self) -> float:
        """Expected calibration error (ECE), 0..1: mean gap between the two; NaN without pixels."""
        total = self.pixels.sum()
        if not total:
            return math.nan
        return float(np.abs(self.right - self.confidence_sums).sum() / total)

    def _mean(self, sums: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.where(self.pixels > 0, sums / self.pixels, np.nan)
