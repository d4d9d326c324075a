"""Records frames into a bag, as a camera and a labeller would have published them."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from tqdm import tqdm

from semseg.bags import BagWriter
from semseg.evaluation.frames.frames import Frame, Outcome, Unreadable
from semseg.runtime.images.geometry import Size, resize_image, resize_labels

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
