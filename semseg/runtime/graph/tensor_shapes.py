"""What shape every tensor of a graph has, for inputs of given sizes, without running it.

A graph of open size computes sizes in itself (to upsample to another tensor's, say). Those
numbers are followed too.
"""

from typing import Any, Callable, Dict, Mapping, Optional, Tuple

import numpy as np

from semseg.errors import GraphError
from semseg.runtime.graph.graph_def import Node, source_name
from semseg.runtime.graph.shape_functions import (
    SHAPE_FUNCTIONS,
    Shape,
    UnknownShapeError,
    is_known,
    numbers,
    unknown,
)

Tensors = Dict[str, Tuple[Optional[np.ndarray], ...]]
"""Node name -> its outputs, as ``shape_functions`` describes them; None if the shape is unknown."""

_INTEGERS = ("int32", "int64")
_MAX_NUMBERS = 1024
_MAX_OUTPUTS = 64


def tensor_shapes(nodes: Mapping[str, Node], inputs: Mapping[str, Shape]) -> Tensors:
    """Works out the shapes of all outputs of all nodes.

    Args:
      nodes: the nodes by name, each after its sources, as ``checked_nodes`` returns them.
      inputs: shape of each placeholder.

    Raises:
      GraphError: the inputs of a node contradict each other.
    """
    made: Tensors = {}
    for node in nodes.values():
        try:
            with np.errstate(all="raise"):
                made[node.name] = tuple(_outputs(node, made, inputs))
        except UnknownShapeError:
            made[node.name] = (None,) * _MAX_OUTPUTS
        except (ValueError, TypeError, IndexError, ArithmeticError, KeyError) as error:
            raise GraphError(
                "node '%s' (%s) cannot be computed: %s"
                % (node.name, node.op, str(error).split("\n")[0])
            )
    return made


def _outputs(node, made, inputs):
    if node.op == "Placeholder":
        return [unknown(tuple(inputs[node.name]))]
    if node.op == "Const":
        return [_constant(node.constant())]
    sources = [_source(made, text) for text in node.inputs if not text.startswith("^")]
    if any(source is None for source in sources):
        raise UnknownShapeError
    if node.op in _VIEWS:
        return _VIEWS[node.op](node, *sources)
    if node.op not in SHAPE_FUNCTIONS:
        raise UnknownShapeError
    outputs = [unknown(shape) for shape in SHAPE_FUNCTIONS[node.op](node, *sources)]
    return _with_numbers(node, sources, outputs)


def _source(made, text):
    _, _, index = text.partition(":")
    return made[source_name(text)][int(index or 0)]


def _constant(constant):
    stand_in = unknown(constant.shape)
    is_short = stand_in.size <= _MAX_NUMBERS
    return constant.array() if constant.dtype in _INTEGERS and is_short else stand_in


def _with_numbers(node, sources, outputs):
    """Computes the numbers of small outputs where the inputs' are known."""
    if node.op in _OF_SHAPES:
        return [np.array(value, np.int64) for value in _OF_SHAPES[node.op](*sources)]
    is_known_op = node.op in _OF_NUMBERS and all(map(is_known, sources))
    if not is_known_op or outputs[0].size > _MAX_NUMBERS:
        return outputs
    value = np.asarray(_OF_NUMBERS[node.op](node, *sources), np.int64)
    return [value.reshape(outputs[0].shape)]


# Views: ops that show the elements of their first tensor in another arrangement.


def _same(node, x, *_):
    return [x]


def _cast(node, x):
    """Only whole numbers stay known: nothing here computes with fractions."""
    return [x if node.dtype("DstT") in _INTEGERS else unknown(x.shape)]


def _reshape(node, x, shape):
    return [x.reshape(numbers(shape).tolist())]


def _expand(node, x, axis):
    return [np.expand_dims(x, int(numbers(axis)))]


def _squeeze(node, x):
    return [x.squeeze(node.integers("squeeze_dims") or None)]


def _transpose(node, x, order):
    return [x.transpose(numbers(order).tolist())]


