"""Shapes and costs of graphs, without running them."""

import numpy as np
import pytest

from semseg.errors import GraphError
from semseg.runtime.graph.frozen_graph import read_frozen_graph
from semseg.runtime.graph.graph_costs import check_costs, graph_costs
from semseg.runtime.graph.graph_def import read_nodes
from semseg.runtime.graph.protobuf import encode_bytes, encode_number
from semseg.runtime.graph.structure import checked_nodes
from semseg.runtime.graph.tensor_shapes import tensor_shapes

INPUT = {"input": (1, 9, 15, 3)}


class Builder:
    """Adds nodes to the colour graph."""

    def __init__(self, graphs):
        self._graphs = graphs
        self.extra = []

    def node(self, name, op, inputs, **attrs):
        encoded = b"".join(self._graphs.attr(key, value) for key, value in attrs.items())
        self.extra.append(self._graphs.node(name, op, inputs, encoded))

    def integers(self, name, values):
        array = np.array(values, np.int32)
        self.extra.append(self._graphs.constant(name, array, self._graphs.int32))

    def kernel(self, name, *shape):
        array = np.zeros(shape, np.float32)
        self.extra.append(self._graphs.constant(name, array, self._graphs.float32))

    def nodes(self):
        return checked_nodes(read_nodes(memoryview(self._graphs.color_graph(extra=self.extra))))

    def shape(self, name, output=0):
        return tensor_shapes(self.nodes(), INPUT)[name][output].shape


def numbers(*values):
    """Encodes an attribute that is a list of numbers."""
    return encode_bytes(1, b"".join(encode_number(3, value) for value in values))


@pytest.fixture
def builder(graphs):
    return Builder(graphs)


SAME, VALID = encode_bytes(2, b"SAME"), encode_bytes(2, b"VALID")


@pytest.mark.parametrize(
    ("padding", "stride", "rate", "expected"),
    [
        (SAME, 1, 1, (1, 9, 15, 8)),
        (SAME, 2, 1, (1, 5, 8, 8)),
        (VALID, 2, 1, (1, 4, 6, 8)),
        (VALID, 1, 2, (1, 5, 7, 8)),
    ],
)
def test_convolution(builder, padding, stride, rate, expected):
    builder.kernel("kernel", 3, 5, 3, 8)
    builder.node(
        "conv",
        "Conv2D",
        ["cast", "kernel"],
        padding=padding,
        strides=numbers(1, stride, stride, 1),
        dilations=numbers(1, rate, rate, 1),
    )
    assert builder.shape("conv") == expected
    costs = graph_costs(builder.nodes(), INPUT)
    assert costs.macs == 3 * 5 * 3 * 8 * expected[1] * expected[2]
    assert costs.parameters == 3 * 5 * 3 * 8
    read_and_written = 9 * 15 * 3 + 3 * 5 * 3 * 8 + int(np.prod(expected))
    assert costs.fused_values == read_and_written
    assert costs.unfused_values > costs.fused_values
    assert costs.unknown == 0


def test_depthwise_and_transposed_convolution(builder):
    builder.kernel("kernel", 3, 3, 3, 2)
    builder.node(
        "deep",
        "DepthwiseConv2dNative",
        ["cast", "kernel"],
        padding=SAME,
        strides=numbers(1, 2, 2, 1),
    )
    assert builder.shape("deep") == (1, 5, 8, 6)
    builder.kernel("turned", 2, 2, 4, 6)
    builder.integers("sizes", [1, 10, 16, 4])
    builder.node(
        "up", "Conv2DBackpropInput", ["sizes", "turned", "deep"], strides=numbers(1, 2, 2, 1)
    )
    assert builder.shape("up") == (1, 10, 16, 4)
    assert graph_costs(builder.nodes(), INPUT).macs == (9 * 6 + 16 * 6) * 5 * 8


def test_sizes_that_the_graph_computes_in_itself(builder):
    """As Keras upsamples to another tensor's size: shape, slice, pack, resize."""
    builder.node("pool", "MaxPool", ["cast"], padding=SAME, ksize=numbers(1, 2, 2, 1),
                 strides=numbers(1, 2, 2, 1))  # fmt: skip
    builder.node("shape", "Shape", ["pool"])
    for name, place in (("one", 1), ("two", 2), ("three", 3)):
        builder.integers(name, [place])
    for name, begin, end in (("height", "one", "two"), ("width", "two", "three")):
        inputs = ["shape", begin, end, "one"]
        builder.node(name, "StridedSlice", inputs, shrink_axis_mask=encode_number(3, 1))
    builder.integers("factor", 3)
    builder.node("tall", "Mul", ["height", "factor"])
    builder.node("size", "Pack", ["tall", "width"])
    builder.node("resized", "ResizeBilinear", ["pool", "size"])
    assert builder.shape("resized") == (1, 15, 8, 3)


def test_splitting_joining_turning(builder):
    builder.integers("channels", 3)
    builder.node("parts", "Split", ["channels", "cast"], num_split=encode_number(3, 3))
    builder.node("joined", "ConcatV2", ["parts:2", "cast", "channels"])
    builder.integers("order", [0, 3, 1, 2])
    builder.node("turned", "Transpose", ["joined", "order"])
    builder.integers("flat", [1, -1])
    builder.node("flattened", "Reshape", ["turned", "flat"])
    assert builder.shape("parts", 2) == (1, 9, 15, 1)
    assert builder.shape("turned") == (1, 4, 9, 15)
    assert builder.shape("flattened") == (1, 4 * 9 * 15)


@pytest.mark.parametrize(
    ("op", "inputs", "part"),
    [
        ("ConcatV2", ["cast", "axis", "axis"], "cannot be joined"),
        ("Reshape", ["cast", "odd"], "cannot be computed"),
        ("Transpose", ["cast", "odd"], "cannot be computed"),
        ("Mul", ["cast", "odd"], "cannot be computed"),
        ("Relu", ["cast:3"], "cannot be computed"),
        ("Relu", [], "cannot be computed"),
        ("FloorMod", ["odd", "nothing"], "divide by zero"),
    ],
)
def test_inputs_that_contradict_each_other(builder, op, inputs, part):
    builder.integers("odd", [4, 7])
    builder.integers("nothing", 0)
    builder.node("wrong", op, inputs)
    with pytest.raises(GraphError, match=r"node 'wrong' \(%s\).*%s" % (op, part)):
        builder.shape("wrong")


def test_what_cannot_be_told_is_no_error(builder):
    builder.node("where", "Cast", ["class_ids"], DstT=encode_number(6, 3))
    builder.node("reshaped", "Reshape", ["cast", "where"])
    builder.node("after", "Relu", ["reshaped"])
    assert tensor_shapes(builder.nodes(), INPUT)["after"][0] is None
    assert graph_costs(builder.nodes(), INPUT).unknown == 2


def test_tensors_out_of_all_proportion(builder):
    builder.integers("sizes", [1000, 1000, 1000])
    builder.integers("zero", 0)
    builder.node("vast", "Fill", ["sizes", "zero"])
    costs = graph_costs(builder.nodes(), INPUT)
    assert costs.largest == 10**9
    with pytest.raises(GraphError, match="1000000000 values for an input of 135 pixels"):
        check_costs(costs, INPUT)


def test_shipped_sizes_pass(color_model):
    graph = read_frozen_graph(color_model())
    inputs = {"input": (1, 2160, 3840, 3)}
    check_costs(graph_costs(graph.nodes, inputs), inputs)
