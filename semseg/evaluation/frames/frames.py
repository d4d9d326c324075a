"""Frames to segment: what they are, what segments them, what is said of unreadable ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from semseg.errors import ImageError

if TYPE_CHECKING:  # The demo runs without what this module needs.
    from semseg.classes import ClassTable
    from semseg.data.samples.instances import Instances
    from semseg.runtime import Segmentation


class BagHeader(NamedTuple):
    """How a bag holds an image.

    Attributes:
      stamp_ns: stamp of its header, nanoseconds; 0 if nobody set it.
      frame_id: coordinate frame of its header.
      time_ns: when it was recorded, nanoseconds since the epoch.
    """

    stamp_ns: int
    frame_id: str
    time_ns: int


class Frame(NamedTuple):
    """One image, with its true labels where they are known.

    Attributes:
      name: unique among its source's frames; may contain ``/`` like a path.
      stamp_ns: when the camera took it, nanoseconds; None if nobody knows.
      image: uint8 (H, W, 3) RGB.
      labels: true labels, uint8 (h, w), which need not be the image's size; or None.
      intrinsics: the camera's K, float64 (3, 3), pixels; or None.
      instances: which true pixels are one object, where that is scored; or None.
      second: the right image, uint8 (H, W, 3) RGB, or the disparity, float32 (H, W, 1), pixels
        at the image's width; None where the model needs none.
      header: of an image of a bag; None of any other.
    """

    name: str
    stamp_ns: int | None
    image: np.ndarray
    labels: np.ndarray | None = None
    intrinsics: np.ndarray | None = None
    instances: Instances | None = None
    second: np.ndarray | None = None
    header: BagHeader | None = None


class Unreadable(NamedTuple):
    """Takes the place of a frame that could not be read, so that the run goes on."""

    name: str
    reason: str


def read_frame(name: str, read: Callable[[], Frame]) -> Frame | Unreadable:
    """Returns what ``read`` returns, or why it raised ``ImageError``."""
    try:
        return read()
    except ImageError as error:
        return Unreadable(name, str(error))


class ImageSegmenter(Protocol):
    """What labels frames: ``semseg.runtime.Segmenter``, or anything with these two."""

    @property
    def classes(self) -> ClassTable:
        """Names and colours of the labels."""

    def segment(
        self,
        image: np.ndarray,
        second: np.ndarray | None = None,
        probabilities: bool = False,
        confidence: bool = True,
    ) -> Segmentation:
        """Labels an RGB image; labels, confidence and probabilities have the image's size."""


class Outcome(NamedTuple):
    """What became of the frames of a run: how many were done, and which could not be read."""

    done: int
    skipped: Sequence[Unreadable]

    def __str__(self) -> str:
        skipped = "".join(f"\nskipped {name}: {reason}" for name, reason in self.skipped)
        return f"{self.done} of {self.done + len(self.skipped)} frames{skipped}"


class Frames:
    """A source of frames: it has a length and can be gone through more than once.

    Attributes:
      rate_hz: frames per second of a video, None for single images.
      warnings: what people should know of the frames; complete when they were gone through.

    Args:
      count: how many frames to expect, for progress bars; 0 if nobody knows.
      produce: returns an iterator over them, in which each is read when its turn comes.
      rate_hz: the attribute.
    """

    def __init__(
        self,
        count: int,
        produce: Callable[[], Iterator[Frame | Unreadable]],
        rate_hz: float | None = None,
    ) -> None:
        self.rate_hz = rate_hz
        self.warnings: list[str] = []
        self._count = count
        self._produce = produce

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Frame | Unreadable]:
        return self._produce()

    def first(self, count: int | None) -> Frames:
        """Returns the first ``count`` frames; all of them if it is None."""
        if count is None:
            return self
        return Frames(min(count, len(self) or count), lambda: islice(self, count), self.rate_hz)
