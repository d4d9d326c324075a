"""A frozen graph made of bytes, no TensorFlow: a pixel's label is its strongest colour."""

import numpy as np
import pytest

from semseg.classes import ClassTable
from semseg.runtime.graph.frozen_graph import Card, append_card
from semseg.runtime.graph.protobuf import encode_bytes, encode_number

CLASSES = ClassTable.create(["red", "green", "blue"], [[250, 1, 2], [3, 240, 4], [5, 6, 230]])
FLOAT32, INT32, UINT8, STRING, INT64 = 1, 3, 4, 7, 9


def type_attr(key, number):
    return attr(key, encode_number(6, number))


def attr(key, value):
    return encode_bytes(5, encode_bytes(1, key.encode()) + encode_bytes(2, value))


def shape(sizes):
    dims = (encode_number(1, 2**64 - 1 if size is None else size) for size in sizes)
    return b"".join(encode_bytes(2, dim) for dim in dims)


def node(name, op, inputs=(), attrs=b""):
    content = encode_bytes(1, name.encode()) + encode_bytes(2, op.encode())
    content += b"".join(encode_bytes(3, source.encode()) for source in inputs)
    return encode_bytes(1, content + attrs)


def constant(name, array, number):
    tensor = encode_number(1, number) + encode_bytes(2, shape(array.shape))
    if number == STRING:
        tensor += b"".join(encode_bytes(8, text.encode()) for text in array)
    else:
        tensor += encode_bytes(4, array.tobytes())
    attrs = type_attr("dtype", number) + attr("value", encode_bytes(8, tensor))
    return node(name, "Const", attrs=attrs)


def placeholder(name, number, sizes):
    attrs = type_attr("dtype", number) + attr("shape", encode_bytes(7, shape(sizes)))
    return node(name, "Placeholder", attrs=attrs)


def table_nodes(classes=CLASSES):
    colors = np.array(classes.colors + ((0, 0, 0),), np.uint8)[:, ::-1]
    names = np.array(classes.names + ("void",), object)
    return [
        constant("id_to_rgb", np.ascontiguousarray(colors), UINT8),
        constant("id_to_class_names", names, STRING),
    ]


def label_nodes():
    return [
        node(
            "arg_max",
            "ArgMax",
            ["class_probabilities", "axis"],
            type_attr("T", FLOAT32) + type_attr("Tidx", INT32) + type_attr("output_type", INT64),
        ),
        node("class_ids", "Cast", ["arg_max"], type_attr("SrcT", INT64) + type_attr("DstT", UINT8)),
        node(
            "class_confidence",
            "Max",
            ["class_probabilities", "axis"],
            type_attr("T", FLOAT32) + type_attr("Tidx", INT32),
        ),
    ]


def network_nodes(sizes):
    return [
        placeholder("input", UINT8, sizes),
        node("cast", "Cast", ["input"], type_attr("SrcT", UINT8) + type_attr("DstT", FLOAT32)),
        constant("scale", np.float32(0.05), FLOAT32),
        node("scaled", "Mul", ["cast", "scale"], type_attr("T", FLOAT32)),
        node("class_probabilities", "Softmax", ["scaled"], type_attr("T", FLOAT32)),
        constant("axis", np.array([-1], np.int32).reshape(()), INT32),
    ]


def color_graph(sizes=(None, None, None, 3), labels=True, classes=CLASSES, extra=()):
    nodes = network_nodes(sizes) + table_nodes(classes)
    nodes += label_nodes() if labels else []
    return b"".join(nodes + list(extra))


def color_card(**changes):
    card = Card(name="colors", network={"name": "color_softmax"}, classes=CLASSES, version="0.1.0")
    return card._replace(**changes)


@pytest.fixture
def graphs():
    """The functions above, for the tests."""
    return _Graphs


class _Graphs:
    classes = CLASSES
    uint8, float32, int32 = UINT8, FLOAT32, INT32
    attr = staticmethod(attr)
    type_attr = staticmethod(type_attr)
    shape = staticmethod(shape)
    node = staticmethod(node)
    constant = staticmethod(constant)
    placeholder = staticmethod(placeholder)
    table_nodes = staticmethod(table_nodes)
    network_nodes = staticmethod(network_nodes)
    color_graph = staticmethod(color_graph)
    color_card = staticmethod(color_card)


@pytest.fixture
def color_model(tmp_path):
    """Writes the graph with a card, or (card=False) as PARIS-sem-seg does; returns the path."""

    def write(card=True, name="colors.pb", sizes=(None, None, None, 3), **changes):
        data = color_graph(sizes, labels=card)
        if card:
            data = append_card(data, color_card(**changes))
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return write
