"""What a frozen graph costs: parameters, multiplications, bytes. Computed from its nodes."""

from typing import Mapping, NamedTuple

import numpy as np

from semseg.errors import GraphError
from semseg.runtime.graph.graph_def import Node, source_name
from semseg.runtime.graph.shape_functions import Shape
from semseg.runtime.graph.tensor_shapes import tensor_shapes

_FLOATS = ("float32", "float16", "bfloat16", "float64")
_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput")
_PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2")
_SWEEPS = (
    "AvgPool",
    "MaxPool",
    "ResizeBilinear",
    "ResizeNearestNeighbor",
    *_CONVOLUTIONS,
    *_PRODUCTS,
)
"""Ops that an engine cannot fuse into the one before: each reads and writes memory."""
_MOVES_NOTHING = ("Const", "ExpandDims", "Identity", "Placeholder", "Reshape", "Shape", "Squeeze")
_LEAST_LIMIT = 16 * 2**20
_VALUES_PER_PIXEL = 1024


class GraphCosts(NamedTuple):
    """Costs of one inference.

    Attributes:
      parameters: values of all constants of floating type that are no scalars. Freezing folds
        normalisations, so it is less than what was trained.
      macs: multiply-accumulate operations of convolutions and matrix products.
      fused_values: values read and written if all but convolutions, products, pooling and
        resizing is computed on the way, as the best engines nearly do.
      unfused_values: the same if every node reads its inputs and writes its outputs.
      largest: values of the largest tensor.
      unknown: number of nodes whose shape cannot be told; they count nothing.
    """

    parameters: int
    macs: int
    fused_values: int
    unfused_values: int
    largest: int
    unknown: int


def graph_costs(nodes: Mapping[str, Node], inputs: Mapping[str, Shape]) -> GraphCosts:
    """Computes the costs of a graph at a size.

    Args:
      nodes: the nodes by name, each after its sources, as ``checked_nodes`` returns them.
      inputs: shape of each placeholder.

    Raises:
      GraphError: the inputs of a node contradict each other.
    """
    tensors = tensor_shapes(nodes, inputs)
    firsts = {name: outputs[0] for name, outputs in tensors.items() if outputs}
    values = {name: 0 if x is None else int(x.size) for name, x in firsts.items()}
    moved = {
        name: sum(values.get(source_name(text), 0) for text in node.inputs) + values.get(name, 0)
        for name, node in nodes.items()
        if node.op not in _MOVES_NOTHING
    }
    return GraphCosts(
        parameters=sum(map(_parameters, nodes.values())),
        macs=sum(_macs(node, firsts) for node in nodes.values()),
        fused_values=sum(count for name, count in moved.items() if nodes[name].op in _SWEEPS),
        unfused_values=sum(moved.values()),
        largest=max(values.values()),
        unknown=sum(x is None for x in firsts.values()),
    )


def check_costs(costs: GraphCosts, inputs: Mapping[str, Shape]) -> None:
    """Refuses a graph whose tensors are out of all proportion to its inputs.

    Raises:
      GraphError: one has over 1024 values for each pixel of the inputs, and over 64 MiB.
    """
    pixels = sum(int(np.prod(shape[:3])) for shape in inputs.values())
    if costs.largest > max(_LEAST_LIMIT, _VALUES_PER_PIXEL * pixels):
        raise GraphError(
            "one of its tensors has %d values for an input of %d pixels" % (costs.largest, pixels)
        )


def _parameters(node):
    if node.op != "Const":
        return 0
    constant = node.constant()
    is_array = constant.dtype in _FLOATS and constant.shape
    return int(np.prod(constant.shape)) if is_array else 0


def _macs(node, tensors):
    """Each element of a kernel multiplies once for each position it is laid on."""
    made = tensors.get(node.name)
    sources = [tensors.get(source_name(text)) for text in node.inputs]
    if made is None or any(source is None for source in sources):
        return 0
    if node.op == "Conv2DBackpropInput":
        return sources[1].size * int(np.prod(sources[2].shape[:3]))
    if node.op in _CONVOLUTIONS:
        return sources[1].size * int(np.prod(made.shape[:3]))
    if node.op in _PRODUCTS:
        turned = node.integer("transpose_a" if node.op == "MatMul" else "adj_x")
        return made.size * sources[0].shape[-2 if turned else -1]
    return 0
