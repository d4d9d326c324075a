"""Pedestrians and cyclists, one picture for each phase of a step or a turn of the pedals."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from semseg.town.surface import Cutout
from semseg.town.textures.canvas import Canvas, Color, jitter, noise

PEOPLE = 24
PHASES = 6
WALKER = (1.0, 1.9)
"""Width and height of a pedestrian's picture, metres."""
CYCLIST_ALONG = (0.9, 1.9)
CYCLIST_ACROSS = (1.9, 1.9)

_SCALE = 64
_SKIN = ((224, 178, 150), (198, 150, 118), (140, 98, 72), (96, 66, 50))
_HAIR = ((40, 30, 26), (86, 60, 40), (150, 120, 80), (120, 118, 116), (30, 28, 30))
_TOPS = (
    (36, 38, 46),
    (60, 64, 74),
    (134, 36, 40),
    (44, 66, 108),
    (90, 100, 76),
    (176, 160, 130),
    (206, 204, 200),
    (196, 150, 50),
    (70, 44, 70),
)
_TROUSERS = ((36, 40, 56), (52, 62, 90), (30, 30, 32), (96, 86, 70), (120, 118, 114))


class _Clothes:
    """Colours of one person."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.skin: Color = jitter(rng, _SKIN[rng.integers(4)], 0.1)
        self.hair: Color = _HAIR[rng.integers(5)]
        self.top = jitter(rng, _TOPS[rng.integers(9)], 0.2)
        self.legs = jitter(rng, _TROUSERS[rng.integers(5)], 0.2)
        self.shoes: Color = jitter(rng, (44, 38, 34), 0.4)
        self.build = rng.uniform(0.9, 1.15)
        self.coat = rng.random() < 0.35
        self.bag = rng.random() < 0.4


@lru_cache(maxsize=None)
def pedestrian(variant: int, phase: int, across: bool, back: bool = False) -> Cutout:
    """Paints a walking person, 1.75 m tall.

    Args:
      variant: who, 0..PEOPLE - 1.
      phase: part of two steps, 0..PHASES - 1.
      across: seen from the side, walking to the right; else from the front or the back.
      back: seen from the back.
    """
    clothes = _Clothes(np.random.default_rng((40, variant)))
    canvas = Canvas(*WALKER, _SCALE)
    swing = np.sin(2 * np.pi * phase / PHASES)
    if across:
        _walk_across(canvas, clothes, swing)
    else:
        _walk_along(canvas, clothes, swing)
    _head(canvas, clothes, (0.5, 1.6), back, across)
    if clothes.bag and (back or across):
        x = 0.3 if across else 0.4
        canvas.ellipse(x, 1.2, 0.1 if across else 0.15, 0.22, clothes.legs * 0.8 + 30)
    return _finish(canvas, variant)


@lru_cache(maxsize=None)
def cyclist(variant: int, phase: int, across: bool, back: bool = False) -> Cutout:
    """Paints a person on a bicycle; see ``pedestrian``."""
    clothes = _Clothes(np.random.default_rng((41, variant)))
    canvas = Canvas(*(CYCLIST_ACROSS if across else CYCLIST_ALONG), _SCALE)
    turn = 2 * np.pi * phase / PHASES
    if across:
        _ride_across(canvas, clothes, turn)
    else:
        _ride_along(canvas, clothes, np.sin(turn), back)
    return _finish(canvas, variant)


def _finish(canvas: Canvas, variant: int) -> Cutout:
    """Rounds the figure by light from the left and folds of cloth."""
    rows, columns = canvas.rgba.shape[:2]
    folds = noise(np.random.default_rng((42, variant)), (rows, columns), 5, 9)
    canvas.shade(np.linspace(1.18, 0.8, columns)[None] * (1 + 0.08 * folds))
    return canvas.cutout()


def _head(
    canvas: Canvas, clothes: _Clothes, at: tuple[float, float], back: bool, across: bool
) -> None:
    x, y = at
    canvas.line([(x, y - 0.18), (x, y - 0.05)], 0.11, np.asarray(clothes.skin) * 0.85)
    canvas.ellipse(x, y + 0.03, 0.1, 0.13, clothes.hair)
    if not back:
        canvas.ellipse(x + (0.03 if across else 0), y, 0.08, 0.1, clothes.skin)


def _walk_along(canvas: Canvas, clothes: _Clothes, swing: float) -> None:
    for side, lift in ((-1, max(swing, 0)), (1, max(-swing, 0))):
        x = 0.5 + side * 0.09
        foot = 0.08 + 0.12 * lift
        canvas.line([(0.5 + side * 0.07, 0.9), (x, foot)], 0.15, clothes.legs * (1 - 0.25 * lift))
        canvas.ellipse(x, foot - 0.02, 0.07, 0.06, clothes.shoes)
        hand = 0.8 + 0.08 * side * swing
        canvas.line([(0.5 + side * 0.2, 1.38), (0.5 + side * 0.27, hand)], 0.1, clothes.top * 0.85)
        canvas.ellipse(0.5 + side * 0.27, hand - 0.04, 0.045, 0.06, clothes.skin)
    _torso(canvas, clothes, 0.21 * clothes.build)


def _walk_across(canvas: Canvas, clothes: _Clothes, swing: float) -> None:
    for side, tone in ((-1, 0.75), (1, 1.0)):
        reach = 0.34 * swing * side
        knee = (0.5 + reach * 0.45 + 0.05, 0.48)
        foot = (0.5 + reach, 0.07 + 0.08 * max(-side * swing, 0))
        canvas.line([(0.5, 0.9), knee, foot], 0.14, clothes.legs * tone)
        canvas.ellipse(foot[0] + 0.05, foot[1] - 0.02, 0.11, 0.05, clothes.shoes)
    _torso(canvas, clothes, 0.15 * clothes.build)
    elbow, hand = (0.48 - 0.1 * swing, 1.1), (0.52 - 0.26 * swing, 0.86)
    canvas.line([(0.5, 1.38), elbow, hand], 0.1, clothes.top * 0.8)
    canvas.ellipse(*hand, 0.045, 0.05, clothes.skin)


def _torso(canvas: Canvas, clothes: _Clothes, half: float) -> None:
    low = 0.55 if clothes.coat else 0.82
    shape = [(0.5 - half * 0.85, low), (0.5 + half * 0.85, low), (0.5 + half, 1.38)]
    shape += [(0.5 + half * 0.5, 1.47), (0.5 - half * 0.5, 1.47), (0.5 - half, 1.38)]
    canvas.polygon(shape, clothes.top)


def _ride_along(canvas: Canvas, clothes: _Clothes, swing: float, back: bool) -> None:
    canvas.line([(0.45, 0.06), (0.45, 0.66)], 0.07, (32, 32, 34))
    canvas.line([(0.2, 1.0), (0.7, 1.0)], 0.05, (60, 60, 62))
    for side in (-1, 1):
        pedal = 0.3 + 0.17 * side * swing
        x = 0.45 + side * 0.12
        canvas.line([(x, 0.95), (x + side * 0.03, pedal + 0.4), (x, pedal)], 0.13, clothes.legs)
        canvas.ellipse(x, pedal - 0.03, 0.06, 0.06, clothes.shoes)
        canvas.line(
            [(0.45 + side * 0.18, 1.42), (0.45 + side * 0.24, 1.02)], 0.1, clothes.top * 0.85
        )
    hips = [(0.28, 0.92), (0.62, 0.92), (0.66, 1.42), (0.54, 1.5), (0.36, 1.5), (0.24, 1.42)]
    canvas.polygon(hips, clothes.top)
    _head(canvas, clothes, (0.45, 1.64), back, False)
    if clothes.bag:
        canvas.ellipse(0.45, 1.73, 0.12, 0.07, (200, 60, 40))


def _ride_across(canvas: Canvas, clothes: _Clothes, turn: float) -> None:
    metal = clothes.top * 0.5 + 40
    for x in (0.42, 1.48):
        canvas.ring(x, 0.35, 0.32, 0.05, (30, 30, 32))
        canvas.ring(x, 0.35, 0.05, 0.05, (120, 120, 122))
    canvas.line([(0.42, 0.35), (0.72, 0.9), (1.3, 0.86), (0.9, 0.33), (0.42, 0.35)], 0.05, metal)
    canvas.line([(1.48, 0.35), (1.28, 1.05)], 0.05, metal)
    hip = np.array([0.72, 0.98])
    for angle, tone in ((turn, 0.7), (turn + np.pi, 1.0)):
        foot = np.array([0.9 + 0.17 * np.cos(angle), 0.33 + 0.17 * np.sin(angle)])
        knee = (foot + hip) / 2 + (0.2, 0.1)
        canvas.line(np.array([hip, knee, foot]), 0.13, clothes.legs * tone)
        canvas.ellipse(foot[0] + 0.05, foot[1], 0.1, 0.05, clothes.shoes)
    canvas.line([(0.7, 1.0), (0.98, 1.45)], 0.28, clothes.top)
    canvas.line([(1.0, 1.42), (1.1, 1.15), (1.3, 1.06)], 0.09, clothes.top * 0.8)
    _head(canvas, clothes, (1.1, 1.66), False, True)
