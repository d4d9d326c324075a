"""Frames in a bag: topics, stamps and pixels."""

import numpy as np
import pytest
from rosbags.rosbag1 import Reader
from rosbags.typesys import Stores, get_typestore

from semseg.bags import BagReader, BagWriter
from semseg.evaluation.frames.bag_frames import frames_from_bag
from semseg.evaluation.frames.frames import Frame, Outcome, Unreadable
from semseg.evaluation.outputs.bag_output import START_NS, record

LABELS = np.array([[0, 1, 255, 2], [2, 2, 2, 2]], np.uint8)
IMAGE = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)
K = np.array([[100.0, 0, 2], [0, 100.0, 1], [0, 0, 1]])


def camera_infos(path):
    types = get_typestore(Stores.ROS1_NOETIC)
    with Reader(path) as reader:
        connections = [each for each in reader.connections if each.topic == "/camera/camera_info"]
        return [
            types.deserialize_ros1(data, connection.msgtype)
            for connection, _, data in reader.messages(connections)
        ]


def record_to(path, frames, rate_hz=10.0, **options):
    with BagWriter(path) as bag:
        return record(bag, frames, rate_hz, **options)


def test_images_labels_and_calibration_share_their_stamps(tmp_path):
    path = tmp_path / "x.bag"
    frames = [Frame(str(index), None, IMAGE + index, LABELS, K) for index in range(3)]
    assert record_to(path, frames, rate_hz=3.0) == Outcome(3, [])
    read = list(frames_from_bag(path, "/camera/image_raw", "/camera/labels"))
    assert [frame.stamp_ns - START_NS for frame in read] == [0, 333333333, 666666667]
    for index, frame in enumerate(read):
        np.testing.assert_array_equal(frame.image, IMAGE + index)
        np.testing.assert_array_equal(frame.labels, LABELS)
    infos = camera_infos(path)
    assert [(info.height, info.width, info.K[0]) for info in infos] == [(2, 4, 100.0)] * 3
    stamps = [info.header.stamp.sec * 10**9 + info.header.stamp.nanosec for info in infos]
    assert stamps == [frame.stamp_ns for frame in read]


def test_an_unreadable_frame_leaves_its_stamp_free(tmp_path):
    frames = [Frame("a", None, IMAGE), Unreadable("b", "cut off"), Frame("c", None, IMAGE)]
    outcome = record_to(tmp_path / "x.bag", frames)
    assert outcome == Outcome(2, [Unreadable("b", "cut off")])
    read = list(frames_from_bag(tmp_path / "x.bag", "/camera/image_raw"))
    assert [frame.stamp_ns - START_NS for frame in read] == [0, 200_000_000]


def test_without_labels_there_is_no_label_topic(tmp_path):
    record_to(tmp_path / "x.bag", [Frame("a", None, IMAGE)])
    with BagReader(tmp_path / "x.bag") as reader:
        assert sorted(reader.topics) == ["/camera/camera_info", "/camera/image_raw"]


def test_a_new_size_goes_for_image_labels_and_calibration(tmp_path):
    record_to(tmp_path / "x.bag", [Frame("a", None, IMAGE, LABELS, K)], size=(4, 12))
    (frame,) = frames_from_bag(tmp_path / "x.bag", "/camera/image_raw", "/camera/labels")
    assert frame.image.shape == (4, 12, 3)
    np.testing.assert_array_equal(frame.labels, np.repeat(np.repeat(LABELS, 2, 0), 3, 1))
    (info,) = camera_infos(tmp_path / "x.bag")
    assert (info.height, info.width) == (4, 12)
    np.testing.assert_allclose(info.K, [300, 0, 6, 0, 200, 2, 0, 0, 1])


def test_labels_of_another_size_are_recorded_at_the_images(tmp_path):
    record_to(tmp_path / "x.bag", [Frame("a", None, IMAGE, np.repeat(LABELS, 2, 0))])
    (frame,) = frames_from_bag(tmp_path / "x.bag", "/camera/image_raw", "/camera/labels")
    np.testing.assert_array_equal(frame.labels, LABELS)


def test_compressed_images_have_their_own_topic(tmp_path):
    image = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    record_to(tmp_path / "x.bag", [Frame("a", None, image)], transport="compressed")
    (frame,) = frames_from_bag(tmp_path / "x.bag", "/camera/image_raw/compressed")
    np.testing.assert_allclose(frame.image.mean((0, 1)), [200, 100, 50], atol=3)


def test_equal_frames_make_equal_bags(tmp_path):
    for name in ("a.bag", "b.bag"):
        record_to(tmp_path / name, [Frame("a", None, IMAGE, LABELS, K)])
    assert (tmp_path / "a.bag").read_bytes() == (tmp_path / "b.bag").read_bytes()


@pytest.mark.parametrize("rate_hz", [1000.0, 29.97])
def test_stamps_do_not_drift(tmp_path, rate_hz):
    record_to(tmp_path / "x.bag", [Frame(str(index), None, IMAGE) for index in range(50)], rate_hz)
    *_, last = frames_from_bag(tmp_path / "x.bag", "/camera/image_raw")
    assert last.stamp_ns == START_NS + round(49e9 / rate_hz)
