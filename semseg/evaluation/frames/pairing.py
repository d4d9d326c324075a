"""Pairs the images of a bag with their true labels."""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator

import numpy as np

from semseg.bags import BagMessage
from semseg.errors import BagError

_WAITING = 50
"""How many messages of each topic wait for their partner; bounds memory, not the bag's length."""

_log = logging.getLogger(__name__)


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
