"""Messages of bags, as their bytes and as what they say."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from rosbags.typesys import Stores, get_typestore

from semseg.runtime.images import image_codec

IMAGE = "sensor_msgs/Image"
COMPRESSED_IMAGE = "sensor_msgs/CompressedImage"
CAMERA_INFO = "sensor_msgs/CameraInfo"
STRING = "std_msgs/String"

ROS1_TYPES = get_typestore(Stores.ROS1_NOETIC)
ROS2_TYPES = get_typestore(Stores.ROS2_HUMBLE)


class Channel(NamedTuple):
    """Where messages of one topic and publisher come from: what the bag format calls connection.

    Attributes:
      topic: the topic.
      kind: type of its messages, as in ``sensor_msgs/Image``.
      definition: text that defines the type; empty in some ROS 2 bags.
      digest: MD5 sum of the type (ROS 1).
      callerid: name of the publishing node (ROS 1); None if it is not known.
      latching: 1 if late subscribers are to get the last message; None if it is not known.
      encoding: how messages are serialized: ``ros1``, ``cdr`` (ROS 2), or something else.
      number: 0; 1, 2 ... for further publishers of its bag that are alike in all else.
    """

    topic: str
    kind: str
    definition: str
    digest: str
    callerid: str | None = None
    latching: int | None = None
    encoding: str = "ros1"
    number: int = 0

    @property
    def carries_images(self) -> bool:
        """Whether its messages are raw or compressed images that can be read here."""
        return self.kind in (IMAGE, COMPRESSED_IMAGE) and self.encoding in ("ros1", "cdr")

    def description(self) -> str:
        """Returns the type, and the encoding where it is none of ROS."""
        return self.kind if self.encoding in ("ros1", "cdr") else f"{self.kind}, {self.encoding}"


def distinguished(channel: Channel, others: Collection[Channel]) -> Channel:
    """Returns a channel that none of the others equals, by its number."""
    while channel in others:
        channel = channel._replace(number=channel.number + 1)
    return channel


class RawMessage(NamedTuple):
    """A message of any type, as its bytes.

    Attributes:
      channel: where it came from.
      time_ns: when it was recorded, nanoseconds since the epoch.
      data: the serialized message.
    """

    channel: Channel
    time_ns: int
    data: bytes

    def decoded(self) -> Any:
        """Returns the message; its attributes have the names of the ROS message."""
        name = rosbags_name(self.channel.kind)
        if self.channel.encoding == "ros1":
            return ROS1_TYPES.deserialize_ros1(self.data, name)
        return ROS2_TYPES.deserialize_cdr(self.data, name)


class BagMessage(NamedTuple):
    """One message of a bag.

    Attributes:
      topic: the topic it was recorded from.
      stamp_ns: stamp of its header, which pairs an image with its labels.
      frame_id: coordinate frame of its header.
      fields: the message; its attributes have the names of the ROS message.
      time_ns: when it was recorded, nanoseconds since the epoch; 0 if nobody knows.
    """

    topic: str
    stamp_ns: int
    frame_id: str
    fields: Any
    time_ns: int = 0

    @classmethod
    def create(cls, raw: RawMessage) -> BagMessage:
        """Decodes a message that has a header."""
        fields = raw.decoded()
        stamp = fields.header.stamp
        stamp_ns = stamp.sec * 10**9 + stamp.nanosec
        return cls(raw.channel.topic, stamp_ns, fields.header.frame_id, fields, raw.time_ns)

    def image(self) -> np.ndarray:
        """Returns the RGB image, uint8 (H, W, 3).

        Raises:
          ImageError: the encoding is unknown or the data contradicts the header.
        """
        if hasattr(self.fields, "encoding"):
            return image_codec.decode_image(*_pixel_fields(self.fields))
        return image_codec.decode_compressed(self.fields.data, form=self.fields.format)

    def labels(self) -> np.ndarray:
        """Returns the labels, uint8 (H, W), of a single-channel image; raises ``ImageError``."""
        if hasattr(self.fields, "encoding"):
            return image_codec.decode_labels(*_pixel_fields(self.fields))
        return image_codec.decode_compressed_labels(self.fields.data, self.fields.format)


def rosbags_name(kind: str) -> str:
    """Returns a type's name as rosbags writes it, ``sensor_msgs/msg/Image``."""
    return kind.replace("/", "/msg/")


def ros_name(rosbags_kind: str) -> str:
    """Returns a type's name as ROS 1 writes it, ``sensor_msgs/Image``."""
    return rosbags_kind.replace("/msg/", "/")


def _pixel_fields(image: Any) -> tuple[str, int, int, int, int, Any]:
    size = (image.height, image.width)
    return (image.encoding, *size, image.step, image.is_bigendian, image.data)
