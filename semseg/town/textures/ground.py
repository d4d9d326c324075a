"""What one drives and walks on: asphalt with markings, slabs, lawn. Tiles are 10 m long."""

from functools import lru_cache

import numpy as np

from semseg.town.surface import Texture
from semseg.town.textures.canvas import Canvas, jitter, noise

TILE = 10.0
"""Length of a tile along the street, metres."""

SCALE = 24
"""Pixels per metre."""

ROAD_VARIANTS = 6
MARKINGS = ("dashed", "long", "double", "none")
EDGES = ("none", "yellow", "white", "bays")
FEATURES = ("plain", "crossing", "arrow")
PAVEMENTS = 6

_WHITE = (206, 206, 200)
_YELLOW = (190, 160, 60)


@lru_cache(maxsize=None)
def road(half_width: float, marking: str, edge: str, feature: str, variant: int) -> Texture:
    """Paints a tile of road, seen from above, far end up.

    Args:
      half_width: of the road, metres.
      marking: one of MARKINGS, along the middle.
      edge: one of EDGES, along both sides.
      feature: one of FEATURES, across it.
      variant: 0..ROAD_VARIANTS - 1: cracks, patches, manholes.
    """
    rng = np.random.default_rng((10, variant))
    canvas = Canvas(2 * half_width, TILE, SCALE, (104, 103, 104))
    _wear(rng, canvas)
    paint = Canvas(2 * half_width, TILE, SCALE)
    if feature == "crossing":
        _crossing(paint)
    else:
        _middle(paint, marking)
    _edges(paint, edge)
    if feature == "arrow":
        _arrow(paint, half_width * 1.5)
    _apply_paint(rng, canvas, paint)
    return canvas.texture()


@lru_cache(maxsize=None)
def side_road(length: float) -> Texture:
    """Paints the mouth of a side street, ``length`` metres away from the road; far end up."""
    canvas = Canvas(length, TILE, SCALE / 2, (100, 99, 100))
    _wear(np.random.default_rng((11,)), canvas)
    for x in np.arange(0.4, length, 3.0):
        canvas.rectangle(x, TILE / 2 - 0.06, 1.6, 0.12, (176, 176, 170))
    return canvas.texture()


