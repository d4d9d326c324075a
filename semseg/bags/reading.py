"""Reading bags of ROS 1 and ROS 2, whole or damaged, in one file or several."""

from __future__ import annotations

import heapq
import sqlite3
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from rosbags import rosbag1
from rosbags.interfaces import Connection
from rosbags.serde import SerdeError

from semseg.bags.files import ROS1_SUFFIX, bag_files
from semseg.bags.mcap import McapBag
from semseg.bags.messages import (
    COMPRESSED_IMAGE,
    IMAGE,
    BagMessage,
    Channel,
    RawMessage,
    distinguished,
    ros_name,
)
from semseg.bags.salvage import SalvagedBag
from semseg.bags.sqlite import SqliteBag
from semseg.bags.zstd import UnpackedBag
from semseg.errors import BagError

# What rosbags, SQLite and the decompressors (these: OSError without a number) raise on bytes that
# are no bag.
_DAMAGE = (
    rosbag1.ReaderError,
    sqlite3.Error,
    SerdeError,
    AssertionError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
)
# Of what rosbags raises this is no damage: the bag is whole, and cannot be read here.
_UNSUPPORTED = ("Bag encryption", "Compression ", "Bag version")


class DamagedBagError(BagError):
    """The end of what can be read of a bag; the messages before it were read."""


class _Bag(Protocol):
    counts: Counter[Channel]
    damage: BaseException | None

    @property
    def channels(self) -> list[Channel]:
        """All channels, those without messages too."""

    def raw_messages(self, topics: set[str] | None) -> Iterator[RawMessage]:
        """Yields the messages of some topics, or of all, in the order of recording."""

    def close(self) -> None:
        """Closes the files."""


class _IndexedBag:
    """A whole ROS 1 bag, read by rosbags."""

    damage: BaseException | None = None

    def __init__(self, path: Path) -> None:
        self._reader = rosbag1.Reader(path)
        self._reader.open()
        self._channels: dict[int, Channel] = {}
        self.counts: Counter[Channel] = Counter()
        for each in self._reader.connections:
            channel = distinguished(_channel(each), self._channels.values())
            self._channels[each.id] = channel
            self.counts[channel] += each.msgcount

    @property
    def channels(self) -> list[Channel]:
        return list(self._channels.values())

    def raw_messages(self, topics: set[str] | None) -> Iterator[RawMessage]:
        wanted = [
            each for each in self._reader.connections if topics is None or each.topic in topics
        ]
        if not wanted:  # To rosbags none would mean all.
            return
        for connection, time_ns, data in self._reader.messages(wanted):
            yield RawMessage(self._channels[connection.id], time_ns, data)

    def close(self) -> None:
        self._reader.close()


