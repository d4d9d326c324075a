"""Bags in mcap files, of ROS 1 or ROS 2, beside topics of whatever else.

Source of the format: https://mcap.dev/spec.
"""

from __future__ import annotations

import heapq
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import lz4.frame

from semseg.bags.messages import Channel, RawMessage, distinguished, ros_name
from semseg.bags.zstd import zstd_decompressed
from semseg.errors import BagError

MAGIC = b"\x89MCAP0\r\n"
_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _STATISTICS = 2, 3, 4, 5, 6, 11
_RECORD = struct.Struct("<BQ")
_MESSAGE_HEAD = struct.Struct("<HIQQ")
_CHUNK_HEAD = struct.Struct("<QQQI")
_STATISTICS_HEAD = struct.Struct("<QHIIIIQQ")
_COUNT = struct.Struct("<HQ")


class _Piece(NamedTuple):
    """A chunk, or a message outside of chunks: where it is, and the time of its first message."""

    start_ns: int
    position: int
    length: int
    kind: int


class McapBag:
    """A file that is read by what its records say; its summary only saves reading it twice.

    A file that was cut off is read up to the cut.

    Args:
      path: the file.

    Attributes:
      channels: all of the file.
      counts: number of messages of each channel that has some.
      damage: why the file cannot be read to its end; None if it can.

    Raises:
      BagError: it is no mcap file.
      EOFError, LookupError, ValueError, RuntimeError, struct.error: it is damaged, and holds no
        message that can be read.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._size = path.stat().st_size
        self._schemas: dict[int, str] = {}
        self._channels: dict[int, Channel] = {}
        self._pieces: list[_Piece] = []
        self._summed: dict[int, int] | None = None
        self.damage: BaseException | None = None
        if not MAGIC.startswith(self._file.read(len(MAGIC))) or not self._size:
            self._file.close()
            raise BagError(f"{path} is no mcap file: it does not start with MCAP0")
        try:
            self._walk()
        except (EOFError, LookupError, ValueError, struct.error) as error:
            self.damage = error
        if self._summed is None or self.damage or not set(self._summed) <= set(self._channels):
            self._count()
        counts: Counter[Channel] = Counter()
        summed: dict[int, int] = self._summed or {}
        for number, count in summed.items():
            counts[self._channels[number]] += count
        self.counts = +counts
        if self.damage and not self.counts:
            self._file.close()
            raise self.damage

    @property
    def channels(self) -> list[Channel]:
        """All channels of the file."""
        return list(self._channels.values())

    def raw_messages(self, topics: set[str] | None) -> Iterator[RawMessage]:
        """Yields the messages of some topics, or of all, in the order of recording.

        Raises:
          EOFError, LookupError, ValueError, RuntimeError, struct.error: a chunk is damaged.
        """
        waiting: list[tuple[int, int, RawMessage]] = []
        number = 0
        for piece in sorted(self._pieces, key=lambda piece: piece.start_ns):
            # Chunks may overlap in time: what is older than all that comes now can go.
            while waiting and waiting[0][0] < piece.start_ns:
                yield heapq.heappop(waiting)[2]
            try:
                for message in self._messages(piece):
                    if topics is None or message.channel.topic in topics:
                        heapq.heappush(waiting, (message.time_ns, number, message))
                        number += 1
            except Exception:
                yield from (heapq.heappop(waiting)[2] for _ in range(len(waiting)))
                raise
        while waiting:
            yield heapq.heappop(waiting)[2]

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _walk(self) -> None:
        """Notes what each record is, without reading the chunks' contents."""
        position = len(MAGIC)
        while True:
            self._file.seek(position)
            kind, length = _RECORD.unpack(_exactly(self._file, _RECORD.size))
            position += _RECORD.size
            if kind == _FOOTER:
                return
            if position + length > self._size:
                raise EOFError(f"readable up to byte {position} of {self._size}")
            if kind in (_SCHEMA, _CHANNEL, _STATISTICS):
                self._note(kind, _exactly(self._file, length))
            elif kind == _CHUNK:
                start_ns = _CHUNK_HEAD.unpack(_exactly(self._file, _CHUNK_HEAD.size))[0]
                self._pieces.append(_Piece(start_ns, position, length, kind))
            elif kind == _MESSAGE:
                time_ns = _MESSAGE_HEAD.unpack(_exactly(self._file, _MESSAGE_HEAD.size))[2]
                self._pieces.append(_Piece(time_ns, position, length, kind))
            position += length

    def _note(self, kind: int, data: bytes) -> None:
        if kind == _SCHEMA:
            name, _ = _text(data, 2)
            self._schemas[_short(data, 0)] = name
        elif kind == _CHANNEL:
            self._note_channel(data)
        else:
            (length,) = struct.unpack_from("<I", data, _STATISTICS_HEAD.size)
            first = _STATISTICS_HEAD.size + 4
            self._summed = dict(_COUNT.iter_unpack(data[first : first + length]))

    def _note_channel(self, data: bytes) -> None:
        number, schema = _short(data, 0), _short(data, 2)
        topic, position = _text(data, 4)
        encoding, _ = _text(data, position)
        kind = self._schemas.get(schema, "unknown")
        if number not in self._channels:
            kind = ros_name(kind) if encoding in ("cdr", "ros1") else kind
            channel = Channel(topic, kind, "", "", encoding=encoding)
            self._channels[number] = distinguished(channel, self._channels.values())

    def _count(self) -> None:
        """Counts the messages of a file that does not say how many there are."""
        counts: Counter[int] = Counter()
        for piece in self._pieces:
            try:
                for number, _, _ in self._records(piece):
                    counts[number] += 1
            except Exception as error:  # noqa: BLE001 - reading raises it again, in its place.
                self.damage = self.damage or error
                break
        self._summed = {number: counts[number] for number in counts if number in self._channels}

    def _messages(self, piece: _Piece) -> Iterator[RawMessage]:
        for number, time_ns, data in self._records(piece):
            yield RawMessage(self._channels[number], time_ns, data)

    def _records(self, piece: _Piece) -> Iterator[tuple[int, int, bytes]]:
        """Yields channel, time and bytes of a piece's messages."""
        self._file.seek(piece.position)
        data = _exactly(self._file, piece.length)
        if piece.kind == _MESSAGE:
            yield _message(data)
            return
        data = _chunk(data)
        position = 0
        while position < len(data):
            kind, length = _RECORD.unpack_from(data, position)
            position += _RECORD.size
            if position + length > len(data):
                raise EOFError("a record is longer than its chunk")
            if kind == _MESSAGE:
                yield _message(data[position : position + length])
            elif kind in (_SCHEMA, _CHANNEL):
                self._note(kind, data[position : position + length])
            position += length


