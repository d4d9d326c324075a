"""From a scene and a camera to image, labels and depth.

Lens and sensor add vignette, a little blur and noise.
"""

import zlib
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from semseg.town.camera import Camera, Size
from semseg.town.labels import Label
from semseg.town.raster import BACKGROUND, Buffers, empty_buffers, linear, rasterize
from semseg.town.scene import Scene
from semseg.town.shading import shade
from semseg.town.surface import Surfaces

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


_PLAIN_COLOR = np.array((92, 100, 66, 255), np.uint8)


class Rendering(NamedTuple):
    """What a camera sees.

    Attributes:
      image: uint8 (H, W, 3), RGB.
      labels: uint8 (H, W), a ``Label`` at each pixel.
      depth: float32 (H, W), metres along the optical axis; inf exactly where the label is sky.
    """

    image: np.ndarray
    labels: np.ndarray
    depth: np.ndarray


def render(scene: Scene, camera: Camera, time: float) -> Rendering:
    """Renders a scene.

    Args:
      scene: what is there.
      camera: from where it is seen; its z must not be negative.
      time: seconds; moves what moves.
    """
    moment = scene.moment(float(camera.position[2]), time)
    buffers = empty_buffers(camera.size)
    rasterize(moment.surfaces, camera, buffers)
    _add_plain(buffers, moment.surfaces, camera)
    with np.errstate(divide="ignore"):
        depth = 1 / buffers.inverse_depth
    labels = _label_table(moment.surfaces).take(buffers.ids)
    image = shade(buffers, depth, moment, camera, scene.weather)
    return Rendering(expose(image, camera, scene.weather.noise), labels, depth)


def _add_plain(buffers: Buffers, surfaces: Surfaces, camera: Camera) -> None:
    """Puts the endless grassland on which the town stands where nothing else is."""
    inverse_depth = linear(camera.rays[1] / -camera.position[1], camera.size)
    open_ground = (buffers.ids == BACKGROUND) & (inverse_depth > 1e-6)
    np.copyto(buffers.ids, len(surfaces.textures) + 1, where=open_ground)
    np.copyto(buffers.albedo, _PLAIN_COLOR, where=open_ground[..., None])
    np.copyto(buffers.inverse_depth, inverse_depth, where=open_ground)


def _label_table(surfaces: Surfaces) -> np.ndarray:
    """The label of each id: sky, the surfaces, the plain."""
    return np.concatenate([[Label.SKY], surfaces.labels, [Label.TREE]]).astype(np.uint8)
