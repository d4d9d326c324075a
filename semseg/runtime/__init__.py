"""The robot side: runs frozen graphs on images. No ROS, no Keras, Python 3.6."""

from semseg.runtime.segmentation import Segmentation, Timing
from semseg.runtime.segmenter import Segmenter

__all__ = ["Segmentation", "Segmenter", "Timing"]
