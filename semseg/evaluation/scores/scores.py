"""All that is counted of predictions where the truth is known."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np

from semseg.classes import IGNORE
from semseg.data.declarations.class_map import ClassMap
from semseg.data.declarations.specs import ScoreConfig
from semseg.data.samples.instances import Instances
from semseg.errors import ImageError
from semseg.evaluation.scores.boundary_scores import BoundaryScores
from semseg.evaluation.scores.calibration import Calibration
from semseg.evaluation.scores.instance_scores import NO_CLASS, InstanceScores
from semseg.evaluation.scores.road_scores import RoadScores
from semseg.metrics import ConfusionMatrix, mean_of_known

LOSS = "loss"
TITLES = {
    "mean_iou": "mean IoU",
    "pixel_accuracy": "pixel accuracy",
    "frequency_weighted_iou": "frequency-weighted IoU",
    "mean_precision": "mean precision",
    "mean_recall": "mean recall",
    "mean_f_score": "mean F",
    "mean_category_iou": "mean category IoU",
    "mean_instance_iou": "mean iIoU",
    "mean_category_instance_iou": "mean category iIoU",
    "mean_boundary_f": "mean boundary F",
    "road_max_f_image_plane": "road MaxF (image plane)",
    "road_average_precision_image_plane": "road AP (image plane)",
    "expected_calibration_error": "calibration error",
    LOSS: "loss",
}
"""What people read for each score; all are shares but the loss, which is in nats per pixel."""

_LEAST_PROBABILITY = 1e-7


class ScoreOptions(NamedTuple):
    """What is scored beside what always is.

    Attributes:
      declared: categories, instances and the road of the dataset.
      loss: whether to compute the cross-entropy, which needs all probabilities.
      boundary_px: tolerance of the boundary F in pixels; None leaves it out, as it is slow.
    """

    declared: ScoreConfig = ScoreConfig()
    loss: bool = False
    boundary_px: int | None = None

    @property
    def needs_probabilities(self) -> bool:
        """Whether labels and confidence are not enough."""
        return self.loss or self.declared.road_class is not None


class Truth(NamedTuple):
    """What is known of an image: uint8 (H, W) labels, and the instances where they are scored."""

    labels: np.ndarray
    instances: Instances | None = None


class Prediction(NamedTuple):
    """What a segmenter says of the pixels of the truth.

    Attributes:
      labels: in the truth's classes, uint8 (H, W); ``IGNORE`` for what is none of them.
      confidence: probability of the predicted class, (H, W), 0..1.
      probabilities: of the segmenter's own classes, (H, W, C), or None.
    """

    labels: np.ndarray
    confidence: np.ndarray
    probabilities: np.ndarray | None = None


class Scores:
    """Counts over images; memory does not grow with their number.

    Attributes:
      confusion: counts of all images.
      calibration: confidence against accuracy.
      categories: names of the categories.

    Args:
      class_map: from the segmenter's classes to those of the truth.
      options: what to score.
    """

    def __init__(self, class_map: ClassMap, options: ScoreOptions) -> None:
        names = class_map.classes.names
        declared = options.declared
        self.confusion = ConfusionMatrix(len(names))
        self.calibration = Calibration()
        self.categories = tuple(declared.categories)
        self._groups = _groups(declared, names)
        self._membership = class_map.membership()
        self._loss = 0.0 if options.loss else None
        self._instances = _instance_scores(declared, names, self._groups)
        self._boundaries = _boundary_scores(options.boundary_px, len(names))
        self._road = RoadScores() if declared.road_class else None
        self._road_label = names.index(declared.road_class) if declared.road_class else 0

    def update(self, truth: Truth, prediction: Prediction) -> ConfusionMatrix:
        """Adds an image.

        Returns:
          The counts of this image alone.

        Raises:
          ImageError: sizes differ, or the truth has a label that is no class; nothing is added.
        """
        if truth.instances is not None and truth.instances.pixels.shape != truth.labels.shape:
            found, expected = (
                "x".join(map(str, array.shape)) for array in (truth.instances.pixels, truth.labels)
            )
            raise ImageError(f"the instance file is {found}, the label file {expected}")
        confusion = ConfusionMatrix(self.confusion.num_classes)
        confusion.update(truth.labels, prediction.labels)
        self.confusion.merge(confusion)
        self.calibration.update(truth.labels, prediction.labels, prediction.confidence)
        if self._boundaries is not None:
            self._boundaries.update(truth.labels, prediction.labels)
        if self._instances is not None and truth.instances is not None:
            pixels, labels = truth.instances
            of_class = np.where(labels == IGNORE, NO_CLASS, labels.astype(np.int64))
            self._instances.update(pixels, of_class, prediction.labels)
        if prediction.probabilities is not None:
            self._add_probabilities(truth.labels, prediction.probabilities)
        return confusion

    def totals(self) -> dict[str, float]:
        """Returns one number for each score, by the keys of ``TITLES``; NaN without pixels."""
        confusion, classes, categories = self.confusion, self.by_class(), self.by_category()
        totals = {
            "mean_iou": confusion.mean_iou,
            "pixel_accuracy": confusion.pixel_accuracy,
            "frequency_weighted_iou": confusion.frequency_weighted_iou,
        }
        names = ("precision", "recall", "f_score", "instance_iou", "boundary_f")
        totals |= {f"mean_{n}": mean_of_known(classes[n]) for n in names if n in classes}
        totals |= {f"mean_{name}": mean_of_known(values) for name, values in categories.items()}
        if self._road is not None:
            road = self._road.score()
            totals["road_max_f_image_plane"] = road.max_f
            totals["road_average_precision_image_plane"] = road.average_precision
        totals["expected_calibration_error"] = self.calibration.expected_error
        if self._loss is not None:
            pixels = confusion.counts.sum()
            totals[LOSS] = self._loss / pixels if pixels else math.nan
        return {name: totals[name] for name in TITLES if name in totals}

    def by_class(self) -> dict[str, np.ndarray]:
        """Returns the scores of the classes, float64 (C,); NaN where a class has none."""
        scores = {
            name: getattr(self.confusion, name)
            for name in ("iou", "precision", "recall", "f_score")
        }
        if self._instances is not None:
            scores["instance_iou"] = self._instances.iou(self.confusion)
        if self._boundaries is not None:
            scores["boundary_f"] = self._boundaries.f_score
        return scores

    def by_category(self) -> dict[str, np.ndarray]:
        """Returns the scores of the categories, float64 (G,); empty without categories."""
        if not self.categories:
            return {}
        grouped = self.confusion.grouped(self._groups, len(self.categories))
        scores = {"category_iou": grouped.iou}
        if self._instances is not None:
            scores["category_instance_iou"] = self._instances.category_iou(self.confusion)
        return scores

    def road(self) -> dict[str, float]:
        """Returns the columns of the KITTI road benchmark, image plane; empty if not scored."""
        return self._road.score()._asdict() if self._road is not None else {}

    def _add_probabilities(self, labels: np.ndarray, probabilities: np.ndarray) -> None:
        members = self._membership[:, : probabilities.shape[2]]  # (C of the truth, C)
        if self._road is not None:
            road = probabilities @ members[self._road_label]
            self._road.update(labels == self._road_label, labels != IGNORE, road)
        if self._loss is not None:
            scored = labels != IGNORE
            of_truth = np.einsum("pc,pc->p", probabilities[scored], members[labels[scored]])
            clipped = of_truth.clip(_LEAST_PROBABILITY)
            self._loss -= float(np.log(clipped).sum(dtype=np.float64))


def to_truth(labels: np.ndarray, class_map: ClassMap) -> np.ndarray:
    """Returns a segmenter's labels, uint8 (H, W), in the classes of the truth."""
    return cv2.LUT(labels, class_map.table)


def _groups(declared: ScoreConfig, names: tuple[str, ...]) -> list[int]:
    of_class: Mapping[str, int] = {
        name: group
        for group, members in enumerate(declared.categories.values())
        for name in members
    }
    return [of_class[name] for name in names] if of_class else []


def _instance_scores(
    declared: ScoreConfig, names: tuple[str, ...], groups: list[int]
) -> InstanceScores | None:
    if declared.instances is None:
        return None
    sizes = {names.index(name): size for name, size in declared.instances.mean_sizes.items()}
    return InstanceScores(len(names), sizes, groups)


def _boundary_scores(tolerance: int | None, num_classes: int) -> BoundaryScores | None:
    return None if tolerance is None else BoundaryScores(num_classes, tolerance)
