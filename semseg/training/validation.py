"""Scores a model on a validation split while it trains."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from semseg.classes import IGNORE
from semseg.data import Sample
from semseg.metrics import ConfusionMatrix
from semseg.runtime.geometry import resize_image, resize_labels


class Score(NamedTuple):
    """Result of one validation.

    Attributes:
      loss: mean cross-entropy of the labelled pixels at the network's size.
      confusion: counts at the size of the true labels.
    """

    loss: float
    confusion: ConfusionMatrix


class Validation:
    """Runs a model over samples, each resized to one size as the robot's runtime does it.

    Args:
      model: gives logits; its current weights are scored at each ``run``.
      samples: the validation samples.
      num_classes: number of classes.
      size: the network's (height, width).
      batch_size: images at once.
    """

    def __init__(
        self,
        model: keras.Model,
        samples: Sequence[Sample],
        num_classes: int,
        size: tuple[int, int],
        batch_size: int,
    ) -> None:
        self.samples = samples
        self.num_classes = num_classes
        self.size = size
        self.batch_size = batch_size
        self._scorer = _scorer(model)

    def run(self) -> Score:
        """Scores the model on all samples."""
        confusion = ConfusionMatrix(self.num_classes)
        entropy = pixels = 0.0
        for images, labels in self._batches():
            small = np.stack([resize_labels(truth, self.size) for truth in labels])
            predictions, entropies = self._scorer.predict_on_batch([images, small])
            entropy += float(np.sum(entropies, dtype=np.float64))
            pixels += np.count_nonzero(small != IGNORE)
            for truth, predicted in zip(labels, predictions, strict=True):
                height, width = truth.shape
                confusion.update(truth, resize_labels(predicted, (height, width)))
        return Score(entropy / max(1.0, pixels), confusion)

    def images(self, count: int) -> np.ndarray:
        """Returns the first images at the network's size, uint8 [n, H, W, 3], n <= count."""
        chosen = self.samples[:count]
        return np.stack([resize_image(sample.read_image(), self.size) for sample in chosen])

    def _batches(self) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        for start in range(0, len(self.samples), self.batch_size):
            pairs = [sample.read() for sample in self.samples[start : start + self.batch_size]]
            images = np.stack([resize_image(image, self.size) for image, _ in pairs])
            yield images, [labels for _, labels in pairs]


class _LabelsAndEntropy(keras.layers.Layer):
    """Labels [N, H, W] uint8 and summed cross-entropy [N] of inputs [logits, true labels]."""

    def call(self, inputs: list) -> tuple[Any, Any]:
        logits, labels = inputs
        valid = ops.not_equal(labels, IGNORE)
        classes = ops.cast(ops.where(valid, labels, 0), "int32")
        entropy = ops.sparse_categorical_crossentropy(classes, logits, from_logits=True)
        entropy = ops.sum(entropy * ops.cast(valid, logits.dtype), axis=(1, 2))
        return ops.cast(ops.argmax(logits, axis=-1), "uint8"), entropy


def _scorer(model: keras.Model) -> keras.Model:
    labels = keras.Input((None, None), dtype="int32", name="labels")
    scored = _LabelsAndEntropy(name="score")([model.output, labels])
    return keras.Model([model.input, labels], scored)
