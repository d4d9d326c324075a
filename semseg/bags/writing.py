"""Writing ROS 1 bags."""

from __future__ import annotations

import errno
from collections.abc import Hashable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag1,
    MessageDefinition,
    MessageDefinitionFormat,
)
from rosbags.rosbag1 import Writer

from semseg.bags.messages import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    IMAGE,
    ROS1_TYPES,
    STRING,
    Channel,
    RawMessage,
    rosbags_name,
)
from semseg.errors import BagError, unknown_name
from semseg.files import partial_path
from semseg.runtime.images import image_codec
from semseg.runtime.images.geometry import Size

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# LZ4 is missing on purpose: rosbags writes frames that `rosbag play` cannot decompress.
COMPRESSIONS = {"none": None, "bz2": Writer.CompressionFormat.BZ2}


class BagWriter:
    """Writes a new bag; it gets its name when it is whole, until then it is ``NAME.active``.

    Every topic counts its own ``header.seq``.

    Args:
      path: the file to write.
      compression: ``none`` or ``bz2``.
      overwrite: whether an existing file may be replaced.

    Raises:
      BagError: the file exists, or the compression is unknown.
    """

    def __init__(
        self, path: str | Path, compression: str = "none", overwrite: bool = False
    ) -> None:
        self._path = Path(path)
        if self._path.exists() and not overwrite:
            raise BagError(f"{path} exists already; choose another name or overwrite it (--force)")
        if compression not in COMPRESSIONS:
            raise BagError(unknown_name("compression", compression, COMPRESSIONS))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._stack = ExitStack()
        active = Path(self._stack.enter_context(partial_path(self._path, mark=".active")))
        active.unlink(missing_ok=True)
        self._writer = Writer(active)
        scheme = COMPRESSIONS[compression]
        if scheme is not None:
            self._writer.set_compression(scheme)
        self._connections: dict[Hashable, Connection] = {}
        self._sequences: dict[str, count[int]] = {}

    def __enter__(self) -> BagWriter:
        try:
            self._writer.open()
        except OSError as refused:
            self._stack.__exit__(OSError, refused, None)
            raise self._refusal(refused)
        self._stack.push(self._writer)
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        try:
            self._stack.__exit__(kind, *error)
        except OSError as refused:
            raise self._refusal(refused)
        if isinstance(error[0], OSError) and error[0].errno in _FULL:
            raise self._refusal(error[0])

    def _refusal(self, error: OSError) -> BagError:
        return BagError(f"{self._path} cannot be written: {error.strerror}")

    def connect(self, channel: Channel) -> None:
        """Notes a publisher of a ROS 1 bag, as it is there, before its first message."""
        if channel in self._connections:
            return
        # Not by `add_connection`: it refuses publishers that are alike, which bags do have.
        writer = self._writer
        definition = MessageDefinition(MessageDefinitionFormat.MSG, channel.definition)
        connection = Connection(
            len(writer.connections),
            channel.topic,
            rosbags_name(channel.kind),
            definition,
            channel.digest,
            -1,
            ConnectionExtRosbag1(channel.callerid, channel.latching),
            writer,
        )
        writer.write_connection(connection, writer.chunks[-1].data)
        writer.connections.append(connection)
        self._connections[channel] = connection

    def copy(self, message: RawMessage) -> None:
        """Writes a message of a ROS 1 bag as it is."""
        self.connect(message.channel)
        self._writer.write(self._connections[message.channel], message.time_ns, message.data)

    def text(self, topic: str, time_ns: int, text: str) -> None:
        """Writes a std_msgs/String, latched, as recorded at a time in nanoseconds."""
        name = rosbags_name(STRING)
        data = ROS1_TYPES.serialize_ros1(ROS1_TYPES.types[name](data=text), name)
        self._writer.write(self._connection(topic, name, latching=1), time_ns, data)

    def image(  # noqa: PLR0917 - in the order of the message's fields
        self,
        topic: str,
        stamp_ns: int,
        array: np.ndarray,
        encoding: str,
        frame_id: str,
        time_ns: int | None = None,
    ) -> None:
        """Writes a raw image.

        Args:
          topic: where it was seen.
          stamp_ns: when, nanoseconds since the epoch, above zero.
          array: uint8 RGB (H, W, 3), or labels (H, W) with ``mono8``.
          encoding: how the message stores it, such as ``rgb8`` or ``mono8``.
          frame_id: the camera's coordinate frame.
          time_ns: when it was recorded; None: at its stamp.
        """
        height, width, _, big, step, data = image_codec.encode_image(array, encoding)
        layout = {"encoding": encoding, "is_bigendian": big, "step": step}
        fields = dict(layout, height=height, width=width, data=np.frombuffer(data, np.uint8))
        self._write(topic, IMAGE, stamp_ns, frame_id, time_ns, **fields)

    def compressed(
        self, topic: str, stamp_ns: int, data: bytes, file_format: str, frame_id: str
    ) -> None:
        """Writes a compressed image.

        Args:
          topic: where it was seen; image_transport expects ``IMAGE_TOPIC/compressed``.
          stamp_ns: when, nanoseconds since the epoch, above zero.
          data: contents of an image file.
          file_format: ``jpeg`` or ``png``; labels are only ever ``png``.
          frame_id: the camera's coordinate frame.
        """
        array = np.frombuffer(data, np.uint8)
        self._write(topic, COMPRESSED_IMAGE, stamp_ns, frame_id, format=file_format, data=array)

    def camera_info(
        self,
        topic: str,
        stamp_ns: int,
        frame_id: str,
        intrinsics: np.ndarray | None,
        size: Size,
    ) -> None:
        """Writes the calibration of an undistorted camera.

        Args:
          topic: where it was seen.
          stamp_ns: stamp of the image it belongs to.
          frame_id: the camera's coordinate frame.
          intrinsics: K, float (3, 3), pixels; None marks the camera as uncalibrated, which
            sensor_msgs/CameraInfo writes as ``K[0] == 0``.
          size: (height, width) of its images.
        """
        matrix = np.zeros((3, 3)) if intrinsics is None else np.asarray(intrinsics, np.float64)
        projection = np.hstack([matrix, np.zeros((3, 1))])
        region = ROS1_TYPES.types["sensor_msgs/msg/RegionOfInterest"]
        self._write(
            topic,
            CAMERA_INFO,
            stamp_ns,
            frame_id,
            height=size[0],
            width=size[1],
            distortion_model="plumb_bob",
            D=np.zeros(5),
            K=matrix.ravel(),
            R=np.eye(3).ravel(),
            P=projection.ravel(),
            binning_x=0,
            binning_y=0,
            roi=region(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
        )

    def _write(
        self,
        topic: str,
        kind: str,
        stamp_ns: int,
        frame_id: str,
        time_ns: int | None = None,
        **fields: Any,
    ) -> None:
        name = rosbags_name(kind)
        connection = self._connection(topic, name)
        stamp = ROS1_TYPES.types["builtin_interfaces/msg/Time"](
            sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
        )
        sequence = next(self._sequences.setdefault(topic, count()))
        header = ROS1_TYPES.types["std_msgs/msg/Header"](
            seq=sequence, stamp=stamp, frame_id=frame_id
        )
        data = ROS1_TYPES.serialize_ros1(ROS1_TYPES.types[name](header=header, **fields), name)
        self._writer.write(connection, stamp_ns if time_ns is None else time_ns, data)

    def _connection(self, topic: str, name: str, latching: int | None = None) -> Connection:
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, name, typestore=ROS1_TYPES, latching=latching
            )
        return self._connections[topic]
