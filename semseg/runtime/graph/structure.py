"""Checks what a graph is made of: its ops, edges and constants.

The allowed ops are what inference needs and TensorFlow 1.15 has. None of them reads or writes
files, runs other code, keeps state, draws random numbers or loops.
"""

from typing import Dict, List

from semseg.errors import GraphError
from semseg.runtime.graph.graph_def import Node, source_name
from semseg.runtime.graph.protobuf import WireError

_STRUCTURE = "Const Identity IdentityN NoOp Placeholder StopGradient"

_SHAPES = """
    BatchToSpaceND BroadcastTo ConcatV2 DepthToSpace ExpandDims Fill Gather GatherNd GatherV2
    MirrorPad OnesLike Pack Pad PadV2 Range Rank Reshape ReverseV2 Roll ScatterNd Shape ShapeN Size
    Slice SpaceToBatchND SpaceToDepth Split SplitV Squeeze StridedSlice Tile Transpose Unpack
    ZerosLike
"""

_ARITHMETIC = """
    Abs Add AddN AddV2 All Any ArgMax ArgMin Cast Ceil ClipByValue Cumsum Div Equal Erf Erfc Exp
    Floor FloorDiv FloorMod Greater GreaterEqual Less LessEqual Log Log1p LogicalAnd LogicalNot
    LogicalOr Max Maximum Mean Min Minimum Mul Neg NotEqual Pow Prod RealDiv Reciprocal Round Rsqrt
    Select SelectV2 Sigmoid Sign Sqrt Square SquaredDifference Sub Sum Tanh
"""

_NETWORKS = """
    AvgPool BatchMatMul BatchMatMulV2 BiasAdd Conv2D Conv2DBackpropInput DepthwiseConv2dNative
    Dilation2D Einsum Elu FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 LRN LeakyRelu LogSoftmax
    MatMul MaxPool MaxPoolV2 MaxPoolWithArgmax Relu Relu6 ResizeArea ResizeBicubic ResizeBilinear
    ResizeNearestNeighbor ScaleAndTranslate Selu Softmax Softplus Softsign TopKV2
"""

ALLOWED_OPS = frozenset((_STRUCTURE + _SHAPES + _ARITHMETIC + _NETWORKS).split())
"""Names of the allowed ops. Graphs of PARIS-sem-seg (TensorFlow 1) are within it too."""


_MAX_PADDING_BYTES = 64 * 2**20


def checked_nodes(nodes: List[Node]) -> Dict[str, Node]:
    """Returns the nodes by name, each after those that it takes its inputs from.

    Raises:
      GraphError: two have one name, an op is not allowed, an edge leads nowhere or back, or a
        constant's type, shape and bytes contradict each other.
    """
    by_name = {node.name: node for node in nodes}
    if len(by_name) != len(nodes):
        raise GraphError("two of its nodes have one name")
    if not nodes:
        raise GraphError("it has no nodes")
    foreign = sorted({node.op for node in nodes} - ALLOWED_OPS)
    if foreign:
        raise GraphError(
            "it uses %s, which no inference of ours needs" % ", ".join(map(repr, foreign[:5]))
        )
    _check_constants(nodes)
    return {name: by_name[name] for name in _inputs_first(by_name)}


def _inputs_first(nodes):
    """Sorts by Kahn's algorithm; every input must exist, and no node may depend on itself."""
    waiting = {}
    consumers: Dict[str, List[str]] = {name: [] for name in nodes}
    for node in nodes.values():
        sources = {source_name(text) for text in node.inputs}
        waiting[node.name] = len(sources)
        for source in sources:
            if source not in nodes:
                raise GraphError("node '%s' has unknown input '%s'" % (node.name, source))
            consumers[source].append(node.name)
    ready = [name for name, count in waiting.items() if not count]
    for name in ready:  # It grows meanwhile.
        for consumer in consumers[name]:
            waiting[consumer] -= 1
            if not waiting[consumer]:
                ready.append(consumer)
    if len(ready) != len(nodes):
        raise GraphError("its nodes form a loop")
    return ready


def _check_constants(nodes):
    padding = 0
    for node in nodes:
        if node.op == "Const":
            try:
                padding += node.constant().padding
            except WireError as error:
                raise GraphError("constant '%s': %s" % (node.name, error))
    if padding > _MAX_PADDING_BYTES:
        raise GraphError("its constants unfold to %d MiB more than it holds" % (padding >> 20))
