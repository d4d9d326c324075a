"""Reading bags of ROS 1 and ROS 2, whole or damaged."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from rosbags import rosbag1, rosbag2
from rosbags.interfaces import Connection
from rosbags.serde import SerdeError

from semseg.bags.messages import (
    COMPRESSED_IMAGE,
    IMAGE,
    ROS1_TYPES,
    ROS2_TYPES,
    BagMessage,
    Channel,
    RawMessage,
    ros_name,
    rosbags_name,
)
from semseg.bags.salvage import SalvagedBag
from semseg.errors import BagError

# What rosbags and the decompressors raise on bytes that are no bag.
_DAMAGE = (
    rosbag1.ReaderError,
    rosbag2.ReaderError,
    SerdeError,
    AssertionError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
)
_ROS2_SUFFIXES = (".db3", ".mcap")


class DamagedBagError(BagError):
    """The end of what can be read of a bag; the messages before it were read."""


class _Bag(Protocol):
    counts: Counter[Channel]
    duration_s: float

    def raw_messages(self, topics: set[str] | None) -> Iterator[RawMessage]:
        """Yields the messages of some topics, or of all, in the order of recording."""

    def close(self) -> None:
        """Closes the files."""


class _IndexedBag:
    """A whole bag, read by rosbags."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        reader.open()
        self.duration_s = reader.duration / 1e9
        self._channels = {each.id: _channel(each) for each in reader.connections}
        self.counts: Counter[Channel] = Counter()
        for each in reader.connections:
            self.counts[self._channels[each.id]] += each.msgcount

    def raw_messages(self, topics: set[str] | None) -> Iterator[RawMessage]:
        wanted = [
            each for each in self._reader.connections if topics is None or each.topic in topics
        ]
        for connection, time_ns, data in self._reader.messages(wanted):
            yield RawMessage(self._channels[connection.id], time_ns, data)

    def close(self) -> None:
        self._reader.close()


class BagReader:
    """Reads images from a bag, one at a time.

    Only the wanted topics are decoded: messages of a type unknown here do no harm beside them.
    A ROS 1 bag that is cut off, or whose recorder was killed, is read up to its damage.

    Args:
      path: a ROS 1 bag; or a ROS 2 bag: its folder, or its ``.db3`` or ``.mcap`` file.

    Attributes:
      is_ros2: whether it is a ROS 2 bag.

    Raises:
      BagError: there is no such file, or not one message of it can be read.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        if not self._path.exists():
            raise BagError(f"{path}: no such bag")
        self.is_ros2 = self._path.is_dir() or self._path.suffix in _ROS2_SUFFIXES
        self._damage: BaseException | None = None
        with self._damage_named(BagError):
            self._bag = self._open()

    def __enter__(self) -> BagReader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._bag.close()

    @property
    def is_damaged(self) -> bool:
        """Whether its index is missing or damaged, so that ROS itself would not play it."""
        return self._damage is not None

    @property
    def duration_s(self) -> float:
        """Seconds from the first to the last recording that can be read."""
        return self._bag.duration_s

    @property
    def topics(self) -> dict[str, str]:
        """Type of each topic, as in ``{"/camera/image_raw": "sensor_msgs/Image"}``."""
        return {channel.topic: channel.kind for channel in self._bag.counts}

    def count(self, topic: str) -> int:
        """Returns the number of images on a topic; raises ``BagError`` as ``messages`` does."""
        self._check(topic)
        # A bag has one channel per publisher, so a topic can have several.
        counts = self._bag.counts.items()
        return sum(count for channel, count in counts if channel.topic == topic)

    def messages(
        self, *topics: str, every: Callable[[RawMessage], None] | None = None
    ) -> Iterator[BagMessage]:
        """Reads the messages of image topics in the order they were recorded.

        Args:
          *topics: names of topics with raw or compressed images.
          every: called with each message of the bag, of any topic and type, before it is
            yielded if it is one of the wanted.

        Yields:
          One ``BagMessage`` at a time, so that memory does not grow with the bag.

        Raises:
          DamagedBagError: the bag is damaged; after the messages before the damage.
          BagError: a topic is missing or carries no images.
        """
        for topic in topics:
            self._check(topic)
        with self._damage_named(DamagedBagError):
            for raw in self._bag.raw_messages(set(topics) if every is None else None):
                if every is not None:
                    every(raw)
                if raw.channel.topic in topics:
                    fields = self._fields(raw)
                    yield BagMessage.create(raw.channel.topic, raw.time_ns, fields)
            if self._damage is not None:
                raise self._damage

    def _open(self) -> _Bag:
        if self.is_ros2:
            return _IndexedBag(rosbag2.Reader(self._path))
        try:
            return _IndexedBag(rosbag1.Reader(self._path))
        except _DAMAGE as error:
            bag = SalvagedBag(self._path)
            if not bag.counts:
                raise
            self._damage = error
            return bag

    def _fields(self, raw: RawMessage) -> Any:
        name = rosbags_name(raw.channel.kind)
        if self.is_ros2:
            return ROS2_TYPES.deserialize_cdr(raw.data, name)
        return ROS1_TYPES.deserialize_ros1(raw.data, name)

    def _check(self, topic: str) -> None:
        kind = self.topics.get(topic)
        if kind is None:
            topics = ", ".join(f"{name} ({kind})" for name, kind in sorted(self.topics.items()))
            raise BagError(f"{self._path} has no topic '{topic}'; it has: {topics or 'none'}")
        if kind not in (IMAGE, COMPRESSED_IMAGE):
            raise BagError(
                f"{self._path}: topic '{topic}' is {kind}, expected {IMAGE} or {COMPRESSED_IMAGE}"
            )

    @contextmanager
    def _damage_named(self, kind: type[BagError]) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            repair = "ros2 bag" if self.is_ros2 else "rosbag"
            raise kind(
                f"{self._path} is damaged or was never closed ({error});"
                f" `{repair} reindex {self._path}` may repair it"
            )


def _channel(connection: Connection) -> Channel:
    return Channel(
        connection.topic,
        ros_name(connection.msgtype),
        connection.msgdef.data,
        connection.digest,
        bool(getattr(connection.ext, "latching", False)),
    )
