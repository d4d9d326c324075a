"""House fronts: masonry, windows, doors and shops."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, Tuple

import cv2
import numpy as np

from semseg.town.surface import Texture
from semseg.town.textures.canvas import Canvas, Color, jitter, noise

SCALE = 24
"""Pixels per metre."""

VARIANTS = 20
"""Different fronts of each kind."""

Area = Tuple[float, float, float, float]
"""Left, bottom, width, height on a front, metres."""

_MASONRY: dict[str, tuple[Color, ...]] = {
    "terrace": (
        (150, 84, 64),
        (172, 140, 96),
        (128, 74, 58),
        (186, 160, 120),
        (205, 198, 182),
        (140, 112, 88),
    ),
    "shops": (
        (190, 178, 156),
        (150, 92, 72),
        (214, 208, 196),
        (166, 142, 110),
        (120, 110, 104),
        (176, 150, 126),
    ),
    "houses": ((168, 92, 70), (206, 196, 172), (186, 150, 110), (224, 220, 210), (142, 84, 66)),
    "offices": ((132, 134, 136), (178, 172, 160), (104, 98, 94), (150, 120, 100), (196, 194, 190)),
}
_PAINT = (
    (120, 28, 30),
    (24, 50, 90),
    (26, 72, 50),
    (34, 34, 38),
    (150, 110, 30),
    (88, 40, 96),
    (200, 196, 186),
    (170, 60, 30),
)
_FRAMES = ((226, 226, 220), (210, 206, 196), (70, 62, 54), (52, 56, 60), (236, 236, 236))


class Facade(NamedTuple):
    """A front and its size in metres."""

    texture: Texture
    width: float
    height: float
    masonry: tuple[float, float, float]


class _Plan(NamedTuple):
    """The measures that one front is drawn by, metres."""

    kind: str
    bays: int
    bay: float
    storeys: int
    storey: float
    ground_floor: float
    window: tuple[float, float]
    masonry: np.ndarray
    frame: Color
    trim: np.ndarray
    bars: tuple[int, int]


@lru_cache(maxsize=None)
def facade(kind: str, variant: int) -> Facade:
    """Paints a house front.

    Args:
      kind: 'terrace', 'shops', 'houses' or 'offices'.
      variant: 0..VARIANTS - 1.
    """
    rng = np.random.default_rng((1, list(_MASONRY).index(kind), variant))
    plan = _plan(rng, kind)
    width = plan.bays * plan.bay
    height = plan.ground_floor + plan.storeys * plan.storey + 0.7
    canvas = Canvas(width, height, SCALE, plan.masonry)
    _masonry(rng, canvas)
    for storey in range(plan.storeys):
        _storey(rng, canvas, plan, plan.ground_floor + storey * plan.storey)
    _ground_floor(rng, canvas, plan)
    _cornice(rng, canvas, plan)
    _weathering(rng, canvas)
    return Facade(canvas.texture(), width, height, tuple(plan.masonry))


@lru_cache(maxsize=None)
def blank_wall(variant: int) -> Texture:
    """Paints a light wall without windows, to be tinted; for the sides of houses."""
    rng = np.random.default_rng((2, variant))
    canvas = Canvas(9, 9, SCALE / 2, (235, 235, 235))
    _masonry(rng, canvas)
    _weathering(rng, canvas)
    return canvas.texture()


@lru_cache(maxsize=None)
def roof(variant: int) -> Texture:
    """Paints tiles or slates, with a chimney's soot here and there."""
    rng = np.random.default_rng((3, variant))
    color = ((112, 66, 52), (84, 84, 92), (96, 74, 64), (66, 68, 74))[variant % 4]
    canvas = Canvas(8, 5, 20, jitter(rng, color, 0.15))
    shape = canvas.rgba.shape[:2]
    courses = 1 - 0.18 * (np.arange(shape[0]) % 6 == 0)
    canvas.shade(courses[:, None] * (1 + 0.07 * noise(rng, shape, 3, 12, 40)))
    return canvas.texture()


def _plan(rng: np.random.Generator, kind: str) -> _Plan:
    masonry = _MASONRY[kind][rng.integers(len(_MASONRY[kind]))]
    storeys = {"terrace": (1, 3), "shops": (1, 4), "houses": (1, 2), "offices": (2, 6)}[kind]
    window_height = rng.uniform(1.3, 1.9)
    return _Plan(
        kind=kind,
        bays=int(rng.integers(2, 5)),
        bay=rng.uniform(2.3, 3.6),
        storeys=int(rng.integers(storeys[0], storeys[1] + 1)),
        storey=rng.uniform(2.7, 3.3),
        ground_floor=rng.uniform(3.3, 4.2) if kind in ("shops", "offices") else 3.0,
        window=(rng.uniform(0.9, 1.5), window_height),
        masonry=jitter(rng, masonry, 0.18),
        frame=_FRAMES[rng.integers(len(_FRAMES))],
        trim=jitter(rng, ((214, 208, 194), (178, 170, 154), masonry)[rng.integers(3)], 0.1),
        bars=(int(rng.integers(1, 4)), int(rng.integers(1, 4))),
    )


