"""Reads TensorFlow's TensorProto without TensorFlow: constants whose type, shape and bytes agree.

Source of the field numbers: ``tensorflow/core/framework/{tensor,tensor_shape,types}.proto``.
"""

from typing import Any, Iterable, Iterator, NamedTuple, Optional, Tuple

import numpy as np

from semseg.runtime.graph.protobuf import (
    DELIMITED,
    Field,
    WireError,
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
