"""Bags of ROS 2 in SQLite files (``.db3``), their messages compressed or not."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from semseg.bags.messages import Channel, RawMessage, distinguished, ros_name
from semseg.bags.zstd import MAGIC, zstd_decompressed
from semseg.errors import BagError

_START = b"SQLite format 3\x00"
_TOPICS = "SELECT id, name, type, serialization_format FROM topics ORDER BY id"
_COUNTS = "SELECT topic_id, COUNT(*) FROM messages GROUP BY topic_id"


class SqliteBag:
    """A ``.db3`` file, of which nothing is asked but topics and messages.

    Args:
      path: the file.

    Attributes:
      channels: all of the file.
      counts: number of messages of each channel that has some.
      damage: None: a damaged file cannot be opened, or raises when it is read.

    Raises:
      BagError: it is no SQLite file.
      sqlite3.Error: it is damaged.
    """

    damage: BaseException | None = None

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            start = file.read(len(_START))
        if start and not _START.startswith(start):
            raise BagError(f"{path} is no bag of ROS 2: it does not start as an SQLite file does")
        # Nothing is written beside it, not even a lock, unless its recorder left a log there.
        log = path.with_name(path.name + "-wal")
        how = "mode=ro" if log.exists() else "immutable=1"
        uri = f"{path.resolve().as_uri()}?{how}"
        self._database = sqlite3.connect(uri, uri=True, check_same_thread=False)
        try:
            self._channels: dict[int, Channel] = {}
            for number, topic, kind, encoding in self._database.execute(_TOPICS):
                channel = Channel(topic, ros_name(kind), "", "", encoding=encoding)
                self._channels[number] = distinguished(channel, self._channels.values())
            self.counts: Counter[Channel] = Counter()
            for number, count in self._database.execute(_COUNTS):
                self.counts[self._channels[number]] += count
        except BaseException:
            self._database.close()
            raise

    @property
    def channels(self) -> list[Channel]:
        """All channels of the file."""
        return list(self._channels.values())

    def raw_messages(self, topics: set[str] | None) -> Iterator[RawMessage]:
        """Yields the messages of some topics, or of all, in the order of recording.

        Raises:
          sqlite3.Error, ValueError: the file is damaged.
        """
        numbers = [
            number
            for number, channel in self._channels.items()
            if topics is None or channel.topic in topics
        ]
        places = ",".join("?" * len(numbers))
        query = (
            "SELECT topic_id, timestamp, data FROM messages"
            f" WHERE topic_id IN ({places}) ORDER BY timestamp, id"  # noqa: S608 - marks alone
        )
        for number, time_ns, data in self._database.execute(query, numbers):
            # A recorder of compressed messages leaves that to metadata.yaml, which may be gone.
            # No serialized message starts like this: CDR begins with a zero.
            is_packed = data[: len(MAGIC)] == MAGIC
            message = zstd_decompressed(data) if is_packed else data
            yield RawMessage(self._channels[number], time_ns, message)

    def close(self) -> None:
        """Closes the file."""
        self._database.close()
