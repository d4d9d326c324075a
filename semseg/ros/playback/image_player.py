"""Plays images or a video as a camera would."""

import glob
import logging
import os
import time
from typing import Iterator, Optional, Tuple

import cv2
import numpy as np
import rospy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from semseg.errors import ConfigError, ImageError
from semseg.files import IMAGE_SUFFIXES
from semseg.ros.messages import image_message, uncalibrated_camera_info
from semseg.ros.subscriptions import camera_info_topic
from semseg.runtime.images.geometry import resize_image
from semseg.runtime.images.image_file import read_image

_log = logging.getLogger(__name__)


def read_images(source: str) -> Iterator[Tuple[str, Optional[np.ndarray]]]:
    """Reads a folder of images (by name), the images of a glob pattern, or a video.

    Args:
      source: the folder, the pattern or the video file.

    Returns:
      Iterator of (name, RGB image uint8 (H, W, 3)); the image is None if it cannot be read.

    Raises:
      ConfigError: the source has no image, or is no video.
    """
    pattern = os.path.join(glob.escape(source), "*") if os.path.isdir(source) else source
    paths = glob.glob(pattern)
    images = sorted(path for path in paths if os.path.splitext(path)[1].lower() in IMAGE_SUFFIXES)
    if images:
        return ((path, _read_or_warn(path)) for path in images)
    if not os.path.isfile(source):
        raise ConfigError(
            "no image at '%s'; expected a folder, a pattern (%s) or a video"
            % (source, " ".join("*" + suffix for suffix in sorted(IMAGE_SUFFIXES)))
        )
    video = cv2.VideoCapture(source)
    if not video.isOpened():
        raise ConfigError("%s: neither an image nor a video that OpenCV can read" % source)
    return _video_frames(source, video)


class ImagePlayer:
    """Publishes images, and an uncalibrated camera info beside them.

    Args:
      topic: the image topic, before remapping.
      frame_id: the camera's optical frame.
      size: (height, width) of the published images; None leaves each as it is.
    """

    def __init__(self, topic: str, frame_id: str, size: Optional[Tuple[int, int]] = None):
        self._frame_id = frame_id
        self._size = size
        info_topic = camera_info_topic(rospy.resolve_name(topic))
        self._images = rospy.Publisher(topic, Image, queue_size=2)
        self._camera_infos = rospy.Publisher(info_topic, CameraInfo, queue_size=2)

    def play(self, source: str, rate_hz: float, loop: bool = False) -> int:
        """Publishes every image of a source, until its end or ROS's.

        Args:
          source: as for ``read_images``.
          rate_hz: images per second.
          loop: whether to begin again at the end.

        Returns:
          Number of images that could not be read.

        Raises:
          ConfigError: the rate is not positive, or there is no image that can be read.
        """
        if rate_hz <= 0:
            raise ConfigError("parameter ~rate: expected images per second, found %g" % rate_hz)
        skipped = 0
        while not rospy.is_shutdown():
            played, unreadable = self._play_once(source, rate_hz)
            skipped += unreadable
            if not played and not rospy.is_shutdown():
                raise ConfigError("%s: none of its %d images can be read" % (source, unreadable))
            if not loop:
                break
        return skipped

    def _play_once(self, source, rate_hz):
        # The wall clock: a camera has a rate whether or not someone simulates time.
        due, played, skipped = time.monotonic(), 0, 0
        for _, image in read_images(source):
            if rospy.is_shutdown():
                break
            if image is None:
                skipped += 1
                continue
            time.sleep(max(0.0, due - time.monotonic()))
            due = time.monotonic() + 1.0 / rate_hz  # A late image delays the next, as in a camera.
            self.publish(image)
            played += 1
        # The last image has its period too, in which rospy sends it.
        time.sleep(max(0.0, due - time.monotonic()))
        return played, skipped

    def publish(self, image: np.ndarray) -> None:
        """Publishes one image, uint8 (H, W, 3) RGB, stamped now."""
        if self._size is not None:
            image = resize_image(image, self._size)
        header = Header(stamp=rospy.Time.now(), frame_id=self._frame_id)
        self._camera_infos.publish(uncalibrated_camera_info(header, *image.shape[:2]))
        self._images.publish(image_message(header, image, "rgb8"))


def _video_frames(source, video):
    number = 0
    found, frame = video.read()
    while found:
        yield "%s frame %d" % (source, number), _to_rgb(frame)
        number += 1
        found, frame = video.read()
    video.release()


def _read_or_warn(path):
    try:
        return read_image(path)
    except ImageError as error:
        _log.warning("skipped: %s", error)
        return None


def _to_rgb(image):
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
