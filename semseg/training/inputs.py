"""How images, and what comes with them, become the inputs of a network."""

from typing import Any

import keras
import numpy as np

from semseg.runtime.graph.card import SQUASH
from semseg.runtime.graph.frozen_graph import DISPARITY, RIGHT
from semseg.runtime.images.geometry import Fit


def second_input(model: keras.Model) -> str | None:
    """Returns ``right``, ``disparity`` or None: what a model sees beside the image."""
    if len(model.inputs) > 1:
        return RIGHT
    return DISPARITY if model.inputs[0].shape[-1] == 4 else None


def network_inputs(model: keras.Model, images: Any, second: Any = None) -> Any:
    """Arranges images as a model takes them.

    Args:
      model: sees images; with four channels the fourth is a disparity, and a second input named
        ``right`` is the right image.
      images: uint8 [N, H, W, 3], an array or a tensor.
      second: uint8 [N, H, W, 3] right images or float32 [N, H, W, 1] disparities, or None.

    Returns:
      The model's inputs, float32.
    """
    images = keras.ops.cast(images, "float32")
    if second is None:
        return images
    second = keras.ops.cast(second, "float32")
    if second_input(model) == DISPARITY:
        return keras.ops.concatenate([images, second], axis=-1)
    return keras.tree.map_structure(
        lambda tensor: second if tensor.name == RIGHT else images, model.input
    )


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns an image at another size, as the robot's runtime resizes it.

    Args:
      image: uint8 (H, W, 3), or a disparity, float32 (H, W, 1), pixels at the image's width.
      size: (height, width) of the result.

    Returns:
      The same, (h, w, 3) or (h, w, 1); a disparity in pixels at the new width.
    """
    height, width, channels = image.shape
    fit = Fit.create((height, width), size, SQUASH)
    return fit.apply_disparity(image[..., 0]) if channels == 1 else fit.apply(image)
