"""The passes over a converted graph: what makes it small, fast, and readable by TensorFlow 1.15.

TensorFlow 1.15 refuses attributes it does not know: those that have their default value are
stripped. ``docs/frozen_graph.md`` has what each pass brings.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
from tensorflow.python.framework import meta_graph
from tensorflow.python.grappler import tf_optimizer

from semseg.training.export.columns import group_columns
from semseg.training.export.folding import fold_depthwise_scales, fuse_biases

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
