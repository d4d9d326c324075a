"""Reads TensorFlow's GraphDef without TensorFlow: nodes, their inputs, attributes and constants.

A constant is read only if its type, shape and bytes agree. Source of the field numbers:
``tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape,types}.proto``.
"""

from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from semseg.runtime.graph.protobuf import (
    DELIMITED,
    Field,
    WireError,
    encode_bytes,
    encode_number,
    read_message,
    read_varints,
    signed,
)

_SHAPE = {2: Field("dims", "bytes", True), 3: Field("unknown_rank", "varint")}
_DIM = {1: Field("size", "varint")}
_TENSOR = {
    1: Field("dtype", "varint"),
    2: Field("shape", "bytes"),
    4: Field("content", "bytes"),
    5: Field("float_val", "numbers", True),
    6: Field("double_val", "numbers", True),
    7: Field("int_val", "numbers", True),
    8: Field("string_val", "bytes", True),
    10: Field("int64_val", "numbers", True),
    11: Field("bool_val", "numbers", True),
    13: Field("half_val", "numbers", True),
    16: Field("uint32_val", "numbers", True),
    17: Field("uint64_val", "numbers", True),
}


class DataType(NamedTuple):
    """A TensorFlow data type: its name, size in bytes, and the TensorProto field it uses."""

    name: str
    size: int
    field: str


DATA_TYPES = {
    1: DataType("float32", 4, "float_val"),
    2: DataType("float64", 8, "double_val"),
    3: DataType("int32", 4, "int_val"),
    4: DataType("uint8", 1, "int_val"),
    5: DataType("int16", 2, "int_val"),
    6: DataType("int8", 1, "int_val"),
    7: DataType("string", 0, "string_val"),
    9: DataType("int64", 8, "int64_val"),
    10: DataType("bool", 1, "bool_val"),
    14: DataType("bfloat16", 2, "half_val"),
    17: DataType("uint16", 2, "int_val"),
    19: DataType("float16", 2, "half_val"),
    22: DataType("uint32", 4, "uint32_val"),
    23: DataType("uint64", 8, "uint64_val"),
}
"""The data types an inference graph may use, by their number in ``types.proto``."""
STRING = 7
_FIXED_FIELDS = {"float_val": 4, "double_val": 8}
_TABLE_TYPES = ("uint8", "int8", "uint16", "int16", "int32", "int64", "string")
_MAX_RANK = 8
_MAX_TABLE = 65536

Shape = Optional[Tuple[Optional[int], ...]]


class Constant(NamedTuple):
    """A constant tensor whose type, shape and bytes agree.

    Attributes:
      dtype: name of its type.
      shape: sizes of its dimensions.
      values: the TensorProto's fields; not decoded.
      padding: bytes its tensor takes beyond those in the file (the last value is repeated).
    """

    dtype: str
    shape: Tuple[int, ...]
    values: dict
    padding: int

    @classmethod
    def read(cls, data: memoryview) -> "Constant":
        """Reads and checks a TensorProto."""
        values = read_message(data, _TENSOR)
        kind = data_type(values["dtype"])
        sizes = () if values["shape"] is None else read_shape(values["shape"])
        shape = tuple(size for size in sizes or () if size is not None)
        if sizes is None or len(shape) != len(sizes):
            raise WireError("a constant's shape is open")
        elements = _elements(shape)
        content = values["content"]
        if content is not None and len(content):
            stored = len(content) // kind.size if kind.size else -1
            if stored != elements or len(content) % kind.size:
                raise WireError(
                    "%d bytes do not hold %s of shape %s" % (len(content), kind.name, list(shape))
                )
        else:
            stored = _count(values[kind.field], kind.field)
            if stored > elements:
                raise WireError("%d values do not fit shape %s" % (stored, list(shape)))
        return cls(kind.name, shape, values, (elements - stored) * max(kind.size, 1))

    def array(self) -> np.ndarray:
        """Decodes a small integer (as int64) or string (as bytes objects) tensor.

        Raises:
          WireError: it is of another type, or too large to be a table.
        """
        elements = _elements(self.shape)
        if self.dtype not in _TABLE_TYPES or elements > _MAX_TABLE:
            raise WireError(
                "a table is of integers or strings; found %s %s" % (self.dtype, list(self.shape))
            )
        array = np.empty(elements, object if self.dtype == "string" else np.int64)
        values = self._stored_values() or [b"" if self.dtype == "string" else 0]
        array[:] = (values + values[-1:] * (elements - len(values)))[:elements]
        return array.reshape(self.shape)

    def _stored_values(self):
        content = self.values["content"]
        if self.dtype == "string":
            return [bytes(value) for value in self.values["string_val"]]
        if content is not None and len(content):
            return np.frombuffer(content, np.dtype(self.dtype).newbyteorder("<")).tolist()
        return list(read_integers(self.values["int64_val" if self.dtype == "int64" else "int_val"]))


def data_type(number: int) -> DataType:
    """Returns the data type of that number, else raises ``WireError``."""
    if number not in DATA_TYPES:
        raise WireError("data type %s is none of an inference graph" % number)
    return DATA_TYPES[number]


def read_shape(data: memoryview) -> Shape:
    """Reads a TensorShapeProto: sizes, None where open; None if the rank is open."""
    shape = read_message(data, _SHAPE)
    if shape["unknown_rank"]:
        return None
    if len(shape["dims"]) > _MAX_RANK:
        raise WireError("a shape of %d dimensions" % len(shape["dims"]))
    sizes = [signed(read_message(dim, _DIM)["size"] or 0) for dim in shape["dims"]]
    if any(size < -1 for size in sizes):
        raise WireError("a dimension of negative size")
    return tuple(None if size == -1 else size for size in sizes)


def read_integers(entries: Iterable[Tuple[int, Any]]) -> Iterator[int]:
    """Yields the integers of a repeated field, packed or not."""
    for wire_type, value in entries:
        numbers = read_varints(value) if wire_type == DELIMITED else (value,)
        for number in numbers:
            if not isinstance(number, int):
                raise WireError("an integer has wire type %d" % wire_type)
            yield signed(number)


def _elements(shape):
    elements = 1
    for size in shape:
        elements *= size  # Python's integers: a hostile shape cannot overflow.
    return elements


def _count(entries, field):
    if field == "string_val":
        return len(entries)
    chunks = [value for wire_type, value in entries if wire_type == DELIMITED]
    count = len(entries) - len(chunks)
    for chunk in chunks:
        if field in _FIXED_FIELDS:
            if len(chunk) % _FIXED_FIELDS[field]:
                raise WireError("%d bytes in '%s'" % (len(chunk), field))
            count += len(chunk) // _FIXED_FIELDS[field]
        elif len(chunk):
            last = np.frombuffer(chunk, np.uint8) < 0x80  # The last byte of each number.
            if not last[-1]:
                raise WireError("a number in '%s' is cut off" % field)
            count += int(np.count_nonzero(last))
    return count


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
