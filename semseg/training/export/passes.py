"""The passes over a converted graph: what makes it small, fast, and readable by TensorFlow 1.15.

TensorFlow 1.15 refuses attributes it does not know: those that have their default value are
stripped. ``docs/frozen_graph.md`` has what each pass brings.

Folding: Grappler's constant folding moves the factor of a batch normalisation into the weights of
a ``Conv2D`` before it, not into those of a depthwise convolution, and leaves its offset an
``AddV2``, which TensorFlow 1.15 does not fuse with the convolution as it does a ``BiasAdd``. A
normalisation that stands after a sum (pre-activation) cannot be folded.

Grouped columns: TensorFlow 1.15's convolutions are matrix products whose inner sides are the
numbers of channels; with 3 to 16 channels a processor's vector units stay half empty. A reshape,
which costs nothing, makes g neighbouring columns of C channels one column of g*C; the kernel is
widened with zeros so that the same products are summed: exact, and faster. Other engines pack
channels themselves and only pay for the zeros, so this is done on request.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
from tensorflow.python.framework import meta_graph
from tensorflow.python.grappler import tf_optimizer

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


OPTIMIZERS = ("pruning", "constfold", "dependency")
"""Grappler passes; constant folding moves normalisations into the convolutions before them."""


class Stage(NamedTuple):
    """A graph after a pass.

    Attributes:
      name: of the pass.
      graph: the GraphDef; TensorFlow 1.15 can read all but the first.
    """

    name: str
    graph: Any

    @property
    def num_nodes(self) -> int:
        """Number of nodes."""
        return len(self.graph.node)

    @property
    def num_bytes(self) -> int:
        """Size of the serialized graph."""
        return self.graph.ByteSize()


def passes(graph: Any, outputs: Sequence[str], columns: bool = False) -> Iterator[Stage]:
    """Runs the passes one after another.

    Args:
      graph: GraphDef whose variables are constants.
      outputs: names of the nodes that are to be kept.
      columns: group columns for TensorFlow 1.15's narrow convolutions, see ``group_columns``;
        for a fixed size only.

    Yields:
      The graph as it was given, then that after each pass.
    """
    yield Stage("conversion", graph)
    yield Stage("stripping", _portable(graph, outputs))
    graph = _optimized(graph, outputs)
    yield Stage("Grappler", _portable(graph, outputs))
    fold_depthwise_scales(graph, outputs)
    yield Stage("depthwise factors", _portable(graph, outputs))
    fuse_biases(graph, outputs)
    yield Stage("biases", _portable(graph, outputs))
    if columns:
        group_columns(graph, outputs)
        yield Stage("grouped columns", _portable(graph, outputs))


def _optimized(graph: Any, outputs: Iterable[str]) -> Any:
    """Folds constants by Grappler, offline, so that every engine gets the folded graph."""
    options = config_pb2.ConfigProto()
    options.graph_options.rewrite_options.optimizers.extend(OPTIMIZERS)
    options.graph_options.rewrite_options.min_graph_nodes = -1  # However small the graph.
    exported = meta_graph_pb2.MetaGraphDef(graph_def=graph)
    fetches = exported.collection_def["train_op"].node_list.value
    fetches.extend(f"{name}:0" for name in outputs)
    return tf_optimizer.OptimizeGraph(options, exported)


def _portable(graph: Any, outputs: Iterable[str]) -> Any:
    """Keeps what the outputs need, without what TensorFlow 1.15 may not know."""
    exported = meta_graph_pb2.MetaGraphDef(graph_def=graph)
    meta_graph.strip_graph_default_valued_attrs(exported)
    graph = exported.graph_def
    nodes = {node.name: node for node in graph.node}
    needed = _ancestors(nodes, outputs)
    kept = tf.compat.v1.GraphDef(versions=graph.versions)
    for node in graph.node:
        if node.name in needed:
            data_inputs = [name for name in node.input if not name.startswith("^")]
            del node.input[:]
            node.input.extend(data_inputs)
            for attribute in [name for name in node.attr if name.startswith("_")]:
                del node.attr[attribute]
            node.device = ""
            kept.node.append(node)
    return kept


def _ancestors(nodes: dict[str, Any], names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            inputs = nodes[name].input
            waiting += [source.split(":")[0] for source in inputs if not source.startswith("^")]
    return found
