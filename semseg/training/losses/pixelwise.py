"""Losses that are a mean of something of each pixel alone."""

import math
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
        return _mean(entropy, weights)

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
        worst, where = _largest(entropy * weights, self.fraction)
        kept_weights = ops.take_along_axis(_per_image(weights), where, axis=1)
        return ops.sum(worst) / ops.maximum(ops.sum(kept_weights), 1e-6)


class OhemCrossEntropy(CrossEntropy):
    """Mean cross-entropy of the pixels whose true class is not yet probable.

    Online hard example mining as HRNet, DDRNet and PIDNet train: a pixel counts while the
    probability of its class is below ``threshold``, or if it is among the worst ``min_fraction``
    of its image, so that an image that is learnt already still says something. They take these
    from the whole batch; per image the loss does not depend on how a batch is spread over
    devices. Source: Shrivastava et al., CVPR 2016, for the idea.

    Args:
      threshold: probability from which on a pixel is easy, 0 to 1.
      min_fraction: share of an image's pixels that count whatever their probability; PIDNet's
        131072 pixels of a crop of 1024x1024 are an eighth.
      class_weights: as in ``CrossEntropy``; they do not decide which pixels are worst.
    """

    def __init__(
        self,
        threshold: float = 0.7,
        min_fraction: float = 0.125,
        class_weights: Sequence[float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(class_weights, **kwargs)
        self.threshold = threshold
        self.min_fraction = min_fraction

    def call(self, labels: Any, logits: Any) -> Any:
        """Returns the loss of labels (0..C-1 or ``IGNORE``, any dtype) under logits."""
        entropy, weights = self._pixels(labels, logits)
        hardness = ops.stop_gradient(ops.where(weights > 0, entropy, -1.0))
        worst, _ = _largest(hardness, self.min_fraction)
        bound = ops.minimum(ops.min(worst, axis=1), -math.log(self.threshold))
        hard = hardness >= ops.reshape(bound, (-1, 1, 1))
        return _mean(entropy, weights * ops.cast(hard, weights.dtype))


class FocalLoss(CrossEntropy):
    """Mean of ``(1 - p) ** gamma`` times the cross-entropy, p the probability of the true class.

    Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, equation 5, whose
    alpha is ``class_weights`` here.

    Args:
      gamma: 0 is cross-entropy; the larger, the less do easy pixels count.
      class_weights: as in ``CrossEntropy``.
    """

    def __init__(
        self, gamma: float = 2.0, class_weights: Sequence[float] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(class_weights, **kwargs)
        self.gamma = gamma

    def call(self, labels: Any, logits: Any) -> Any:
        """Returns the loss of labels (0..C-1 or ``IGNORE``, any dtype) under logits."""
        entropy, weights = self._pixels(labels, logits)
        # 1 - p = 1 - exp(-entropy), without cancellation; the power has no slope at 0.
        doubt = ops.maximum(-ops.expm1(-entropy), 1e-7)
        return _mean(doubt**self.gamma * entropy, weights)


def _mean(values: Any, weights: Any) -> Any:
    return ops.sum(values * weights) / ops.maximum(ops.sum(weights), 1e-6)


def _per_image(values: Any) -> Any:
    """Reshapes [N, H, W] to [N, H * W]."""
    return ops.reshape(values, (-1, int(np.prod(values.shape[1:]))))


def _largest(values: Any, fraction: float) -> tuple[Any, Any]:
    """The largest share of each image's values [N, H, W] and their indices, both [N, K]."""
    values = _per_image(values)
    return ops.top_k(values, max(1, round(fraction * values.shape[1])), sorted=False)
