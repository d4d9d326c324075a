"""A new bag with the messages of another, and the labels of a model beside them."""

from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np

from semseg.bags import BagReader, BagWriter, RawMessage
from semseg.classes import ClassTable
from semseg.errors import BagError
from semseg.evaluation.frames.frames import Frame
from semseg.runtime import Segmentation
from semseg.runtime.images.label_info import label_info_json

NAMESPACE = "/offline"
LABELS, CONFIDENCE = f"{NAMESPACE}/labels", f"{NAMESPACE}/confidence"
LABEL_INFO = f"{NAMESPACE}/label_info_json"


class BagOutput:
    """Copies a ROS 1 bag while it is read, and adds what the node would have published.

    ``/offline/labels`` (mono8) and ``/offline/confidence`` (mono8, 255 is 1.0) have the stamp,
    frame and time of recording of their image; ``/offline/label_info_json`` says what they mean.

    Args:
      path: the new bag.
      source: the bag that is read.
      image_topic: topic of the images that are labelled.
      overwrite: whether an existing file may be replaced.

    Raises:
      BagError: the new bag exists, the source is a ROS 2 bag, or it has these topics already.
    """

    def __init__(self, path: Path, source: Path, image_topic: str, overwrite: bool = False) -> None:
        _check(path, source)
        self._writer = BagWriter(path, overwrite=overwrite)
        self._image_topic = image_topic
        self._label_info = ""
        self._headers: dict[int, tuple[int, str]] = {}
        self._lock = Lock()

    def describe(self, classes: ClassTable, model: str, digest: str) -> None:
        """Says what the labels mean; before the first message is copied."""
        self._label_info = label_info_json(classes, model, digest)

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._writer.__exit__(*error)

    def copy(self, message: RawMessage) -> None:
        """Copies a message; may be called from another thread than ``add``."""
        with self._lock:
            if self._label_info:
                self._writer.text(LABEL_INFO, message.time_ns, self._label_info)
                self._label_info = ""
            self._writer.copy(message)
            if message.channel.topic == self._image_topic:
                stamp_ns, frame_id = message.ros1_header()
                self._headers[stamp_ns] = message.time_ns, frame_id

    def add(self, frame: Frame, result: Segmentation) -> None:
        """Adds the labels and their confidence of a frame whose image was copied."""
        assert frame.stamp_ns is not None
        assert result.confidence is not None
        confidence = np.rint(255 * result.confidence).astype(np.uint8)
        with self._lock:
            time_ns, frame_id = self._headers[frame.stamp_ns]
            for topic, array in ((LABELS, result.labels), (CONFIDENCE, confidence)):
                self._writer.image(topic, frame.stamp_ns, array, "mono8", frame_id, time_ns)


def _check(path: Path, source: Path) -> None:
    if path.exists() and path.samefile(source):
        raise BagError(f"{path} is the bag that is read; the new one needs another name")
    with BagReader(source) as reader:
        if reader.is_ros2:
            raise BagError(f"{source} is a ROS 2 bag; only ROS 1 bags can be copied")
        there = {LABELS, CONFIDENCE, LABEL_INFO} & set(reader.topics)
    if there:
        raise BagError(f"{source} has {', '.join(sorted(there))} already")
