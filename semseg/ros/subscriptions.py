"""What the node listens to for one camera: its images, its camera info, its second images."""

from typing import Any, Callable, List, NamedTuple, Optional

import rospy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from semseg.node.options import COMPRESSED, RAW

_TRANSPORTS = {RAW: ("", Image), COMPRESSED: ("/compressed", CompressedImage)}

# One read of the socket may return this much: a whole frame in few system calls.
BUFFER_SIZE = 2**24


class ImageTopic(NamedTuple):
    """A topic of images.

    Attributes:
      name: resolved, the transport's suffix included.
      kind: type of its messages, ``Image`` or ``CompressedImage``.
    """

    name: str
    kind: Any

    @classmethod
    def resolve(cls, topic: str, transport: str) -> "ImageTopic":
        """Resolves a topic, named without the transport's suffix, before remapping."""
        suffix, kind = _TRANSPORTS[transport]
        # Resolved first: a remapping names the image topic, never its compressed twin.
        return cls(rospy.resolve_name(topic) + suffix, kind)

    def subscribe(self, callback: Callable[[Any], None]) -> rospy.Subscriber:
        """Subscribes it.

        There is no queue size on purpose: rospy would then drop frames of its own accord,
        unseen. The callback must only take the message over; the mailbox behind it drops and
        counts.
        """
        return rospy.Subscriber(self.name, self.kind, callback, buff_size=BUFFER_SIZE)


class CameraSubscription:
    """Subscribes a camera's images and, beside them, its camera info; not before ``open``.

    Args:
      topic: the image topic without the transport's suffix, before remapping.
      transport: ``raw`` or ``compressed``.
      callback: called with each image, from a thread of each publisher's connection.
      second: the topic of the second images, of models that see two; None for the others.
      second_callback: called with each of them likewise.

    Attributes:
      topic: the resolved topic of the images, suffix included.
      kind: type of its messages, ``Image`` or ``CompressedImage``.
      second_topic: the resolved topic of the second images; empty without.
      newest_info: the newest ``CameraInfo``, or None.
    """

    def __init__(  # noqa: PLR0917
        self,
        topic: str,
        transport: str,
        callback: Callable[[Any], None],
        second: Optional[ImageTopic] = None,
        second_callback: Callable[[Any], None] = lambda message: None,
    ):
        self._image_topic = ImageTopic.resolve(topic, transport)
        self.topic, self.kind = self._image_topic
        self.second_topic = "" if second is None else second.name
        self.newest_info: Optional[CameraInfo] = None
        self._info_topic = camera_info_topic(rospy.resolve_name(topic))
        self._callback = callback
        self._second = second
        self._second_callback = second_callback
        self._images: Optional[rospy.Subscriber] = None
        self._others: List[rospy.Subscriber] = []

    @property
    def is_open(self) -> bool:
        """Whether the camera is subscribed."""
        return self._images is not None

    @property
    def num_publishers(self) -> int:
        """Number of publishers of images that are connected."""
        images = self._images
        # A subscriber that another thread closes just now has no connections any more.
        connections = None if images is None else images.impl
        return 0 if connections is None else connections.get_num_connections()

    def open(self) -> None:
        """Subscribes."""
        self._others = [rospy.Subscriber(self._info_topic, CameraInfo, self._keep_info)]
        if self._second is not None:
            self._others.append(self._second.subscribe(self._second_callback))
        self._images = self._image_topic.subscribe(self._callback)

    def close(self) -> None:
        """Unsubscribes; the newest camera info stays."""
        images, self._images = self._images, None
        if images is not None:
            images.unregister()
        for subscriber in self._others:
            subscriber.unregister()
        self._others = []

    def _keep_info(self, message):
        self.newest_info = message


def camera_info_topic(image_topic: str) -> str:
    """Returns the topic of the camera info that belongs to an image topic.

    It is ``camera_info`` in the image's own namespace, as image_transport has it.
    """
    return image_topic.rsplit("/", 1)[0] + "/camera_info"
