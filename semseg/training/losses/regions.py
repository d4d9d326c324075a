"""Losses that compare regions: what they minimise is one minus an overlap of each class."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from semseg.classes import IGNORE
from semseg.training.losses.pixelwise import CrossEntropy

BINS = 4096
"""Into how many bins ``LovaszLoss`` sorts errors, which reach from 0 to 1."""


class RegionLoss(keras.losses.Loss):
    """Mean of a class's loss over the classes that the batch shows; 0 if it shows none.

    Args:
      class_weights: weight of each class in the mean, or None for all alike.
      cross_entropy: weight of ``CrossEntropy`` that is added, because overlaps alone say little
        about a network that is wrong everywhere.
    """

    def __init__(
        self,
        class_weights: Sequence[float] | None = None,
        cross_entropy: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.class_weights = class_weights
        self.cross_entropy = cross_entropy
        self._entropy = CrossEntropy(class_weights)

    def call(self, labels: Any, logits: Any) -> Any:
        """Returns the loss of labels (0..C-1 or ``IGNORE``, any dtype) under logits."""
        classes = logits.shape[-1]
        probabilities = ops.reshape(ops.softmax(logits), (-1, classes))
        # A void pixel is of no class: one_hot gives it zeros.
        truth = ops.reshape(ops.cast(labels, "int32"), (-1,))
        truth = ops.where(ops.equal(truth, IGNORE), -1, truth)
        weights = ops.cast(ops.any(ops.equal(truth[:, None], ops.arange(classes)), 0), logits.dtype)
        if self.class_weights is not None:
            weights = weights * ops.convert_to_tensor(self.class_weights, dtype=logits.dtype)
        losses = self._classes(truth, probabilities)
        loss = ops.sum(losses * weights) / ops.maximum(ops.sum(weights), 1e-6)
        if self.cross_entropy:
            loss = loss + self.cross_entropy * self._entropy.call(labels, logits)
        return loss

    def _classes(self, truth: Any, probabilities: Any) -> Any:
        """Loss [C] of each class, of truth [P] (-1 void) and probabilities [P, C]."""
        raise NotImplementedError


class DiceLoss(RegionLoss):
    """One minus the soft Dice coefficient, ``2 sum(p y) / (sum(p) + sum(y))``, of each class.

    The sums run over the labelled pixels of the batch. Source: Sudre et al., "Generalised Dice
    overlap as a deep learning loss function for highly unbalanced segmentations", 2017,
    equation of DL2 without its smoothing term, which only absent classes need.
    """

    def _classes(self, truth: Any, probabilities: Any) -> Any:
        valid = ops.cast(truth >= 0, probabilities.dtype)[:, None]
        shown = ops.one_hot(truth, probabilities.shape[-1], dtype=probabilities.dtype)
        both = ops.sum(probabilities * shown, axis=0)
        either = ops.sum(probabilities * valid, axis=0) + ops.sum(shown, axis=0)
        return 1 - 2 * both / ops.maximum(either, 1e-6)


class LovaszLoss(RegionLoss):
    """The Lovasz extension of one minus each class's IoU, over the batch.

    Source: Berman et al., "The Lovasz-Softmax loss", CVPR 2018, equations 8 and 12. It is the sum
    of each pixel's error times the step that the Jaccard loss makes when the pixel joins those
    with larger errors. The steps are taken from histograms of the errors, not from their order:
    pixels of a bin share its steps. That costs a twentieth of sorting, and the value is
    within ``1 / BINS`` of the sorted one.
    """

    def _classes(self, truth: Any, probabilities: Any) -> Any:
        classes = probabilities.shape[-1]
        shown = ops.one_hot(truth, classes, dtype=probabilities.dtype)
        errors = ops.abs(shown - probabilities)
        steps = ops.stop_gradient(_jaccard_steps(truth, shown, errors))
        return ops.sum(errors * steps, axis=0)


def _jaccard_steps(truth: Any, shown: Any, errors: Any) -> Any:
    """Step of the Jaccard loss by each pixel and class, [P, C]; 0 of void pixels.

    With F pixels of a class and B others whose error is at least t, the Jaccard loss of the
    class with G pixels is 1 - (G - F) / (G + B). Over one bin it rises from u v to u' v', where
    u = G - F and v = 1 / (G + B); the rise is split exactly into the part of the class's pixels,
    (u - u') (v + v') / 2, and that of the others, (v - v') (u + u') / 2.
    """
    classes = errors.shape[-1]
    bins = ops.cast(ops.clip(errors, 0, 1) * (BINS - 1), "int32")
    # A cell for each class, bin and whether the pixel is of the class; the last one is void's.
    void = 2 * BINS * classes
    cell = 2 * (BINS * ops.arange(classes) + bins) + ops.cast(shown, "int32")
    cell = ops.where((truth >= 0)[:, None], cell, void)
    cells = ops.reshape(cell, (-1,))
    counts = ops.segment_sum(ops.ones_like(cells), cells, num_segments=void + 1)[:void]
    counts = ops.cast(ops.reshape(counts, (classes, BINS, 2)), errors.dtype)
    with_larger = ops.flip(ops.cumsum(ops.flip(counts, 1), axis=1), 1)
    total = with_larger[:, :1, 1]
    missed, added = total - with_larger[..., 1], total + with_larger[..., 0]
    u, v = missed, 1 / ops.maximum(added, 1)
    u_before, v_before = u + counts[..., 1], 1 / ops.maximum(added - counts[..., 0], 1)
    of_others = v * v_before * (u + u_before) / 2
    of_class = (v + v_before) / 2
    table = ops.reshape(ops.stack([of_others, of_class], axis=-1), (-1,))
    return ops.take(ops.concatenate([table, ops.zeros(1, errors.dtype)]), cell)
