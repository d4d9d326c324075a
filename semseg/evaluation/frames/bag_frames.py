"""Frames to segment from a bag."""

from collections.abc import Callable, Iterator
from pathlib import Path

from semseg.bags import BagMessage, BagReader, DamagedBagError, RawMessage
from semseg.evaluation.frames.frames import Frame, Frames, Unreadable, read_frame
from semseg.evaluation.frames.pairing import pair_by_stamp


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
