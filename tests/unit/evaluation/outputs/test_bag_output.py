"""The new bag: every message of the old one, and labels with the headers of their images."""

import json

import numpy as np
import pytest
from rosbags.rosbag1 import Reader, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from semseg.bags import BagReader, BagWriter
from semseg.errors import BagError
from semseg.evaluation.frames.bag_frames import frames_from_bag
from semseg.evaluation.outputs.bag_output import BagOutput
from semseg.runtime import Segmentation, Timing

TYPES = get_typestore(Stores.ROS1_NOETIC)
IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
STRANGE = "strange_msgs/msg/Strange"


def write_source(path):
    """Two images, recorded 5 ns after their stamps, and a message of a type unknown here."""
    with BagWriter(path) as bag:
        for stamp in (100, 200):
            bag.image("/image", stamp, IMAGE + stamp // 100, "bgr8", "front", stamp + 5)
        types = get_typestore(Stores.ROS1_NOETIC)
        types.register(get_types_from_msg("float64 strangeness", STRANGE))
        connection = bag._writer.add_connection("/strange", STRANGE, typestore=types)
        data = types.serialize_ros1(types.types[STRANGE](strangeness=1.5), STRANGE)
        bag._writer.write(connection, 150, data)
    return path


def messages(path):
    with Reader(path) as reader:
        return [
            (connection.topic, connection.msgtype, connection.digest, time, bytes(data))
            for connection, time, data in reader.messages()
        ]


def copy(source, target, **options):
    output = BagOutput(target, [source], **options)
    frames = frames_from_bag(source, "/image", every=output.copy)
    with output:
        for frame in frames:
            labels = np.full((4, 6), frame.stamp_ns // 100, np.uint8)
            confidence = np.full((4, 6), 0.5, np.float32)
            output.add(frame, Segmentation(labels, confidence, None, Timing(1.0, 2.0, 3.0)))


def test_all_messages_are_copied_and_labels_have_their_images_headers(tmp_path):
    source, target = write_source(tmp_path / "x.bag"), tmp_path / "new.bag"
    copy(source, target)
    copied = [each for each in messages(target) if not each[0].startswith("/offline/")]
    assert copied == messages(source)
    with BagReader(target) as reader:
        labels = list(reader.messages("/offline/labels"))
        confidences = list(reader.messages("/offline/confidence"))
    for each in (labels, confidences):
        headers = [(message.stamp_ns, message.time_ns, message.frame_id) for message in each]
        assert headers == [(100, 105, "front"), (200, 205, "front")]
    assert confidences[0].labels().tolist() == [[128] * 6] * 4
    assert [each.labels().tolist() for each in labels] == [[[1] * 6] * 4, [[2] * 6] * 4]


def test_what_the_labels_mean_is_said_once_for_late_readers(tmp_path, segmenter):
    source = write_source(tmp_path / "x.bag")
    with BagOutput(tmp_path / "new.bag", [source]) as output:
        output.describe(segmenter.classes, "x.pb", "abc")
        for _ in frames_from_bag(source, "/image", every=output.copy):
            pass
    with Reader(tmp_path / "new.bag") as reader:
        (connection,) = [each for each in reader.connections if "label_info" in each.topic]
        ((_, time, data),) = reader.messages([connection])
    assert connection.ext.latching == 1 and time == 105
    text = TYPES.deserialize_ros1(data, connection.msgtype).data
    info = json.loads(text)
    assert (info["model"], info["digest"], info["void_id"]) == ("x.pb", "abc", 255)
    assert [entry["name"] for entry in info["classes"]] == ["road", "sky", "car"]
    assert info["classes"][0]["color"] == {"r": 128 / 255, "g": 64 / 255, "b": 128 / 255, "a": 1}


def test_nothing_is_overwritten_unasked_and_never_the_source(tmp_path):
    source, target = write_source(tmp_path / "x.bag"), tmp_path / "new.bag"
    copy(source, target)
    with pytest.raises(BagError, match="new.bag exists already"):
        copy(source, target)
    copy(source, target, overwrite=True)
    with pytest.raises(BagError, match="is the bag that is read"):
        copy(source, source, overwrite=True)
    with pytest.raises(BagError, match="new.bag has /offline/confidence, /offline/labels already"):
        copy(target, tmp_path / "third.bag")


def test_a_ros_2_bag_is_not_copied(tmp_path):
    from rosbags.rosbag2 import Writer as Ros2Writer

    with Ros2Writer(tmp_path / "bag", version=9):
        pass
    with pytest.raises(BagError, match="only ROS 1 bags can be copied"):
        BagOutput(tmp_path / "new.bag", [tmp_path / "bag"])


def write_publishers(path):
    """Latched publishers of one topic, two of them alike, one silent; images beside them."""
    text = TYPES.types["std_msgs/msg/String"]
    with Writer(path) as bag:
        ext = [("/b", 1), ("/a", 1), (None, None), ("/silent", 0)]
        connections = [
            bag.add_connection(
                "/tf_static", STRING, typestore=TYPES, callerid=callerid, latching=latching
            )
            for callerid, latching in ext
        ]
        twin = connections[1]._replace(id=len(connections))
        bag.write_connection(twin, bag.chunks[-1].data)
        bag.connections.append(twin)
        for name, connection in zip("dbac", [twin, *connections[:3]], strict=True):
            bag.write(connection, 100, TYPES.serialize_ros1(text(data=name), STRING))
    return path


STRING = "std_msgs/msg/String"


def publishers(path):
    with Reader(path) as reader:
        return [
            (
                each.topic,
                each.msgtype,
                each.digest,
                each.msgdef,
                each.ext,
                [(time, bytes(data)) for _, time, data in reader.messages([each])],
            )
            for each in reader.connections
            if not each.topic.startswith("/offline/")
        ]


def test_publishers_are_copied_one_by_one_with_their_names_and_latching(tmp_path):
    source, target = write_publishers(tmp_path / "x.bag"), tmp_path / "new.bag"
    output = BagOutput(target, [source])
    with output, BagReader(source) as reader:
        for _ in reader.messages(every=output.copy):
            pass
    assert len(publishers(source)) == 5
    assert publishers(target) == publishers(source)
    assert messages(target) == messages(source)  # In their order, though all are of one time.


def test_a_cut_bag_keeps_its_publishers_too(tmp_path):
    source, target = write_publishers(tmp_path / "x.bag"), tmp_path / "new.bag"
    whole = publishers(source)
    source.write_bytes(source.read_bytes()[:-1])
    output = BagOutput(target, [source])
    with output, BagReader(source) as reader, pytest.raises(BagError):
        for _ in reader.messages(every=output.copy):
            pass
    assert [each[4:] for each in publishers(target)] == [each[4:] for each in whole]


def test_images_without_stamps_keep_their_own_headers(tmp_path):
    source, target = tmp_path / "x.bag", tmp_path / "new.bag"
    with BagWriter(source) as bag:
        for time in (100, 200, 300):
            bag.image("/image", 0, IMAGE, "rgb8", f"camera_{time}", time)
    copy(source, target)
    with BagReader(target) as reader:
        headers = [
            (message.stamp_ns, message.time_ns, message.frame_id, message.labels()[0, 0])
            for message in reader.messages("/offline/labels")
        ]
    assert headers == [(0, time, f"camera_{time}", time // 100) for time in (100, 200, 300)]


def test_several_files_are_copied_into_one(tmp_path):
    for number in (1, 2):
        with BagWriter(tmp_path / f"x_{number}.bag") as bag:
            bag.image("/image", 100 * number, IMAGE, "rgb8", "camera")
    sources = [tmp_path / "x_1.bag", tmp_path / "x_2.bag"]
    output = BagOutput(tmp_path / "new.bag", sources)
    with output, BagReader(sources) as reader:
        assert len(list(reader.messages("/image", every=output.copy))) == 2
    with Reader(tmp_path / "new.bag") as reader:
        assert [each.msgcount for each in reader.connections] == [2]
    with pytest.raises(BagError, match="x_2.bag is the bag that is read"):
        BagOutput(sources[1], sources, overwrite=True)
