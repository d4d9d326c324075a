"""Pairs the images of a bag with their true labels."""

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from semseg.bags import BagMessage
from semseg.errors import BagError

WAITING = 50
"""How many messages of each topic wait for their partner; bounds memory, not the bag's length."""

_NEAR = 0.25
"""Largest distance of a pair that has no stamps, as a share of the time between two images."""
_PERIOD_NS = 100_000_000
"""That time where there is one image only."""

_log = logging.getLogger(__name__)

Times = tuple[int, int]  # Of a message: stamp of its header, and time of recording, nanoseconds.


class Clock(NamedTuple):
    """What tells which labels are an image's.

    Attributes:
      is_stamp: whether it is the stamps of the headers; else the time of recording, because the
        stamps are zero or repeat.
      near_ns: how far from its image labels may have been recorded, nanoseconds.
    """

    is_stamp: bool = True
    near_ns: int = 0


STAMPS = Clock()


def choose_clock(images: list[Times], labels: list[Times] | None = None) -> Clock:
    """Finds out whether the stamps of some images, and of their labels, can be told apart.

    Args:
      images: the images' times.
      labels: the labels' times; None if there are none to pair.

    Returns:
      The clock. If most stamps of a topic are zero or repeat it is the time of recording.

    Raises:
      BagError: the time of recording does not tell either which labels are an image's.
    """
    if _is_stamped(images) and (labels is None or _is_stamped(labels)):
        return STAMPS
    if not labels or not images:
        return Clock(is_stamp=False)
    recorded = np.array([time_ns for _, time_ns in images])
    between = np.diff(np.unique(recorded))
    period_ns = int(np.median(between)) if between.size else _PERIOD_NS
    farthest_ns = max(int(np.abs(recorded - time_ns).min()) for _, time_ns in labels)
    near_ns = int(period_ns * _NEAR)
    if farthest_ns > near_ns:
        raise BagError(
            "most header stamps are zero or repeat, and by the time of recording it cannot be told"
            f" which labels are an image's: the images are {period_ns / 1e6:.0f} ms apart, and"
            f" labels came up to {farthest_ns / 1e6:.0f} ms from the nearest of them (expected: up"
            f" to {near_ns / 1e6:.0f} ms)"
        )
    return Clock(is_stamp=False, near_ns=near_ns)


def pair(
    messages: Iterable[BagMessage],
    image_topic: str,
    label_topic: str,
    clock: Clock = STAMPS,
    warn: Callable[[str], None] = _log.warning,
) -> Iterator[tuple[BagMessage, BagMessage]]:
    """Pairs messages of two topics whose header stamps are equal.

    Where a stamp repeats, its messages are paired in the order of recording. Messages without a
    stamp have no partner.

    Args:
      messages: messages of both topics in the order of recording; a partner may come up to 50
        messages of its topic late.
      image_topic: topic of the images.
      label_topic: topic of the labels.
      clock: if it is not the stamps, those pair whose times of recording are near.
      warn: called in the end with what was left out, and what was uncertain.

    Yields:
      (image, labels), in the order in which the pairs become complete.

    Raises:
      BagError: there were messages, but no two stamps were equal.
    """
    waiting = {topic: _Waiting(clock) for topic in (image_topic, label_topic)}
    partner_topic = {image_topic: label_topic, label_topic: image_topic}
    pairs = 0
    for message in messages:
        partner = waiting[partner_topic[message.topic]].take(message)
        waiting[message.topic].note(message)
        if partner is None:
            waiting[message.topic].add(message)
            continue
        pairs += 1
        yield (message, partner) if message.topic == image_topic else (partner, message)
    alone = {topic: queue.alone() for topic, queue in waiting.items()}
    if not pairs:
        raise BagError(_no_pair(alone, image_topic, label_topic))
    for topic, queue in waiting.items():
        if alone[topic]:
            unset = sum(not stamp_ns for stamp_ns in alone[topic]) if clock.is_stamp else 0
            why = f" ({unset} of them have no stamp)" if unset else ""
            warn(f"{len(alone[topic])} messages of {topic} have no partner and were left out{why}")
        if queue.repeated and clock.is_stamp:
            warn(
                f"{queue.repeated} messages of {topic} repeat the stamp of another; they were"
                " paired in the order of recording"
            )


class _Waiting:
    """Messages of one topic that wait for their partner, the longest waiting first.

    Attributes:
      repeated: number of messages whose stamp is that of one shortly before.
    """

    def __init__(self, clock: Clock) -> None:
        self.repeated = 0
        self._clock = clock
        self._queue: OrderedDict[int, BagMessage] = OrderedDict()
        self._by_stamp: dict[int, deque[int]] = {}
        self._alone: list[int] = []
        self._count = 0
        self._latest: deque[int] = deque(maxlen=WAITING)

    def add(self, message: BagMessage) -> None:
        """Lets a message wait, and the longest waiting go if there are too many."""
        if self._clock.is_stamp and not message.stamp_ns:
            self._alone.append(message.stamp_ns)
            return
        self._count += 1
        self._queue[self._count] = message
        self._by_stamp.setdefault(message.stamp_ns, deque()).append(self._count)
        if len(self._queue) > WAITING:
            self._alone.append(self._pop(next(iter(self._queue))).stamp_ns)

    def note(self, message: BagMessage) -> None:
        """Counts a message whose stamp was there already."""
        self.repeated += bool(message.stamp_ns) and message.stamp_ns in self._latest
        self._latest.append(message.stamp_ns)

    def take(self, message: BagMessage) -> BagMessage | None:
        """Returns the waiting partner of a message of the other topic, which waits no longer."""
        if self._clock.is_stamp:
            numbers = self._by_stamp.get(message.stamp_ns)
            return self._pop(numbers[0]) if numbers else None
        distances = {
            number: abs(each.time_ns - message.time_ns) for number, each in self._queue.items()
        }
        if not distances or min(distances.values()) > self._clock.near_ns:
            return None
        return self._pop(min(distances, key=lambda number: distances[number]))

    def alone(self) -> list[int]:
        """Returns the stamps of all that found no partner; at the end."""
        return self._alone + [message.stamp_ns for message in self._queue.values()]

    def _pop(self, number: int) -> BagMessage:
        message = self._queue.pop(number)
        numbers = self._by_stamp[message.stamp_ns]
        numbers.remove(number)
        if not numbers:
            del self._by_stamp[message.stamp_ns]
        return message


def _is_stamped(times: list[Times]) -> bool:
    """Whether at least half of the stamps are neither zero nor repeated."""
    stamps = [stamp_ns for stamp_ns, _ in times]
    distinct = len(set(stamps) - {0})
    return 2 * distinct >= len(stamps)


def _no_pair(alone: dict[str, list[int]], image_topic: str, label_topic: str) -> str:
    text = f"no stamp of '{label_topic}' equals one of '{image_topic}'"
    images, labels = (np.array(sorted(alone[topic])) for topic in (image_topic, label_topic))
    if not images.size or not labels.size:
        return text
    right = np.searchsorted(images, labels).clip(1, max(1, len(images) - 1))
    neighbours = images[np.stack([right - 1, right]).clip(0, len(images) - 1)]
    nearest_ms = np.abs(neighbours - labels).min() / 1e6
    return f"{text}; the nearest two are {nearest_ms:.3f} ms apart"
