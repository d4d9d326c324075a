"""From a drive through the town to the report of its bag, whole, damaged, and of ROS 2."""

import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores, get_typestore

from semseg.bags import BagReader, BagWriter

FRAMES = 6
IMAGES, LABELS = "/camera/image_raw", "/camera/labels"
TOPICS = ("--image-topic", IMAGES, "--label-topic", LABELS)
MODEL = ("--model", "demo")
SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """A bag of a drive through the town."""
    path = tmp_path_factory.mktemp("bags") / "town.bag"
    flags = ["--dataset", "town", "--split", "demo", "--frames", FRAMES, "--size", "128x256"]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit, match="0"):
        patch.setattr(sys, "argv", ["make_bag.py", *map(str, flags), "--output", str(path)])
        runpy.run_path(str(SCRIPTS / "make_bag.py"), run_name="__main__")
    return path


def read(path):
    return json.loads(path.read_text())


def test_the_report_has_scores_flips_and_agreement(command, bag, tmp_path):
    flags = ("--bag", bag, *MODEL, *TOPICS, "--other-model", "demo_full")
    files = ("--report", tmp_path / "x.json", "--html", tmp_path / "x.html")
    result = command("evaluate_bag", *flags, *files, "--output", tmp_path / "new.bag")
    assert result.status == 0, result.err
    report = read(tmp_path / "x.json")
    assert report["passed"] and report["frames"] == FRAMES
    assert 0.3 < report["mean_iou"] < 1  # Both models know the town.
    flips = report["consistency"]["per_frame"]["flips"]
    assert flips[0] is None and len(flips) == FRAMES
    assert 0 < report["consistency"]["flips"] < 0.2
    assert report["consistency"]["by_class"]["Road"] > 0.8
    alike = report["agreement"]["per_frame"]
    assert len(alike) == FRAMES and np.mean(alike) == pytest.approx(report["agreement"]["pixels"])
    assert 0.7 < report["agreement"]["pixels"] < 1
    assert report["agreement"]["model"]["path"].endswith("town_full.pb")
    page = (tmp_path / "x.html").read_text()
    assert all(f'id="{name}"' in page for name in ("scores", "consistency", "agreement"))
    assert "label flips: " in result.out and "agreement: " in result.out
    with BagReader(tmp_path / "new.bag") as new:
        assert new.count(IMAGES) == new.count("/offline/labels") == FRAMES
        images, labels = (list(new.messages(topic)) for topic in (IMAGES, "/offline/labels"))
    assert [each.stamp_ns for each in images] == [each.stamp_ns for each in labels]


