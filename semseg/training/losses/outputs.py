"""The sum over a network's outputs: heads, auxiliary outputs, and outputs that tell boundaries."""

from collections.abc import Iterable, Mapping
from typing import Any

import keras
from keras import ops

from semseg.classes import IGNORE
from semseg.networks.heads import head_of, is_boundary, is_teacher
from semseg.training.config.optimization import TeacherConfig
from semseg.training.losses.soft_labels import SoftLabels

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


BOUNDARY_FACTOR = 50.0
"""Weight of an output that tells boundaries, over that of an auxiliary one: PIDNet's 20 to 0.4."""


class HeadLoss(keras.losses.Loss):
    """A head's loss times the share of the batch's images that have labels of the head.

    The labels of an image are ``IGNORE`` for the heads of other datasets. With this factor each
    image of a batch counts alike, as in PARIS-sem-seg, and not each head.

    Args:
      loss: the loss of a batch with labels of the head alone.
    """

    def __init__(self, loss: keras.losses.Loss, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.loss = loss

    def call(self, labels: Any, logits: Any) -> Any:
        """Returns the loss of labels (0..C-1 or ``IGNORE``, any dtype) under logits."""
        labelled = ops.any(ops.not_equal(labels, IGNORE), axis=(1, 2))
        return self.loss.call(labels, logits) * ops.mean(ops.cast(labelled, logits.dtype))


def output_losses(
    losses: Mapping[str, keras.losses.Loss],
    outputs: Iterable[str],
    auxiliary_weight: float,
    teacher: TeacherConfig | None = None,
) -> tuple[dict[str, keras.losses.Loss], dict[str, float]]:
    """Spreads the losses of heads over all outputs of a network, for ``Model.compile``.

    Args:
      losses: loss of each head.
      outputs: names of the network's outputs, see ``semseg.networks.heads``.
      auxiliary_weight: weight of an auxiliary output's loss; that of a head is 1, that of an
        output that tells boundaries ``BOUNDARY_FACTOR`` times as large.
      teacher: what the output that learns a teacher, if there is one, is to do.

    Returns:
      The loss and the weight of each output.
    """
    by_output: dict[str, keras.losses.Loss] = {}
    weights: dict[str, float] = {}
    for output in outputs:
        head = head_of(output)
        if is_teacher(output):
            assert teacher is not None  # Else there is no such output.
            by_output[output] = SoftLabels(teacher.temperature)
            weights[output] = teacher.weight
            continue
        by_output[output] = HeadLoss(BoundaryLoss()) if is_boundary(output) else losses[head]
        factor = BOUNDARY_FACTOR if is_boundary(output) else 1.0
        weights[output] = 1.0 if output == head else factor * auxiliary_weight
    return by_output, weights
