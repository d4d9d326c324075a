"""Frames to segment from a bag."""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from semseg.bags import BagMessage, BagReader, DamagedBagError, RawMessage
from semseg.errors import BagError
from semseg.evaluation.frames.frames import BagHeader, Frame, Frames, Unreadable, read_frame
from semseg.evaluation.frames.pairing import WAITING, Clock, Times, choose_clock, pair

_log = logging.getLogger(__name__)

Bag = str | Path | Sequence[str | Path]


class BagFrames(Frames):
    """The frames of a bag.

    Attributes:
      clock: what names the frames and pairs them with their labels.
    """

    clock: Clock


def frames_from_bag(
    bag: Bag,
    image_topic: str,
    label_topic: str | None = None,
    every: Callable[[RawMessage], None] | None = None,
) -> BagFrames:
    """Reads a bag's images, and their labels by equal header stamp.

    Where most stamps are zero or repeat, the time of recording takes their place, with a warning.

    Args:
      bag: the bag, see ``BagReader``.
      image_topic: topic of raw or compressed images.
      label_topic: topic of the true labels; images that have no labels of their stamp are then
        left out. None reads all images, without labels.
      every: called with each message of the bag, of any topic, as it is read.

    Returns:
      Frames named by their stamp, such as ``1500000000.100000000``. Where the bag is damaged
      they end with an ``Unreadable`` that says so. Iterating raises ``BagError`` in the end if no
      two stamps were equal.

    Raises:
      BagError: the bag cannot be read, a topic is missing or carries no images, or nothing tells
        which labels are an image's.
    """
    topics = [image_topic] if label_topic is None else [image_topic, label_topic]
    with BagReader(bag) as reader:
        count = min(reader.count(topic) for topic in topics)
        first = _first_times(reader, topics)
    try:
        clock = choose_clock(first[image_topic], None if label_topic is None else first[topics[1]])
    except BagError as error:
        raise BagError(f"{_name(bag)}: {error}")

    def warn(text: str) -> None:
        frames.warnings.append(text)
        _log.warning(text)

    def produce() -> Iterator[Frame | Unreadable]:
        frames.warnings.clear()
        if not clock.is_stamp:
            what = "named" if label_topic is None else "named and paired with their labels"
            warn(f"most header stamps are zero or repeat: images are {what} by time of recording")
        names = _Names(clock)
        with BagReader(bag) as reader:
            damage: list[DamagedBagError] = []
            messages = _up_to_damage(reader.messages(*topics, every=every), damage)
            if label_topic is None:
                yield from (_frame(names, image, None) for image in messages)
            else:
                pairs = pair(messages, image_topic, label_topic, clock, warn)
                yield from (_frame(names, image, labels) for image, labels in pairs)
            for error in damage:
                yield Unreadable(f"the rest of {Path(_name(bag)).name}", str(error))

    frames = BagFrames(count, produce)
    frames.clock = clock
    return frames


class _Names:
    """Names of frames, each other than those before.

    Args:
      clock: what they are named by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[int, int] = {}

    def name(self, message: BagMessage) -> tuple[str, int]:
        """Returns the name and the time, nanoseconds, of the next message."""
        time_ns = message.stamp_ns if self._clock.is_stamp else message.time_ns
        seconds, nanoseconds = divmod(time_ns, 10**9)
        times = self._seen[time_ns] = self._seen.get(time_ns, 0) + 1
        again = f"_{times}" if times > 1 else ""
        return f"{seconds}.{nanoseconds:09d}{again}", time_ns


def _first_times(reader: BagReader, topics: Sequence[str]) -> dict[str, list[Times]]:
    """Returns the times of each topic's first messages; of enough to know what they are like."""
    times: dict[str, list[Times]] = {topic: [] for topic in topics}
    for message in _up_to_damage(reader.messages(*topics), []):
        times[message.topic].append((message.stamp_ns, message.time_ns))
        counts = [len(each) for each in times.values()]
        if min(counts) >= WAITING or max(counts) >= 10 * WAITING:
            break
    return times


def _up_to_damage(
    messages: Iterator[BagMessage], damage: list[DamagedBagError]
) -> Iterator[BagMessage]:
    """Yields messages, and keeps the damage for when those are dealt with."""
    try:
        yield from messages
    except DamagedBagError as error:
        damage.append(error)


def _frame(names: _Names, image: BagMessage, labels: BagMessage | None) -> Frame | Unreadable:
    name, time_ns = names.name(image)
    header = BagHeader(image.stamp_ns, image.frame_id, image.time_ns)

    def read() -> Frame:
        truth = None if labels is None else labels.labels()
        return Frame(name, time_ns, image.image(), truth, header=header)

    return read_frame(name, read)


def _name(bag: Bag) -> str:
    return str(bag) if isinstance(bag, (str, Path)) else " ".join(map(str, bag))
