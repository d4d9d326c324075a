"""Instance-weighted IoU of Cityscapes: a near lorry counts no more than a distant one."""

from collections.abc import Mapping, Sequence

import numpy as np

from semseg.metrics import ConfusionMatrix

NO_CLASS = -1


class InstanceScores:
    """Sums over instances, each weighted by the mean size of its class over its own.

    Source: cityscapesScripts, ``evaluation/evalPixelLevelSemanticLabeling.py``:
    ``iIoU = iTP / (iTP + FP + iFN)``, where true positives and false negatives are weighted and
    false positives, which belong to no instance, are not. Which pixels are an instance is told by
    the instance image alone; groups that nobody separated are not among them.

    Args:
      num_classes: number of classes.
      mean_sizes: for the label of each class that has instances, the mean size of one, in pixels.
      categories: for each class its category, 0..G-1; empty if there are none. A category is
        scored if all its classes have instances.
    """

    def __init__(
        self, num_classes: int, mean_sizes: Mapping[int, float], categories: Sequence[int] = ()
    ) -> None:
        self._weights = np.full(num_classes, np.nan)
        self._weights[list(mean_sizes)] = list(mean_sizes.values())
        self._categories = np.asarray(categories, np.int64)
        self._of_class = np.zeros((num_classes, 2))  # Weighted: found, missed.
        self._of_category = np.zeros((len(set(categories)), 2))

    def update(self, instances: np.ndarray, of_class: np.ndarray, predictions: np.ndarray) -> None:
        """Adds one image.

        Args:
          instances: index of each pixel's instance into ``of_class``, int (H, W); -1 for none.
          of_class: label of each instance, (N,); ``NO_CLASS`` for one that is not evaluated.
          predictions: predicted labels, uint8 (H, W).
        """
        inside = instances >= 0
        pairs = instances[inside].astype(np.int64) * 256 + predictions[inside]
        counts = np.bincount(pairs, minlength=256 * len(of_class)).reshape(-1, 256)
        for label, predicted in zip(of_class.tolist(), counts, strict=True):
            if label != NO_CLASS and predicted.any() and np.isfinite(self._weights[label]):
                self._add(label, predicted)

    def _add(self, label: int, predicted: np.ndarray) -> None:
        """Adds an instance of whose pixels ``predicted`` [256] were given each label."""
        size = predicted.sum()
        weight = self._weights[label] / size
        found = predicted[label]
        self._of_class[label] += weight * np.array([found, size - found])
        if self._categories.size:
            category = self._categories[label]
            found = predicted[np.flatnonzero(self._categories == category)].sum()
            self._of_category[category] += weight * np.array([found, size - found])

    def iou(self, confusion: ConfusionMatrix) -> np.ndarray:
        """Returns the iIoU per class, float64 (C,); NaN for classes without instances.

        Args:
          confusion: counts over the same images.
        """
        return _scores(self._of_class, confusion.false_positives, np.isfinite(self._weights))

    def category_iou(self, confusion: ConfusionMatrix) -> np.ndarray:
        """Returns the iIoU per category, float64 (G,); NaN for those without instances.

        Args:
          confusion: counts over the same images.
        """
        num_categories = len(self._of_category)
        grouped = confusion.grouped(self._categories.tolist(), num_categories)
        without = self._categories[np.isnan(self._weights)]
        scored = ~np.isin(np.arange(num_categories), without)
        return _scores(self._of_category, grouped.false_positives, scored)


def _scores(sums: np.ndarray, false_positives: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """Returns the iIoU [N] of sums [N, 2] where ``scored`` [N]; NaN elsewhere or without pixels."""
    whole = sums.sum(axis=1) + false_positives
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(scored & (whole > 0), sums[:, 0] / whole, np.nan)