def _chunk(data: bytes) -> bytes:
    """Returns the records of a chunk."""
    _, _, size, checksum = _CHUNK_HEAD.unpack_from(data)
    compression, position = _text(data, _CHUNK_HEAD.size)
    packed = data[position + 8 :]
    if compression == "zstd":
        records = zstd_decompressed(packed)
    elif compression == "lz4":
        records = lz4.frame.decompress(packed)
    elif compression:
        raise BagError(f"chunks compressed with '{compression}' are not read; expected lz4, zstd")
    else:
        records = packed
    if len(records) != size or (checksum and zlib.crc32(records) != checksum):
        raise ValueError("a chunk is not what its checksum says")
    return records


def _message(data: bytes) -> tuple[int, int, bytes]:
    number, _, time_ns, _ = _MESSAGE_HEAD.unpack_from(data)
    return number, time_ns, data[_MESSAGE_HEAD.size :]


def _short(data: bytes, position: int) -> int:
    return int(struct.unpack_from("<H", data, position)[0])


def _text(data: bytes, position: int) -> tuple[str, int]:
    """Returns a text and the position behind it."""
    (length,) = struct.unpack_from("<I", data, position)
    end = position + 4 + length
    return data[position + 4 : end].decode(errors="replace"), end


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise EOFError("it ends too early")
    return data
