"""What is kept of each frame of an evaluation."""

from typing import NamedTuple

import numpy as np

from semseg.runtime import Timing


class FrameScore(NamedTuple):
    """What is kept of one frame.

    Attributes:
      name: the frame's name.
      stamp_ns: when it was taken, nanoseconds, or None.
      timing: what its segmentation took.
      confidence: mean over its pixels, 0..1.
      class_share: share of its pixels predicted as each class, float64 (C,).
      mean_iou: of this frame alone; NaN without truth.
      pixel_accuracy: of this frame alone; NaN without truth.
    """

    name: str
    stamp_ns: int | None
    timing: Timing
    confidence: float
    class_share: np.ndarray
    mean_iou: float
    pixel_accuracy: float

    @property
    def latency_ms(self) -> float:
        """Milliseconds from the image to its labels."""
        return sum(self.timing)
