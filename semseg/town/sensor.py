"""What lens and sensor make of the light: vignette, a little blur, noise."""

import zlib
from functools import lru_cache

import cv2
import numpy as np

from semseg.town.camera import Camera, Size

_SPARE = 32
_BLUR = 0.55


def expose(light: np.ndarray, camera: Camera, sigma: int) -> np.ndarray:
    """Takes the picture.

    Args:
      light: float32 (3, H, W), RGB, 0..255 where nothing is overexposed; changed.
      camera: its pose picks the noise, so that the same view gives the same picture.
      sigma: standard deviation of the noise, grey levels.

    Returns:
      uint8 (H, W, 3).
    """
    light *= _vignette(camera.size)
    image = cv2.merge([cv2.convertScaleAbs(plane) for plane in np.maximum(light, 0, out=light)])
    image = cv2.GaussianBlur(image, (3, 3), _BLUR)
    field = _noise(camera.size, sigma)
    down, across = divmod(zlib.crc32(camera.pose.tobytes()) % _SPARE**2, _SPARE)
    height, width = camera.size
    return cv2.add(image, field[down : down + height, across : across + width], dtype=cv2.CV_8U)


@lru_cache(maxsize=8)
def _vignette(size: Size) -> np.ndarray:
    """Darkens towards the corners; float32 (H, W)."""
    y, x = np.linspace(-1, 1, size[0])[:, None], np.linspace(-1, 1, size[1])[None]
    return (1.03 - 0.1 * (x * x + y * y)).astype(np.float32)


@lru_cache(maxsize=32)
def _noise(size: Size, sigma: int) -> np.ndarray:
    """Noise that is partly common to the channels; int16, a margin larger than the image."""
    rng = np.random.default_rng((80, sigma))
    shape = (size[0] + _SPARE, size[1] + _SPARE)
    common, own = rng.normal(0, 0.8, (*shape, 1)), rng.normal(0, 0.6, (*shape, 3))
    return np.round(sigma * (common + own)).astype(np.int16)
