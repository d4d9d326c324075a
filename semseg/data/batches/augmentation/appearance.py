"""Appearance: what light, lens, sensor and compression make of the same street.

In the order in which they happen: the light that falls on it, blur, noise, colours, tones, JPEG.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import cv2
import numpy as np

from semseg.data.batches.augmentation.config import AugmentationConfig

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_LIGHT_STEP = 8
"""Pixels from one point to the next at which light is computed; between, it is interpolated."""
_NORMAL_QUANTILES = np.array([NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)])
"""What turns evenly drawn bytes into normal numbers, four times as fast as drawing these."""


class Appearance(NamedTuple):
    """How an image is changed; the same for all images of one sample, its noise apart.

    Attributes:
      slope: change of the light from the centre to the right and to the lower side, shares.
      shadow: share of the light that the shadow takes.
      corners: float64 (4, 2): (x, y) of the shadow's corners, 0..1 from side to side.
      blur_px: standard deviation of the blur, pixels.
      noise: standard deviation of the noise, as a share of the full range.
      colors: float64 (3, 3), what RGB is multiplied by.
      tones: uint8 (256,), what each value becomes.
      jpeg_quality: 0..100; 100 leaves the image as it is.
    """

    slope: np.ndarray
    shadow: float
    corners: np.ndarray
    blur_px: float
    noise: float
    colors: np.ndarray
    tones: np.ndarray
    jpeg_quality: int

    def apply(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Changes an image.

        Args:
          image: uint8 (H, W, 3) RGB.
          rng: where the noise comes from.

        Returns:
          uint8 (H, W, 3) RGB.
        """
        if self.shadow or self.slope.any():
            image = _multiply(image, self._light(*image.shape[:2]))
        if self.blur_px:
            image = cv2.GaussianBlur(image, (0, 0), self.blur_px)
        if self.noise:
            image = _add_noise(image, self.noise, rng)
        if not np.array_equal(self.colors, np.eye(3)):
            image = cv2.transform(image, self.colors)
        image = cv2.LUT(image, self.tones)
        return _compress(image, self.jpeg_quality) if self.jpeg_quality < 100 else image

    def _light(self, height: int, width: int) -> np.ndarray:
        """Returns the share of light at each point of a coarse grid, float32."""
        height, width = -(-height // _LIGHT_STEP), -(-width // _LIGHT_STEP)
        y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        light = (1 + self.slope[0] * x + self.slope[1] * y).astype(np.float32)
        shadow = np.zeros((height, width), np.uint8)
        corners = np.rint(self.corners * (width, height)).astype(np.int32)
        cv2.fillConvexPoly(shadow, cv2.convexHull(corners), 255, cv2.LINE_AA)
        return light * (1 - self.shadow / 255 * cv2.blur(shadow, (3, 3)).astype(np.float32))


def draw_appearance(rng: np.random.Generator, config: AugmentationConfig) -> Appearance:
    """Draws how images are changed.

    Args:
      rng: where the random numbers come from.
      config: light, blur, noise, colours, tones and JPEG.

    Returns:
      The change.
    """
    direction = rng.uniform(0, 2 * math.pi)
    slope = rng.uniform(0, config.illumination) * np.array(
        [math.cos(direction), math.sin(direction)]
    )
    return Appearance(
        slope=slope,
        shadow=rng.uniform(0, config.shadow),
        corners=_draw_corners(rng),
        blur_px=rng.uniform(0, config.blur_px),
        noise=rng.uniform(0, config.noise),
        colors=_draw_colors(rng, config),
        tones=_draw_tones(rng, config),
        jpeg_quality=round(100 * (1 - rng.uniform(0, config.jpeg))),
    )


def gamma_exponent(z: float) -> float:
    """Returns the exponent log(0.5 + z / sqrt(2)) / log(0.5 - z / sqrt(2)) of the FRRN paper.

    Pohlen et al., Full-Resolution Residual Networks (CVPR 2017), section 4: intensities 0..1 are
    raised to it, with z drawn evenly from [-0.05, 0.05].

    Args:
      z: strength, -0.7 < z < 0.7; 0 changes nothing, more makes brighter.
    """
    return math.log(0.5 + z / math.sqrt(2)) / math.log(0.5 - z / math.sqrt(2))


def _draw_corners(rng: np.random.Generator) -> np.ndarray:
    """Draws a shadow that crosses the image, from top to bottom or from side to side."""
    across = rng.random(4)
    along = np.array([0, 0, 1, 1])
    corners = np.column_stack([across, along])
    return corners if rng.random() < 0.5 else corners[:, ::-1]


def _draw_colors(rng: np.random.Generator, config: AugmentationConfig) -> np.ndarray:
    turn = math.radians(rng.uniform(-config.hue_deg, config.hue_deg))
    saturation = 1 + rng.uniform(-config.saturation, config.saturation)
    rotation = cv2.Rodrigues(np.full(3, turn / math.sqrt(3)))[0]
    return (saturation * np.eye(3) + (1 - saturation) * _LUMA) @ rotation


def _draw_tones(rng: np.random.Generator, config: AugmentationConfig) -> np.ndarray:
    gamma = gamma_exponent(rng.uniform(-config.gamma, config.gamma))
    contrast = 1 + rng.uniform(-config.contrast, config.contrast)
    brightness = rng.uniform(-config.brightness, config.brightness)
    tones = ((np.arange(256) / 255) ** gamma - 0.5) * contrast + 0.5 + brightness
    return np.clip(np.rint(tones * 255), 0, 255).astype(np.uint8)


def _multiply(image: np.ndarray, light: np.ndarray) -> np.ndarray:
    full = cv2.resize(light, image.shape[1::-1])
    return cv2.multiply(image, cv2.merge([full] * 3), dtype=cv2.CV_8U)


def _add_noise(image: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    table = np.rint(255 * share * _NORMAL_QUANTILES).astype(np.int16)
    noise = cv2.LUT(rng.integers(0, 256, image.shape, np.uint8), table)
    return cv2.add(image, noise, dtype=cv2.CV_8U)


def _compress(image: np.ndarray, quality: int) -> np.ndarray:
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
