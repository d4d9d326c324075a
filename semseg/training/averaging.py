"""Batch norm's statistics for averaged weights."""

from collections.abc import Iterable
from typing import Any

import keras

from semseg.networks.recomputation import flat_layers


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
