"""Mcap files of ROS 1 and ROS 2, with topics of other programs beside the images."""

import struct
import zlib

import lz4.frame
import numpy as np
import pytest
from rosbags.typesys import Stores, get_typestore

from semseg.bags import BagReader, DamagedBagError
from semseg.errors import BagError

IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
NAME = "sensor_msgs/msg/Image"
STAMP = 1_500_000_000 * 10**9
BINARY = b"\x0a\xff\xfe\x00 a FileDescriptorSet is no text"


MAGIC = b"\x89MCAP0\r\n"


def _text(content):
    return struct.pack("<I", len(content)) + content.encode()


def mcap_record(kind, data):
    return struct.pack("<BQ", kind, len(data)) + data


def mcap_schema(number, name, encoding, data=b""):
    return mcap_record(
        3,
        struct.pack("<H", number)
        + _text(name)
        + _text(encoding)
        + struct.pack("<I", len(data))
        + data,
    )


def mcap_channel(number, schema_number, topic, encoding):
    return mcap_record(
        4, struct.pack("<HH", number, schema_number) + _text(topic) + _text(encoding) + bytes(4)
    )


def mcap_message(number, time_ns, data):
    return mcap_record(5, struct.pack("<HIQQ", number, 0, time_ns, time_ns) + data)


def mcap_chunk(records, start_ns, end_ns, compression="", packed=None):
    head = struct.pack("<QQQI", start_ns, end_ns, len(records), zlib.crc32(records))
    packed = records if packed is None else packed
    return mcap_record(6, head + _text(compression) + struct.pack("<Q", len(packed)) + packed)


def mcap_statistics(counts):
    numbers = b"".join(struct.pack("<HQ", number, count) for number, count in counts.items())
    head = struct.pack("<QHIIIIQQ", sum(counts.values()), 0, len(counts), 0, 0, 0, 0, 0)
    return mcap_record(11, head + struct.pack("<I", len(numbers)) + numbers)


def mcap_file(*records, profile=""):
    header = mcap_record(1, _text(profile) + _text("a test"))
    return b"".join(
        [MAGIC, header, *records, mcap_record(15, bytes(4)), mcap_record(2, bytes(20)), MAGIC]
    )


def image(index, ros1=False):
    """A serialized image whose pixels tell its index."""
    store = get_typestore(Stores.ROS1_NOETIC if ros1 else Stores.ROS2_HUMBLE)
    types = store.types
    stamp = types["builtin_interfaces/msg/Time"](sec=1_500_000_000, nanosec=index)
    header = {"stamp": stamp, "frame_id": "front"}
    header = types["std_msgs/msg/Header"](**({"seq": 0} if ros1 else {}), **header)
    fields = {"height": 4, "width": 6, "encoding": "rgb8", "is_bigendian": 0, "step": 18}
    pixels = types[NAME](header=header, data=(IMAGE + index).ravel(), **fields)
    return bytes((store.serialize_ros1 if ros1 else store.serialize_cdr)(pixels, NAME))


def write(path, *records, **options):
    path.write_bytes(mcap_file(*records, **options))
    return path


def images(path):
    """Returns what is read of the topic /image: the index of each."""
    with BagReader(path) as reader:
        found = list(reader.messages("/image"))
        assert reader.count("/image") == len(found)
    for each in found:
        np.testing.assert_array_equal(each.image(), IMAGE + (each.stamp_ns - STAMP))
    return [each.stamp_ns - STAMP for each in found]


ROS2 = mcap_schema(1, NAME, "ros2msg") + mcap_channel(1, 1, "/image", "cdr")
STRANGERS = (
    mcap_schema(2, "my.Odom", "jsonschema", b"{}")
    + mcap_schema(3, "my.Proto", "protobuf", BINARY)
    + mcap_channel(2, 2, "/odom", "json")
    + mcap_channel(3, 3, "/proto", "protobuf")
    + mcap_channel(4, 0, "/schemaless", "cbor")
    + mcap_channel(5, 99, "/nowhere", "")
)


