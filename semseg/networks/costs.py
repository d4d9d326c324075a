"""What a network costs: parameters, multiplications, memory. Computed from its layers."""

from typing import Any, NamedTuple

import keras
import numpy as np

from semseg.networks.recomputation import flat_layers

_IN_PLACE = (
    keras.layers.BatchNormalization,
    keras.layers.Dropout,
    keras.layers.ELU,
    keras.layers.GroupNormalization,
    keras.layers.PReLU,
    keras.layers.ReLU,
    keras.layers.Rescaling,
    keras.layers.SpatialDropout2D,
)
"""Layers that engines fold into the one before, or compute in its memory."""
_FLOAT32_BYTES = 4


class Costs(NamedTuple):
    """Costs of one image.

    Attributes:
      parameters: trainable parameters.
      macs: multiply-accumulate operations of all convolutions. Others, such as resizing, pooling
        and normalisations (which freezing folds into convolutions), are not counted.
      peak_bytes: most float32 activations that are alive at once when the layers run in Keras'
        order: each from the layer that makes it to the last that reads it. An engine that keeps
        them longer, or copies, needs more.
    """

    parameters: int
    macs: int
    peak_bytes: int


def costs(model: keras.Model, size: tuple[int, int]) -> Costs:
    """Computes the costs of a network, built without gradient checkpointing.

    Args:
      model: the network.
      size: (height, width) of its input.
    """
    shapes = {id(tensor): (1, *size, tensor.shape[-1]) for tensor in model.inputs}
    macs = 0
    for layer in _computing(model):
        inputs = keras.tree.map_structure(lambda tensor: shapes[id(tensor)], layer.input)
        shapes[id(layer.output)] = layer.compute_output_shape(inputs)
        macs += _macs(layer, inputs, shapes[id(layer.output)])
    parameters = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    return Costs(parameters, macs, _peak_bytes(model, shapes))


def _computing(model: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in flat_layers(model) if not isinstance(layer, keras.layers.InputLayer)]


def _macs(layer: keras.layers.Layer, inputs: Any, output: tuple) -> int:
    """Each element of a kernel multiplies once for each position it is laid on."""
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return int(np.prod(layer.kernel.shape) * np.prod(inputs[1:3]))
    if isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
        return int(np.prod(layer.kernel.shape) * np.prod(output[1:3]))
    return 0


def _peak_bytes(model: keras.Model, shapes: dict[int, tuple]) -> int:
    layers = _computing(model)
    # A tensor and what is computed in its place share memory, known by the first one's id.
    memory = {id(tensor): id(tensor) for tensor in model.inputs}
    for layer in layers:
        output = id(layer.output)
        memory[output] = memory[id(layer.input)] if isinstance(layer, _IN_PLACE) else output
    last_read = {memory[id(tensor)]: len(layers) for tensor in model.outputs}
    for index, layer in reversed(list(enumerate(layers))):
        for tensor in [*keras.tree.flatten(layer.input), layer.output]:
            last_read.setdefault(memory[id(tensor)], index)
    alive, peak = {memory[id(tensor)] for tensor in model.inputs}, 0
    for index, layer in enumerate(layers):
        alive.add(memory[id(layer.output)])
        elements = sum(int(np.prod(shapes[tensor])) for tensor in alive)
        peak = max(peak, elements * _FLOAT32_BYTES)
        alive = {tensor for tensor in alive if last_read[tensor] > index}
    return peak
