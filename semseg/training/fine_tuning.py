"""Fine-tuning: layers that stay as they are, and learning rates of their own."""

import fnmatch
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from semseg.errors import ConfigError
from semseg.networks.recomputation import flat_layers
from semseg.training.config.optimization import FineTuningConfig

logger = logging.getLogger(__name__)


class Freezing:
    """The frozen layers of a network.

    Args:
      model: the network.
      config: which layers are frozen, and how long.

    Raises:
      ConfigError: a pattern matches no layer with weights, or all of them together match every
        one.
    """

    def __init__(self, model: keras.Model, config: FineTuningConfig) -> None:
        self._model = model
        self._until = config.frozen_until
        layers = [layer for layer in flat_layers(model) if layer.weights]
        chosen = {
            layer.name
            for pattern in config.frozen
            for layer in _matching(layers, pattern, "fine_tuning.frozen")
        }
        if len(chosen) == len(layers):
            raise ConfigError("fine_tuning.frozen matches every layer; nothing is left to learn")
        self._layers = [layer for layer in layers if layer.name in chosen]

    def apply(self, step: int) -> None:
        """Freezes the layers, or lets them learn, as a step needs it.

        The graph of a training step depends on what is frozen: it is built anew when that changes.
        """
        is_frozen = self._until is None or step < self._until
        changed = [layer for layer in self._layers if layer.trainable == is_frozen]
        if not changed:
            return
        for layer in changed:
            layer.trainable = not is_frozen
        logger.info("step %d: %d layers %s", step, len(changed), "frozen" if is_frozen else "learn")
        if self._model.compiled:
            self._model.make_train_function(force=True)


def rate_factors(model: keras.Model, rates: Mapping[str, float]) -> list[float]:
    """Returns the factor on the rate of each trainable variable of a model, in order.

    Args:
      model: the network, with nothing frozen.
      rates: factor by pattern of layer names.

    Raises:
      ConfigError: a pattern matches no layer with weights.
    """
    layers = [layer for layer in flat_layers(model) if layer.weights]
    by_layer: dict[str, float] = {}
    for pattern, factor in rates.items():
        for layer in _matching(layers, pattern, "fine_tuning.rates"):
            by_layer.setdefault(layer.name, factor)
    by_variable = {
        id(variable): by_layer.get(layer.name, 1.0)
        for layer in layers
        for variable in layer.trainable_variables
    }
    return [by_variable[id(variable)] for variable in model.trainable_variables]


def with_rates(
    kind: type[keras.optimizers.Optimizer], factors: Sequence[float]
) -> type[keras.optimizers.Optimizer]:
    """Returns an optimizer's class whose rate and weight decay have a factor for each variable.

    Args:
      kind: one of Keras's optimizers.
      factors: of the variables, in the order in which the optimizer is built with them.
    """
    if all(factor == 1 for factor in factors):
        return kind

    base: Any = kind

    class Rated(base):
        weight_decay: float | None

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            factor = factors[self._get_variable_index(variable)]
            super().update_step(gradient, variable, learning_rate * factor)

        def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
            decay = self.weight_decay
            for factor in sorted(set(factors)):
                group = [v for v in variables if factors[self._get_variable_index(v)] == factor]
                self.weight_decay = decay and decay * factor
                super()._apply_weight_decay(group)
            self.weight_decay = decay

    Rated.__name__ = kind.__name__
    return Rated


def _matching(
    layers: Sequence[keras.layers.Layer], pattern: str, key: str
) -> list[keras.layers.Layer]:
    found = [layer for layer in layers if fnmatch.fnmatchcase(layer.name, pattern)]
    if not found:
        names = sorted({layer.name.split("_")[0] for layer in layers})
        raise ConfigError(
            f"{key}: '{pattern}' matches no layer; their names begin with {', '.join(names)}"
        )
    return found
