import pytest

from semseg.data.files.tfrecords import EncodedSample, read_example, write_example
from semseg.runtime.graph.protobuf import WireError, encode_bytes

SAMPLE = EncodedSample("train/Köln 1", b"\x89PNG" + bytes(range(256)) * 3, b"\x89PNG labels")


def test_a_sample_comes_back_as_it_was():
    assert read_example(write_example(SAMPLE)) == SAMPLE


def test_a_stereo_sample_comes_back_as_it_was():
    stereo = SAMPLE._replace(right=b"\x89PNG right", right_labels=b"ids", disparity=b"units")
    assert read_example(write_example(stereo)) == stereo


def test_the_bytes_are_those_of_the_published_messages():
    # Example.features = 1; Features.feature = 1, a map; BytesList.value = 1: written out by hand.
    entry = b"\x0a\x0cimage/format" + b"\x12\x08" + b"\x0a\x06" + b"\x0a\x04jpeg"
    data = write_example(SAMPLE._replace(image=b"\xff\xd8"))
    assert b"\x0a" + bytes([len(entry)]) + entry in data


def test_other_features_are_passed_over():
    number = encode_bytes(1, b"image/height") + encode_bytes(2, encode_bytes(3, b"\x08\x07"))
    entries = write_example(SAMPLE)[3:]
    data = encode_bytes(1, encode_bytes(1, number) + entries)
    assert read_example(data) == SAMPLE


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no feature 'image/filename'"),
        (write_example(SAMPLE)[:-3], "runs past the end"),
        (encode_bytes(1, b""), "no feature 'image/filename'"),
    ],
)
def test_what_is_no_sample_is_refused(data, message):
    with pytest.raises(WireError, match=message):
        read_example(data)
