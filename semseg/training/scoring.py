"""Validates a model on every dataset of a run, and shows what it sees."""

from collections.abc import Mapping

import keras
import numpy as np

from semseg.training.config.experiment import ExperimentConfig
from semseg.training.learning_data import LearningData
from semseg.training.validation import Score, Validation

KEPT_IMAGES = 4
"""Validation images that are shown in each epoch, always the same, and kept for freezing."""


class Scoring:
    """The validations of a run.

    Args:
      model: its current weights are scored.
      data: the datasets.
      config: the experiment.
    """

    def __init__(self, model: keras.Model, data: LearningData, config: ExperimentConfig) -> None:
        self._validations = {
            dataset.spec.name: Validation(
                model,
                dataset.head,
                dataset.validation,
                data.heads[dataset.head],
                size=config.data.size,
                batch_size=config.training.batch_size,
            )
            for dataset in data.datasets
        }

    def run(self) -> dict[str, Score]:
        """Returns the score of each dataset by its name."""
        return {name: validation.run() for name, validation in self._validations.items()}

    def images(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Returns the first images of the first dataset, see ``Validation.images``."""
        return next(iter(self._validations.values())).images(KEPT_IMAGES)

    def class_scores(self, scores: Mapping[str, Score]) -> dict[str, float]:
        """Returns the IoU of each class, for TensorBoard."""
        return {
            f"iou/{dataset}/{name}": float(iou)
            for dataset, validation in self._validations.items()
            for name, iou in zip(
                validation.classes.names, scores[dataset].confusion.iou, strict=True
            )
        }

    def pictures(self) -> dict[str, np.ndarray]:
        """Draws the first images of each dataset, see ``Validation.pictures``."""
        return {
            f"validation_images/{name}/{index}": picture
            for name, validation in self._validations.items()
            for index, picture in enumerate(validation.pictures(KEPT_IMAGES))
        }
