"""What shape each op's outputs have: op -> function of the node and its inputs.

An input is a numpy array of the right shape: int64 where its numbers are known (the sizes that a
graph computes in itself), else a boolean view of one element, which takes no memory whatever its
shape. Source: the shape functions in ``tensorflow/core/ops/{array,math,nn}_ops.cc``.
"""

from typing import Callable, Dict, Sequence, Tuple

import numpy as np

Shape = Tuple[int, ...]
ShapeFunction = Callable[..., Sequence[Shape]]


class UnknownShapeError(Exception):
    """A shape that cannot be told without running the graph."""


def unknown(shape: Shape) -> np.ndarray:
    """Returns an array that stands for a tensor whose shape alone is known."""
    if any(size < 0 for size in shape):
        raise ValueError("a size below zero in %s" % (shape,))
    return np.broadcast_to(np.False_, shape)


def is_known(array: np.ndarray) -> bool:
    """Whether the numbers of a tensor are known, not its shape alone."""
    return array.dtype == np.int64


def numbers(array: np.ndarray) -> np.ndarray:
    """Returns a tensor's numbers; raises ``UnknownShapeError`` if they are not known."""
    if not is_known(array):
        raise UnknownShapeError
    return array


def _first(node, x, *others):
    return [x.shape]


def _each(node, *inputs):
    return [x.shape for x in inputs]


def _broadcast(node, *inputs):
    return [np.broadcast(*inputs).shape]


def _scalar(node, *inputs):
    return [()]


def _shape(node, *inputs):
    return [(x.ndim,) for x in inputs]


def _given(node, *inputs):
    """The shape is the first of the inputs that is a list of sizes."""
    return [tuple(numbers(inputs[_SIZES_AT[node.op]]).tolist())]


_SIZES_AT = {"BroadcastTo": 1, "Conv2DBackpropInput": 0, "Fill": 0, "ScatterNd": 2}


def _reduction(node, x, axes):
    reduced = {_axis(axis, x.ndim) for axis in np.ravel(numbers(axes)).tolist()}
    if node.op in ("ArgMax", "ArgMin") or not node.integer("keep_dims"):
        return [tuple(size for axis, size in enumerate(x.shape) if axis not in reduced)]
    return [tuple(1 if axis in reduced else size for axis, size in enumerate(x.shape))]


def _concat(node, *inputs):
    axis = _axis(int(numbers(inputs[-1])), inputs[0].ndim)
    others = {x.shape[:axis] + x.shape[axis + 1 :] for x in inputs[:-1]}
    if len(others) != 1:
        raise ValueError("cannot be joined along axis %d" % axis)
    return [_with(inputs[0].shape, axis, sum(x.shape[axis] for x in inputs[:-1]))]


def _pack(node, *inputs):
    if len({x.shape for x in inputs}) != 1:
        raise ValueError("of different shapes")
    axis = _axis(node.integer("axis"), inputs[0].ndim + 1)
    return [inputs[0].shape[:axis] + (len(inputs),) + inputs[0].shape[axis:]]


_FIRST_AXIS = np.zeros((), np.int64)


def _gather(node, x, indices, axis=_FIRST_AXIS):
    if node.integer("batch_dims"):
        raise UnknownShapeError
    axis = _axis(int(numbers(axis)), x.ndim)
    return [x.shape[:axis] + indices.shape + x.shape[axis + 1 :]]


def _gather_nd(node, x, indices):
    return [indices.shape[:-1] + x.shape[indices.shape[-1] :]]


def _range(node, *inputs):
    start, limit, delta = (int(numbers(x)) for x in inputs)
    return [(len(range(start, limit, delta)),)]


def _tile(node, x, repeats):
    return [tuple(size * count for size, count in zip(x.shape, numbers(repeats).tolist()))]


def _pad(node, x, paddings, *_):
    sides = numbers(paddings).reshape(x.ndim, 2).sum(axis=1).tolist()
    return [tuple(size + side for size, side in zip(x.shape, sides))]


def _space_to_batch(node, x, block, paddings):
    block, paddings = numbers(block), numbers(paddings)
    _check_block(block)
    sizes = np.array(x.shape[1 : 1 + len(block)]) + paddings.sum(axis=1)
    sizes, batch = sizes // block, x.shape[0] * int(np.prod(block))
    return [(batch,) + tuple(sizes.tolist()) + x.shape[1 + len(block) :]]


def _batch_to_space(node, x, block, crops):
    block, crops = numbers(block), numbers(crops)
    _check_block(block)
    sizes = np.array(x.shape[1 : 1 + len(block)]) * block - crops.sum(axis=1)
    batch = x.shape[0] // int(np.prod(block))
    return [(batch,) + tuple(sizes.tolist()) + x.shape[1 + len(block) :]]


def _check_block(block):
    if np.any(block < 1):
        raise ValueError("block sizes %s" % (block.tolist(),))


