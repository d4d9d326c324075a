"""Light on what the rasteriser found, and the air in between."""

from typing import NamedTuple

import cv2
import numpy as np

from semseg.town.camera import Camera
from semseg.town.raster import BACKGROUND, SAMPLING, Buffers, linear, project, texel_maps
from semseg.town.scene import Moment
from semseg.town.surface import Surfaces
from semseg.town.weather import SKY_TEXTURE, Weather

_SHADE = 0.65
"""How dark it gets under a car."""

_PENUMBRA = 0.5
"""Height over which a shadow on a wall fades, metres."""

_DECAL_SIZE = 32


class _Lights(NamedTuple):
    """Tables by id: sky light and sunlight (3, ids), where shadows end, what lies level."""

    ambient: np.ndarray
    sun: np.ndarray
    sunlit_above: np.ndarray
    level: np.ndarray


def shade(
    buffers: Buffers, depth: np.ndarray, moment: Moment, camera: Camera, weather: Weather
) -> np.ndarray:
    """Lights a frame.

    Args:
      buffers: of the rasteriser.
      depth: float32 (H, W), metres.
      moment: what was drawn.
      camera: from where.
      weather: light and air.

    Returns:
      float32 (3, H, W), RGB, 0..255 and above. Planes, since numpy is slow on short last axes.
    """
    lights = _lights(moment.surfaces, weather)
    ids = buffers.ids.astype(np.intp)
    level = lights.level.take(ids)
    light = lights.ambient.take(ids, axis=1)
    if weather.sun.any():
        lit = _sunlit(ids, depth, moment, camera, lights, level)
        light += lights.sun.take(ids, axis=1) * lit
    light *= 1 - _contact_shades(moment, camera, level)
    for channel, albedo in enumerate(cv2.split(buffers.albedo)[:3]):
        light[channel] *= albedo
    _add_haze(light, depth, weather)
    _add_sky(light, ids == BACKGROUND, camera, weather)
    if weather.wetness:
        _add_mirror(light, level, camera, weather.wetness)
    return light


def _lights(surfaces: Surfaces, weather: Weather) -> _Lights:
    """Lights each surface by its normal; leaves are lit from everywhere."""
    normals = surfaces.normals
    towards_sun = normals @ weather.to_sun
    thin = surfaces.two_sided
    sun = np.where(thin, 0.35 + 0.3 * np.abs(towards_sun), np.clip(towards_sun, 0, 1))
    up = np.where(thin, 0.4, -normals[:, 1])
    ambient = 0.82 + 0.18 * up
    level = up > 0.9
    wet = 1 - 0.35 * weather.wetness * level
    tints = surfaces.tints * wet[:, None]
    ground_sun = -weather.to_sun[1]
    return _Lights(
        ambient=_table(ambient[:, None] * weather.ambient * tints, weather.ambient).T,
        sun=_table(sun[:, None] * weather.sun * tints, weather.sun * ground_sun).T,
        sunlit_above=_table(np.where(surfaces.sunlit_above > 0, surfaces.sunlit_above, -99), -99),
        level=_table(level, True).astype(bool),
    )


def _table(values: np.ndarray, plain: np.ndarray | float) -> np.ndarray:
    """Adds the sky before and the plain after the surfaces."""
    plain = np.broadcast_to(np.asarray(plain), values.shape[1:])[None]
    return np.concatenate([np.zeros_like(plain), values, plain]).astype(np.float32)


def _sunlit(
    ids: np.ndarray,
    depth: np.ndarray,
    moment: Moment,
    camera: Camera,
    lights: _Lights,
    level: np.ndarray,
) -> np.ndarray:
    """How much of the sun each pixel gets, float32 (H, W), 0..1."""
    size = camera.size
    box = [0, 0, size[1], size[0]]
    with np.errstate(invalid="ignore"):
        height = -camera.position[1] - linear(camera.rays[1], box) * depth
    above = (height - lights.sunlit_above.take(ids)) / _PENUMBRA + 0.5
    lit = np.clip(np.nan_to_num(above), 0, 1)
    dark = np.zeros(size, np.uint8)
    frames = np.array([block.shadow_frame for block in moment.blocks])
    maps = [block.shadows for block in moment.blocks]
    _lay(dark, maps, frames, camera)
    return np.where(level, 1 - dark / np.float32(255), lit)


