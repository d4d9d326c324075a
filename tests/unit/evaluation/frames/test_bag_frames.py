"""Frames from bags: stamps, pairs, and what cannot be read."""

import numpy as np
import pytest

from semseg.bags import BagWriter
from semseg.errors import BagError
from semseg.evaluation.frames.bag_frames import frames_from_bag
from semseg.evaluation.frames.frames import Frame, Unreadable

IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def names(frames):
    return [frame.name for frame in frames]


def write_bag(path, image_stamps, label_stamps=()):
    """Writes an image or label image per stamp, whose pixels are all the stamp."""
    stamps = sorted([(stamp, "/image") for stamp in image_stamps]) + [
        (stamp, "/labels") for stamp in label_stamps
    ]
    with BagWriter(path) as bag:
        for stamp, topic in stamps:
            shape = (2, 3, 3) if topic == "/image" else (2, 3)
            encoding = "rgb8" if topic == "/image" else "mono8"
            bag.image(topic, stamp, np.full(shape, stamp % 250, np.uint8), encoding, "camera")
    return path


def test_a_bag_gives_its_images_with_their_stamps(tmp_path):
    path = write_bag(tmp_path / "x.bag", [10**9 + 5, 2 * 10**9])
    frames = frames_from_bag(path, "/image")
    assert len(frames) == 2
    assert names(frames) == ["1.000000005", "2.000000000"]
    assert [frame.stamp_ns for frame in frames] == [10**9 + 5, 2 * 10**9]
    assert all(frame.labels is None for frame in frames)


def test_images_and_labels_of_a_bag_are_paired_by_stamp(tmp_path):
    path = write_bag(tmp_path / "x.bag", [10, 20, 30, 40], [40, 20, 25])
    frames = frames_from_bag(path, "/image", "/labels")
    assert len(frames) == 3  # What to expect at most.
    pairs = {frame.stamp_ns: (frame.image[0, 0, 0], frame.labels[0, 0]) for frame in frames}
    assert pairs == {20: (20, 20), 40: (40, 40)}


def test_stamps_that_never_meet_name_their_distance(tmp_path):
    path = write_bag(tmp_path / "x.bag", [10_000_000, 90_000_000], [17_000_000, 60_000_000])
    with pytest.raises(BagError, match="nearest two are 7.000 ms apart"):
        list(frames_from_bag(path, "/image", "/labels"))


def test_a_missing_topic_is_an_error_before_anything_is_read(tmp_path):
    path = write_bag(tmp_path / "x.bag", [10])
    with pytest.raises(BagError, match="no topic '/labels'; it has: /image"):
        frames_from_bag(path, "/image", "/labels")


def test_a_damaged_message_keeps_its_place(tmp_path):
    path = tmp_path / "x.bag"
    with BagWriter(path) as bag:
        bag.image("/image", 10**9, IMAGE, "rgb8", "camera")
        bag.image("/image", 2 * 10**9, np.zeros((2, 2), np.int16), "16SC1", "camera")
        bag.image("/image", 3 * 10**9, IMAGE, "rgb8", "camera")
    frames = list(frames_from_bag(path, "/image"))
    assert [type(frame) for frame in frames] == [Frame, Unreadable, Frame]
    assert frames[1].name == "2.000000000" and "16SC1" in frames[1].reason


def test_a_cut_bag_ends_with_an_unreadable_frame(tmp_path):
    path = write_bag(tmp_path / "x.bag", [10, 20, 30], [10, 20, 30])
    path.write_bytes(path.read_bytes()[:-1])
    *frames, rest = frames_from_bag(path, "/image", "/labels")
    assert [frame.stamp_ns for frame in frames] == [10, 20, 30]
    assert isinstance(rest, Unreadable) and rest.name == "the rest of x.bag"
    assert "x.bag is damaged or was never closed" in rest.reason


def test_every_message_of_the_bag_is_shown_once(tmp_path):
    path = write_bag(tmp_path / "x.bag", [10, 20], [10, 20, 30])
    seen = []
    frames = frames_from_bag(path, "/image", every=seen.append)
    assert [frame.stamp_ns for frame in frames] == [10, 20]
    topics = [message.channel.topic for message in seen]
    assert sorted(topics) == ["/image"] * 2 + ["/labels"] * 3


def write_unstamped(path, late_ns):
    with BagWriter(path) as bag:
        for index in (1, 2, 3):
            pixels = np.full((2, 3), index, np.uint8)
            bag.image("/image", 0, np.dstack([pixels] * 3), "rgb8", "camera", index * 10**9)
            bag.image("/labels", 0, pixels, "mono8", "camera", index * 10**9 + late_ns)
    return path


def test_without_stamps_frames_go_by_the_time_of_recording_and_it_is_said(tmp_path, caplog):
    path = write_unstamped(tmp_path / "x.bag", 1000)
    frames = frames_from_bag(path, "/image", "/labels")
    assert not frames.clock.is_stamp
    found = list(frames)
    assert names(found) == ["1.000000000", "2.000000000", "3.000000000"]
    assert [frame.stamp_ns for frame in found] == [10**9, 2 * 10**9, 3 * 10**9]
    assert [(frame.image[0, 0, 0], frame.labels[0, 0]) for frame in found] == [
        (1, 1),
        (2, 2),
        (3, 3),
    ]
    assert [frame.header for frame in found] == [(0, "camera", each * 10**9) for each in (1, 2, 3)]
    said = (
        "most header stamps are zero or repeat: images are named and paired with their labels by"
        " time of recording"
    )
    assert frames.warnings == [said] and caplog.messages == [said]
    assert len(list(frames_from_bag(path, "/image"))) == 3


def test_without_stamps_late_labels_are_refused_before_the_work(tmp_path):
    path = write_unstamped(tmp_path / "x.bag", 400_000_000)
    with pytest.raises(BagError, match="x.bag: most header stamps are zero or repeat"):
        frames_from_bag(path, "/image", "/labels")


def test_frames_of_one_stamp_have_names_of_their_own(tmp_path):
    frames = frames_from_bag(write_bag(tmp_path / "x.bag", [10, 10, 20]), "/image")
    assert frames.clock.is_stamp
    assert names(frames) == ["0.000000010", "0.000000010_2", "0.000000020"]
