"""Groups neighbouring columns for narrow convolutions: exact, and faster in TensorFlow 1.15.

Its convolutions are matrix products whose inner sides are the numbers of channels; with 3 to 16
channels a processor's vector units stay half empty. A reshape, which costs nothing, makes g
neighbouring columns of C channels one column of g*C; the kernel is widened with zeros so that the
same products are summed. Other engines pack channels themselves and only pay for the zeros, so
this is done on request (``docs/frozen_graph.md`` has the figures).
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from semseg.training.export.folding import GraphEditor

_AFTER = ("BiasAdd", "Relu")
"""Ops that work on grouped columns as on single ones, and are fused with the convolution."""
_VERY_NARROW, _NARROW = 4, 16


def group_columns(definition: Any, outputs: Iterable[str]) -> int:
    """Groups the columns of the narrow convolutions of a graph of fixed size, in place.

    Args:
      definition: the GraphDef; convolutions whose width is open stay as they are.
      outputs: names of the nodes that must stay.

    Returns:
      How many convolutions were changed.
    """
    graph = GraphEditor(definition, outputs)
    shapes = _shapes(definition)
    found = [node for node in definition.node if node.op == "Conv2D"]
    return sum(_group(graph, node, shapes[node.name]) for node in found)


def widened(weights: np.ndarray, columns: int) -> np.ndarray:
    """Returns the kernel that computes grouped columns from grouped columns.

    Args:
      weights: [h, w, in, out], w odd, for single columns, stride 1 and zero padding.
      columns: how many columns are one.

    Returns:
      [h, w', columns * in, columns * out]: block (j, i) of group offset d holds the weights
      that lead from column j of the group d further on to column i.
    """
    height, width, inputs, made = weights.shape
    reach = width // 2
    groups = -(-reach // columns)
    wide = np.zeros((height, 2 * groups + 1, columns, inputs, columns, made), weights.dtype)
    for target in range(columns):
        for offset in range(-reach, reach + 1):
            group, source = divmod(target + offset, columns)
            wide[:, groups + group, source, :, target] = weights[:, reach + offset]
    return wide.reshape(height, 2 * groups + 1, columns * inputs, columns * made)


def _shapes(definition: Any) -> dict[str, tf.TensorShape]:
    """Returns the shape of each node's first output, as far as it is known before a run."""
    graph = tf.Graph()
    copy = type(definition).FromString(definition.SerializeToString())  # Importing adds defaults.
    with graph.as_default():
        tf.import_graph_def(copy, name="")
    return {node.name: node.outputs[0].shape for node in graph.get_operations() if node.outputs}


def _group(graph: GraphEditor, node: Any, shape: tf.TensorShape) -> bool:
    weights = graph.floats(node.input[1])
    _, height, width, made = shape
    if weights is None or width is None or not _is_plain(node):
        return False
    columns = _columns(weights)
    if columns == 1 or width % columns:
        return False
    grouped = [-1, height, width // columns, columns * weights.shape[2]]
    node.input[0] = _reshape(graph, f"{node.name}/columns", node.input[0], grouped)
    node.input[1] = graph.add_constant(f"{node.name}/wide", widened(weights, columns))
    last = _widen_followers(graph, node, columns)
    _insert_after(graph, last, [-1, height, width, made])
    return True


def _widen_followers(graph: GraphEditor, node: Any, columns: int) -> Any:
    """Lets bias and activation work on grouped columns; returns the last of them."""
    last, follower = node, _only_consumer(graph, node)
    while follower is not None and follower.op in _AFTER:
        biases = graph.floats(follower.input[1]) if follower.op == "BiasAdd" else None
        if biases is not None:
            wide = graph.add_constant(f"{follower.name}/wide", np.tile(biases, columns))
            follower.input[1] = wide
        last, follower = follower, _only_consumer(graph, follower)
    return last


def _is_plain(node: Any) -> bool:
    """Whether stride and dilation are 1 and the border is padded with zeros to the same size."""
    ones = [1] * 4
    if list(node.attr["strides"].list.i) != ones or list(node.attr["dilations"].list.i) != ones:
        return False
    return node.attr["padding"].s == b"SAME"


def _columns(weights: np.ndarray) -> int:
    """Returns how many columns to group, as measured: more zeros cost more than they bring."""
    _, width, inputs, made = weights.shape
    if width == 1 or width % 2 == 0 or max(inputs, made) > _NARROW:
        return 1
    return 4 if inputs <= _VERY_NARROW else 2


def _only_consumer(graph: GraphEditor, node: Any) -> Any:
    if graph.uses[node.name] != 1:
        return None
    consumers = (other for other in graph.definition.node if node.name in other.input)
    return next(consumers, None)


def _insert_after(graph: GraphEditor, node: Any, shape: list[int]) -> None:
    """Reshapes what a node makes, for all that use it."""
    users = [other for other in graph.definition.node if node.name in other.input]
    name = _reshape(graph, f"{node.name}/pixels", node.name, shape)
    for user in users:
        user.input[:] = [name if source == node.name else source for source in user.input]
    graph.uses[name] = graph.uses[node.name]


def _reshape(graph: GraphEditor, name: str, tensor: str, shape: list[int]) -> str:
    sizes = graph.add_constant(f"{name}/shape", np.array(shape, np.int32))
    node = graph.definition.node.add(name=name, op="Reshape", input=[tensor, sizes])
    node.attr["T"].type = tf.float32.as_datatype_enum
    graph.nodes[name] = node
    return name
