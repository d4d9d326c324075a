"""Hints about topics that nobody publishes."""

import pytest

from semseg.ros.camera import COMPRESSED_IMAGE, IMAGE, hint

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