def _contact_shades(moment: Moment, camera: Camera, level: np.ndarray) -> np.ndarray:
    """The dark under cars and feet, float32 (H, W), 0 none to 1 black."""
    dark = np.zeros(camera.size, np.uint8)
    _lay(dark, [_DECAL] * len(moment.shades), moment.shades, camera)
    return np.where(level, dark * np.float32(_SHADE / 255), 0)


def _lay(target: np.ndarray, pictures: list, frames: np.ndarray, camera: Camera) -> None:
    """Lays grey pictures on the ground; where they overlap, the brighter one shows."""
    seen = project(frames, np.ones(len(frames), bool), camera)
    sizes = np.array([pictures[number].shape[1::-1] for number in seen.numbers]).reshape(-1, 2)
    maps = texel_maps(seen, sizes)
    for i, (x0, y0, x1, y1) in enumerate(seen.boxes.tolist()):
        picture = pictures[seen.numbers[i]]
        window = target[y0:y1, x0:x1]
        spot = cv2.warpPerspective(picture, maps[i], (x1 - x0, y1 - y0), flags=SAMPLING)
        ahead = linear(seen.inverses[i, 2], [x0, y0, x1, y1]) > 0
        np.maximum(window, spot * ahead, out=window)


def _decal() -> np.ndarray:
    """A soft dark spot."""
    axis = np.abs(np.linspace(-1, 1, _DECAL_SIZE))
    side = np.clip((1 - axis) / 0.35, 0, 1)
    return (255 * np.outer(side, side)).astype(np.uint8)


_DECAL = _decal()


def _add_haze(image: np.ndarray, depth: np.ndarray, weather: Weather) -> None:
    clear = cv2.exp(depth * np.float32(-weather.extinction))
    haze = weather.haze[:, None, None]
    image -= haze
    image *= clear
    image += haze


def _add_sky(
    image: np.ndarray, open_sky: np.ndarray, camera: Camera, weather: Weather
) -> None:
    rows = np.flatnonzero(open_sky.any(axis=1))
    if not len(rows):
        return
    width, end = camera.size[1], int(rows[-1]) + 1
    rows, columns = weather.sky.shape[:2]
    to_texels = np.diag([columns, rows, 1.0]) @ SKY_TEXTURE @ camera.rays
    border = cv2.BORDER_REPLICATE
    sky = cv2.warpPerspective(weather.sky, to_texels, (width, end), flags=SAMPLING, borderMode=border)
    for plane, color in zip(image, cv2.split(sky), strict=False):
        np.copyto(plane[:end], color, where=open_sky[:end])


def _add_mirror(image: np.ndarray, level: np.ndarray, camera: Camera, wetness: float) -> None:
    """Mirrors what is above the horizon in wet ground, the more the farther away."""
    height = camera.size[0]
    pitch = np.arctan2(camera.rotation[1, 2], camera.rotation[2, 2])
    horizon = camera.intrinsics[1, 2] + camera.intrinsics[1, 1] * np.tan(pitch)
    rows = np.arange(height)
    source = np.clip(np.round(2 * horizon - rows), 0, height - 1).astype(int)
    grazing = np.clip(1.3 - (rows - horizon) / (0.5 * height), 0.25, 1)
    strength = (level * (wetness * 0.55 * grazing)[:, None]).astype(np.float32)
    for channel, plane in enumerate(image):
        image[channel] += (cv2.blur(plane[source], (3, 9)) - plane) * strength