def test_a_cut_bag_is_scored_up_to_the_cut_with_status_1(command, bag, tmp_path):
    cut = tmp_path / "cut.bag"
    cut.write_bytes(bag.read_bytes()[: bag.stat().st_size * 2 // 3])
    flags = ("--bag", cut, *MODEL, *TOPICS, "--report", tmp_path / "x.json")
    result = command("evaluate_bag", *flags)
    assert result.status == 1
    report = read(tmp_path / "x.json")
    assert 1 <= report["frames"] < FRAMES and not report["passed"]
    (skipped,) = report["skipped_frames"]
    assert skipped["name"] == "the rest of cut.bag" and "readable up to byte" in skipped["reason"]
    assert "skipped the rest of cut.bag" in result.out


def test_a_ros_2_bag_scores_like_its_ros_1_twin(command, bag, tmp_path):
    types = get_typestore(Stores.ROS2_HUMBLE)
    with Writer(tmp_path / "twin", version=9) as writer, BagReader(bag) as reader:
        connections = {
            topic: writer.add_connection(topic, "sensor_msgs/msg/Image", typestore=types)
            for topic in (IMAGES, LABELS)
        }
        for message in reader.messages(IMAGES, LABELS):
            fields, made = message.fields, types.types
            stamp = made["builtin_interfaces/msg/Time"](*divmod(message.stamp_ns, 10**9))
            image = made["sensor_msgs/msg/Image"](
                header=made["std_msgs/msg/Header"](stamp=stamp, frame_id="camera"),
                height=fields.height,
                width=fields.width,
                encoding=fields.encoding,
                is_bigendian=0,
                step=fields.step,
                data=fields.data,
            )
            data = types.serialize_cdr(image, "sensor_msgs/msg/Image")
            writer.write(connections[message.topic], message.time_ns, data)
    confusions = []
    for source in (bag, tmp_path / "twin"):
        flags = ("--bag", source, *MODEL, *TOPICS, "--report", tmp_path / "x.json", "--force")
        assert command("evaluate_bag", *flags).status == 0
        confusions.append(read(tmp_path / "x.json")["confusion"])
    assert confusions[0] == confusions[1]


def test_stamps_that_never_meet_name_the_nearest_distance(command, tmp_path):
    with BagWriter(tmp_path / "x.bag") as writer:
        for index in range(3):
            stamp = 10**9 * (index + 1)
            writer.image("/image", stamp, np.zeros((64, 64, 3), np.uint8), "rgb8", "camera")
            labels = np.zeros((64, 64), np.uint8)
            writer.image("/labels", stamp + 4_000_000, labels, "mono8", "camera")
    topics = ("--image-topic", "/image", "--label-topic", "/labels")
    result = command("evaluate_bag", "--bag", tmp_path / "x.bag", *MODEL, *topics)
    assert result.status == 2
    assert "the nearest two are 4.000 ms apart" in result.err.splitlines()[-1]


@pytest.mark.parametrize(
    "flags, expected",
    [
        (["--max-latency", "1"], "needs --live"),
        (["--min-miou", "0.5"], "--min-miou needs --label-topic"),
        (["--min-miou", "0.5", "--live"], "--min-miou needs --label-topic"),
        (["--min-miou", "55"], "expected a share, 0..1, found 55"),
        (["--live", "--output", "new.bag"], "--output does not go together with --live"),
        (["--live", "--compare", "x.json"], "--compare does not go together with --live"),
        (["--output", "{bag}"], "is the bag that is read"),
        (["--output", "{folder}/old.bag"], "old.bag exists already"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(command, bag, tmp_path, flags, expected):
    (tmp_path / "old.bag").write_bytes(b"old")
    given = [flag.format(bag=bag, folder=tmp_path) for flag in flags]
    result = command("evaluate_bag", "--bag", bag, *MODEL, *TOPICS[:2], *given)
    assert result.status == 2
    assert result.err.startswith("error: ") and result.err.count("\n") == 1
    assert expected in result.err
    assert (tmp_path / "old.bag").read_bytes() == b"old"


@pytest.mark.parametrize(
    "flags, expected",
    [
        ([], "give --output, --video or --show"),
        (["--video", "{folder}/old.gif"], "old.gif exists already"),
        (["--video", "{folder}/x.avi"], "unknown kind of video '.avi'"),
        (["--output", "{folder}"], "holds files already"),
        (["--video", "{folder}/x.gif", "--median", "2"], "--median 2: expected an odd number"),
        (["--video", "{folder}/x.gif", "--images", "{folder}/x.mp4"], "x.mp4: cannot be opened"),
    ],
)
def test_a_mistake_of_predicting_is_one_line_and_overwrites_nothing(
    command, tmp_path, flags, expected
):
    (tmp_path / "old.gif").write_bytes(b"old")
    (tmp_path / "x.mp4").write_bytes(b"no video")
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((64, 64, 3), np.uint8))
    given = [flag.format(folder=tmp_path) for flag in flags]
    result = command("predict", *MODEL, "--images", tmp_path / "a.png", *given)
    assert result.status == 2
    assert expected in result.err.splitlines()[-1]
    assert (tmp_path / "old.gif").read_bytes() == b"old"


def test_images_become_a_gif_with_a_median(command, tmp_path):
    for index in range(3):
        image = np.full((64, 128, 3), 60 * index, np.uint8)
        cv2.imwrite(str(tmp_path / f"{index}.png"), image)
    flags = ("--images", f"{tmp_path}/*.png", "--video", tmp_path / "x.gif", "--median", "3")
    result = command("predict", *MODEL, *flags, "--rate", "4")
    assert result.status == 0 and "3 of 3 frames" in result.out
    film = cv2.VideoCapture(str(tmp_path / "x.gif"))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 3 and film.get(cv2.CAP_PROP_FPS) == 4