def _slice(node, x, begin, size):
    starts, sizes = numbers(begin).tolist(), numbers(size).tolist()
    ends = [None if count < 0 else start + count for start, count in zip(starts, sizes)]
    return [x[tuple(map(slice, starts, ends))]]


def _strided_slice(node, x, begin, end, strides):
    masks = {
        name: node.integer(name + "_mask")
        for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    index: list = []
    for place, numbers_here in enumerate(zip(numbers(begin), numbers(end), numbers(strides))):
        first, last, step = (int(number) for number in numbers_here)
        here = {name for name, mask in masks.items() if mask >> place & 1}
        if "ellipsis" in here:
            index.append(Ellipsis)
        elif "new_axis" in here:
            index.append(None)
        elif "shrink_axis" in here:
            index.append(first)
        else:
            bounds = (None if "begin" in here else first, None if "end" in here else last)
            index.append(slice(*bounds, step))
    return [np.asarray(x[tuple(index)])]


def _unpack(node, x):
    return list(np.moveaxis(x, node.integer("axis"), 0))


def _split(node, axis, x):
    return np.split(x, node.integer("num_split"), int(numbers(axis)))


def _split_at(node, x, sizes, axis):
    counts = numbers(sizes).tolist()
    if min(counts) < 0:
        raise UnknownShapeError
    return np.split(x, np.cumsum(counts)[:-1].tolist(), int(numbers(axis)))


_VIEWS: Dict[str, Callable[..., Any]] = {
    "Cast": _cast,
    "ExpandDims": _expand,
    "Identity": _same,
    "Reshape": _reshape,
    "Slice": _slice,
    "Split": _split,
    "SplitV": _split_at,
    "Squeeze": _squeeze,
    "StopGradient": _same,
    "StridedSlice": _strided_slice,
    "Transpose": _transpose,
    "Unpack": _unpack,
}

_OF_SHAPES: Dict[str, Callable[..., Any]] = {
    "Rank": lambda x: [x.ndim],
    "Shape": lambda x: [x.shape],
    "ShapeN": lambda *inputs: [x.shape for x in inputs],
    "Size": lambda x: [x.size],
}
"""Ops whose numbers are known of any tensor."""


def _reduced(function):
    def reduced(node, x, axes):
        return function(x, axis=tuple(np.ravel(axes).tolist()))

    return reduced


_OF_NUMBERS: Dict[str, Callable[..., Any]] = {
    "Add": lambda node, *x: np.add(*x),
    "AddV2": lambda node, *x: np.add(*x),
    "ConcatV2": lambda node, *x: np.concatenate(x[:-1], int(x[-1])),
    "Equal": lambda node, *x: np.equal(*x),
    "Fill": lambda node, shape, value: value,
    "FloorDiv": lambda node, *x: np.floor_divide(*x),
    "FloorMod": lambda node, *x: np.mod(*x),
    "GatherV2": lambda node, x, indices, axis: x.take(indices, int(axis)),
    "Greater": lambda node, *x: np.greater(*x),
    "GreaterEqual": lambda node, *x: np.greater_equal(*x),
    "Less": lambda node, *x: np.less(*x),
    "LessEqual": lambda node, *x: np.less_equal(*x),
    "Max": _reduced(np.max),
    "Maximum": lambda node, *x: np.maximum(*x),
    "Min": _reduced(np.min),
    "Minimum": lambda node, *x: np.minimum(*x),
    "Mul": lambda node, *x: np.multiply(*x),
    "Neg": lambda node, x: -x,
    "Pack": lambda node, *x: np.stack(x, node.integer("axis")),
    "Prod": _reduced(np.prod),
    "Range": lambda node, start, limit, step: np.arange(int(start), int(limit), int(step)),
    "Select": lambda node, *x: np.where(*x),
    "SelectV2": lambda node, *x: np.where(*x),
    "Sub": lambda node, *x: np.subtract(*x),
    "Sum": _reduced(np.sum),
    "Tile": lambda node, x, repeats: np.tile(x, repeats),
}
"""Ops of integers -> function(node, inputs) of what they compute."""
