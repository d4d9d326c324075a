"""Losses over logits [N, H, W, C] and labels [N, H, W]; ``IGNORE`` pixels count nowhere."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from semseg.classes import IGNORE


class CrossEntropy(keras.losses.Loss):
    """Mean cross-entropy of the pixels that have a class; 0 if none has.

    Args:
      class_weights: weight of each class in the mean, or None for all alike.
    """

    def __init__(self, class_weights: Sequence[float] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.class_weights = class_weights

    def call(self, labels: Any, logits: Any) -> Any:
        """Returns the loss of labels (0..C-1 or ``IGNORE``, any dtype) under logits."""
        entropy, weights = self._pixels(labels, logits)
        return ops.sum(entropy * weights) / ops.maximum(ops.sum(weights), 1e-6)

    def _pixels(self, labels: Any, logits: Any) -> tuple[Any, Any]:
        """Cross-entropy and weight of each pixel, both [N, H, W]; the weight of void is 0."""
        valid = ops.not_equal(labels, IGNORE)
        # The true class of a void pixel must be a class, else its entropy is NaN: take 0.
        classes = ops.cast(ops.where(valid, labels, 0), "int32")
        entropy = ops.sparse_categorical_crossentropy(classes, logits, from_logits=True)
        weights = ops.cast(valid, logits.dtype)
        if self.class_weights is not None:
            table = ops.convert_to_tensor(self.class_weights, dtype=logits.dtype)
            weights = weights * ops.take(table, classes)
        return entropy, weights


class BootstrappedCrossEntropy(CrossEntropy):
    """Mean cross-entropy of the ``fraction`` of each image's pixels that are worst.

    Source: Pohlen et al. (FRRN), CVPR 2017, section 4.2, where K = 512 * 64 pixels of an image
    count; PARIS-sem-seg takes a quarter. Void pixels are never among them: an image with
    fewer than K labelled pixels counts with all of these.

    Args:
      fraction: share of an image's pixels that count, above 0 to 1.
      class_weights: as in ``CrossEntropy``; they also decide which pixels are worst.
    """

    def __init__(
        self, fraction: float = 0.25, class_weights: Sequence[float] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(class_weights, **kwargs)
        self.fraction = fraction

    def call(self, labels: Any, logits: Any) -> Any:
        """Returns the loss of labels (0..C-1 or ``IGNORE``, any dtype) under logits."""
        entropy, weights = self._pixels(labels, logits)
        images, pixels = ops.shape(entropy)[0], int(np.prod(entropy.shape[1:]))
        kept = max(1, round(self.fraction * pixels))
        worst, where = ops.top_k(
            ops.reshape(entropy * weights, (images, pixels)), kept, sorted=False
        )
        kept_weights = ops.take_along_axis(ops.reshape(weights, (images, pixels)), where, axis=1)
        return ops.sum(worst) / ops.maximum(ops.sum(kept_weights), 1e-6)
