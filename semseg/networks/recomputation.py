"""Gradient checkpointing: memory for time in training.

Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016 (arXiv 1604.06174).
"""

from collections.abc import Iterator
from typing import Any

import keras


def flat_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yields a network's layers, with those inside its recomputed parts in the parts' place."""
    for layer in model.layers:
        if isinstance(layer, Recomputed):
            yield from flat_layers(layer)
        else:
            yield layer


@keras.saving.register_keras_serializable("semseg")
class Recomputed(keras.Model):
    """Part of a network whose inner activations are computed again in the backward pass.

    Training keeps its input and output alone. It is built like any functional model, has the
    weights of one, and outside of training is one.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Runs the part; in training, its running statistics move once, not twice."""
        if not training:
            return super().call(inputs, training=training, mask=mask)
        outputs, states = keras.remat(self._pure)(
            inputs,
            [variable.value for variable in self.trainable_variables],
            [variable.value for variable in self.non_trainable_variables],
        )
        for variable, value in zip(self.non_trainable_variables, states):
            variable.assign(value)
        return outputs

    def _pure(self, inputs: Any, weights: list, states: list) -> tuple[Any, list]:
        """Returns the outputs and the new states, without changing any variable."""
        values = [*zip(self.trainable_variables, weights)]
        values += zip(self.non_trainable_variables, states)
        with keras.StatelessScope(state_mapping=values) as scope:
            outputs = super().call(inputs, training=True)
        return outputs, [scope.get_current_value(state) for state in self.non_trainable_variables]
