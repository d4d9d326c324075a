"""Temporal consistency: do labels stay on the things that move through the image?

The labels of a frame are carried along optical flow to the next frame and compared with what that
one says. Source: Varghese et al. 2020, "Unsupervised temporal consistency metric for video
segmentation in highly-automated driving"; their mTC is ``mean_consistency`` here. It needs no
truth, and says nothing of it: labels that are always wrong in the same way are consistent.
"""

from typing import Any

import cv2
import numpy as np

from semseg.classes import IGNORE, ClassTable
from semseg.evaluation.frames.frames import Frame
from semseg.metrics import ConfusionMatrix
from semseg.runtime.images.geometry import Size, resize_image, resize_labels

_WIDTH = 256
"""Flow is computed at most that wide: quick, and enough to follow what labels can show."""

_LEAST = 32
"""Least height and width for flow.

DIS starts at a quarter of the image's size, in patches of 8x8. Of fewer than 32 rows or columns
OpenCV reads beyond the image, which ends the process: a lidar's strip of 16x256, for example.
"""


def flow_size(image_size: Size) -> Size:
    """Returns the (height, width) that flow of images of a size is computed at.

    Images of few rows or columns are stretched, so that any size has a flow.
    """
    height, width = image_size
    scale = min(1.0, _WIDTH / width)
    return max(_LEAST, round(height * scale)), max(_LEAST, round(width * scale))


def gray_for_flow(image: np.ndarray) -> np.ndarray:
    """Returns an image, uint8 (H, W, 3) RGB, as flow wants it: grey and small, uint8 (h, w)."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return resize_image(gray, flow_size((gray.shape[0], gray.shape[1])), "area")


class OpticalFlow:
    """Dense flow, and where it is to be trusted.

    Sources: Kroeger et al. 2016, "Fast optical flow using dense inverse search" (DIS); Sundaram,
    Brox and Keutzer 2010, "Dense point trajectories by GPU-accelerated large displacement optical
    flow", equation 5: flow there and back must end where it began, else the point is hidden in
    one of the images.
    """

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._grids: dict[Size, np.ndarray] = {}

    def origins(self, before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Finds where each pixel was in the image before.

        Args:
          before: grey image, uint8 (h, w), from ``gray_for_flow``.
          now: the next one, of the same size.

        Returns:
          The column and row in ``before`` of each pixel of ``now``, float32 (h, w, 2); and which
          of them were to be seen there, bool (h, w).
        """
        back = self._dis.calc(now, before, None)
        forth = self._dis.calc(before, now, None)
        origins = self._grid((now.shape[0], now.shape[1])) + back
        returned = back + cv2.remap(forth, origins, None, cv2.INTER_LINEAR)
        length = _squared(back) + _squared(returned - back)
        seen = _squared(returned) <= 0.01 * length + 0.5
        height, width = now.shape
        columns, rows = origins[..., 0], origins[..., 1]
        inside = (columns >= -0.5) & (columns < width - 0.5) & (rows >= -0.5)
        return origins, seen & inside & (rows < height - 0.5)

    def _grid(self, size: Size) -> np.ndarray:
        """Returns the column and row of each pixel, float32 (h, w, 2)."""
        if size not in self._grids:
            rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
            self._grids = {size: np.dstack([columns, rows])}
        return self._grids[size]


def _squared(vectors: np.ndarray) -> np.ndarray:
    """Returns the squared length of vectors, (h, w, 2) -> (h, w)."""
    found: np.ndarray = np.einsum("hwc,hwc->hw", vectors, vectors)
    return found


class TemporalConsistency:
    """Follows the labels of frames that come one after the other.

    Args:
      classes: the classes of the labels.

    Attributes:
      classes: those.
      flips: for each frame the share of its pixels whose label is another than where they come
        from, 0..1; NaN for the first frame, and where the size changes.
      followed: for each frame the share of its pixels that could be followed, 0..1 or NaN.
      confusion: over all frames; rows are the carried labels, columns the frames' own.
    """

    def __init__(self, classes: ClassTable) -> None:
        self.classes = classes
        self.flips: list[float] = []
        self.followed: list[float] = []
        self.confusion = ConfusionMatrix(classes.num_classes)
        self._flow = OpticalFlow()
        self._before: tuple[np.ndarray, np.ndarray] | None = None

    def add(self, frame: Frame, labels: np.ndarray) -> None:
        """Takes the labels, uint8 (H, W), of the next frame."""
        gray = gray_for_flow(frame.image)
        small = resize_labels(labels, (gray.shape[0], gray.shape[1]))
        flips = followed = float("nan")
        if self._before is not None and self._before[0].shape == gray.shape:
            carried = self._carried(gray)
            confusion = ConfusionMatrix(self.classes.num_classes)
            confusion.update(carried, small)
            self.confusion.merge(confusion)
            flips = 1 - confusion.pixel_accuracy
            followed = float((carried != IGNORE).mean())
        self.flips.append(flips)
        self.followed.append(followed)
        self._before = gray, small

    @property
    def mean_flips(self) -> float:
        """Share of the followed pixels, over all frames, whose label changed; NaN without any."""
        return 1 - self.confusion.pixel_accuracy

    @property
    def mean_consistency(self) -> float:
        """Mean over the classes of the IoU of carried and own labels (mTC), 0..1 or NaN."""
        return self.confusion.mean_iou

    def _carried(self, gray: np.ndarray) -> np.ndarray:
        """Returns the last frame's labels where they are now; ``IGNORE`` where nobody knows."""
        assert self._before is not None
        last_gray, last_labels = self._before
        origins, seen = self._flow.origins(last_gray, gray)
        carried: Any = cv2.remap(last_labels, origins, None, cv2.INTER_NEAREST)
        carried[~seen] = IGNORE
        return carried
