"""Augmentation: random geometry, shared by an image and its labels, and random colour.

All geometry is one affine map from the pixels of the result to those of the source, so an image
is interpolated once and only where it is needed. Labels go through index tables of the same map.
"""

import math
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field, PositiveInt, model_validator

from semseg.classes import IGNORE
from semseg.data.strict_yaml import StrictModel

PADDING_COLOR = (0, 0, 0)
"""Colour of the pixels that are outside the source image; their label is ``IGNORE``."""

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601

Strength = Annotated[float, Field(ge=0, lt=1)]
Zoom = Annotated[float, Field(ge=0.1, le=10)]


class AugmentationConfig(StrictModel):
    """Strength of each augmentation; a default of 0 (or a zoom of 1) leaves it out.

    Attributes:
      crop: (height, width) of the result; None keeps the image's size. What exceeds the image
        is padded with ``IGNORE``.
      flip: probability of a horizontal flip.
      zoom: (least, greatest) magnification, drawn evenly between; 2 shows objects twice as large.
      rotation_deg: greatest rotation about the centre of the result, degrees, either way.
      gamma: greatest |Z| of the FRRN paper's rule, see ``gamma_exponent``; the paper has 0.05.
      brightness: greatest change of brightness, either way, as a share of the full range.
      contrast: greatest change of the distance to mid-grey, either way, as a share.
      saturation: greatest change of the distance to the pixel's grey, either way, as a share.
    """

    crop: tuple[PositiveInt, PositiveInt] | None = None
    flip: Annotated[float, Field(ge=0, le=1)] = 0.5
    zoom: tuple[Zoom, Zoom] = (1.0, 1.0)
    rotation_deg: Annotated[float, Field(ge=0, le=180)] = 0.0
    gamma: Annotated[float, Field(ge=0, lt=0.7)] = 0.0
    brightness: Strength = 0.0
    contrast: Strength = 0.0
    saturation: Strength = 0.0

    @model_validator(mode="after")
    def _order_zoom(self) -> "AugmentationConfig":
        if self.zoom[0] > self.zoom[1]:
            raise ValueError(f"zoom is (least, greatest), found {list(self.zoom)}")
        return self


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
    size = config.crop or (height, width)
    affine = draw_affine(rng, (height, width), size, config)
    image = _change_color(warp_image(image, affine, size), rng, config)
    return image, warp_labels(labels, affine, size)


def draw_affine(
    rng: np.random.Generator,
    source: tuple[int, int],
    size: tuple[int, int],
    config: AugmentationConfig,
) -> np.ndarray:
    """Draws the map from the result to the source.

    The result shows a window of the source, of the result's size over the zoom. It lies anywhere
    in the source, or, where it is larger, anywhere around it.

    Args:
      rng: where the random numbers come from.
      source: (height, width) of the source.
      size: (height, width) of the result.
      config: flip, zoom and rotation.

    Returns:
      float64 (2, 3): (x, y, 1) of the result to (x, y) of the source; pixel i covers i to i + 1.
    """
    flip = -1.0 if rng.random() < config.flip else 1.0
    scale = 1.0 / rng.uniform(*config.zoom)
    angle = math.radians(rng.uniform(-config.rotation_deg, config.rotation_deg))
    window = scale * np.array(size[::-1])
    center = window / 2 + rng.random(2) * (np.array(source[::-1]) - window)
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    linear = np.array([[flip * cosine, -sine], [flip * sine, cosine]])
    offset = center - linear @ (np.array(size[::-1]) / 2)
    return np.column_stack([linear, offset])


def warp_image(image: np.ndarray, affine: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resamples an image, bilinearly.

    Args:
      image: uint8 (H, W, 3).
      affine: the map of ``draw_affine``.
      size: (height, width) of the result.

    Returns:
      uint8 (h, w, 3).
    """
    # OpenCV counts from pixel centres: x_cv = x - 0.5 on both sides of the map.
    centered = affine.copy()
    centered[:, 2] += affine[:, :2].sum(axis=1) / 2 - 0.5
    return cv2.warpAffine(
        image,
        centered,
        (size[1], size[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=PADDING_COLOR,
    )


def warp_labels(labels: np.ndarray, affine: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Takes for each pixel of the result the label that is under its centre.

    Args:
      labels: uint8 (H, W).
      affine: the map of ``draw_affine``.
      size: (height, width) of the result.

    Returns:
      uint8 (h, w), ``IGNORE`` outside the source.
    """
    x = np.arange(size[1], dtype=np.float32) + 0.5
    y = np.arange(size[0], dtype=np.float32)[:, np.newaxis] + 0.5
    columns, rows = (a * x + (b * y + c) for a, b, c in affine.astype(np.float32))
    np.floor(columns, out=columns)
    np.floor(rows, out=rows)
    # Of whole numbers remap rounds nothing, and it reads labels outside as the border's.
    return cv2.remap(labels, columns, rows, cv2.INTER_NEAREST, None, cv2.BORDER_CONSTANT, IGNORE)


def gamma_exponent(z: float) -> float:
    """Returns the exponent log(0.5 + z / sqrt(2)) / log(0.5 - z / sqrt(2)) of the FRRN paper.

    Pohlen et al., Full-Resolution Residual Networks (CVPR 2017), section 4: intensities 0..1 are
    raised to it, with z drawn evenly from [-0.05, 0.05].

    Args:
      z: strength, -0.7 < z < 0.7; 0 changes nothing, more makes brighter.
    """
    return math.log(0.5 + z / math.sqrt(2)) / math.log(0.5 - z / math.sqrt(2))


def _change_color(
    image: np.ndarray, rng: np.random.Generator, config: AugmentationConfig
) -> np.ndarray:
    gamma = gamma_exponent(rng.uniform(-config.gamma, config.gamma))
    contrast = 1 + rng.uniform(-config.contrast, config.contrast)
    brightness = rng.uniform(-config.brightness, config.brightness)
    saturation = 1 + rng.uniform(-config.saturation, config.saturation)
    if saturation != 1:
        mix = saturation * np.eye(3) + (1 - saturation) * _LUMA
        image = cv2.transform(image, mix)
    tones = ((np.arange(256) / 255) ** gamma - 0.5) * contrast + 0.5 + brightness
    return cv2.LUT(image, np.clip(np.rint(tones * 255), 0, 255).astype(np.uint8))
