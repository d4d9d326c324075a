"""The robot side: runs frozen graphs on images. No ROS, no Keras, Python 3.6."""

from semseg.runtime.segmenter import Segmentation, Segmenter, Timing

__all__ = ["Segmentation", "Segmenter", "Timing"]