def _masonry(rng: np.random.Generator, canvas: Canvas) -> None:
    """Courses of brick or stone, blotches, and brightness that differs from brick to brick."""
    shape = canvas.rgba.shape[:2]
    bricks = rng.standard_normal((shape[0] // 2 + 1, shape[1] // 6 + 1))
    bricks = np.kron(bricks, np.ones((2, 6)))[: shape[0], : shape[1]]
    strength = rng.choice((0.015, 0.05, 0.07))
    canvas.shade(1 + strength * bricks + 0.035 * noise(rng, shape, 4, 20, 70))


def _storey(rng: np.random.Generator, canvas: Canvas, plan: _Plan, base: float) -> None:
    wide = plan.kind == "offices"
    width = plan.bay - 0.5 if wide else min(plan.window[0], plan.bay - 0.7)
    height = min(plan.window[1], plan.storey - 0.9)
    for bay in range(plan.bays):
        x = bay * plan.bay + (plan.bay - width) / 2
        _window(rng, canvas, plan, (x, base + 0.75, width, height))
    if rng.random() < 0.4:
        canvas.rectangle(0, base - 0.08, canvas.width, 0.16, plan.trim)


def _window(rng: np.random.Generator, canvas: Canvas, plan: _Plan, area: Area) -> None:
    """Sill, lintel, frame, panes with a curtain and bars."""
    x, y, width, height = area
    canvas.rectangle(x - 0.12, y + height, width + 0.24, 0.2, plan.trim)
    canvas.rectangle(x - 0.12, y - 0.12, width + 0.24, 0.12, plan.trim * 0.95)
    canvas.rectangle(x, y, width, height, plan.frame)
    _glass(rng, canvas, (x + 0.07, y + 0.07, width - 0.14, height - 0.14))
    for i in range(1, plan.bars[0] + 1):
        canvas.rectangle(x + i * width / (plan.bars[0] + 1) - 0.025, y, 0.05, height, plan.frame)
    for i in range(1, plan.bars[1] + 1):
        canvas.rectangle(x, y + i * height / (plan.bars[1] + 1) - 0.025, width, 0.05, plan.frame)
    canvas.rectangle(x, y + height - 0.12, width, 0.12, np.asarray(plan.frame) * 0.55)


def _glass(rng: np.random.Generator, canvas: Canvas, area: Area) -> None:
    """A dark room behind a pane that mirrors the sky more towards the top; curtains at times."""
    pane = canvas.patch(*area)
    rows, columns = pane.shape[:2]
    sky = np.linspace(rng.uniform(0.4, 1.0), 0.1, rows)[:, None]
    slant = np.linspace(-0.2, 0.2, columns)[None] * rng.choice((-1, 1))
    mirror = np.clip(sky + slant, 0, 1)[..., None] * rng.uniform(0.3, 1.0)
    pane[..., :3] = np.array([26, 30, 36]) + mirror * np.array([104, 122, 142])
    if rng.random() < 0.45:
        cloth = jitter(rng, (196, 188, 170), 0.25) * 0.7
        drawn = max(1, int(columns * rng.uniform(0.12, 0.4)))
        pane[:, :drawn, :3] = cloth
        pane[:, -drawn:, :3] = cloth
    elif rng.random() < 0.3:
        pane[: int(rows * rng.uniform(0.2, 0.8)), :, :3] = jitter(rng, (206, 202, 190), 0.15) * 0.75


def _ground_floor(rng: np.random.Generator, canvas: Canvas, plan: _Plan) -> None:
    if plan.kind == "shops" or (plan.kind == "offices" and rng.random() < 0.6):
        _shop(rng, canvas, plan)
        return
    door = int(rng.integers(plan.bays))
    for bay in range(plan.bays):
        if bay == door:
            _door(rng, canvas, plan, bay * plan.bay + plan.bay / 2 - 0.5)
        else:
            width = min(plan.window[0] * 1.15, plan.bay - 0.6)
            x = bay * plan.bay + (plan.bay - width) / 2
            _window(rng, canvas, plan, (x, 0.85, width, min(plan.window[1], 1.7)))
    canvas.rectangle(0, 0, canvas.width, 0.35, plan.masonry * 0.6)


def _door(rng: np.random.Generator, canvas: Canvas, plan: _Plan, x: float) -> None:
    color = jitter(rng, _PAINT[rng.integers(len(_PAINT))], 0.2)
    canvas.rectangle(x - 0.15, 0, 1.3, 2.75, plan.trim)
    canvas.rectangle(x, 0.15, 1.0, 2.05, color)
    _glass(rng, canvas, (x, 2.25, 1.0, 0.35))
    for panel in (0.1, 0.55):
        canvas.rectangle(x + panel, 0.3, 0.35, 0.75, color * 0.8)
        canvas.rectangle(x + panel, 1.2, 0.35, 0.8, color * 0.75)
    canvas.rectangle(x - 0.2, 0, 1.4, 0.15, (140, 136, 128))


def _shop(rng: np.random.Generator, canvas: Canvas, plan: _Plan) -> None:
    """Window panes over a low wall, a door, and a board with a name above them."""
    paint = jitter(rng, _PAINT[rng.integers(len(_PAINT))], 0.2)
    top = plan.ground_floor - 0.75
    canvas.rectangle(0, 0, canvas.width, plan.ground_floor - 0.05, paint * 0.8)
    door = int(rng.integers(plan.bays))
    for bay in range(plan.bays):
        low = 0.1 if bay == door else 0.55
        area = (bay * plan.bay + 0.15, low, plan.bay - 0.3, top - low - 0.1)
        _display(rng, canvas, area)
        if bay == door:
            canvas.rectangle(bay * plan.bay + plan.bay / 2, 0, 0.08, top, paint)
    board = jitter(rng, _PAINT[rng.integers(len(_PAINT))], 0.2) if rng.random() < 0.5 else paint
    canvas.rectangle(0, top, canvas.width, 0.7, board)
    _lettering(rng, canvas, board, top + 0.2)
    if rng.random() < 0.35:
        _awning(rng, canvas, top - 0.1)


def _display(rng: np.random.Generator, canvas: Canvas, area: Area) -> None:
    """A shop window: goods in the lower part, lamps above, the street mirrored over all."""
    x, y, width, height = area
    pane = canvas.patch(*area)
    shape = pane.shape[:2]
    goods = rng.normal(0, 1, (4, max(2, shape[1] // 8), 3)) * (38, 34, 32) + rng.uniform(70, 130)
    goods = cv2.resize(goods, shape[::-1], interpolation=cv2.INTER_LINEAR)
    lower = np.linspace(0.1, 0.8, shape[0])[:, None, None]
    mirror = 14 * noise(rng, shape, 10, 30)[..., None] + np.linspace(40, 0, shape[0])[:, None, None]
    pane[..., :3] = np.clip(rng.uniform(30, 90) * (1 - lower) + goods * lower + mirror, 0, 255)
    for lamp in np.arange(0.4, width, 0.9):
        canvas.rectangle(x + lamp, y + height - 0.25, 0.12, 0.08, (250, 240, 210))


def _lettering(rng: np.random.Generator, canvas: Canvas, board: np.ndarray, y: float) -> None:
    """Strokes that read as a name from afar."""
    ink = (240, 236, 220) if board.mean() < 130 else (40, 36, 40)
    letters = int(rng.integers(5, 12))
    size = min(0.34, canvas.width * 0.7 / letters)
    x = (canvas.width - letters * size) / 2
    for letter in range(letters):
        left = x + letter * size
        if rng.random() < 0.12:
            continue
        canvas.rectangle(left, y, size * 0.25, 0.32, ink)
        canvas.rectangle(left, y + rng.choice((0.0, 0.12, 0.24)), size * 0.75, 0.08, ink)
        if rng.random() < 0.5:
            canvas.rectangle(left + size * 0.5, y, size * 0.25, 0.32, ink)


def _awning(rng: np.random.Generator, canvas: Canvas, top: float) -> None:
    color = jitter(rng, _PAINT[rng.integers(len(_PAINT))], 0.2)
    stripe = np.arange(canvas.rgba.shape[1]) // max(4, SCALE // 2) % 2
    patch = canvas.patch(0, top - 0.6, canvas.width, 0.65)
    light = np.linspace(1.1, 0.7, patch.shape[0])[:, None, None]
    colors = np.where(stripe[:, None], np.array([225, 220, 205]), color)
    patch[..., :3] = np.clip(colors[None] * light, 0, 255)


def _cornice(rng: np.random.Generator, canvas: Canvas, plan: _Plan) -> None:
    top = canvas.height
    canvas.rectangle(0, top - 0.25, canvas.width, 0.25, plan.trim)
    canvas.rectangle(0, top - 0.4, canvas.width, 0.15, plan.masonry * 0.55)
    if rng.random() < 0.6:
        canvas.rectangle(rng.uniform(0.1, 0.4), 0, 0.1, top - 0.3, (58, 56, 54))


def _weathering(rng: np.random.Generator, canvas: Canvas) -> None:
    """Dirt near the ground and streaks that run down."""
    shape = canvas.rgba.shape[:2]
    height = np.linspace(canvas.height, 0, shape[0])[:, None]
    dirt = 1 - 0.22 * np.exp(-height / 0.8)
    streaks = noise(rng, (1, shape[1]), 3, 11)
    canvas.shade(dirt * (1 + 0.02 * streaks))
