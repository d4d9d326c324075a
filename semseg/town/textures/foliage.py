"""Trees in leaf, bare trees, hedges."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from semseg.town.surface import Cutout, Texture
from semseg.town.textures.canvas import Canvas, jitter, noise

TREES = 24
HEDGES = 4
_LEAVES = ((70, 96, 44), (84, 104, 40), (56, 84, 46), (100, 98, 44), (62, 78, 40))
_SCALE = 24
_BARK = (78, 66, 54)


class _Limb(NamedTuple):
    """Where a branch starts, in metres, its direction in radians, length and width."""

    start: np.ndarray
    angle: float
    length: float
    width: float


def is_bare(variant: int) -> bool:
    """Whether a tree has lost its leaves; every third has."""
    return variant % 3 == 2


@lru_cache(maxsize=None)
def tree(variant: int) -> Cutout:
    """Paints a tree in 6 m x 8 m; variant 0..TREES - 1."""
    rng = np.random.default_rng((20, variant))
    canvas = Canvas(6, 8, _SCALE)
    bare = is_bare(variant)
    trunk = _Limb(np.array([3.0, 0.0]), np.pi / 2, 2.6, 0.34)
    _branch(rng, canvas, trunk, 6 if bare else 3)
    if not bare:
        _crown(rng, canvas, jitter(rng, _LEAVES[variant % len(_LEAVES)], 0.2))
    return canvas.cutout()


@lru_cache(maxsize=None)
def crown(variant: int) -> Cutout:
    """Paints leaves only, to stand behind or before those of a tree in leaf."""
    rng = np.random.default_rng((21, variant))
    canvas = Canvas(6, 8, _SCALE)
    _crown(rng, canvas, jitter(rng, _LEAVES[variant % len(_LEAVES)], 0.2))
    return canvas.cutout()


@lru_cache(maxsize=None)
def hedge(variant: int) -> Texture:
    """Paints 6 m x 2 m of a hedge with an uneven top."""
    rng = np.random.default_rng((22, variant))
    canvas = Canvas(6, 2, 28, jitter(rng, _LEAVES[variant % len(_LEAVES)], 0.2))
    shape = canvas.rgba.shape[:2]
    _leaf_shading(rng, canvas)
    top = 6 + 4 * noise(rng, (1, shape[1]), 5, 20)
    canvas.rgba[..., 3] = np.where(np.arange(shape[0])[:, None] >= top, 255, 0)
    return canvas.texture()


@lru_cache(maxsize=None)
def tree_belt(variant: int) -> Texture:
    """Paints 30 m x 9 m of far trees."""
    rng = np.random.default_rng((23, variant))
    canvas = Canvas(30, 9, 10, jitter(rng, (66, 82, 46), 0.2))
    shape = canvas.rgba.shape[:2]
    _leaf_shading(rng, canvas)
    top = shape[0] * (0.35 + 0.12 * noise(rng, (1, shape[1]), 6, 30, 70))
    canvas.rgba[..., 3] = np.where(np.arange(shape[0])[:, None] >= top, 255, 0)
    return canvas.texture()


def _branch(rng: np.random.Generator, canvas: Canvas, limb: _Limb, depth: int) -> None:
    """Draws a branch and what grows from its end."""
    bend = limb.angle + rng.normal(0, 0.12)
    end = limb.start + limb.length * np.array([np.cos(bend), np.sin(bend)])
    canvas.line([limb.start, end], limb.width, np.array(_BARK) * (0.75 + 0.07 * depth))
    if depth == 0:
        return
    for _ in range(2 if depth > 4 else int(rng.integers(2, 4))):
        angle = limb.angle + rng.normal(0, 0.5)
        length, width = limb.length * rng.uniform(0.55, 0.8), max(limb.width * 0.62, 0.05)
        _branch(rng, canvas, _Limb(end, angle, length, width), depth - 1)


def _crown(rng: np.random.Generator, canvas: Canvas, color: np.ndarray) -> None:
    """Clumps of leaves around a few centres, light on top and dark beneath, with gaps."""
    shape = canvas.rgba.shape[:2]
    y = np.arange(shape[0], dtype=np.float32)[:, None] / canvas.scale
    x = np.arange(shape[1], dtype=np.float32)[None] / canvas.scale
    field, light = np.full(shape, -2, np.float32), np.zeros(shape, np.float32)
    for _ in range(9):
        cx, cy = rng.normal(3, 0.95), rng.uniform(1.4, 4.7)
        radius = rng.uniform(0.9, 1.6)
        inside = 1 - ((x - cx) ** 2 + (y - cy) ** 2) / radius**2
        light = np.where(inside > field, (cy - y) / radius, light)
        field = np.maximum(field, inside)
    field -= 2 * np.clip(np.abs(x - 3) - 2.2, 0, None) + 2 * np.clip(0.7 - y, 0, None)
    leaves = noise(rng, shape, 3, 6)
    alpha = field + 0.35 * leaves > 0.12
    tone = 1 + 0.28 * light + 0.16 * leaves + 0.14 * noise(rng, shape, 1.3)
    canvas.rgba[alpha] = (*color, 255)
    factor = np.where(alpha, np.clip(tone, 0.3, 1.6), 1)
    canvas.shade(factor)


def _leaf_shading(rng: np.random.Generator, canvas: Canvas) -> None:
    shape = canvas.rgba.shape[:2]
    down = np.linspace(1.2, 0.65, shape[0])[:, None]
    canvas.shade(down * np.clip(1 + 0.2 * noise(rng, shape, 1.3, 3, 9), 0.4, 1.7))