def _space_and_depth(node, x):
    factor, (batch, height, width, depth) = node.integer("block_size"), x.shape
    _check_block(np.array([factor]))
    if node.op == "SpaceToDepth":
        return [(batch, height // factor, width // factor, depth * factor**2)]
    return [(batch, height * factor, width * factor, depth // factor**2)]


def _resize(node, x, size, *_):
    height, width = numbers(size).tolist()
    return [(x.shape[0], height, width, x.shape[3])]


def _convolution(node, x, kernel):
    height, width, depth, made = kernel.shape
    depthwise = node.op == "DepthwiseConv2dNative"
    if not depth or x.shape[3] % depth or (depthwise and x.shape[3] != depth):
        raise ValueError("%d channels for a kernel of %d" % (x.shape[3], depth))
    sizes = _windows(node, x.shape[1:3], (height, width))
    return [(x.shape[0],) + sizes + (depth * made if depthwise else made,)]


def _pooling(node, x, *sizes_and_strides):
    if sizes_and_strides:  # MaxPoolV2 takes as inputs what the others have as attributes.
        raise UnknownShapeError
    kernel = node.integers("ksize")
    shape = (x.shape[0],) + _windows(node, x.shape[1:3], kernel[1:3]) + (x.shape[3],)
    return [shape, shape]


def _windows(node, sizes, kernel):
    """How many windows fit along height and width."""
    if node.text("data_format", "NHWC") != "NHWC":
        raise UnknownShapeError
    padding, pads = node.text("padding", ""), node.integers("explicit_paddings")
    strides = node.integers("strides")[1:3]
    rates = node.integers("dilations")[1:3] or (1, 1)
    if min(*strides, *rates, *kernel) < 1:
        raise ValueError("strides %s, dilations %s, kernel %s" % (strides, rates, kernel))
    if padding == "SAME":
        return tuple(-(-size // stride) for size, stride in zip(sizes, strides))
    extra = (sum(pads[2:4]), sum(pads[4:6])) if padding == "EXPLICIT" else (0, 0)
    return tuple(
        (size + more - (side - 1) * rate - 1) // stride + 1
        for size, more, side, rate, stride in zip(sizes, extra, kernel, rates, strides)
    )


def _batch_norm(node, x, scale, *_):
    return [x.shape] + [scale.shape] * 5


def _product(node, a, b):
    is_plain = node.op == "MatMul"
    turn_a = node.integer("transpose_a" if is_plain else "adj_x")
    turn_b = node.integer("transpose_b" if is_plain else "adj_y")
    rows, inner = a.shape[-2:][::-1] if turn_a else a.shape[-2:]
    other, columns = b.shape[-2:][::-1] if turn_b else b.shape[-2:]
    if inner != other:
        raise ValueError("%d columns for %d rows" % (inner, other))
    batch = np.broadcast(np.empty(a.shape[:-2] + (0,)), np.empty(b.shape[:-2] + (0,))).shape[:-1]
    return [batch + (rows, columns)]


def _einsum(node, *inputs):
    sources, _, target = node.text("equation", "").replace(" ", "").partition("->")
    if "." in sources or not target:
        raise UnknownShapeError
    sizes: Dict[str, int] = {}
    for labels, x in zip(sources.split(","), inputs):
        sizes.update(zip(labels, x.shape))
    return [tuple(sizes[label] for label in target)]


def _top(node, x, k):
    return [x.shape[:-1] + (int(numbers(k)),)] * 2


def _axis(axis, rank):
    if not -rank <= axis < rank:
        raise ValueError("axis %d of %d" % (axis, rank))
    return axis % rank


def _with(shape, axis, size):
    return shape[:axis] + (size,) + shape[axis + 1 :]


SHAPE_FUNCTIONS: Dict[str, ShapeFunction] = {}
"""Op -> function(node, inputs) -> shapes of its outputs. It raises ``ValueError`` for inputs that
contradict each other, and ``UnknownShapeError``."""


def _register(function, ops):
    SHAPE_FUNCTIONS.update(dict.fromkeys(ops.split(), function))


_register(
    _first,
    """Abs AddN BiasAdd Ceil ClipByValue Cumsum Elu Erf Erfc Exp Floor LRN LeakyRelu Log Log1p
    LogSoftmax LogicalNot Neg OnesLike Reciprocal Relu Relu6 ReverseV2 Roll Round Rsqrt Selu Sigmoid
    Sign Softmax Softplus Softsign Sqrt Square Tanh ZerosLike""",
)
_register(
    _broadcast,
    """Add AddV2 Div Equal FloorDiv FloorMod Greater GreaterEqual Less LessEqual LogicalAnd
    LogicalOr Maximum Minimum Mul NotEqual Pow RealDiv SelectV2 SquaredDifference Sub""",
)
_register(_reduction, "All Any ArgMax ArgMin Max Mean Min Prod Sum")
_register(_given, " ".join(_SIZES_AT))
_register(
    _resize, "ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor ScaleAndTranslate"
)
_register(_product, "BatchMatMul BatchMatMulV2 MatMul")
_register(_batch_norm, "FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3")
_register(_pooling, "AvgPool MaxPool MaxPoolV2 MaxPoolWithArgmax")
_register(_convolution, "Conv2D DepthwiseConv2dNative")
_register(_space_and_depth, "DepthToSpace SpaceToDepth")
_register(_pad, "MirrorPad Pad PadV2")
_register(_gather, "Gather GatherV2")
_register(_scalar, "Rank Size")
_register(_shape, "Shape ShapeN")
_register(_each, "IdentityN")
_register(_concat, "ConcatV2")
_register(_pack, "Pack")
_register(_gather_nd, "GatherNd")
_register(_range, "Range")
_register(_tile, "Tile")
_register(_space_to_batch, "SpaceToBatchND")
_register(_batch_to_space, "BatchToSpaceND")
_register(_einsum, "Einsum")
_register(_top, "TopKV2")
_register(lambda node, condition, x, y: [x.shape], "Select")