class BagReader:
    """Reads images from a bag, one at a time.

    Only the wanted topics are decoded: messages of a type unknown here do no harm beside them.
    A bag that is cut off, or whose recorder was killed, is read up to its damage. Several files
    are read as one bag, in the order of recording.

    Args:
      bag: a ROS 1 bag; or a ROS 2 bag: its folder, or its ``.db3`` or ``.mcap`` file; or a
        folder or a pattern of such files; or several of these, as ``rosbag record --split``
        writes them.

    Attributes:
      files: the files that are read.

    Raises:
      BagError: there is no such file, or not one message of it can be read.
    """

    def __init__(self, bag: str | Path | Sequence[str | Path]) -> None:
        names = [bag] if isinstance(bag, (str, Path)) else list(bag)
        self._name = " ".join(map(str, names))
        self.files = bag_files(names)
        self._bags: list[_Bag] = []
        try:
            for path in self.files:
                with self._damage_named(BagError, path):
                    self._bags.append(_open(path))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> BagReader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the files."""
        for bag in self._bags:
            bag.close()

    @property
    def is_ros1_bag(self) -> bool:
        """Whether all files are of ROS 1's own format, which ``rosbag play`` reads."""
        return all(isinstance(bag, (_IndexedBag, SalvagedBag)) for bag in self._bags)

    @property
    def is_damaged(self) -> bool:
        """Whether an index is missing or damaged, so that ROS itself would not play it."""
        return any(bag.damage is not None for bag in self._bags)

    @property
    def channels(self) -> list[Channel]:
        """All channels, in the order of the files, those without messages too."""
        return list(dict.fromkeys(channel for bag in self._bags for channel in bag.channels))

    @property
    def topics(self) -> dict[str, str]:
        """Type of each topic, as in ``{"/camera/image_raw": "sensor_msgs/Image"}``.

        Of a topic of several types it is that of images, if there is one.
        """
        channels = [channel for bag in self._bags for channel in bag.counts]
        channels.sort(key=lambda channel: channel.carries_images)
        return {channel.topic: channel.description() for channel in channels}

    def count(self, topic: str) -> int:
        """Returns the number of images on a topic; raises ``BagError`` as ``messages`` does."""
        self._check(topic)
        # A bag has one channel per publisher, so a topic can have several.
        return sum(
            count
            for bag in self._bags
            for channel, count in bag.counts.items()
            if channel.topic == topic and channel.carries_images
        )

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
          DamagedBagError: the bag is damaged; after all messages that can be read.
          BagError: a topic is missing or carries no images.
        """
        for topic in topics:
            self._check(topic)
        damage: list[DamagedBagError] = []
        wanted = set(topics) if every is None else None
        streams = [
            self._up_to_damage(path, bag, wanted, damage)
            for path, bag in zip(self.files, self._bags)
        ]
        for raw in heapq.merge(*streams, key=lambda message: message.time_ns):
            if every is not None:
                every(raw)
            if raw.channel.topic in topics and raw.channel.carries_images:
                try:
                    message = BagMessage.create(raw)
                except _DAMAGE as error:
                    with self._damage_named(DamagedBagError, self._name):
                        raise error
                yield message
        if damage:
            raise damage[0]

    def _up_to_damage(
        self, path: Path, bag: _Bag, topics: set[str] | None, damage: list[DamagedBagError]
    ) -> Iterator[RawMessage]:
        """Yields a file's messages, and keeps what is wrong with it for the end."""
        try:
            with self._damage_named(DamagedBagError, path):
                yield from bag.raw_messages(topics)
                if bag.damage is not None:
                    raise bag.damage
        except DamagedBagError as error:
            damage.append(error)

    def _check(self, topic: str) -> None:
        topics = self.topics
        kind = topics.get(topic)
        if kind is None:
            there = ", ".join(f"{name} ({kind})" for name, kind in sorted(topics.items()))
            raise BagError(f"{self._name} has no topic '{topic}'; it has: {there or 'none'}")
        if kind not in (IMAGE, COMPRESSED_IMAGE):
            raise BagError(
                f"{self._name}: topic '{topic}' is {kind}, expected {IMAGE} or {COMPRESSED_IMAGE}"
            )

    @contextmanager
    def _damage_named(self, kind: type[BagError], path: str | Path) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise BagError(f"{path} cannot be read: {error.strerror}")
            if str(error).startswith(_UNSUPPORTED):
                raise BagError(f"{path} cannot be read here: {error}")
            repair = "rosbag" if Path(path).suffix == ROS1_SUFFIX else "ros2 bag"
            named = self._name if len(self.files) == 1 else path  # ROS 2 repairs the folder.
            raise kind(
                f"{named} is damaged or was never closed ({error});"
                f" `{repair} reindex {named}` may repair it"
            )


def _open(path: Path) -> _Bag:
    suffix = path.suffix
    if suffix == ".mcap":
        return McapBag(path)
    if suffix == ".db3":
        return SqliteBag(path)
    if suffix == ".zstd":
        return UnpackedBag(path, _open)
    try:
        return _IndexedBag(path)
    except _DAMAGE as error:
        refused = isinstance(error, OSError) and error.errno is not None
        if refused or str(error).startswith(_UNSUPPORTED):
            raise
        bag = SalvagedBag(path, error)
        if not bag.counts:
            raise
        return bag


def _channel(connection: Connection) -> Channel:
    ext: Any = connection.ext
    return Channel(
        connection.topic,
        ros_name(connection.msgtype),
        connection.msgdef.data,
        connection.digest,
        ext.callerid,
        ext.latching,
    )
