"""What a network costs: parameters, multiplications, memory. Computed from its layers.

``VARIANTS`` are the networks as their authors describe them, with the parameters they state.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

from semseg.networks.recomputation import flat_layers


class Variant(NamedTuple):
    """A network with options.

    Attributes:
      network: its name in ``NETWORKS``.
      options: its options.
      num_classes: number of classes that the stated count is for.
      millions: stated trainable parameters in millions; None where no statement was found.
      source: who states it, and why it differs if it does.
    """

    network: str
    options: Mapping[str, Any]
    num_classes: int
    millions: float | None
    source: str

    @property
    def label(self) -> str:
        """Name and options, as one would write them in an experiment."""
        return " ".join([self.network, *(f"{key}={value}" for key, value in self.options.items())])


VARIANTS = (
    Variant(
        "resnet_baseline",
        {"base_width": 8},
        20,
        0.503,
        "PARIS-sem-seg's reduced model, computed from its layers",
    ),
    Variant(
        "resnet_baseline",
        {"base_width": 48},
        19,
        17.96,
        "PARIS-sem-seg's full model, computed from its layers",
    ),
    Variant(
        "sq",
        {"reading": "strided"},
        19,
        16.26,
        "Efficient-Segmentation-Networks' SQNet, computed from its layers (143.9 GMAC)",
    ),
    Variant(
        "sq",
        {"reading": "full_resolution"},
        34,
        14.04,
        "AutoSeg's SQ, computed from its layers",
    ),
    Variant("sq_stereo", {}, 19, None, "ours: SQ with a second encoder"),
    Variant("mobilenet_v1", {}, 19, None, "no count found for P12-Semantic-Segmentation"),
    Variant("mobilenet_v2", {}, 19, None, "no count found for this decoder"),
    Variant(
        "unet",
        {},
        2,
        31.04,
        "widespread count of U-Net with batch norm and transposed convolutions (31,037,698)",
    ),
    Variant(
        "enet",
        {},
        19,
        0.37,
        "the paper; 0.367 with the biases and the encoder's own classifier of its authors' code",
    ),
    Variant("dabnet", {}, 19, 0.76, "the paper"),
    Variant(
        "fast_scnn",
        {},
        19,
        1.11,
        "the paper; the layers of its table 1 add up to 1.14 here",
    ),
    Variant(
        "bisenet_v2",
        {},
        19,
        2.27,
        "zh320's version, narrower in its head and aggregation: compared below",
    ),
    Variant("ddrnet", {}, 19, 5.7, "the paper: DDRNet-23-slim (36.3 GMAC at 1024x2048)"),
    Variant("pidnet", {}, 19, 7.6, "the paper: PIDNet-S (47.6 GMAC at 1024x2048)"),
    Variant(
        "swiftnet",
        {},
        19,
        None,
        "ours: the ladder of the paper on EfficientNet-Lite0; on MobileNetV2 it states 2.4",
    ),
    Variant("color_position", {}, 11, None, "ours: the floor, a pixel's colour and position"),
)


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
