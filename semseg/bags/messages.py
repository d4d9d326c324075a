"""Messages of bags, as their bytes and as what they say."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from rosbags.typesys import Stores, get_typestore

from semseg.runtime.images import image_codec

IMAGE = "sensor_msgs/Image"
COMPRESSED_IMAGE = "sensor_msgs/CompressedImage"
CAMERA_INFO = "sensor_msgs/CameraInfo"
STRING = "std_msgs/String"

_ROS1_HEADER = struct.Struct("<LLLL")  # std_msgs/Header up to the text of its frame_id

ROS1_TYPES = get_typestore(Stores.ROS1_NOETIC)
ROS2_TYPES = get_typestore(Stores.ROS2_HUMBLE)


class Channel(NamedTuple):
    """Where messages of one topic and publisher come from: what the bag format calls connection.

    Attributes:
      topic: the topic.
      kind: type of its messages, as in ``sensor_msgs/Image``.
      definition: text that defines the type; empty in some ROS 2 bags.
      digest: MD5 sum of the type (ROS 1).
      latching: whether late subscribers are to get the last message.
    """

    topic: str
    kind: str
    definition: str
    digest: str
    latching: bool


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

    def ros1_header(self) -> tuple[int, str]:
        """Returns stamp, nanoseconds, and frame of a ROS 1 message that begins with a header."""
        _, seconds, nanoseconds, length = _ROS1_HEADER.unpack_from(self.data)
        frame_id = bytes(self.data[_ROS1_HEADER.size : _ROS1_HEADER.size + length])
        return seconds * 10**9 + nanoseconds, frame_id.decode()


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
    def create(cls, topic: str, time_ns: int, fields: Any) -> BagMessage:
        """Returns the message with the given fields, one of which is ``header``."""
        stamp = fields.header.stamp
        stamp_ns = stamp.sec * 10**9 + stamp.nanosec
        return cls(topic, stamp_ns, fields.header.frame_id, fields, time_ns)

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
