"""Reads TensorFlow's GraphDef without TensorFlow: nodes, their inputs and attributes.

Source of the field numbers: ``tensorflow/core/framework/{graph,node_def,attr_value}.proto``.
"""

from typing import Dict, List, NamedTuple, Tuple

from semseg.runtime.graph.protobuf import (
    Field,
    WireError,
    encode_bytes,
    encode_number,
    read_message,
    signed,
)
from semseg.runtime.graph.tensor_proto import (
    STRING,
    Constant,
    Shape,
    data_type,
    read_integers,
    read_shape,
)

GRAPH_NODE = 1
_GRAPH = {GRAPH_NODE: Field("nodes", "bytes", True), 2: Field("library", "bytes")}
_LIBRARY = {1: Field("functions", "bytes", True), 2: Field("gradients", "bytes", True)}
_NODE = {
    1: Field("name", "text"),
    2: Field("op", "text"),
    3: Field("inputs", "text", True),
    5: Field("attrs", "bytes", True),
}
_ATTR = {1: Field("key", "text"), 2: Field("value", "bytes")}
_ATTR_VALUE = {
    1: Field("list", "bytes"),
    2: Field("text", "bytes"),
    3: Field("integer", "varint"),
    5: Field("bool", "varint"),
    6: Field("type", "varint"),
    7: Field("shape", "bytes"),
    8: Field("tensor", "bytes"),
    10: Field("function", "bytes"),
}
_ATTR_LIST = {
    3: Field("integers", "numbers", True),
    6: Field("types", "numbers", True),
    9: Field("functions", "bytes", True),
}


class Node(NamedTuple):
    """One node of a graph.

    Attributes:
      name: unique in its graph.
      op: what it computes.
      inputs: tensor names, ``node``, ``node:1`` or (a control input) ``^node``.
      attrs: attribute name -> its read value (``type``, ``shape``, ``tensor``, ...).
    """

    name: str
    op: str
    inputs: Tuple[str, ...]
    attrs: Dict[str, dict]

    def dtype(self, key: str = "dtype") -> str:
        """Returns the name of the type in an attribute; raises ``WireError`` without."""
        return data_type(self._attr(key, "type")).name

    def shape(self) -> Shape:
        """Returns the shape in attribute ``shape``: None where open, None if the rank is."""
        value = self.attrs.get("shape", {}).get("shape")
        return None if value is None else read_shape(value)

    def integer(self, key: str, default: int = 0) -> int:
        """Returns the number or truth value (0, 1) in an attribute; the default without it."""
        value = self.attrs.get(key, {})
        found = [value[kind] for kind in ("integer", "bool") if value.get(kind) is not None]
        return signed(found[0]) if found else default

    def integers(self, key: str) -> Tuple[int, ...]:
        """Returns the numbers in an attribute, () without it."""
        return self.attrs.get(key, {}).get("integers", ())

    def text(self, key: str, default: str) -> str:
        """Returns the text in an attribute; the default without it."""
        value = self.attrs.get(key, {}).get("text")
        return default if value is None else bytes(value).decode("utf-8", "replace")

    def constant(self) -> Constant:
        """Returns the checked value of a ``Const`` node.

        Raises:
          WireError: type, shape and bytes of the value contradict each other.
        """
        constant = Constant.read(self._attr("value", "tensor"))
        if constant.dtype != self.dtype():
            raise WireError("its value is %s, declared is %s" % (constant.dtype, self.dtype()))
        return constant

    def _attr(self, key, kind):
        value = self.attrs.get(key, {}).get(kind)
        if value is None:
            raise WireError("it has no %s in attribute '%s'" % (kind, key))
        return value


def read_nodes(data: memoryview) -> List[Node]:
    """Reads all nodes of a serialized GraphDef.

    Raises:
      WireError: the bytes are no GraphDef, or it has a function library.
    """
    graph = read_message(data, _GRAPH)
    library = read_message(graph["library"] or memoryview(b""), _LIBRARY)
    if library["functions"] or library["gradients"]:
        raise WireError("it has a function library; a frozen graph has none")
    return [_node(node) for node in graph["nodes"]]


def node_name(data: memoryview) -> str:
    """Returns the name of a serialized NodeDef, '' without."""
    return read_message(data, {1: _NODE[1]})["name"] or ""


def source_name(tensor: str) -> str:
    """Returns the node that makes a tensor: ``a`` of ``a``, ``a:1`` and ``^a``."""
    return tensor.lstrip("^").split(":")[0]


def encode_string_constant(name: str, text: bytes) -> bytes:
    """Serializes a GraphDef that holds one scalar string ``Const`` node."""
    tensor = encode_number(1, STRING) + encode_bytes(2, b"") + encode_bytes(8, text)
    node = encode_bytes(1, name.encode()) + encode_bytes(2, b"Const")
    node += _encode_attr(b"dtype", encode_number(6, STRING))
    node += _encode_attr(b"value", encode_bytes(8, tensor))
    return encode_bytes(GRAPH_NODE, node)


def _node(data):
    node = read_message(data, _NODE)
    if not node["name"] or not node["op"]:
        raise WireError("a node has no name or no op")
    attrs = {}
    for entry in (read_message(attr, _ATTR) for attr in node["attrs"]):
        if entry["key"] in attrs or entry["value"] is None:
            raise WireError("node '%s': attribute '%s' is damaged" % (node["name"], entry["key"]))
        try:
            attrs[entry["key"]] = _attr_value(entry["value"])
        except WireError as error:
            raise WireError("node '%s', '%s': %s" % (node["name"], entry["key"], error))
    return Node(node["name"], node["op"], tuple(node["inputs"]), attrs)


def _attr_value(data):
    value = read_message(data, _ATTR_VALUE)
    types = [] if value["type"] is None else [value["type"]]
    if value["list"] is not None:
        entries = read_message(value["list"], _ATTR_LIST)
        types += read_integers(entries["types"])
        value["integers"] = tuple(read_integers(entries["integers"]))
        if entries["functions"]:
            raise WireError("it calls functions; a frozen graph has none")
    if value["function"] is not None:
        raise WireError("it calls a function; a frozen graph has none")
    for number in types:
        data_type(number)
    return value


def _encode_attr(key, value):
    return encode_bytes(5, encode_bytes(1, key) + encode_bytes(2, value))