@lru_cache(maxsize=None)
def pavement(width: float, variant: int) -> Texture:
    """Paints a tile of footway; variant 0..PAVEMENTS - 1: slabs, bricks or asphalt."""
    rng = np.random.default_rng((12, variant))
    color = ((150, 147, 140), (132, 130, 127), (158, 138, 122), (120, 119, 118))[variant % 4]
    canvas = Canvas(width, TILE, SCALE, jitter(rng, color, 0.1))
    shape = canvas.rgba.shape[:2]
    slab = (20, 14, 8, 400)[variant % 4]
    slabs = rng.standard_normal((shape[0] // slab + 2, shape[1] // slab + 2)).astype(np.float32)
    tone = np.kron(slabs, np.ones((slab, slab), np.float32))[: shape[0], : shape[1]]
    rows, columns = np.arange(shape[0]) % slab == 0, np.arange(shape[1]) % slab == 0
    joints = np.where(rows[:, None] | columns[None], 0.78, 1.0)
    canvas.shade(joints * (1 + 0.04 * tone + 0.04 * noise(rng, shape, 2, 18, 60)))
    canvas.rgba[:, :3, :3] = (canvas.rgba[:, :3, :3] * 1.08).clip(0, 255)
    return canvas.texture()


@lru_cache(maxsize=None)
def lawn(variant: int) -> Texture:
    """Paints grass with bald and lush spots."""
    rng = np.random.default_rng((13, variant))
    canvas = Canvas(6, TILE, SCALE / 2, jitter(rng, (86, 108, 52), 0.2))
    shape = canvas.rgba.shape[:2]
    canvas.shade(1 + 0.1 * noise(rng, shape, 1.5, 4, 25))
    return canvas.texture()


@lru_cache(maxsize=None)
def curb() -> Texture:
    """Paints the face of curb stones."""
    rng = np.random.default_rng((14,))
    canvas = Canvas(TILE, 0.16, 12, (158, 156, 150))
    canvas.shade(1 + 0.1 * noise(rng, canvas.rgba.shape[:2], 1.5, 12))
    for x in np.arange(0, TILE, 0.9):
        canvas.rectangle(x, 0, 0.08, 0.16, (104, 102, 98))
    return canvas.texture()


def _wear(rng: np.random.Generator, canvas: Canvas) -> None:
    """Grain, wheel tracks, oil along lane middles, cracks, patches and manholes."""
    shape = canvas.rgba.shape[:2]
    across = np.linspace(0, canvas.width, shape[1])[None]
    tracks = 0.035 * np.cos(2 * np.pi * across / (canvas.width / 4))
    canvas.shade(1 + tracks + 0.05 * noise(rng, shape, 1.2, 2, 30) + 0.04 * noise(rng, shape, 70))
    for _ in range(rng.integers(0, 3)):
        _dark_patch(rng, canvas)
    for _ in range(rng.integers(1, 4)):
        start = rng.uniform((0, 0), (canvas.width, TILE))
        steps = np.cumsum(rng.normal(0, 0.35, (12, 2)) + rng.normal(0, 0.2, 2), axis=0)
        canvas.line(start + steps, 0.03, np.full(3, rng.uniform(60, 78)))
    if rng.random() < 0.5:
        x, y = rng.uniform(1, canvas.width - 1), rng.uniform(1, TILE - 1)
        canvas.ellipse(x, y, 0.34, 0.34, (64, 62, 60))
        canvas.ring(x, y, 0.3, 0.05, (92, 90, 88))


def _dark_patch(rng: np.random.Generator, canvas: Canvas) -> None:
    """A mended piece of asphalt."""
    x, y = rng.uniform(0, canvas.width - 1), rng.uniform(0, TILE - 2)
    patch = canvas.patch(x, y, rng.uniform(0.6, 1.6), rng.uniform(1, 6))
    patch[..., :3] = np.clip(patch[..., :3] * rng.choice((0.82, 0.88, 1.1)), 0, 255)


def _middle(paint: Canvas, marking: str) -> None:
    x = paint.width / 2
    if marking == "dashed":
        for y in (0.5, 5.5):
            paint.rectangle(x - 0.06, y, 0.12, 2.0, _WHITE)
    elif marking == "long":
        paint.rectangle(x - 0.06, 1.0, 0.12, 6.0, _WHITE)
    elif marking == "double":
        for left in (x - 0.2, x + 0.08):
            paint.rectangle(left, 0, 0.12, TILE, _WHITE)


def _edges(paint: Canvas, edge: str) -> None:
    if edge == "yellow":
        for x in (0.25, 0.45):
            paint.rectangle(x, 0, 0.09, TILE, _YELLOW)
            paint.rectangle(paint.width - x - 0.09, 0, 0.09, TILE, _YELLOW)
    elif edge == "white":
        for x in (0.3, paint.width - 0.42):
            paint.rectangle(x, 0, 0.12, TILE, _WHITE)
    elif edge == "bays":
        for x in (2.15, paint.width - 2.25):
            for y in np.arange(0.3, TILE, 1.25):
                paint.rectangle(x, y, 0.1, 0.7, _WHITE)


def _crossing(paint: Canvas) -> None:
    for x in np.arange(0.5, paint.width - 0.6, 1.1):
        paint.rectangle(x, 3.5, 0.55, 3.0, _WHITE)
    for y in (2.2, 7.6):
        paint.rectangle(0.3, y, paint.width - 0.6, 0.25, _WHITE)


def _arrow(paint: Canvas, x: float) -> None:
    paint.rectangle(x - 0.08, 2, 0.16, 3.2, _WHITE)
    paint.polygon([(x - 0.4, 5.0), (x + 0.4, 5.0), (x, 6.4)], _WHITE)


def _apply_paint(rng: np.random.Generator, canvas: Canvas, paint: Canvas) -> None:
    """Lays markings on, worn thin in places."""
    shape = canvas.rgba.shape[:2]
    worn = np.clip(0.85 + 0.25 * noise(rng, shape, 2, 9, 40), 0, 1)
    cover = (paint.rgba[..., 3] / 255 * worn)[..., None].astype(np.float32)
    colors = paint.rgba[..., :3]
    canvas.rgba[..., :3] = canvas.rgba[..., :3] * (1 - cover) + colors * cover
