"""Light on what the rasteriser found, and the air in between."""

from __future__ import annotations

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

_SHADOWED = 4
"""Pieces of street on which shadows can be told from texture."""

_BAND = 16
"""Rows that are lit at a time, few enough for all that is computed to stay in the cache."""

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
    shadow, dark = _ground_shadows(moment, camera)
    height = linear(-camera.rays[1], camera.size)
    image = np.empty((3, *camera.size), np.float32)
    for top in range(0, camera.size[0], _BAND):
        rows = slice(top, top + _BAND)
        ids = buffers.ids[rows].astype(np.intp)
        above_ground = height[rows] * depth[rows] - np.float32(camera.position[1])
        light = _light(lights, ids, above_ground, shadow[rows], dark[rows])
        for plane, albedo in zip(light, cv2.split(buffers.albedo[rows])):
            np.multiply(plane, albedo, out=plane)
        image[:, rows] = _hazy(light, depth[rows], weather)
    _add_sky(image, buffers.ids == BACKGROUND, camera, weather)
    if weather.wetness:
        _add_mirror(image, lights.level.take(buffers.ids), camera, weather.wetness)
    return image


def _light(
    lights: _Lights, ids: np.ndarray, height: np.ndarray, shadow: np.ndarray, dark: np.ndarray
) -> np.ndarray:
    """Light on some rows, float32 (3, rows, W).

    Args:
      lights: of the surfaces.
      ids: of the surfaces seen.
      height: of what is seen, metres.
      shadow: see ``_ground_shadows``.
      dark: see ``_ground_shadows``.
    """
    level = lights.level.take(ids)
    lit = (height - lights.sunlit_above.take(ids)) * np.float32(1 / _PENUMBRA)
    np.minimum(np.maximum(lit, 0, out=lit), 1, out=lit)
    np.copyto(lit, 1 - shadow * np.float32(1 / 255), where=level)
    light = lights.sun.take(ids, axis=1)
    light *= lit
    light += lights.ambient.take(ids, axis=1)
    light *= 1 - dark * level * np.float32(_SHADE / 255)
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


def _ground_shadows(moment: Moment, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Lays shadows, and the dark under cars and feet, on the ground.

    Returns:
      Shadow of the sun, and what is dark in any light, at each pixel if it shows the ground;
      uint8 (H, W), 0 none to 255 full.
    """
    blocks = moment.blocks[:_SHADOWED]
    maps = [block.shadows for block in blocks]
    pictures = maps + [_DECAL] * len(moment.shades)
    frames = np.concatenate([[block.shadow_frame for block in blocks], moment.shades])
    seen = project(frames, np.zeros(len(frames), bool), camera)
    sizes = np.array([pictures[number].shape[1::-1] for number in seen.numbers]).reshape(-1, 2)
    texels = texel_maps(seen, sizes)
    shadow, dark = np.zeros(camera.size, np.uint8), np.zeros(camera.size, np.uint8)
    for i, (x0, y0, x1, y1) in enumerate(seen.boxes.tolist()):
        number = seen.numbers[i]
        spot = cv2.warpPerspective(pictures[number], texels[i], (x1 - x0, y1 - y0), flags=SAMPLING)
        window = (shadow if number < len(maps) else dark)[y0:y1, x0:x1]
        cv2.max(window, spot, dst=window)
    return shadow, dark


def _decal() -> np.ndarray:
    """A soft dark spot."""
    axis = np.abs(np.linspace(-1, 1, _DECAL_SIZE))
    side = np.clip((1 - axis) / 0.35, 0, 1)
    return (255 * np.outer(side, side)).astype(np.uint8)


_DECAL = _decal()


def _hazy(image: np.ndarray, depth: np.ndarray, weather: Weather) -> np.ndarray:
    """Blends an image, float32 (3, rows, W), with the haze in front of it; in place."""
    clear = cv2.exp(depth * np.float32(-weather.extinction))
    haze = weather.haze[:, None, None]
    image -= haze
    image *= clear
    image += haze
    return image


def _add_sky(image: np.ndarray, open_sky: np.ndarray, camera: Camera, weather: Weather) -> None:
    sky_rows = np.flatnonzero(open_sky.any(axis=1))
    if not len(sky_rows):
        return
    width, end = camera.size[1], int(sky_rows[-1]) + 1
    rows, columns = weather.sky.shape[:2]
    to_texels = np.diag([columns, rows, 1.0]) @ SKY_TEXTURE @ camera.rays
    border = cv2.BORDER_REPLICATE
    sky = cv2.warpPerspective(
        weather.sky, to_texels, (width, end), flags=SAMPLING, borderMode=border
    )
    for plane, color in zip(image, cv2.split(sky)):
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
