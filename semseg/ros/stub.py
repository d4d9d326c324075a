"""A segmenter of known labels and known latency, to test and measure the node without a model."""

import time

import numpy as np

from semseg.classes import ClassTable
from semseg.runtime.segmenter import Segmentation, Timing

STUB_CLASSES = ClassTable.create(["red", "green", "blue"], [(255, 0, 0), (0, 255, 0), (0, 0, 255)])


class StubSegmenter:
    """Labels each pixel with its strongest channel.

    Args:
      latency_s: how long each segmentation takes at least, in seconds.

    Attributes:
      calls: number of segmentations so far.
    """

    classes = STUB_CLASSES
    digest = "stub"
    engine = "stub"

    def __init__(self, latency_s: float = 0.0):
        self._latency_s = latency_s
        self.calls = 0

    def segment(self, image: np.ndarray, probabilities: bool = False) -> Segmentation:
        """Labels one image, uint8 (H, W, 3), as ``runtime.Segmenter`` does."""
        started = time.monotonic()
        self.calls += 1
        shares = None
        if probabilities:
            shares = (image / np.maximum(image.sum(axis=2, keepdims=True), 1)).astype(np.float32)
        labels = image.argmax(axis=2).astype(np.uint8)
        confidence = image.max(axis=2).astype(np.float32) / 255
        time.sleep(max(0.0, self._latency_s - (time.monotonic() - started)))
        timing = Timing(0.0, 1e3 * (time.monotonic() - started), 0.0)
        return Segmentation(labels, confidence, shares, timing)
