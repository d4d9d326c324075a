"""ROS 2 bags, of both storages, written here by rosbags."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from semseg.bags import BagReader
from semseg.errors import BagError

TYPES = get_typestore(Stores.ROS2_HUMBLE)
IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def image_message(index):
    types = TYPES.types
    stamp = types["builtin_interfaces/msg/Time"](sec=1_500_000_000, nanosec=index)
    header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="front")
    pixels = (IMAGE + index)[..., ::-1].ravel()
    return types["sensor_msgs/msg/Image"](
        header=header, height=4, width=6, encoding="bgr8", is_bigendian=0, step=18, data=pixels
    )


def write_bag(path, storage, count=3, compression=None):
    writer = Writer(path, version=9, storage_plugin=storage)
    if compression is not None:
        writer.set_compression(compression, CompressionFormat.ZSTD)
    with writer:
        images = writer.add_connection("/image", "sensor_msgs/msg/Image", typestore=TYPES)
        texts = writer.add_connection("/text", "std_msgs/msg/String", typestore=TYPES)
        for index in range(count):
            data = TYPES.serialize_cdr(image_message(index), "sensor_msgs/msg/Image")
            writer.write(images, 10**9 + index, data)
            text = TYPES.types["std_msgs/msg/String"](data="beside")
            writer.write(texts, 10**9 + index, TYPES.serialize_cdr(text, "std_msgs/msg/String"))
    return path


@pytest.mark.parametrize("storage", list(StoragePlugin))
@pytest.mark.parametrize("as_file", [False, True])
def test_images_come_back(tmp_path, storage, as_file):
    path = write_bag(tmp_path / "bag", storage)
    if as_file:
        path = next(each for each in path.iterdir() if each.suffix != ".yaml")
    with BagReader(path) as reader:
        assert not reader.is_ros1_bag
        assert reader.topics == {"/image": "sensor_msgs/Image", "/text": "std_msgs/String"}
        assert reader.count("/image") == 3
        messages = list(reader.messages("/image"))
    assert [message.stamp_ns - 15 * 10**17 for message in messages] == [0, 1, 2]
    assert messages[0].frame_id == "front" and messages[0].time_ns == 10**9
    for index, message in enumerate(messages):
        np.testing.assert_array_equal(message.image(), IMAGE + index)


@pytest.mark.parametrize("storage", list(StoragePlugin))
def test_a_cut_bag_is_named(tmp_path, storage):
    path = write_bag(tmp_path / "bag", storage, count=200)
    file = next(each for each in path.iterdir() if each.suffix != ".yaml")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    repair = "`ros2 bag reindex .*bag` may repair it"
    with pytest.raises(BagError, match=repair), BagReader(path) as reader:
        list(reader.messages("/image"))


def test_a_folder_that_is_no_bag_is_named(tmp_path):
    with pytest.raises(BagError, match="metadata"):
        BagReader(tmp_path)


def test_a_missing_file_and_a_wrong_description_are_named(tmp_path):
    path = write_bag(tmp_path / "bag", StoragePlugin.SQLITE3)
    (path / "bag.db3").unlink()
    with pytest.raises(BagError, match="metadata.yaml lists bag.db3, which is not there"):
        BagReader(path)
    (path / "metadata.yaml").write_text("rosbag2_bagfile_information: 1")
    with pytest.raises(BagError, match="metadata.yaml is no description of a ROS 2 bag"):
        BagReader(path)


def test_a_folder_that_lost_its_description_is_read(tmp_path):
    path = write_bag(tmp_path / "bag", StoragePlugin.SQLITE3)
    (path / "metadata.yaml").unlink()
    with BagReader(path) as reader:
        assert reader.count("/image") == 3


@pytest.mark.parametrize("mode", [CompressionMode.MESSAGE, CompressionMode.FILE])
@pytest.mark.parametrize("as_file", [False, True])
def test_compressed_bags_are_read(tmp_path, mode, as_file):
    """By their file too, which does not say itself that its messages are compressed."""
    path = write_bag(tmp_path / "bag", StoragePlugin.SQLITE3, compression=mode)
    if as_file:
        path = next(each for each in path.iterdir() if each.suffix != ".yaml")
    with BagReader(path) as reader:
        assert reader.count("/image") == 3
        for index, message in enumerate(reader.messages("/image")):
            np.testing.assert_array_equal(message.image(), IMAGE + index)


def test_definitions_and_topics_that_nobody_knows_do_no_harm(tmp_path):
    """A recorder that does not find a type's definition writes ``unknown`` for it."""
    path = write_bag(tmp_path / "bag", StoragePlugin.SQLITE3) / "bag.db3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE message_definitions SET encoding = 'unknown'")
        database.execute("UPDATE topics SET offered_qos_profiles = '- history: strange'")
        odd = "UPDATE topics SET serialization_format = 'protobuf', type = 'my.Text'"
        database.execute(odd + " WHERE name = '/text'")
        database.commit()
    with BagReader(path) as reader:
        assert reader.topics == {"/image": "sensor_msgs/Image", "/text": "my.Text, protobuf"}
        assert [message.stamp_ns % 10 for message in reader.messages("/image")] == [0, 1, 2]


def test_a_text_file_is_no_ros_2_bag(tmp_path):
    (tmp_path / "x.db3").write_text("<!DOCTYPE html>")
    with pytest.raises(BagError, match="x.db3 is no bag of ROS 2") as caught:
        BagReader(tmp_path / "x.db3")
    assert "damaged" not in str(caught.value)
