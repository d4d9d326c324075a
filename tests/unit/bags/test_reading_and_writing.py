"""Bags: what is written is read, field by field; damage is named."""

import random
import subprocess
import sys
from collections import Counter

import cv2
import numpy as np
import pytest
from rosbags.rosbag1 import Reader, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from semseg.bags import BagReader, BagWriter, DamagedBagError
from semseg.errors import BagError, ImageError

IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
LABELS = np.array([[0, 1, 255], [2, 2, 10]], np.uint8)
STAMP = 1_500_000_000_123_456_789


def messages(path):
    """Returns (topic, bag time, message) of all messages, by rosbags alone."""
    types = get_typestore(Stores.ROS1_NOETIC)
    with Reader(path) as reader:
        return [
            (connection.topic, time, types.deserialize_ros1(data, connection.msgtype))
            for connection, time, data in reader.messages()
        ]


def write_images(path, count=3, **options):
    with BagWriter(path, **options) as bag:
        for index in range(count):
            bag.image("/image", STAMP + index, IMAGE + index, "rgb8", "camera")
    return path


def test_an_image_message_has_exact_fields(tmp_path):
    path = tmp_path / "x.bag"
    with BagWriter(path) as bag:
        bag.image("/image", STAMP, IMAGE, "bgr8", "front")
    ((topic, time, message),) = messages(path)
    assert (topic, time) == ("/image", STAMP)
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (1_500_000_000, 123_456_789)
    assert message.header.frame_id == "front"
    assert (message.height, message.width, message.encoding, message.step) == (4, 6, "bgr8", 18)
    np.testing.assert_array_equal(message.data.reshape(4, 6, 3), IMAGE[..., ::-1])


def test_every_topic_counts_its_own_sequence(tmp_path):
    path = tmp_path / "x.bag"
    with BagWriter(path) as bag:
        for index in range(2):
            bag.image("/image", STAMP + index, IMAGE, "rgb8", "camera")
            bag.image("/labels", STAMP + index, LABELS, "mono8", "camera")
    sequences = [(topic, message.header.seq) for topic, _, message in messages(path)]
    assert sorted(sequences) == [("/image", 0), ("/image", 1), ("/labels", 0), ("/labels", 1)]


def test_camera_info_is_that_of_an_undistorted_camera(tmp_path):
    path = tmp_path / "x.bag"
    intrinsics = np.array([[400.0, 0, 255.5], [0, 410.0, 127.5], [0, 0, 1]])
    with BagWriter(path) as bag:
        bag.camera_info("/info", STAMP, "camera", intrinsics, (256, 512))
        bag.camera_info("/info", STAMP + 1, "camera", None, (4, 6))
    calibrated, unknown = (message for _, _, message in messages(path))
    assert (calibrated.height, calibrated.width) == (256, 512)
    np.testing.assert_array_equal(calibrated.K, intrinsics.ravel())
    np.testing.assert_array_equal(calibrated.P, [400, 0, 255.5, 0, 0, 410, 127.5, 0, 0, 0, 1, 0])
    np.testing.assert_array_equal(calibrated.R, np.eye(3).ravel())
    assert calibrated.distortion_model == "plumb_bob" and not calibrated.D.any()
    assert unknown.K[0] == 0  # How sensor_msgs/CameraInfo says "uncalibrated".


@pytest.mark.parametrize("compression", ["none", "bz2"])
def test_images_and_labels_come_back(tmp_path, compression):
    path = tmp_path / "x.bag"
    with BagWriter(path, compression) as bag:
        bag.image("/image", STAMP, IMAGE, "bgr8", "camera")
        bag.image("/labels", STAMP, LABELS, "mono8", "camera")
    with BagReader(path) as reader:
        assert reader.topics == {"/image": "sensor_msgs/Image", "/labels": "sensor_msgs/Image"}
        assert reader.count("/image") == 1
        (image,) = reader.messages("/image")
        (labels,) = reader.messages("/labels")
    assert (image.topic, image.stamp_ns, image.frame_id) == ("/image", STAMP, "camera")
    np.testing.assert_array_equal(image.image(), IMAGE)
    np.testing.assert_array_equal(labels.labels(), LABELS)


def test_compressed_images_and_labels_come_back(tmp_path):
    path = tmp_path / "x.bag"
    png = cv2.imencode(".png", IMAGE[..., ::-1])[1].tobytes()
    labels_png = cv2.imencode(".png", LABELS)[1].tobytes()
    with BagWriter(path) as bag:
        bag.compressed("/image/compressed", STAMP, png, "png", "camera")
        bag.compressed("/labels/compressed", STAMP, labels_png, "png", "camera")
    with BagReader(path) as reader:
        assert reader.topics["/image/compressed"] == "sensor_msgs/CompressedImage"
        image, labels = reader.messages("/image/compressed", "/labels/compressed")
    np.testing.assert_array_equal(image.image(), IMAGE)
    np.testing.assert_array_equal(labels.labels(), LABELS)


def test_messages_are_read_one_at_a_time(tmp_path):
    path = write_images(tmp_path / "x.bag", count=5)
    with BagReader(path) as reader:
        stream = reader.messages("/image")
        assert next(stream).stamp_ns == STAMP
        assert next(stream).stamp_ns == STAMP + 1
        stream.close()
        assert [message.stamp_ns - STAMP for message in reader.messages("/image")] == [*range(5)]


