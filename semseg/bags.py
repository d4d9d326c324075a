"""ROS 1 bags of camera images and labels, read and written without ROS."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from rosbags.interfaces import Connection
from rosbags.rosbag1 import Reader, ReaderError, Writer
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_typestore

from semseg.errors import BagError, unknown_name
from semseg.runtime import image_codec
from semseg.runtime.geometry import Size

IMAGE = "sensor_msgs/Image"
COMPRESSED_IMAGE = "sensor_msgs/CompressedImage"
CAMERA_INFO = "sensor_msgs/CameraInfo"

# LZ4 is missing on purpose: rosbags writes frames that `rosbag play` cannot decompress.
COMPRESSIONS = {"none": None, "bz2": Writer.CompressionFormat.BZ2}

# What rosbags and the decompressors raise on bytes that are no bag.
_DAMAGE = (
    ReaderError,
    SerdeError,
    AssertionError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
)

_TYPES = get_typestore(Stores.ROS1_NOETIC)


class BagMessage(NamedTuple):
    """One message of a bag.

    Attributes:
      topic: the topic it was recorded from.
      stamp_ns: stamp of its header, which pairs an image with its labels.
      frame_id: coordinate frame of its header.
      fields: the message; its attributes have the names of the ROS message.
    """

    topic: str
    stamp_ns: int
    frame_id: str
    fields: Any

    def image(self) -> np.ndarray:
        """Returns the RGB image, uint8 (H, W, 3).

        Raises:
          ImageError: the encoding is unknown or the data contradicts the header.
        """
        if hasattr(self.fields, "encoding"):
            return image_codec.decode_image(*_pixel_fields(self.fields))
        return image_codec.decode_compressed(self.fields.data)

    def labels(self) -> np.ndarray:
        """Returns the labels, uint8 (H, W), of a single-channel image; raises ``ImageError``."""
        if hasattr(self.fields, "encoding"):
            return image_codec.decode_labels(*_pixel_fields(self.fields))
        return image_codec.decode_compressed_labels(self.fields.data)


class BagReader:
    """Reads images from a bag, one at a time.

    Only the wanted topics are decoded: messages of a type unknown here do no harm beside them.

    Raises:
      BagError: there is no such file, or it is no whole, indexed bag.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = path
        if not Path(path).is_file():
            raise BagError(f"{path}: no such bag")
        self._reader = Reader(str(path))
        with self._damage_named():
            self._reader.open()

    def __enter__(self) -> BagReader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._reader.close()

    @property
    def topics(self) -> dict[str, str]:
        """Type of each topic, as in ``{"/camera/image_raw": "sensor_msgs/Image"}``."""
        return {
            connection.topic: connection.msgtype.replace("/msg/", "/")
            for connection in self._reader.connections
        }

    def count(self, topic: str) -> int:
        """Returns the number of images on a topic; raises ``BagError`` as ``messages`` does."""
        return sum(connection.msgcount for connection in self._connections(topic))

    def messages(self, *topics: str) -> Iterator[BagMessage]:
        """Reads the messages of image topics in the order they were recorded.

        Args:
          *topics: names of topics with raw or compressed images.

        Yields:
          One ``BagMessage`` at a time, so that memory does not grow with the bag.

        Raises:
          BagError: a topic is missing or carries no images; or the bag is damaged, after the
            messages before the damage.
        """
        connections = [found for topic in topics for found in self._connections(topic)]
        with self._damage_named():
            for connection, _, data in self._reader.messages(connections):
                fields: Any = _TYPES.deserialize_ros1(data, connection.msgtype)
                stamp = fields.header.stamp
                stamp_ns = stamp.sec * 10**9 + stamp.nanosec
                yield BagMessage(connection.topic, stamp_ns, fields.header.frame_id, fields)

    def _connections(self, topic: str) -> list[Connection]:
        # A bag has one connection per publisher, so a topic can have several.
        found = [each for each in self._reader.connections if each.topic == topic]
        if not found:
            topics = ", ".join(f"{name} ({kind})" for name, kind in sorted(self.topics.items()))
            raise BagError(f"{self._path} has no topic '{topic}'; it has: {topics or 'none'}")
        kind = self.topics[topic]
        if kind not in (IMAGE, COMPRESSED_IMAGE):
            raise BagError(
                f"{self._path}: topic '{topic}' is {kind}, expected {IMAGE} or {COMPRESSED_IMAGE}"
            )
        return found

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            raise BagError(
                f"{self._path} is damaged or was never closed ({error});"
                f" `rosbag reindex {self._path}` may repair it"
            )


class BagWriter:
    """Writes a new bag; it gets its name when it is whole, until then it is ``NAME.active``.

    Every topic counts its own ``header.seq``; the time of recording is the stamp.

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
        self._active = self._path.with_name(self._path.name + ".active")
        self._active.unlink(missing_ok=True)
        self._writer = Writer(self._active)
        scheme = COMPRESSIONS[compression]
        if scheme is not None:
            self._writer.set_compression(scheme)
        self._connections: dict[str, Connection] = {}
        self._sequences: dict[str, count[int]] = {}

    def __enter__(self) -> BagWriter:
        self._writer.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, traceback)
        if kind is None:
            os.replace(self._active, self._path)
        else:
            self._active.unlink()

    def image(
        self, topic: str, stamp_ns: int, array: np.ndarray, encoding: str, frame_id: str
    ) -> None:
        """Writes a raw image.

        Args:
          topic: where it was seen.
          stamp_ns: when, nanoseconds since the epoch, above zero.
          array: uint8 RGB (H, W, 3), or labels (H, W) with ``mono8``.
          encoding: how the message stores it, such as ``rgb8`` or ``mono8``.
          frame_id: the camera's coordinate frame.
        """
        height, width, _, big, step, data = image_codec.encode_image(array, encoding)
        layout = {"encoding": encoding, "is_bigendian": big, "step": step}
        pixels = np.frombuffer(data, np.uint8)
        size = {"height": height, "width": width}
        self._write(topic, IMAGE, stamp_ns, frame_id, **size, **layout, data=pixels)

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
        region = _TYPES.types["sensor_msgs/msg/RegionOfInterest"]
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

    def _write(self, topic: str, kind: str, stamp_ns: int, frame_id: str, **fields: Any) -> None:
        name = kind.replace("/", "/msg/")
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(topic, name, typestore=_TYPES)
            self._sequences[topic] = count()
        stamp = _TYPES.types["builtin_interfaces/msg/Time"](
            sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
        )
        header = _TYPES.types["std_msgs/msg/Header"](
            seq=next(self._sequences[topic]), stamp=stamp, frame_id=frame_id
        )
        data = _TYPES.serialize_ros1(_TYPES.types[name](header=header, **fields), name)
        self._writer.write(self._connections[topic], stamp_ns, data)


def _pixel_fields(image: Any) -> tuple[str, int, int, int, int, Any]:
    size = (image.height, image.width)
    return (image.encoding, *size, image.step, image.is_bigendian, image.data)
