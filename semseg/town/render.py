"""From a scene and a camera to image, labels and depth."""

from typing import NamedTuple

import numpy as np

from semseg.town.camera import Camera
from semseg.town.labels import Label
from semseg.town.raster import BACKGROUND, Buffers, empty_buffers, linear, rasterize
from semseg.town.scene import Scene
from semseg.town.sensor import expose
from semseg.town.shading import shade
from semseg.town.surface import Surfaces

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
