"""The loss of an output that learns the probabilities that another network gives."""

from typing import Any

import keras
from keras import ops

from semseg.data.soft_labels import ONE


class SoftLabels(keras.losses.Loss):
    """Mean cross-entropy to soft labels, both softened by a temperature; 0 if there are none.

    Source: Hinton et al., "Distilling the Knowledge in a Neural Network", 2015, section 2: the
    logits of both are divided by the temperature T, and the loss is multiplied by T squared, as
    its gradient shrinks with the square. Of a teacher's probabilities p, its logits over T give
    p ** (1 / T), made to add up to 1; soft labels hold the roots of p.

    Args:
      temperature: above 0; the larger, the more do improbable classes say.
    """

    def __init__(self, temperature: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.temperature = temperature

    def call(self, soft_labels: Any, logits: Any) -> Any:
        """Returns the loss of soft labels [N, H, W, C] (0..255, any dtype) under logits."""
        roots = ops.cast(soft_labels, logits.dtype) / ONE
        valid = ops.cast(ops.any(roots > 0, axis=-1), logits.dtype)
        softened = roots if self.temperature == 2 else roots ** (2 / self.temperature)
        total = ops.maximum(ops.sum(softened, axis=-1), 1e-6)
        logs = ops.log_softmax(logits / self.temperature)
        entropy = -ops.sum(softened * logs, axis=-1) / total
        mean = ops.sum(entropy * valid) / ops.maximum(ops.sum(valid), 1.0)
        return self.temperature**2 * mean
