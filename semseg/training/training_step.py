"""One optimizer step: the error of one that leads nowhere, its time and memory.

Averaged weights need batch norm's statistics anew, which are settled here as well.
"""

import math
import os
import resource
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from semseg.data.batches.batches import Batch
from semseg.errors import SemsegError
from semseg.networks.recomputation import flat_layers
from semseg.training.inputs import network_inputs


def settle_statistics(model: keras.Model, batches: Iterable[Any]) -> None:
    """Sets batch norm's running statistics to their means under the model's present weights.

    The statistics that training kept belong to the weights of its last steps, not to their
    average over many; with them an averaged network can score far below either. Source:
    Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI
    2018, section 3.2.

    Args:
      model: its weights stay as they are.
      batches: the model's inputs, float32 images [N, H, W, C], 0..255, as it is trained on.
    """
    layers = [
        layer for layer in flat_layers(model) if isinstance(layer, keras.layers.BatchNormalization)
    ]
    momenta = [layer.momentum for layer in layers]
    for index, inputs in enumerate(batches):
        for layer in layers:
            layer.momentum = index / (index + 1)  # The mean of all batches so far.
        model(inputs, training=True)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


WARM_UP_STEPS = 3
"""First steps of a process, which compile and allocate."""


class Usage:
    """Times of the steps of this process."""

    def __init__(self) -> None:
        self._seconds: list[float] = []

    def add(self, seconds: float) -> None:
        """Adds the duration of a step."""
        self._seconds.append(seconds)

    def summary(self) -> dict[str, Any]:
        """Returns what ``usage.json`` says; the median leaves out the first steps."""
        steady = self._seconds[WARM_UP_STEPS:] or self._seconds
        return {
            "peak_memory_mib": round(peak_memory_mib()),
            "median_step_seconds": round(float(np.median(steady)), 4) if steady else None,
            "timed_steps": len(steady),
            "backend": keras.backend.backend(),
            "processors": os.cpu_count(),
        }


def peak_memory_mib() -> float:
    """Returns the most memory of the host that this process has held, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


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
