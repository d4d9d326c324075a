"""The sum over a network's outputs: heads and auxiliary outputs."""

from collections.abc import Iterable, Mapping
from typing import Any

import keras
from keras import ops

from semseg.classes import IGNORE
from semseg.networks.heads import head_of, is_boundary, is_teacher
from semseg.training.loss_config import TeacherConfig
from semseg.training.losses.boundaries import BoundaryLoss
from semseg.training.losses.soft_labels import SoftLabels

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
