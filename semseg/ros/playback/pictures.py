"""What a person looks at after a playback: a picture sheet and a video."""

from typing import Dict, List, Optional, Set

import cv2
import numpy as np

from semseg.classes import ClassTable
from semseg.errors import ImageError
from semseg.runtime.images import render

SHEET_ROWS = 5
_TITLES = {"true": "true labels", "found": "published labels"}
MIN_RATE_HZ, MAX_RATE_HZ = 1.0, 60.0


class SampleSheet:
    """Keeps a few frames, spread evenly over a playback of unknown length.

    Args:
      rows: number of frames that the sheet shows at least, if there were as many; at most
        twice as many are kept.
      labelled: whether there are true labels to show.
    """

    def __init__(self, rows: int = SHEET_ROWS, labelled: bool = True):
        self._rows = rows
        self._kinds = ("true", "found") if labelled else ("found",)
        self._stride = 1
        self._seen: Set[int] = set()
        self._early: Dict[int, Dict[str, np.ndarray]] = {}
        self._samples: Dict[int, Dict[str, np.ndarray]] = {}

    def add_image(self, stamp: int, image: np.ndarray) -> None:
        """Offers the next frame's image, uint8 (H, W, 3) RGB."""
        early = self._early.pop(stamp, {})
        if len(self._seen) % self._stride == 0:
            self._samples[stamp] = dict(early, image=image)
        self._seen.add(stamp)
        if len(self._samples) > 2 * self._rows:
            self._stride *= 2
            for dropped in list(self._samples)[1::2]:
                del self._samples[dropped]

    def add_labels(self, kind: str, stamp: int, labels: np.ndarray) -> None:
        """Offers ``true`` or ``found`` labels, uint8 (H, W); kept if their image is."""
        if stamp in self._samples:
            self._samples[stamp][kind] = labels
        elif stamp not in self._seen:  # Another connection: they may come before their image.
            self._early.setdefault(stamp, {})[kind] = labels

    def draw(self, classes: ClassTable) -> Optional[np.ndarray]:
        """Draws image, true and found labels side by side; None if no frame has them all."""
        samples = self._samples.values()
        complete = [sample for sample in samples if set(self._kinds) <= set(sample)]
        if not complete:
            return None
        chosen = np.linspace(0, len(complete) - 1, min(self._rows, len(complete))).round()
        rows = [
            [sample["image"]] + [render.colorize(sample[kind], classes) for kind in self._kinds]
            for sample in (complete[int(position)] for position in chosen)
        ]
        return render.sheet(rows, ["image"] + [_TITLES[kind] for kind in self._kinds])


class VideoRecorder:
    """Writes images into an MP4 file at the rate that their stamps have.

    Args:
      path: the file, which must end in ``.mp4``.
    """

    def __init__(self, path: str):
        self._path = path
        self._start_ns = 0
        self._waiting: List[np.ndarray] = []
        self._writer: Optional[cv2.VideoWriter] = None

    def add(self, stamp: int, image: np.ndarray) -> None:
        """Adds an image, uint8 (H, W, 3) RGB, of the first one's size; ``stamp`` in nanoseconds.

        Raises:
          ImageError: the file cannot be written.
        """
        self._waiting.append(image)
        if self._writer is None and len(self._waiting) == 1:
            self._start_ns = stamp  # The rate is known with the second image.
            return
        if self._writer is None:
            self._writer = self._open(1e9 / max(1, stamp - self._start_ns))
        for frame in self._waiting:
            self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        self._waiting.clear()

    def close(self) -> None:
        """Completes the file."""
        if self._writer is not None:
            self._writer.release()

    def _open(self, rate_hz):
        height, width = self._waiting[0].shape[:2]
        codec = cv2.VideoWriter_fourcc(*"mp4v")
        rate_hz = min(MAX_RATE_HZ, max(MIN_RATE_HZ, rate_hz))
        writer = cv2.VideoWriter(self._path, codec, rate_hz, (width, height))
        if not writer.isOpened():
            raise ImageError("%s: cannot be written as an MP4 video" % self._path)
        return writer
