"""The loss of outputs that tell where one class ends and another begins."""

from typing import Any

import keras
from keras import ops

from semseg.classes import IGNORE

WINDOW = 5
"""Pixels: a pixel is of a boundary if labels differ in the square of this side around it."""


class BoundaryLoss(keras.losses.Loss):
    """Mean binary cross-entropy of boundary and other pixels, each kind weighted by the other's.

    Boundaries are few: each of their pixels weighs as the share of the other labelled pixels of
    the batch, each other one as their share. They come from the labels; void pixels are neither,
    and make none. Source: Xu et al., PIDNet, CVPR 2023, loss l1, whose boundaries, found by edge
    detection, are four pixels wide as these are.
    """

    def call(self, labels: Any, logits: Any) -> Any:
        """Returns the loss of labels [N, H, W] (0..C-1 or ``IGNORE``) under logits [N, H, W, 1]."""
        labels = ops.cast(labels, logits.dtype)
        valid = ops.cast(ops.not_equal(labels, IGNORE), logits.dtype)
        truth = ops.cast(boundaries(labels), logits.dtype) * valid
        count = ops.maximum(ops.sum(valid), 1.0)
        share = ops.sum(truth) / count
        weights = valid * (truth * (1 - share) + (1 - truth) * share)
        logits = logits[..., 0]
        # -log(sigmoid(x)) and -log(1 - sigmoid(x)), both without overflow.
        entropy = truth * ops.softplus(-logits) + (1 - truth) * ops.softplus(logits)
        return ops.sum(weights * entropy) / count


def boundaries(labels: Any) -> Any:
    """Returns whether two classes are near a pixel.

    Args:
      labels: floats [N, H, W], 0..C-1 or ``IGNORE``.

    Returns:
      bool [N, H, W].
    """
    labels = labels[..., None]
    void = ops.equal(labels, IGNORE)
    largest = _largest_near(ops.where(void, -1.0, labels))
    smallest = -_largest_near(ops.where(void, -float(IGNORE), -labels))
    # Where all are void, largest is -1 and smallest IGNORE.
    return (largest > smallest)[..., 0]


def _largest_near(values: Any) -> Any:
    return ops.max_pool(values, WINDOW, strides=1, padding="same")