def test_a_type_that_nobody_knows_beside_the_images_does_no_harm(tmp_path):
    path = tmp_path / "x.bag"
    strange = "strange_msgs/msg/Strange"
    types = get_typestore(Stores.ROS1_NOETIC)
    types.register(get_types_from_msg("float64 strangeness", strange))
    with Writer(path) as writer:
        connection = writer.add_connection("/strange", strange, typestore=types)
        data = types.serialize_ros1(types.types[strange](strangeness=1.0), strange)
        writer.write(connection, STAMP, data)
    with BagReader(path) as reader:
        assert reader.topics == {"/strange": "strange_msgs/Strange"}
        with pytest.raises(
            BagError, match="topic '/strange' is strange_msgs/Strange, expected sensor_msgs/Image"
        ):
            reader.count("/strange")


def test_a_missing_topic_lists_those_there_are(tmp_path):
    path = tmp_path / "x.bag"
    with BagWriter(path) as bag:
        bag.image("/image", STAMP, IMAGE, "rgb8", "camera")
        bag.camera_info("/info", STAMP, "camera", None, (4, 6))
    with BagReader(path) as reader, pytest.raises(BagError) as caught:
        next(reader.messages("/labels"))
    assert str(caught.value) == (
        f"{path} has no topic '/labels'; it has: /image (sensor_msgs/Image),"
        " /info (sensor_msgs/CameraInfo)"
    )


def test_a_bag_without_messages_has_no_topics(tmp_path):
    with BagWriter(tmp_path / "x.bag"):
        pass
    with BagReader(tmp_path / "x.bag") as reader, pytest.raises(BagError, match="it has: none"):
        reader.count("/image")


def test_a_missing_bag_is_named(tmp_path):
    with pytest.raises(BagError, match="nowhere.bag: no such bag"):
        BagReader(tmp_path / "nowhere.bag")


def test_a_bag_cut_before_its_first_message_is_named_with_the_repair(tmp_path):
    path = write_images(tmp_path / "x.bag")
    whole = path.read_bytes()
    for length in [0, 5, 20, 4096]:
        path.write_bytes(whole[:length])
        with pytest.raises(BagError, match=rf"x.bag is damaged.*`rosbag reindex {path}`"):
            BagReader(path)


def test_an_unindexed_bag_without_messages_is_named_with_the_repair(tmp_path):
    path = tmp_path / "x.bag"
    writer = Writer(path)
    writer.open()
    writer.abort()
    with pytest.raises(BagError, match="not indexed.*rosbag reindex"):
        BagReader(path)


@pytest.mark.parametrize(
    ("compression", "lost_bytes"), [("none", 0), ("bz2", 0), ("none", 100)], ids=str
)
def test_damaged_bytes_raise_nothing_but_our_errors(tmp_path, compression, lost_bytes):
    """With its last bytes a bag loses its index, and is read another way."""
    path = write_images(tmp_path / "x.bag", compression=compression)
    whole = path.read_bytes()[: -lost_bytes or None]
    chance = random.Random(0)
    raised = Counter()
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(5):
            damaged[chance.randrange(4117, len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            with BagReader(path) as reader:
                for message in reader.messages(*reader.topics):
                    message.image()
        except (BagError, ImageError) as error:
            raised[type(error)] += 1
    assert raised.total() > 50 and raised[DamagedBagError] > 20, raised


def test_a_text_file_is_no_bag(tmp_path):
    path = tmp_path / "x.bag"
    path.write_bytes(b"\xff\xfe no bag\n")
    with pytest.raises(BagError, match="is no ROS 1 bag: it does not start with #ROSBAG"):
        BagReader(path)


def test_an_existing_bag_is_kept_unless_asked(tmp_path):
    path = write_images(tmp_path / "x.bag", count=1)
    with pytest.raises(BagError, match="exists already"):
        BagWriter(path)
    write_images(path, count=2, overwrite=True)
    assert len(messages(path)) == 2


def test_a_failed_recording_leaves_the_former_bag(tmp_path):
    path = write_images(tmp_path / "x.bag", count=1)
    with pytest.raises(ZeroDivisionError), BagWriter(path, overwrite=True) as bag:
        bag.image("/image", STAMP, IMAGE, "rgb8", "camera")
        raise ZeroDivisionError
    assert len(messages(path)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["x.bag"]


def test_the_rest_of_a_killed_recording_is_no_obstacle(tmp_path):
    (tmp_path / "x.bag.active").write_bytes(b"half a bag")
    assert len(messages(write_images(tmp_path / "x.bag", count=2))) == 2


def test_lz4_is_refused(tmp_path):
    with pytest.raises(BagError, match="unknown compression 'lz4'; available: bz2, none"):
        BagWriter(tmp_path / "x.bag", "lz4")


FILLING = """
import resource, sys
import numpy as np
from semseg import command_line
from semseg.bags import BagWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)

def main():
    with BagWriter(sys.argv[1]) as bag:
        for index in range(8):
            bag.image("/image", index + 1, np.zeros((400, 500, 3), np.uint8), "rgb8", "camera")

command_line.run(main)
"""


@pytest.mark.parametrize("limit", [4000, 1_000_000, 4_806_000], ids=["start", "middle", "index"])
def test_a_full_disk_is_one_line_and_leaves_no_half_bag(tmp_path, limit):
    """By a limit on the size of files, which looks the same to a program."""
    path = tmp_path / "x.bag"
    command = [sys.executable, "-c", FILLING, str(path), str(limit)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stderr == f"error: {path} cannot be written: File too large\n"
    assert ended.returncode == 2
    assert list(tmp_path.iterdir()) == []
