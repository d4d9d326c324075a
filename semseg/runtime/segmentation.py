"""What a segmenter makes of an image."""

from typing import NamedTuple, Optional

import numpy as np


class Timing(NamedTuple):
    """Milliseconds per image: fitting it, inference, bringing its labels to its size."""

    resize_ms: float
    inference_ms: float
    restore_ms: float


class Segmentation(NamedTuple):
    """The labels of one image, at the image's size.

    Attributes:
      labels: uint8 (H, W), the most probable class of each pixel.
      confidence: float32 (H, W), its probability, 0..1; None if it was not asked for.
      probabilities: float32 (H, W, C); None if they were not asked for.
      timing: what it took.
    """

    labels: np.ndarray
    confidence: Optional[np.ndarray]
    probabilities: Optional[np.ndarray]
    timing: Timing