@pytest.mark.parametrize("profile", ["ros2", "", "px4"])
def test_topics_of_other_programs_do_no_harm(tmp_path, profile):
    records = [ROS2, STRANGERS]
    for index in range(3):
        records += [mcap_message(number, index, b"\xff\x00") for number in (2, 3, 4, 5)]
        records.append(mcap_message(1, index, image(index)))
    path = write(tmp_path / "x.mcap", *records, profile=profile)
    assert images(path) == [0, 1, 2]
    with BagReader(path) as reader:
        assert reader.topics == {
            "/image": "sensor_msgs/Image",
            "/odom": "my.Odom, json",
            "/proto": "my.Proto, protobuf",
            "/schemaless": "unknown, cbor",
            "/nowhere": "unknown, ",
        }
        with pytest.raises(BagError, match="topic '/odom' is my.Odom, json, expected sensor_msgs"):
            reader.count("/odom")


def test_images_in_another_encoding_are_refused_for_what_they_are(tmp_path):
    records = mcap_schema(1, NAME, "jsonschema") + mcap_channel(1, 1, "/image", "json")
    path = write(tmp_path / "x.mcap", records, mcap_message(1, 0, b"{}"))
    with pytest.raises(BagError, match="'/image' is sensor_msgs/msg/Image, json, expected"):
        images(path)


def test_messages_of_ros_1_are_read(tmp_path):
    records = mcap_schema(1, "sensor_msgs/Image", "ros1msg") + mcap_channel(1, 1, "/image", "ros1")
    messages = [mcap_message(1, index, image(index, ros1=True)) for index in range(3)]
    assert images(write(tmp_path / "x.mcap", records, *messages, profile="ros1")) == [0, 1, 2]
    with BagReader(tmp_path / "x.mcap") as reader:
        assert reader.topics == {"/image": "sensor_msgs/Image"}
        assert not reader.is_ros1_bag  # `rosbag play` cannot play it.


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize("compression", ["", "lz4", "zstd"])
def test_chunks_that_overlap_are_read_in_the_order_of_recording(tmp_path, compression, summed):
    zstd = pytest.importorskip("backports.zstd")
    pack = {"": bytes, "lz4": lz4.frame.compress, "zstd": zstd.compress}[compression]
    records = []
    for indices in ((0, 3, 1), (2, 4)):
        inside = ROS2 + b"".join(mcap_message(1, index, image(index)) for index in indices)
        records.append(mcap_chunk(inside, min(indices), max(indices), compression, pack(inside)))
    if summed:
        records += [ROS2, mcap_statistics({1: 5})]
    assert images(write(tmp_path / "x.mcap", *records)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_cut_file_is_read_up_to_the_cut(tmp_path, chunked):
    messages = [mcap_message(1, index, image(index)) for index in range(3)]
    if chunked:
        messages = [mcap_chunk(each, index, index) for index, each in enumerate(messages)]
    path = write(tmp_path / "x.mcap", ROS2, *messages)
    path.write_bytes(path.read_bytes()[: -len(messages[2])])
    found = []
    with BagReader(path) as reader, pytest.raises(DamagedBagError, match="readable up to byte"):
        for each in reader.messages("/image"):
            found.append(each.stamp_ns - STAMP)  # noqa: PERF401 - kept when it raises
    assert found == [0, 1]


def test_a_damaged_chunk_ends_the_reading(tmp_path):
    inside = [ROS2 + mcap_message(1, index, image(index)) for index in range(2)]
    chunks = [mcap_chunk(each, index, index) for index, each in enumerate(inside)]
    chunks[1] = chunks[1][:-1] + b"\x00"
    path = write(tmp_path / "x.mcap", *chunks, ROS2, mcap_statistics({1: 2}))
    with BagReader(path) as reader, pytest.raises(DamagedBagError, match="checksum"):
        for each in reader.messages("/image"):
            assert each.stamp_ns == STAMP


def test_what_cannot_be_read_is_not_called_damaged(tmp_path):
    inside = ROS2 + mcap_message(1, 0, image(0))
    records = [mcap_chunk(inside, 0, 0, "brotli"), ROS2, mcap_statistics({1: 1})]
    with pytest.raises(BagError, match="compressed with 'brotli'.*expected lz4, zstd") as caught:
        images(write(tmp_path / "x.mcap", *records))
    assert "damaged" not in str(caught.value)
    (tmp_path / "text.mcap").write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(BagError, match="text.mcap is no mcap file"):
        BagReader(tmp_path / "text.mcap")
