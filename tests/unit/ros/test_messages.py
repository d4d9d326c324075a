"""ROS messages and arrays: headers, encodings, and the same pixels as cv_bridge."""

import cv2
import numpy as np
import pytest
import rospy
from cv_bridge import CvBridge
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from semseg.errors import ImageError
from semseg.ros.messages import (
    copy_header,
    image_from_message,
    image_message,
    labels_from_message,
    png_message,
    uncalibrated_camera_info,
)
from semseg.ros.subscriptions import camera_info_topic

HEADER = Header(seq=4, stamp=rospy.Time(12, 34), frame_id="camera")
IMAGE = np.random.RandomState(0).randint(0, 256, (6, 10, 3)).astype(np.uint8)


def test_a_header_s_copy_is_its_own():
    copy = copy_header(HEADER)
    assert copy == HEADER
    copy.seq = 5
    assert HEADER.seq == 4


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "bgra8"])
def test_images_survive_their_message(encoding):
    message = image_message(HEADER, IMAGE, encoding)
    assert message.header == HEADER
    assert message.header is not HEADER
    assert (message.height, message.width, message.encoding) == (6, 10, encoding)
    np.testing.assert_array_equal(image_from_message(message), IMAGE)


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "bgra8", "mono8", "bayer_rggb8"])
def test_pixels_are_those_of_cv_bridge(encoding):
    array = IMAGE[..., 0] if encoding in ("mono8", "bayer_rggb8") else IMAGE
    message = image_message(HEADER, array, "mono8" if array.ndim == 2 else encoding)
    message.encoding = encoding
    expected = CvBridge().imgmsg_to_cv2(message, "rgb8")
    np.testing.assert_array_equal(image_from_message(message), expected)


def test_a_compressed_image_is_decoded_to_rgb():
    data = cv2.imencode(".png", cv2.cvtColor(IMAGE, cv2.COLOR_RGB2BGR))[1].tobytes()
    np.testing.assert_array_equal(image_from_message(CompressedImage(data=data)), IMAGE)
    with pytest.raises(ImageError):
        image_from_message(CompressedImage(data=data[:40]))


def test_labels_survive_mono8_and_png():
    labels = IMAGE[..., 0]
    message = image_message(HEADER, labels, "mono8")
    np.testing.assert_array_equal(labels_from_message(message), labels)
    png = png_message(HEADER, labels)
    assert png.format == "mono8; png compressed "
    decoded = cv2.imdecode(np.frombuffer(png.data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decoded, labels)


def test_camera_info_is_beside_its_image():
    assert camera_info_topic("/robot/camera/image_raw") == "/robot/camera/camera_info"
    assert camera_info_topic("/image") == "/camera_info"
    info = uncalibrated_camera_info(HEADER, 6, 10)
    assert (info.header, info.height, info.width, info.K[0]) == (HEADER, 6, 10, 0.0)
