"""Pixel counts of classes, and the class weights that follow from them."""

import numpy as np

from semseg.classes import IGNORE
from semseg.errors import ConfigError, unknown_name

WEIGHT_RULES = ("median_frequency", "enet")
"""How class weights can be computed, see ``PixelCounts.class_weights``."""


class PixelCounts:
    """Counts pixels by class over many label images.

    Attributes:
      pixels: int64 (C,), pixels of each class.
      pixels_where_seen: int64 (C,), pixels with any class in the images that show the class.
      ignored: pixels without a class.
      images: number of label images.
    """

    def __init__(self, num_classes: int):
        self.pixels = np.zeros(num_classes, np.int64)
        self.pixels_where_seen = np.zeros(num_classes, np.int64)
        self.ignored = 0
        self.images = 0

    def add(self, labels: np.ndarray) -> None:
        """Counts one label image, uint8 (H, W)."""
        histogram = np.bincount(labels.ravel(), minlength=IGNORE + 1)
        self.add_counted(histogram[: len(self.pixels)], int(histogram[IGNORE]))

    def add_counted(self, pixels: np.ndarray, ignored: int) -> None:
        """Adds one label image that is counted: (C,) pixels of each class, and ignored ones."""
        self.pixels += pixels
        self.pixels_where_seen += np.where(pixels > 0, pixels.sum(), 0)
        self.ignored += ignored
        self.images += 1

    @property
    def shares(self) -> np.ndarray:
        """Share of each class in the pixels that have one, float64 (C,)."""
        return self.pixels / max(1, self.pixels.sum())

    @property
    def ignored_share(self) -> float:
        """Share of all pixels that have no class."""
        return self.ignored / max(1, self.ignored + int(self.pixels.sum()))

    def class_weights(self, rule: str) -> np.ndarray:
        """Computes weights that make rare classes count more.

        Args:
          rule: ``median_frequency``, median frequency / frequency, where a class's frequency is
            its share in the images that show it (Eigen and Fergus 2015, section 6.3.2); or
            ``enet``, 1 / ln(1.02 + share) (Paszke et al. 2016, section 5.1).

        Returns:
          float64 (C,); 1 for a class that never occurs.

        Raises:
          ConfigError: an unknown rule.
        """
        if rule not in WEIGHT_RULES:
            raise ConfigError(unknown_name("class weight rule", rule, WEIGHT_RULES))
        seen = self.pixels > 0
        weights = np.ones(len(self.pixels))
        if rule == "enet":
            weights[seen] = 1 / np.log(1.02 + self.shares[seen])
        elif seen.any():
            frequency = self.pixels[seen] / self.pixels_where_seen[seen]
            weights[seen] = np.median(frequency) / frequency
        return weights
