"""Augmentation: random geometry, shared by an image and its labels, and random appearance.

The geometry and the appearance of a sample are drawn first, as objects, and then applied: to the
image, to its labels, and to whatever else belongs to the sample.
"""

from semseg.data.batches.augmentation.appearance import Appearance, draw_appearance
from semseg.data.batches.augmentation.config import AugmentationConfig
from semseg.data.batches.augmentation.geometry import Geometry, draw_geometry

__all__ = [
    "Appearance",
    "AugmentationConfig",
    "Geometry",
    "draw_appearance",
    "draw_geometry",
]
