"""Bags as output: labels beside the messages of another bag, or frames recorded like a camera."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Self

import cv2
import numpy as np
from tqdm import tqdm

from semseg.bags import BagReader, BagWriter, Channel, RawMessage
from semseg.classes import ClassTable, label_info_json
from semseg.errors import BagError
from semseg.evaluation.frames.frames import Frame, Outcome, Unreadable
from semseg.runtime import Segmentation
from semseg.runtime.images.geometry import Size, resize_image, resize_labels

NAMESPACE = "/offline"
LABELS, CONFIDENCE = f"{NAMESPACE}/labels", f"{NAMESPACE}/confidence"
LABEL_INFO = f"{NAMESPACE}/label_info_json"


class BagOutput:
    """Copies a ROS 1 bag while it is read, and adds what the node would have published.

    Each publisher of the bag is one of the copy, under its own name and latched as it was.

    ``/offline/labels`` (mono8) and ``/offline/confidence`` (mono8, 255 is 1.0) have the stamp,
    frame and time of recording of their image; ``/offline/label_info_json`` says what they mean.

    Args:
      path: the new bag.
      source: the bag that is read, see ``BagReader``.
      overwrite: whether an existing file may be replaced.

    Raises:
      BagError: the new bag exists, the source is no ROS 1 bag, or it has these topics already.
    """

    def __init__(self, path: Path, source: Sequence[str | Path], overwrite: bool = False) -> None:
        self._channels = _checked(path, source)
        self._writer = BagWriter(path, overwrite=overwrite)
        self._label_info = ""
        self._lock = Lock()

    def describe(self, classes: ClassTable, model: str, digest: str) -> None:
        """Says what the labels mean; before the first message is copied."""
        self._label_info = label_info_json(classes, model, digest)

    def __enter__(self) -> Self:
        self._writer.__enter__()
        for channel in self._channels:  # In their order, and those without messages too.
            self._writer.connect(channel)
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

    def add(self, frame: Frame, result: Segmentation) -> None:
        """Adds the labels and their confidence of a frame whose image was copied."""
        assert frame.header is not None
        stamp_ns, frame_id, time_ns = frame.header
        assert result.confidence is not None
        confidence = np.rint(255 * result.confidence).astype(np.uint8)
        with self._lock:
            for topic, array in ((LABELS, result.labels), (CONFIDENCE, confidence)):
                self._writer.image(topic, stamp_ns, array, "mono8", frame_id, time_ns)


def _checked(path: Path, source: Sequence[str | Path]) -> list[Channel]:
    """Returns the channels of the source, once it is known that it can be copied."""
    with BagReader(source) as reader:
        named = " ".join(map(str, source))
        if any(path.exists() and path.samefile(file) for file in reader.files):
            raise BagError(f"{path} is the bag that is read; the new one needs another name")
        if not reader.is_ros1_bag:
            raise BagError(f"{named} is no ROS 1 bag; only ROS 1 bags can be copied")
        there = {LABELS, CONFIDENCE, LABEL_INFO} & set(reader.topics)
        if there:
            raise BagError(f"{named} has {', '.join(sorted(there))} already")
        return reader.channels


CAMERA = "/camera"
FRAME_ID = "camera"
START_NS = 1_500_000_000 * 10**9
"""First stamp: a fixed time, so that equal frames make equal bags; zero means unset in ROS."""

RAW, COMPRESSED = TRANSPORTS = ("raw", "compressed")


def record(
    writer: BagWriter,
    frames: Iterable[Frame | Unreadable],
    rate_hz: float,
    transport: str = RAW,
    size: Size | None = None,
) -> Outcome:
    """Writes images, labels where there are some, and camera_info.

    Topics: ``/camera/image_raw`` (rgb8; or ``/camera/image_raw/compressed``, jpeg),
    ``/camera/labels`` (mono8, always of the image's size) and ``/camera/camera_info``.

    Args:
      writer: an open bag.
      frames: from ``semseg.evaluation.frames.sources``.
      rate_hz: images per second; their stamps are exact multiples from ``START_NS`` on.
      transport: ``raw`` or ``compressed``.
      size: (height, width) that images and labels are brought to; None keeps each one's own.

    Returns:
      How many were written, and those that could not be read; their stamps stay free.
    """
    done, skipped = 0, []
    for index, frame in enumerate(tqdm(frames, desc="record", unit="frame")):
        if isinstance(frame, Unreadable):
            skipped.append(frame)
            continue
        stamp_ns = START_NS + round(index * 1e9 / rate_hz)
        _write_frame(writer, stamp_ns, _resized(frame, size) if size else frame, transport)
        done += 1
    return Outcome(done, skipped)


def _resized(frame: Frame, size: Size) -> Frame:
    image, intrinsics = resize_image(frame.image, size, "area"), frame.intrinsics
    if intrinsics is not None:
        height, width = frame.image.shape[:2]
        intrinsics = np.diag([size[1] / width, size[0] / height, 1.0]) @ intrinsics
    return frame._replace(image=image, intrinsics=intrinsics)


def _write_frame(writer: BagWriter, stamp_ns: int, frame: Frame, transport: str) -> None:
    height, width = frame.image.shape[:2]
    _write_image(writer, stamp_ns, frame.image, transport)
    if frame.labels is not None:
        labels = resize_labels(frame.labels, (height, width))
        writer.image(f"{CAMERA}/labels", stamp_ns, labels, "mono8", FRAME_ID)
    topic = f"{CAMERA}/camera_info"
    writer.camera_info(topic, stamp_ns, FRAME_ID, frame.intrinsics, (height, width))


def _write_image(writer: BagWriter, stamp_ns: int, image: np.ndarray, transport: str) -> None:
    topic = f"{CAMERA}/image_raw"
    if transport == COMPRESSED:
        _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        writer.compressed(f"{topic}/compressed", stamp_ns, data.tobytes(), "jpeg", FRAME_ID)
    else:
        writer.image(topic, stamp_ns, image, "rgb8", FRAME_ID)
