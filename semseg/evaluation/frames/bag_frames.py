"""Frames to segment from a bag, its images paired with their true labels by time stamp."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from semseg.bags import BagMessage, BagReader, DamagedBagError, RawMessage
from semseg.errors import BagError
from semseg.evaluation.frames.frames import Frame, Frames, Unreadable, read_frame

_log = logging.getLogger(__name__)


_WAITING = 50
"""How many messages of each topic wait for their partner; bounds memory, not the bag's length."""


def pair_by_stamp(
    messages: Iterable[BagMessage], image_topic: str, label_topic: str
) -> Iterator[tuple[BagMessage, BagMessage]]:
    """Pairs messages of two topics whose header stamps are equal.

    Args:
      messages: messages of both topics in the order of recording; a partner may come up to 50
        messages of its topic late.
      image_topic: topic of the images.
      label_topic: topic of the labels.

    Yields:
      (image, labels), in the order in which the pairs become complete.

    Raises:
      BagError: there were messages, but no two stamps were equal.
    """
    waiting: dict[str, OrderedDict[int, BagMessage]] = {
        image_topic: OrderedDict(),
        label_topic: OrderedDict(),
    }
    partner_topic = {image_topic: label_topic, label_topic: image_topic}
    alone: dict[str, list[int]] = {image_topic: [], label_topic: []}
    pairs = 0
    for message in messages:
        partner = waiting[partner_topic[message.topic]].pop(message.stamp_ns, None)
        if partner is None:
            queue = waiting[message.topic]
            queue[message.stamp_ns] = message
            if len(queue) > _WAITING:
                alone[message.topic].append(queue.popitem(last=False)[0])
            continue
        pairs += 1
        yield (message, partner) if message.topic == image_topic else (partner, message)
    for topic, queue in waiting.items():
        alone[topic].extend(queue)
    if not pairs:
        raise BagError(_no_pair(alone, image_topic, label_topic))
    for topic, stamps in alone.items():
        if stamps:
            _log.warning("%d messages of %s have no partner and were left out", len(stamps), topic)


def _no_pair(alone: dict[str, list[int]], image_topic: str, label_topic: str) -> str:
    text = f"no stamp of '{label_topic}' equals one of '{image_topic}'"
    images, labels = (np.array(sorted(alone[topic])) for topic in (image_topic, label_topic))
    if not images.size or not labels.size:
        return text
    right = np.searchsorted(images, labels).clip(1, max(1, len(images) - 1))
    neighbours = images[np.stack([right - 1, right]).clip(0, len(images) - 1)]
    nearest_ms = np.abs(neighbours - labels).min() / 1e6
    return f"{text}; the nearest two are {nearest_ms:.3f} ms apart"


def frames_from_bag(
    path: str | Path,
    image_topic: str,
    label_topic: str | None = None,
    every: Callable[[RawMessage], None] | None = None,
) -> Frames:
    """Reads a bag's images, and their labels by equal header stamp.

    Args:
      path: the bag.
      image_topic: topic of raw or compressed images.
      label_topic: topic of the true labels; images that have no labels of their stamp are then
        left out. None reads all images, without labels.
      every: called with each message of the bag, of any topic, as it is read.

    Returns:
      Frames named by their stamp, such as ``1500000000.100000000``. Where the bag is damaged
      they end with an ``Unreadable`` that says so. Iterating raises ``BagError`` in the end if no
      two stamps were equal.

    Raises:
      BagError: the bag cannot be read, or a topic is missing or carries no images.
    """
    topics = [image_topic] if label_topic is None else [image_topic, label_topic]
    with BagReader(path) as reader:
        count = min(reader.count(topic) for topic in topics)

    def produce() -> Iterator[Frame | Unreadable]:
        with BagReader(path) as reader:
            damage: list[DamagedBagError] = []
            messages = _up_to_damage(reader.messages(*topics, every=every), damage)
            if label_topic is None:
                yield from (_frame(image, None) for image in messages)
            else:
                pairs = pair_by_stamp(messages, image_topic, label_topic)
                yield from (_frame(image, labels) for image, labels in pairs)
            for error in damage:
                yield Unreadable(f"the rest of {Path(path).name}", str(error))

    return Frames(count, produce)


def _up_to_damage(
    messages: Iterator[BagMessage], damage: list[DamagedBagError]
) -> Iterator[BagMessage]:
    """Yields messages, and keeps the damage for when those are dealt with."""
    try:
        yield from messages
    except DamagedBagError as error:
        damage.append(error)


def _frame(image: BagMessage, labels: BagMessage | None) -> Frame | Unreadable:
    seconds, nanoseconds = divmod(image.stamp_ns, 10**9)
    name = f"{seconds}.{nanoseconds:09d}"

    def read() -> Frame:
        truth = None if labels is None else labels.labels()
        return Frame(name, image.stamp_ns, image.image(), truth)

    return read_frame(name, read)
