"""What is left of batch normalisations after Grappler, folded into convolutions.

Grappler's constant folding moves the factor of a normalisation into the weights of a ``Conv2D``
before it, not into those of a depthwise convolution, and leaves its offset an ``AddV2``, which
TensorFlow 1.15 does not fuse with the convolution as it does a ``BiasAdd``. A normalisation that
stands after a sum (pre-activation) cannot be folded. ``docs/frozen_graph.md`` has what each pass
brings.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from semseg.runtime.graph.graph_def import source_name

DEPTHWISE = "DepthwiseConv2dNative"
CONVOLUTIONS = ("Conv2D", DEPTHWISE)


class GraphEditor:
    """A GraphDef that is edited in place.

    Attributes:
      definition: the GraphDef.
      nodes: its nodes by name.
      uses: how many inputs and outputs name each node.
    """

    def __init__(self, definition: Any, outputs: Iterable[str]) -> None:
        self.definition = definition
        self.nodes = {node.name: node for node in definition.node}
        inputs = (source_name(source) for node in definition.node for source in node.input)
        self.uses = Counter([*inputs, *outputs])

    def floats(self, tensor: str) -> np.ndarray | None:
        """Returns the value of a float32 constant, None if the tensor is none."""
        node = self.nodes[source_name(tensor)]
        if node.op != "Const" or node.attr["dtype"].type != tf.float32.as_datatype_enum:
            return None
        return tf.make_ndarray(node.attr["value"].tensor)

    def per_channel(self, node: Any) -> tuple[Any, np.ndarray] | None:
        """Splits the inputs of a sum or product.

        Returns:
          The node that only this one uses, and the constants [C] that it meets; None if the
          node's inputs are not such a pair.
        """
        for tensor, other in (tuple(node.input), tuple(reversed(node.input))):
            values = self.floats(other)
            if values is not None and values.ndim and values.size == values.shape[-1]:
                source = self.nodes[source_name(tensor)]
                return (source, values.reshape(-1)) if self.uses[source.name] == 1 else None
        return None

    def add_constant(self, name: str, values: np.ndarray) -> str:
        """Adds a constant, float32 or int32, and returns its name."""
        node = self.definition.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
        node.attr["dtype"].type = node.attr["value"].tensor.dtype
        self.nodes[name] = node
        return name


def fold_depthwise_scales(definition: Any, outputs: Iterable[str]) -> None:
    """Moves a factor per channel behind a depthwise convolution into its weights."""
    graph = GraphEditor(definition, outputs)
    for node in list(definition.node):
        pair = graph.per_channel(node) if node.op == "Mul" else None
        if pair is None or pair[0].op != DEPTHWISE:
            continue
        convolution, scales = pair
        weights = graph.floats(convolution.input[1])
        if weights is not None and scales.size == _channels(convolution, weights):
            name, scaled = node.name, weights * scales.reshape(weights.shape[2:])
            node.CopyFrom(convolution)
            node.name = name  # It takes the product's place, so that what follows finds it.
            node.input[1] = graph.add_constant(f"{name}/weights", scaled)


def fuse_biases(definition: Any, outputs: Iterable[str]) -> None:
    """Makes a sum of a convolution and one constant per channel its bias."""
    graph = GraphEditor(definition, outputs)
    for node in list(definition.node):
        pair = graph.per_channel(node) if node.op == "AddV2" else None
        if pair is None or pair[0].op not in CONVOLUTIONS:
            continue
        convolution, biases = pair
        weights = graph.floats(convolution.input[1])
        if weights is not None and biases.size == _channels(convolution, weights):
            node.op = "BiasAdd"
            node.input[:] = [convolution.name, graph.add_constant(f"{node.name}/bias", biases)]


def _channels(convolution: Any, weights: np.ndarray) -> int:
    """Returns how many channels a convolution makes; weights are [h, w, in, out or multiplier]."""
    _, _, inputs, outputs = weights.shape
    return inputs * outputs if convolution.op == DEPTHWISE else outputs
