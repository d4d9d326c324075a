"""TFRecord files of ``tf.train.Example`` messages, written and read without TensorFlow.

A record is its length (uint64), the masked CRC-32C of the length, the content, and the masked
CRC-32C of the content; all numbers are little-endian (tensorflow/core/lib/io/record_writer.h).
The index of ``x.tfrecord`` is ``x.tfrecord.json``: name and offset of each record, so that any
record is read at once.

The keys of an example are those of TensorFlow's DeepLab, whose programs read the records too;
those of second inputs are ours. Source: tensorflow/core/example/{example,feature}.proto and
DeepLab's ``build_data.py``.
"""

import json
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import google_crc32c

from semseg.errors import DatasetError, ImageError
from semseg.files import partial_file, write_file
from semseg.runtime.graph.protobuf import Field, WireError, encode_bytes, read_message

_NAME = "image/filename"
_IMAGE = "image/encoded"
_IMAGE_FORMAT = "image/format"
_LABELS = "image/segmentation/class/encoded"
_LABELS_FORMAT = "image/segmentation/class/format"
_SECOND = {
    "right": "image/right/encoded",
    "right_labels": "image/right/segmentation/class/encoded",
    "disparity": "image/disparity/encoded",
}

_EXAMPLE = {1: Field("features", "bytes")}
_FEATURES = {1: Field("entries", "bytes", repeated=True)}
_ENTRY = {1: Field("key", "text"), 2: Field("feature", "bytes")}
_FEATURE = {1: Field("bytes_list", "bytes")}
_BYTES_LIST = {1: Field("values", "bytes", repeated=True)}


class EncodedSample(NamedTuple):
    """A sample as its files.

    Attributes:
      name: the sample's name.
      image: PNG or JPEG.
      labels: PNG of one 8-bit channel.
      right: the right image, as ``image``; None if there is none.
      right_labels: the labels of the right image, as ``labels``, or None.
      disparity: PNG of one 16-bit channel, ``UNITS_PER_PIXEL`` a pixel and 0 unknown, or None.
    """

    name: str
    image: bytes
    labels: bytes
    right: bytes | None = None
    right_labels: bytes | None = None
    disparity: bytes | None = None


def write_example(sample: EncodedSample) -> bytes:
    """Returns a serialised ``tf.train.Example`` of a sample."""
    features = {
        _NAME: sample.name.encode("utf-8"),
        _IMAGE: sample.image,
        _IMAGE_FORMAT: b"png" if sample.image.startswith(b"\x89PNG") else b"jpeg",
        _LABELS: sample.labels,
        _LABELS_FORMAT: b"png",
    }
    second = {key: getattr(sample, part) for part, key in _SECOND.items()}
    features |= {key: value for key, value in second.items() if value is not None}
    return encode_bytes(1, b"".join(_encode_entry(*item) for item in features.items()))


def read_example(data: bytes) -> EncodedSample:
    """Reads what ``write_example`` wrote.

    Args:
      data: a serialised ``tf.train.Example``.

    Raises:
      WireError: the bytes are no such message, or lack a feature.
    """
    example = read_message(memoryview(data), _EXAMPLE)
    entries = read_message(example["features"] or memoryview(b""), _FEATURES)["entries"]
    values = dict(map(_decode_entry, entries))
    try:
        name, image, labels = (values[key] for key in (_NAME, _IMAGE, _LABELS))
    except KeyError as error:
        raise WireError(f"no feature {error}")
    second = {part: values.get(key) for part, key in _SECOND.items()}
    return EncodedSample(name.decode("utf-8"), image, labels, **second)


def _encode_entry(key: str, value: bytes) -> bytes:
    feature = encode_bytes(1, encode_bytes(1, value))
    return encode_bytes(1, encode_bytes(1, key.encode("ascii")) + encode_bytes(2, feature))


def _decode_entry(data: memoryview) -> tuple[str, bytes]:
    entry = read_message(data, _ENTRY)
    feature = read_message(entry["feature"] or memoryview(b""), _FEATURE)
    values = read_message(feature["bytes_list"] or memoryview(b""), _BYTES_LIST)["values"]
    return entry["key"], bytes(values[0]) if values else b""


_LENGTH, _CRC = struct.Struct("<Q"), struct.Struct("<I")
_HEADER_SIZE = _LENGTH.size + _CRC.size
_MASK_DELTA = 0xA282EAD8


class Index(NamedTuple):
    """What a TFRecord file holds.

    Attributes:
      size: bytes of the whole file.
      offsets: name -> position of the record in bytes, in the file's order.
      failed: one line for each sample that was to be in the file and could not be read.
    """

    size: int
    offsets: dict[str, int]
    failed: list[str]


def write_records(path: str | Path, records: Iterable[tuple[str, bytes] | str]) -> Index:
    """Writes a TFRecord file and its index; a file with an index is whole.

    Args:
      path: the file; replaced if it exists.
      records: name and content of each, or a line that says why one is missing.

    Returns:
      The index.

    Raises:
      DatasetError: the file cannot be written.
    """
    offsets: dict[str, int] = {}
    failed: list[str] = []
    with partial_file(path) as file:
        for record in records:
            if isinstance(record, str):
                failed.append(record)
                continue
            name, content = record
            offsets[name] = file.tell()
            length = _LENGTH.pack(len(content))
            file.write(length + _masked_crc(length) + content + _masked_crc(content))
        index = Index(file.tell(), offsets, failed)
    write_file(_index_path(path), json.dumps(index._asdict()).encode("utf-8"))
    return index


def read_index(path: str | Path) -> Index:
    """Reads the index of a TFRecord file.

    Args:
      path: the TFRecord file.

    Raises:
      DatasetError: there is no index, or it is that of another file.
    """
    try:
        index = Index(**json.loads(_index_path(path).read_text(encoding="utf-8")))
        size = os.path.getsize(path)
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(f"{path}: no file with a readable index, run preparation again: {error}")
    if size != index.size:
        raise DatasetError(f"{path}: has {size} bytes, its index says {index.size}")
    return index


def has_index(path: str | Path) -> bool:
    """Returns whether a TFRecord file was written to its end."""
    return Path(path).is_file() and _index_path(path).is_file()


def read_record(path: str | Path, offset: int) -> bytes:
    """Reads one record.

    Args:
      path: the TFRecord file.
      offset: the record's position in bytes.

    Returns:
      Its content.

    Raises:
      ImageError: the file cannot be read there, or its check sums are wrong.
    """
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            header = file.read(_HEADER_SIZE)
            length, crc = header[: _LENGTH.size], header[_LENGTH.size :]
            if len(header) < _HEADER_SIZE or crc != _masked_crc(length):
                raise ImageError(f"{path}: no record at byte {offset}")
            content = file.read(_LENGTH.unpack(length)[0])
            if file.read(_CRC.size) != _masked_crc(content):
                raise ImageError(f"{path}: the record at byte {offset} is damaged")
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror}")
    return content


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return _CRC.pack(((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF)


def _index_path(path: str | Path) -> Path:
    return Path(f"{path}.json")
