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
from semseg.evaluation.unlabelled.optical_flow import OpticalFlow, gray_for_flow
from semseg.metrics import ConfusionMatrix
from semseg.runtime.images.geometry import resize_labels


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
