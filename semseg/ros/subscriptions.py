"""What the node listens to for one camera: its images and its camera info."""

from typing import Any, Callable, Optional

import rospy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from semseg.ros.options import COMPRESSED, RAW

_TRANSPORTS = {RAW: ("", Image), COMPRESSED: ("/compressed", CompressedImage)}

# One read of the socket may return this much: a whole frame in few system calls.
BUFFER_SIZE = 2**24


class CameraSubscription:
    """Subscribes a camera's images and, beside them, its camera info; not before ``open``.

    There is no queue size on purpose: rospy would then drop frames of its own accord, unseen.
    The callback must only take the message over; the mailbox behind it drops and counts.

    Args:
      topic: the image topic without the transport's suffix, before remapping.
      transport: ``raw`` or ``compressed``.
      callback: called with each image, from a thread of each publisher's connection.

    Attributes:
      topic: the resolved topic of the images, suffix included.
      kind: type of its messages, ``Image`` or ``CompressedImage``.
      newest_info: the newest ``CameraInfo``, or None.
    """

    def __init__(self, topic: str, transport: str, callback: Callable[[Any], None]):
        suffix, self.kind = _TRANSPORTS[transport]
        # Resolved first: a remapping names the image topic, never its compressed twin.
        resolved = rospy.resolve_name(topic)
        self.topic = resolved + suffix
        self.newest_info: Optional[CameraInfo] = None
        self._info_topic = camera_info_topic(resolved)
        self._callback = callback
        self._images: Optional[rospy.Subscriber] = None
        self._infos: Optional[rospy.Subscriber] = None

    @property
    def is_open(self) -> bool:
        """Whether the camera is subscribed."""
        return self._images is not None

    @property
    def num_publishers(self) -> int:
        """Number of publishers of images that are connected."""
        images = self._images
        return 0 if images is None else images.get_num_connections()

    def open(self) -> None:
        """Subscribes."""
        self._infos = rospy.Subscriber(self._info_topic, CameraInfo, self._keep_info)
        self._images = rospy.Subscriber(
            self.topic, self.kind, self._callback, buff_size=BUFFER_SIZE
        )

    def close(self) -> None:
        """Unsubscribes; the newest camera info stays."""
        for subscriber in (self._images, self._infos):
            if subscriber is not None:
                subscriber.unregister()
        self._images = self._infos = None

    def _keep_info(self, message):
        self.newest_info = message


def camera_info_topic(image_topic: str) -> str:
    """Returns the topic of the camera info that belongs to an image topic.

    It is ``camera_info`` in the image's own namespace, as image_transport has it.
    """
    return image_topic.rsplit("/", 1)[0] + "/camera_info"
