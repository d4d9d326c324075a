"""Reads and writes the protobuf wire format, as far as a frozen graph needs it.

Large values are returned as views of the buffer: nothing of a network's weights is copied.
Source: https://protobuf.dev/programming-guides/encoding/
"""

from typing import Any, Dict, Iterator, NamedTuple, Tuple, Union

VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5
_FIXED_SIZE = {FIXED64: 8, FIXED32: 4}
_MAX_VARINT_BITS = 70
_END_OF_NUMBERS = 1 << 29

Value = Union[int, memoryview]


class WireError(ValueError):
    """Bytes that are no message of the expected type."""


class Field(NamedTuple):
    """One declared field of a message type.

    Attributes:
      name: the key of its value in the dict that ``read_message`` returns.
      kind: ``varint`` (int), ``bytes`` (memoryview), ``text`` (str), or ``numbers``: a
        repeated number, packed or not, as a list of (wire type, value).
      repeated: whether the values are collected in a list.
    """

    name: str
    kind: str
    repeated: bool = False


Schema = Dict[int, Field]


def read_message(data: memoryview, schema: Schema) -> Dict[str, Any]:
    """Reads one message.

    Fields outside the schema are skipped. A field that is not repeated but comes twice is
    refused: readers may disagree on which of the two counts.

    Args:
      data: the whole message.
      schema: its declared fields by number.

    Returns:
      Field name -> value; a list where repeated, None where absent.

    Raises:
      WireError: the bytes are no such message.
    """
    found: Dict[str, Any] = {}
    for field in schema.values():
        found[field.name] = [] if field.repeated else None
    for number, wire_type, value, _, _ in fields(data):
        if number not in schema:
            continue
        field = schema[number]
        if field.repeated:
            found[field.name].append(_typed(field, wire_type, value))
        elif found[field.name] is not None:
            raise WireError("field '%s' occurs twice" % field.name)
        else:
            found[field.name] = _typed(field, wire_type, value)
    return found


def fields(data: memoryview) -> Iterator[Tuple[int, int, Value, int, int]]:
    """Yields (number, wire type, value, start, end) of each field; positions are in bytes.

    Raises:
      WireError: a field is cut off or of no known wire type.
    """
    position = 0
    while position < len(data):
        start = position
        tag, position = _read_varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if not 0 < number < _END_OF_NUMBERS:  # TensorFlow takes number 0 for the graph's end.
            raise WireError("field number %d at byte %d" % (number, start))
        if wire_type == VARINT:
            value, position = _read_varint(data, position)
        else:
            if wire_type == DELIMITED:
                length, position = _read_varint(data, position)
            elif wire_type in _FIXED_SIZE:
                length = _FIXED_SIZE[wire_type]
            else:
                raise WireError("unknown wire type %d at byte %d" % (wire_type, start))
            value = data[position : position + length]
            if len(value) != length:
                raise WireError("a field at byte %d runs past the end of its message" % start)
            position += length
        yield number, wire_type, value, start, position


def read_varints(data: memoryview) -> Iterator[int]:
    """Yields the unsigned numbers of a packed field."""
    position = 0
    while position < len(data):
        value, position = _read_varint(data, position)
        yield value


def signed(value: int) -> int:
    """Reads an unsigned 64-bit number as two's complement."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def encode_bytes(number: int, content: bytes) -> bytes:
    """Encodes a string, bytes or message field."""
    return _encode_varint(number << 3 | DELIMITED) + _encode_varint(len(content)) + content


def encode_number(number: int, value: int) -> bytes:
    """Encodes an unsigned number or enumeration field."""
    return _encode_varint(number << 3 | VARINT) + _encode_varint(value)


def _typed(field, wire_type, value):
    if field.kind == "numbers":
        return wire_type, value
    if wire_type != (VARINT if field.kind == "varint" else DELIMITED):
        raise WireError("field '%s' has wire type %d" % (field.name, wire_type))
    if field.kind != "text":
        return value
    try:
        return bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        raise WireError("field '%s' is no UTF-8 text" % field.name)


def _read_varint(data, position):
    result = shift = 0
    while position < len(data) and shift < _MAX_VARINT_BITS:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7
    raise WireError("a number ending at byte %d is cut off or too long" % position)


def _encode_varint(value):
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
