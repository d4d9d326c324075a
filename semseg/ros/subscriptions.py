"""What the node listens to for one camera: its images and its camera info."""

from typing import Callable

import rospy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from semseg.errors import ConfigError, unknown_name

RAW, COMPRESSED = "raw", "compressed"
_TRANSPORTS = {RAW: ("", Image), COMPRESSED: ("/compressed", CompressedImage)}

# One read of the socket may return this much: a whole frame in few system calls.
BUFFER_SIZE = 2**24


class ImageSubscription:
    """Subscribes a camera's images.

    There is no queue size on purpose: rospy would then drop frames of its own accord, unseen.
    The callback must only take the message over; the mailbox behind it drops and counts.

    Args:
      topic: the image topic without the transport's suffix, before remapping.
      transport: ``raw`` or ``compressed``.
      callback: called with each message, from a thread of each publisher's connection.

    Raises:
      ConfigError: the transport is unknown.
    """

    def __init__(self, topic: str, transport: str, callback: Callable):
        if transport not in _TRANSPORTS:
            raise ConfigError(unknown_name("transport", transport, _TRANSPORTS))
        suffix, kind = _TRANSPORTS[transport]
        # Resolved first: a remapping names the image topic, never its compressed twin.
        self.topic = rospy.resolve_name(topic) + suffix
        self._subscriber = rospy.Subscriber(self.topic, kind, callback, buff_size=BUFFER_SIZE)

    @property
    def num_publishers(self) -> int:
        """Number of publishers that are connected."""
        return self._subscriber.get_num_connections()


class CameraInfoSubscription:
    """Keeps the newest ``CameraInfo`` of a camera.

    Args:
      image_topic: the camera's image topic, before remapping; the info is beside it.

    Attributes:
      newest: the newest message, or None.
    """

    def __init__(self, image_topic: str):
        self.newest = None
        rospy.Subscriber(camera_info_topic(rospy.resolve_name(image_topic)), CameraInfo, self._keep)

    def _keep(self, message):
        self.newest = message


def camera_info_topic(image_topic: str) -> str:
    """Returns the topic of the camera info that belongs to an image topic.

    It is ``camera_info`` in the image's own namespace, as image_transport has it.
    """
    return image_topic.rsplit("/", 1)[0] + "/camera_info"
