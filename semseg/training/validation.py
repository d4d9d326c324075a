"""Validation while a model trains: scores on each dataset, pictures, the epochs so far."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from semseg.classes import IGNORE, ClassTable
from semseg.data import Sample
from semseg.metrics import ConfusionMatrix
from semseg.runtime.images.geometry import resize_labels
from semseg.runtime.images.render import colorize
from semseg.training.config.experiment import ExperimentConfig
from semseg.training.inputs import network_inputs, resized
from semseg.training.learning_data import LearningData


class Score(NamedTuple):
    """Result of one validation.

    Attributes:
      loss: mean cross-entropy of the labelled pixels at the network's size.
      confusion: counts at the size of the true labels.
    """

    loss: float
    confusion: ConfusionMatrix


class _Batch(NamedTuple):
    """Images at the network's size, and labels at their own."""

    images: np.ndarray
    second: np.ndarray | None
    labels: list[np.ndarray]


class Validation:
    """Runs one head of a model over samples, each resized as the robot's runtime does it.

    Args:
      model: gives logits; its current weights are scored at each ``run``.
      head: name of the output that is scored; a model with one output has no choice.
      samples: the validation samples, with the labels of the head's classes.
      classes: the head's classes.
      size: the network's (height, width).
      batch_size: images at once.
    """

    def __init__(
        self,
        model: keras.Model,
        head: str,
        samples: Sequence[Sample],
        classes: ClassTable,
        *,
        size: tuple[int, int],
        batch_size: int,
    ) -> None:
        self.classes = classes
        self._model = model
        self._samples = samples
        self._size = size
        self._batch_size = batch_size
        self._scorer = _scorer(model, head)

    def run(self) -> Score:
        """Scores the model on all samples."""
        confusion = ConfusionMatrix(self.classes.num_classes)
        entropy = pixels = 0.0
        for batch in self._batches(self._samples):
            small = np.stack([resize_labels(truth, self._size) for truth in batch.labels])
            predictions, entropies = self._score(batch, small)
            entropy += float(np.sum(entropies, dtype=np.float64))
            pixels += np.count_nonzero(small != IGNORE)
            for truth, predicted in zip(batch.labels, predictions, strict=True):
                height, width = truth.shape
                confusion.update(truth, resize_labels(predicted, (height, width)))
        return Score(entropy / max(1.0, pixels), confusion)

    def images(self, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Returns the first images at the network's size.

        Returns:
          uint8 [n, H, W, 3], n <= count; and what the network sees beside them, None without.
        """
        images, seconds = [], []
        for sample in self._samples[:count]:
            images.append(resized(sample.read_image(), self._size))
            seconds.append(self._second(sample))
        return np.stack(images), _stacked(seconds)

    def pictures(self, count: int) -> list[np.ndarray]:
        """Draws the first images, what they show and what the model says, side by side.

        Returns:
          uint8 (H, 3 W, 3) RGB each, at the network's size.
        """
        pictures = []
        for batch in self._batches(self._samples[:count]):
            truths = np.stack([resize_labels(truth, self._size) for truth in batch.labels])
            predictions, _ = self._score(batch, truths)
            for image, truth, predicted in zip(batch.images, truths, predictions, strict=True):
                colored = [colorize(labels, self.classes) for labels in (truth, predicted)]
                pictures.append(np.concatenate([image, *colored], axis=1))
        return pictures

    def _score(self, batch: _Batch, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inputs = network_inputs(self._model, batch.images, batch.second)
        return self._scorer.predict_on_batch([inputs, labels])

    def _batches(self, samples: Sequence[Sample]) -> Iterator[_Batch]:
        for start in range(0, len(samples), self._batch_size):
            chosen = samples[start : start + self._batch_size]
            pairs = [sample.read() for sample in chosen]
            yield _Batch(
                images=np.stack([resized(image, self._size) for image, _ in pairs]),
                second=_stacked([self._second(sample) for sample in chosen]),
                labels=[labels for _, labels in pairs],
            )

    def _second(self, sample: Sample) -> np.ndarray | None:
        second = sample.read_second()
        return None if second is None else resized(second, self._size)


def _stacked(arrays: Sequence[np.ndarray | None]) -> np.ndarray | None:
    present = [array for array in arrays if array is not None]
    return np.stack(present) if present else None


class _LabelsAndEntropy(keras.layers.Layer):
    """Labels [N, H, W] uint8 and summed cross-entropy [N] of inputs [logits, true labels]."""

    def call(self, inputs: list) -> tuple[Any, Any]:
        logits, labels = inputs
        valid = ops.not_equal(labels, IGNORE)
        classes = ops.cast(ops.where(valid, labels, 0), "int32")
        entropy = ops.sparse_categorical_crossentropy(classes, logits, from_logits=True)
        entropy = ops.sum(entropy * ops.cast(valid, logits.dtype), axis=(1, 2))
        return ops.cast(ops.argmax(logits, axis=-1), "uint8"), entropy


def _scorer(model: keras.Model, head: str) -> keras.Model:
    logits = model.output[head] if isinstance(model.output, dict) else model.output
    labels = keras.Input((None, None), dtype="int32", name="labels")
    scored = _LabelsAndEntropy(name="score", dtype="float32")([logits, labels])
    return keras.Model([model.input, labels], scored)


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
