"""``tf.train.Example`` messages, written and read without TensorFlow.

Keys as in TensorFlow's DeepLab, whose programs read the records too; those of second inputs are
ours. Source: tensorflow/core/example/{example,feature}.proto and DeepLab's ``build_data.py``.
"""

from typing import NamedTuple

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
