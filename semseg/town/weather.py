"""Light, air and sky of a scene."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from semseg.town.textures.canvas import noise

_HALF_WIDTH, _TOP, _BOTTOM = 1.8, -1.3, 0.1

SKY_TEXTURE = np.linalg.inv(
    np.array([[2 * _HALF_WIDTH, 0, -_HALF_WIDTH], [0, _BOTTOM - _TOP, _TOP], [0, 0, 1]])
)
"""Takes a direction in the world to the texture coordinate (u, v, 1) of the sky's picture."""

_SKY_SHAPE = (128, 288)
_KINDS = ("clear", "fair", "cloudy", "overcast", "haze", "rain", "dusk")
_ODDS = (0.2, 0.25, 0.15, 0.14, 0.08, 0.1, 0.08)


class Weather(NamedTuple):
    """Light and air.

    Attributes:
      kind: what people would call it.
      to_sun: unit vector towards the sun.
      sun: RGB factor of direct light on a face that looks at the sun.
      ambient: RGB factor of the light from the sky on a face that looks up.
      haze: RGB colour, 0..255, of the air far away.
      extinction: 1/metres; after 1/extinction metres 1/e of the contrast is left.
      wetness: 0..1, how much the road mirrors the sky.
      noise: standard deviation of the sensor's noise, grey levels.
      sky: uint8 (rows, columns, 4), what is seen at infinity.
    """

    kind: str
    to_sun: np.ndarray
    sun: np.ndarray
    ambient: np.ndarray
    haze: np.ndarray
    extinction: float
    wetness: float
    noise: int
    sky: np.ndarray


class _Air(NamedTuple):
    """Ranges of one kind of weather: sun, sky light, cloud cover, haze distance, colours."""

    sun: float
    ambient: float
    cover: tuple[float, float]
    distance: tuple[float, float]
    zenith: tuple[float, float, float]
    horizon: tuple[float, float, float]


_AIR = {
    "clear": _Air(1.15, 0.5, (-2.0, -1.0), (500, 1200), (76, 128, 196), (196, 214, 228)),
    "fair": _Air(1.0, 0.54, (-0.6, 0.3), (400, 1000), (84, 134, 196), (204, 216, 226)),
    "cloudy": _Air(0.35, 0.72, (0.4, 1.2), (300, 800), (110, 140, 176), (206, 212, 218)),
    "overcast": _Air(0.0, 0.92, (1.6, 2.4), (250, 600), (150, 158, 166), (218, 220, 222)),
    "haze": _Air(0.25, 0.8, (0.5, 2.0), (70, 170), (170, 178, 184), (214, 216, 216)),
    "rain": _Air(0.0, 0.66, (1.4, 2.4), (120, 260), (110, 118, 126), (176, 180, 184)),
    "dusk": _Air(0.55, 0.36, (-0.6, 1.0), (300, 700), (62, 78, 122), (236, 186, 140)),
}


def weather(rng: np.random.Generator) -> Weather:
    """Draws the weather of a scene."""
    kind = str(rng.choice(_KINDS, p=_ODDS))
    air = _AIR[kind]
    low = kind == "dusk"
    to_sun = _towards_sun(
        rng.uniform(-np.pi, np.pi), np.radians(rng.uniform(6, 14) if low else rng.uniform(18, 60))
    )
    warmth = np.array((1.15, 0.82, 0.55)) if low else np.array((1.06, 1.0, 0.9))
    exposure = rng.uniform(0.8, 1.15)
    tone = 1 + rng.uniform(-0.05, 0.05, 3)
    return Weather(
        kind=kind,
        to_sun=to_sun,
        sun=(air.sun * exposure * warmth * tone).astype(np.float32),
        ambient=(air.ambient * exposure * np.array((0.95, 1.0, 1.08)) * tone).astype(np.float32),
        haze=(np.array(air.horizon, np.float32) * 0.97 * tone).astype(np.float32),
        extinction=1 / rng.uniform(*air.distance),
        wetness=rng.uniform(0.3, 0.7) if kind == "rain" else 0.0,
        noise=int(rng.integers(1, 6)),
        sky=_sky(rng, air, to_sun, tone),
    )


def _towards_sun(azimuth: float, elevation: float) -> np.ndarray:
    across, ahead = np.sin(azimuth), np.cos(azimuth)
    flat = np.cos(elevation)
    return np.array([across * flat, -np.sin(elevation), ahead * flat])


def _sky(rng: np.random.Generator, air: _Air, to_sun: np.ndarray, tone: np.ndarray) -> np.ndarray:
    """Paints the sky: a gradient, the glow about the sun, clouds that flatten to the horizon."""
    rows, columns = _SKY_SHAPE
    x = np.linspace(-_HALF_WIDTH, _HALF_WIDTH, columns, dtype=np.float32)[None]
    y = np.linspace(_TOP, _BOTTOM, rows, dtype=np.float32)[:, None]
    up = np.clip(-y, 0, None) / np.sqrt(1 + x * x + y * y)
    blend = np.clip(1 - up * 1.7, 0, 1)[..., None] ** 2
    colors = (
        np.array(air.zenith, np.float32) * (1 - blend) + np.array(air.horizon, np.float32) * blend
    )
    glow = _glow(x, y, to_sun)[..., None] * air.sun
    colors = colors + glow * np.array([150, 130, 90], np.float32)
    density, relief = _clouds(rng, x, y, rng.uniform(*air.cover))
    white = (
        np.array([238, 238, 236], np.float32)
        if air.sun > 0.3
        else np.array(air.horizon, np.float32) * 1.02
    )
    cloud = white * (1 - 0.28 * relief[..., None]) + glow * 60
    colors = colors * (1 - density[..., None]) + cloud * density[..., None]
    sky = np.full((rows, columns, 4), 255, np.uint8)
    sky[..., :3] = np.clip(colors * tone, 0, 255)
    return sky


def _glow(x: np.ndarray, y: np.ndarray, to_sun: np.ndarray) -> np.ndarray:
    ahead, down, across = (float(part) for part in to_sun[::-1])
    cosine = (x * across + y * down + ahead) / np.sqrt(1 + x * x + y * y)
    return np.exp((np.clip(cosine, 0, 1) - 1) * 14) * float(ahead > 0)


def _clouds(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, cover: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns density and darkness, 0..1, of a flat layer of clouds overhead."""
    field = noise(rng, (256, 256), 60, 26, 12) + 0.35 * noise(rng, (256, 256), 5, 3)
    above = np.clip(-y, 0, None) + 0.09
    across, ahead = np.broadcast_arrays(x / above * 30 + 128, 26 / above + rng.uniform(0, 256))
    layer = cv2.remap(
        field,
        across.astype(np.float32),
        ahead.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    density = np.clip((layer + cover) * 0.7, 0, 1)
    relief = np.clip((layer + cover - 0.5) * 0.5, 0, 1)
    return density, relief
