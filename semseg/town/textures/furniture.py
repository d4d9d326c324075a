"""Street furniture: posts, lamps, signs, traffic lights, fences, railings."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from semseg.town.surface import Texture
from semseg.town.textures.canvas import Canvas, jitter, noise

SIGNS = 14
FENCES = 9
FENCE_LENGTH = 10.0
POSTERS = (6, 13)
"""Variants of signs that are panels."""

RAILINGS = (0, 3, 6)
PLANKS = (1, 4, 7)
"""Variants of fences: of bars, and of what one cannot see through."""

POSTS = 5
_RED, _BLUE, _WHITE, _BLACK = (178, 24, 30), (20, 66, 150), (232, 232, 226), (28, 28, 30)


@lru_cache(maxsize=None)
def post(variant: int) -> Texture:
    """Paints a round post: steel, green, black, wood or concrete, 0..POSTS - 1."""
    color = ((150, 154, 156), (58, 74, 62), (52, 52, 56), (110, 90, 68), (146, 142, 132))[variant]
    canvas = Canvas(1, 8, 8, color)
    across = np.sin(np.linspace(0.25, np.pi - 0.1, canvas.rgba.shape[1]))
    canvas.shade(0.55 + 0.5 * across[None])
    return canvas.texture()


@lru_cache(maxsize=None)
def bollard() -> Texture:
    """Paints a black post with light bands."""
    canvas = Canvas(0.16, 1, 50, (44, 44, 46))
    canvas.rectangle(0, 0.72, 0.16, 0.12, (214, 206, 150))
    canvas.shade(0.7 + 0.4 * np.sin(np.linspace(0, np.pi, canvas.rgba.shape[1]))[None])
    return canvas.texture()


@lru_cache(maxsize=None)
def lamp() -> Texture:
    """Paints a lamp head from below."""
    canvas = Canvas(0.7, 0.22, 40, (96, 98, 100))
    canvas.rectangle(0.05, 0, 0.6, 0.1, (214, 210, 190))
    return canvas.texture()


@lru_cache(maxsize=None)
def sign(variant: int) -> tuple[Texture, float, float]:
    """Paints a traffic sign; variant 0..SIGNS - 1. Returns it with its width and height, metres."""
    rng = np.random.default_rng((30, variant))
    painter = (_limit, _warning, _blue_disc, _board, _forbidden, _direction, _poster)[variant % 7]
    canvas = painter(rng)
    canvas.shade(1 + 0.03 * noise(rng, canvas.rgba.shape[:2], 4))
    return canvas.texture(), canvas.width, canvas.height


@lru_cache(maxsize=None)
def traffic_light(state: int) -> Texture:
    """Paints a traffic light 0.42 m x 1.1 m; state 0 red, 1 amber, 2 green."""
    canvas = Canvas(0.42, 1.1, 60, (30, 31, 32))
    lit = ((255, 60, 40), (255, 190, 40), (60, 255, 170))
    for lens in range(3):
        color = lit[lens] if lens == state else np.array(lit[lens]) * 0.18
        canvas.ellipse(0.21, 0.9 - 0.35 * lens, 0.13, 0.13, color)
    return canvas.texture()


@lru_cache(maxsize=None)
def fence(variant: int) -> Texture:
    """Paints FENCE_LENGTH of railings, planks or pickets, 1.1 m high; 0..FENCES - 1."""
    rng = np.random.default_rng((31, variant))
    painter = (_railings, _planks, _pickets)[variant % 3]
    canvas = painter(rng)
    return canvas.texture()


def _disc(color: tuple[int, int, int], rim: tuple[int, int, int]) -> Canvas:
    canvas = Canvas(0.75, 0.75, 80)
    canvas.ellipse(0.375, 0.375, 0.37, 0.37, rim)
    canvas.ellipse(0.375, 0.375, 0.29, 0.29, color)
    return canvas


def _limit(rng: np.random.Generator) -> Canvas:
    canvas = _disc(_WHITE, _RED)
    canvas.rectangle(0.22, 0.27, 0.12, 0.22, _BLACK)
    canvas.ring(0.47, 0.38, 0.08, 0.05, _BLACK)
    return canvas


def _warning(rng: np.random.Generator) -> Canvas:
    canvas = Canvas(0.9, 0.8, 80)
    canvas.polygon([(0, 0), (0.9, 0), (0.45, 0.8)], _RED)
    canvas.polygon([(0.15, 0.09), (0.75, 0.09), (0.45, 0.62)], _WHITE)
    canvas.rectangle(0.42, 0.16, 0.07, 0.26, _BLACK)
    return canvas


def _blue_disc(rng: np.random.Generator) -> Canvas:
    canvas = _disc(_BLUE, _WHITE)
    canvas.line([(0.25, 0.5), (0.5, 0.25)], 0.07, _WHITE)
    canvas.line([(0.5, 0.42), (0.5, 0.25), (0.33, 0.25)], 0.07, _WHITE)
    return canvas


def _board(rng: np.random.Generator) -> Canvas:
    canvas = Canvas(0.8, 1.1, 60, _WHITE)
    canvas.rectangle(0.04, 0.04, 0.72, 1.02, _BLUE)
    canvas.rectangle(0.2, 0.3, 0.14, 0.55, _WHITE)
    canvas.ring(0.42, 0.7, 0.15, 0.12, _WHITE)
    return canvas


def _forbidden(rng: np.random.Generator) -> Canvas:
    canvas = _disc(_RED, _RED) if rng.random() < 0.5 else _disc(_BLUE, _RED)
    canvas.rectangle(0.14, 0.32, 0.47, 0.11, _WHITE)
    return canvas


def _direction(rng: np.random.Generator) -> Canvas:
    ground = ((20, 92, 66), _BLUE, (214, 210, 200))[rng.integers(3)]
    ink = _BLACK if ground[0] > 200 else _WHITE
    canvas = Canvas(2.4, 1.3, 40, ink)
    canvas.rectangle(0.05, 0.05, 2.3, 1.2, ground)
    for row in range(3):
        for x in np.arange(0.3, rng.uniform(1.2, 2.0), 0.18):
            canvas.rectangle(x, 0.2 + 0.35 * row, 0.12, 0.2, ink)
    return canvas


def _poster(rng: np.random.Generator) -> Canvas:
    """A shop's or bus stop's panel: a picture over lines of text."""
    canvas = Canvas(1.2, 1.7, 40, jitter(rng, (60, 60, 64), 0.3))
    top, ground, ink = rng.integers(30, 235, (3, 3))
    canvas.rectangle(0.07, 0.07, 1.06, 1.56, ground)
    picture = canvas.patch(0.07, 0.7, 1.06, 0.93)
    fade = np.linspace(0, 1, picture.shape[0])[:, None, None]
    picture[..., :3] = top * (1 - fade) + ground * fade
    canvas.ellipse(rng.uniform(0.4, 0.8), rng.uniform(0.9, 1.3), 0.25, 0.2, ink)
    for row in range(3):
        canvas.rectangle(0.15, 0.16 + 0.17 * row, rng.uniform(0.4, 0.9), 0.08, ink)
    return canvas


def _railings(rng: np.random.Generator) -> Canvas:
    """Bars as wide as their gaps, so that from afar they close to an even face."""
    color = ((70, 74, 76), (150, 152, 152), (36, 40, 38))[rng.integers(3)]
    canvas = Canvas(FENCE_LENGTH, 1.1, 32)
    for x in np.arange(0, FENCE_LENGTH, 0.16):
        canvas.rectangle(x, 0, 0.09, 1.05, jitter(rng, color, 0.12))
    for y in (0.1, 0.95):
        canvas.rectangle(0, y, FENCE_LENGTH, 0.1, color)
    return canvas


def _planks(rng: np.random.Generator) -> Canvas:
    wood = ((132, 98, 66), (112, 102, 92), (92, 72, 52))[rng.integers(3)]
    canvas = Canvas(FENCE_LENGTH, 1.1, 32, wood)
    for x in np.arange(0, FENCE_LENGTH, 0.125):
        canvas.rectangle(x, 0, 0.11, 1.1, jitter(rng, wood, 0.15))
    for x in np.arange(0, FENCE_LENGTH, 1.66):
        canvas.rectangle(x, 0, 0.1, 1.1, np.asarray(wood) * 0.7)
    return canvas


def _pickets(rng: np.random.Generator) -> Canvas:
    color = ((222, 220, 212), (120, 100, 76), (140, 146, 140))[rng.integers(3)]
    canvas = Canvas(FENCE_LENGTH, 1.1, 32)
    for x in np.arange(0, FENCE_LENGTH, 0.2):
        canvas.rectangle(x, 0, 0.13, 0.98, jitter(rng, color, 0.08))
        canvas.polygon([(x, 0.97), (x + 0.13, 0.97), (x + 0.065, 1.1)], color)
    for y in (0.2, 0.75):
        canvas.rectangle(0, y, FENCE_LENGTH, 0.1, np.asarray(color) * 0.9)
    return canvas
