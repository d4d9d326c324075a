"""Other people's frozen graphs, known by path and tensor names alone; for comparisons."""

from typing import Sequence

import numpy as np

from semseg.classes import ClassTable
from semseg.errors import GraphError
from semseg.runtime.graph.frozen_graph import FrozenGraph, GraphInput, graph_digest, read_file
from semseg.runtime.graph.graph_def import read_nodes
from semseg.runtime.graph.protobuf import WireError
from semseg.runtime.graph.structure import checked_nodes

_INPUT_TYPES = ("uint8", "float32")


def read_foreign_graph(path: str, input_name: str, outputs: Sequence[str]) -> FrozenGraph:
    """Reads a frozen graph of another program, with the checks of ops, edges and constants.

    Args:
      path: the ``.pb`` file.
      input_name: its input tensor, uint8 or float32 [N, H, W, 3].
      outputs: names of the tensors to compute.

    Returns:
      The graph, without classes.

    Raises:
      GraphError: it is damaged, has no such tensors, or uses an op that is not allowed.
    """
    data = read_file(path)
    try:
        nodes = checked_nodes(read_nodes(memoryview(data)))
        for name in (input_name, *outputs):
            if name not in nodes:
                raise GraphError("it has no tensor '%s'" % name)
        node = nodes[input_name]
        if node.op != "Placeholder" or node.dtype() not in _INPUT_TYPES:
            raise GraphError("its input '%s' is no uint8 or float32 placeholder" % input_name)
        found = GraphInput(input_name, node.dtype(), node.shape() or (None, None, None, 3))
    except (WireError, GraphError) as error:
        raise GraphError("%s cannot be compared: %s" % (path, error))
    return FrozenGraph(
        path=path,
        data=data,
        card=None,
        classes=ClassTable((), ()),
        nodes=nodes,
        inputs=(found,),
        has_labels=False,
        digest=graph_digest(data),
    )


def labels_of(output: np.ndarray) -> np.ndarray:
    """Returns labels [h, w] of what a graph makes of one image.

    Args:
      output: labels [1, h, w] or [1, h, w, 1], or scores [1, h, w, C].
    """
    if output.ndim == 4 and output.shape[3] > 1:
        return output[0].argmax(axis=-1)
    return output[0].reshape(output.shape[1:3])
