"""Augmentation: random geometry, shared by an image and its labels, and random appearance.

The geometry and the appearance of a sample are drawn first, as objects, and then applied: to the
image, to its labels, and to whatever else belongs to the sample.
"""

import numpy as np

from semseg.data.augmentation.appearance import Appearance, draw_appearance
from semseg.data.augmentation.config import AugmentationConfig
from semseg.data.augmentation.geometry import Geometry, draw_geometry

__all__ = [
    "Appearance",
    "AugmentationConfig",
    "Geometry",
    "augment",
    "draw_appearance",
    "draw_geometry",
]


def augment(
    image: np.ndarray, labels: np.ndarray, rng: np.random.Generator, config: AugmentationConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Draws one augmented version of an image and its labels.

    Args:
      image: uint8 (H, W, 3) RGB.
      labels: uint8 (H, W).
      rng: where the random numbers come from; the result depends on nothing else.
      config: what to do, and how much.

    Returns:
      image uint8 (h, w, 3) and labels uint8 (h, w), of the crop's size.
    """
    height, width = image.shape[:2]
    geometry = draw_geometry(rng, (height, width), config)
    appearance = draw_appearance(rng, config)
    return appearance.apply(geometry.warp_image(image), rng), geometry.warp_labels(labels)
