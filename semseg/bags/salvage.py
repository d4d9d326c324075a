"""What can be read of a ROS 1 bag whose index is missing or damaged: all up to the damage.

Source of the format: http://wiki.ros.org/Bags/Format/2.0.
"""

from __future__ import annotations

import bz2
import io
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import lz4.frame

from semseg.bags.messages import Channel, RawMessage, distinguished
from semseg.errors import BagError

_MAGIC = b"#ROSBAG V2.0\n"
_MESSAGE, _CHUNK, _CONNECTION = 2, 5, 7
_LENGTH = struct.Struct("<L")
_TIME = struct.Struct("<LL")

Fields = dict  # Of bytes: name of a header's field -> its value.


class SalvagedBag:
    """A ROS 1 bag that is read from its start to its end or its damage.

    The whole file is read once to learn what is in it: for bags that have no usable index.

    Args:
      path: the file.
      damage: why it is read this way.

    Attributes:
      channels: those of the readable part.
      counts: number of readable messages of each channel that has some.
      damage: why ROS itself would not play it.

    Raises:
      BagError: it is no bag of format 2.0.
    """

    def __init__(self, path: Path, damage: BaseException | None = None) -> None:
        self._path = path
        self.damage = damage
        self._channels: dict[int, Channel] = {}
        self.counts: Counter[Channel] = Counter()
        with path.open("rb") as file:
            if not _MAGIC.startswith(file.read(len(_MAGIC))):  # A cut bag may hold less of it.
                raise BagError(f"{path} is no ROS 1 bag: it does not start with #ROSBAG V2.0")
        try:
            for message in self._messages():
                self.counts[message.channel] += 1
        except _CutError:
            pass  # Reading names it when it comes there.

    @property
    def channels(self) -> list[Channel]:
        """All channels of the readable part."""
        return list(self._channels.values())

    def raw_messages(self, topics: set[str] | None) -> Iterator[RawMessage]:
        """Yields the messages of some topics, or of all, in the order of the file.

        Raises:
          EOFError: where the bag cannot be read any further; says where that is.
        """
        for message in self._messages():
            if topics is None or message.channel.topic in topics:
                yield message

    def close(self) -> None:
        """Does nothing: the file is open only while it is read."""

    def _messages(self) -> Iterator[RawMessage]:
        with self._path.open("rb") as file:
            file.seek(len(_MAGIC))
            end = 0
            try:
                while file.peek(1):
                    end = file.tell()
                    yield from self._record(file)
            except _WRONG:
                size = self._path.stat().st_size
                raise _CutError(f"readable up to byte {end} of {size}")

    def _record(self, file: BinaryIO) -> Iterator[RawMessage]:
        fields = _header(_exactly(file))
        kind = fields["op"][0]
        if kind == _CHUNK:
            yield from self._chunk(fields["compression"].decode(), file)
            return
        data = _exactly(file)
        if kind == _CONNECTION:
            (number,) = _LENGTH.unpack(fields["conn"])
            if number not in self._channels:  # A bag's index repeats them all.
                channel = _channel(fields["topic"], _header(data))
                self._channels[number] = distinguished(channel, self._channels.values())
        elif kind == _MESSAGE:
            (number,) = _LENGTH.unpack(fields["conn"])
            seconds, nanoseconds = _TIME.unpack(fields["time"])
            yield RawMessage(self._channels[number], seconds * 10**9 + nanoseconds, data)

    def _chunk(self, compression: str, file: BinaryIO) -> Iterator[RawMessage]:
        (length,) = _LENGTH.unpack(file.read(4))
        # A recorder writes the length when the chunk is full: 0 is the one it was killed in.
        data = file.read(length or -1)
        records = io.BytesIO(_decompressed(compression, data))
        while records.tell() < len(records.getbuffer()):
            yield from self._record(records)
        if len(data) < length:
            raise EOFError


class _CutError(EOFError):
    """The end of what can be read."""


_WRONG = (EOFError, LookupError, OSError, RuntimeError, ValueError, struct.error)


def _exactly(file: BinaryIO) -> bytes:
    """Reads a length and as many bytes."""
    (length,) = _LENGTH.unpack(file.read(4))
    data = file.read(length)
    if len(data) < length:
        raise EOFError
    return data


def _header(data: bytes) -> Fields:
    fields, position = {}, 0
    while position < len(data):
        (length,) = _LENGTH.unpack_from(data, position)
        name, _, value = data[position + 4 : position + 4 + length].partition(b"=")
        fields[name.decode()] = value
        position += 4 + length
    return fields


def _channel(topic: bytes, fields: Fields) -> Channel:
    return Channel(
        topic.decode(),
        fields["type"].decode(),
        fields["message_definition"].decode(),
        fields["md5sum"].decode(),
        fields["callerid"].decode() if "callerid" in fields else None,
        int(fields["latching"]) if fields.get("latching") else None,
    )


def _decompressed(compression: str, data: bytes) -> bytes:
    """Decompresses a chunk, as far as there is one."""
    if compression == "none":
        return data
    decompressors = {"bz2": bz2.BZ2Decompressor, "lz4": lz4.frame.LZ4FrameDecompressor}
    return decompressors[compression]().decompress(data)
