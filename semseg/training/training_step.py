"""One optimizer step, and the error of one that leads nowhere."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from semseg.data.batches.batches import Batch
from semseg.errors import SemsegError
from semseg.training.inputs import network_inputs

Targets = Callable[[Batch, Sequence[str]], Mapping[str, np.ndarray]]
"""Gives what each of the named outputs learns from a batch."""


class DivergenceError(SemsegError):
    """A run whose loss or weights are no numbers any more."""


class TrainingStep:
    """Forward, backward and update.

    Args:
      model: compiled; its optimizer updates the weights once in as many batches as a step has.
      targets: gives the labels of the outputs of a model that has several.
    """

    def __init__(self, model: keras.Model, targets: Targets) -> None:
        self.model = model
        self._targets = targets

    def run(self, batches: Sequence[Batch], step: int) -> float:
        """Trains on the batches of one step.

        Args:
          batches: as many as the gradient is the mean of.
          step: number of the step, for the error.

        Returns:
          The mean loss, auxiliary outputs and heads added up.

        Raises:
          DivergenceError: the loss is NaN or infinite; names the step and the files.
        """
        losses = [self._run_batch(batch) for batch in batches]
        for loss, batch in zip(losses, batches, strict=True):
            if not math.isfinite(loss):
                raise DivergenceError(
                    f"the loss is {loss} at step {step}, on the batch of {', '.join(batch.names)}; "
                    "a lower optimizer.learning_rate or optimizer.clip_norm may help"
                )
        return math.fsum(losses) / len(losses)

    def check_weights(self, step: int) -> None:
        """Raises ``DivergenceError`` if a weight is no number: such weights are not saved."""
        for variable in self.model.weights:
            if not np.all(np.isfinite(keras.ops.convert_to_numpy(variable))):
                raise DivergenceError(
                    f"{variable.path} is no number after step {step}, though the loss still was; "
                    "a lower optimizer.learning_rate or optimizer.clip_norm may help"
                )

    def _run_batch(self, batch: Batch) -> float:
        self.model.reset_metrics()
        inputs = network_inputs(self.model, batch.images, batch.second)
        labels = self._labels(batch)
        losses = self.model.train_on_batch(inputs, labels, _weights(labels), return_dict=True)
        return float(losses["loss"])

    def _labels(self, batch: Batch) -> Any:
        outputs = self.model.output
        return self._targets(batch, list(outputs)) if isinstance(outputs, dict) else batch.labels


def _weights(labels: Any) -> Any:
    """A weight of 1 for each sample where Keras distributes batches: it cannot distribute None."""
    if keras.distribution.distribution() is None:
        return None
    return keras.tree.map_structure(lambda output: np.ones(len(output), np.float32), labels)
