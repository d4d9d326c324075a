"""Hints about topics that nobody publishes, and camera infos that fit no image."""

import pytest
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from semseg.node.options import CameraOptions
from semseg.node.ports import Result
from semseg.ros.camera import COMPRESSED_IMAGE, IMAGE, CameraTopics, hint
from semseg.runtime.images.view import View

PUBLISHED = [
    ("/front/image_raw", IMAGE),
    ("/front/image_raw/compressed", COMPRESSED_IMAGE),
    ("/rear/image/compressed", COMPRESSED_IMAGE),
    ("/odd", "std_msgs/String"),
    ("/jpeg", COMPRESSED_IMAGE),
]


@pytest.mark.parametrize(
    "topic, kind, expected",
    [
        ("/front/image_raw", IMAGE, "its publisher does not connect"),
        ("/odd", IMAGE, "std_msgs/String is published there, expected sensor_msgs/Image"),
        ("/jpeg", IMAGE, "sensor_msgs/CompressedImage is published there, expected "
         "sensor_msgs/Image; set ~transport to compressed?"),
        ("/rear/image", IMAGE, "/rear/image/compressed is published; set ~transport to "
         "compressed?"),
        ("/image", IMAGE, "remap image to one of: /front/image_raw?"),
        ("/front/image/compressed", COMPRESSED_IMAGE,
         "remap image to one of: /front/image_raw/compressed, /rear/image/compressed, /jpeg?"),
    ],
)  # fmt: skip
def test_hint(topic, kind, expected):
    assert hint(topic, kind, PUBLISHED).startswith(expected)


def test_a_compressed_topic_whose_raw_twin_is_published():
    found = hint("/cam/compressed", COMPRESSED_IMAGE, [("/cam", IMAGE)])
    assert found == "/cam is published; set ~transport to raw?"


def test_nothing_is_published_at_all():
    assert hint("/image", IMAGE, []) == "no image of this type is published at all"


def test_an_unfit_info_is_counted_and_named_until_one_fits(monkeypatch):
    monkeypatch.setattr("semseg.ros.subscriptions.rospy.resolve_name", lambda topic: "/" + topic)
    topics = CameraTopics("front/", CameraOptions(), None)
    header = Header(frame_id="front_optical")
    topics.newest_info = CameraInfo(height=480, width=640)
    placement = View().placed((480, 320))
    result = Result(Image(header=header), None, None, None, placement)
    assert topics.info_of(result) is None
    assert topics.info_of(result) is None
    complaint = "camera_info is of images of 480x640, those on /front/image are 480x320"
    assert (topics.unfit_infos, topics.info_complaint) == (2, complaint)
    fitting = topics.info_of(result._replace(placement=View().placed((240, 320))))
    assert (fitting.width, fitting.binning_x, fitting.header) == (640, 2, header)
    assert (topics.unfit_infos, topics.info_complaint) == (2, "")
