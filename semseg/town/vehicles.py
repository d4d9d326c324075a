"""Cars, vans and buses: a few textured faces each.

A vehicle stands on the origin and points along +z, so that its rear is seen first.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from semseg.town.labels import Label
from semseg.town.surface import Surface, Texture
from semseg.town.textures.canvas import Canvas, Color, jitter, noise

PAINTS = 16

FAR_FACES = 4
"""How many faces, the first ones, are enough to show a vehicle from afar."""

_SCALE = 56
_GLASS = (30, 36, 42)
_COLORS = (
    (40, 42, 46),
    (150, 154, 158),
    (206, 208, 208),
    (28, 44, 84),
    (128, 24, 28),
    (70, 76, 84),
    (104, 108, 112),
    (36, 74, 58),
    (222, 220, 212),
    (60, 86, 128),
    (150, 120, 80),
    (180, 40, 34),
    (24, 26, 30),
    (88, 84, 78),
    (170, 176, 184),
    (196, 160, 40),
)


class Body(NamedTuple):
    """The measures of a vehicle, metres; positions count forwards from the middle.

    Attributes:
      length: overall.
      width: overall.
      height: of the roof.
      belt: height of the lower edge of the side windows.
      nose: height of the front end.
      rear_window: position of the lower edge of the rear window.
      roof: positions of the rear and front ends of the roof.
      windscreen: position of the lower edge of the windscreen.
      inset: how much narrower the roof is, per side.
      windows: number of side windows.
    """

    length: float
    width: float
    height: float
    belt: float
    nose: float
    rear_window: float
    roof: tuple[float, float]
    windscreen: float
    inset: float
    windows: int


BODIES = {
    "hatchback": Body(3.9, 1.7, 1.46, 0.92, 0.78, -1.9, (-1.55, 0.2), 0.95, 0.17, 2),
    "saloon": Body(4.6, 1.76, 1.43, 0.92, 0.76, -1.55, (-0.95, 0.3), 1.1, 0.19, 2),
    "estate": Body(4.6, 1.78, 1.5, 0.95, 0.8, -2.25, (-1.95, 0.3), 1.1, 0.17, 3),
    "suv": Body(4.5, 1.86, 1.72, 1.08, 0.98, -2.2, (-1.95, 0.3), 1.05, 0.15, 3),
    "van": Body(5.2, 1.96, 2.25, 1.2, 1.05, -2.6, (-2.55, 1.3), 1.95, 0.1, 1),
    "bus": Body(10.5, 2.5, 3.1, 1.35, 1.3, -5.25, (-5.2, 5.0), 5.2, 0.04, 7),
}


@lru_cache(maxsize=512)
def vehicle(kind: str, paint: int, oncoming: bool) -> tuple[Surface, ...]:
    """Builds a vehicle.

    Args:
      kind: a key of BODIES.
      paint: 0..PAINTS - 1.
      oncoming: whether it points along -z, to the viewer, instead of +z.
    """
    body = BODIES[kind]
    rng = np.random.default_rng((50, paint))
    color = jitter(rng, _COLORS[paint], 0.1)
    faces = [*_ends(body, color), *_top(body, color), *_sides(body, color, kind)]
    if oncoming:
        turn = np.array([-1.0, 1.0, -1.0])
        faces = [
            face._replace(corner=face.corner * turn, right=face.right * turn, down=face.down * turn)
            for face in faces
        ]
    return tuple(faces)


def _face(texture: Texture, corner: tuple, right: tuple, low: tuple) -> Surface:
    """A face by its top left, top right and bottom left points (x, height, z)."""
    points = np.array([corner, right, low]) * (1.0, -1.0, 1.0)
    return Surface(texture, points[0], points[1] - points[0], points[2] - points[0], Label.CAR)


def _ends(body: Body, color: np.ndarray) -> list[Surface]:
    half, back, front = body.width / 2, -body.length / 2, body.length / 2
    rear = _face(
        _rear(body, color), (-half, body.belt, back), (half, body.belt, back), (-half, 0, back)
    )
    nose = _face(
        _nose(body, color), (half, body.nose, front), (-half, body.nose, front), (half, 0, front)
    )
    return [rear, nose]


def _top(body: Body, color: np.ndarray) -> list[Surface]:
    """Rear window, roof, windscreen, bonnet and boot lid."""
    half, back, front = body.width / 2, -body.length / 2, body.length / 2
    belt, height, inset = body.belt, body.height, body.inset
    roof_back, roof_front = body.roof
    pane = _pane(body, color)
    flat = _panel(body, color)
    faces = [
        _face(
            pane,
            (-half, height, roof_back),
            (half, height, roof_back),
            (-half, belt, body.rear_window),
        ),
        _face(
            pane,
            (half, height, roof_front),
            (-half, height, roof_front),
            (half, belt, body.windscreen),
        ),
        _face(
            flat,
            (inset - half, height, roof_front),
            (half - inset, height, roof_front),
            (inset - half, height, roof_back),
        ),
    ]
    if front - body.windscreen > 0.1:
        faces.append(
            _face(
                flat,
                (half, belt, body.windscreen),
                (-half, belt, body.windscreen),
                (half, body.nose, front),
            )
        )
    if body.rear_window - back > 0.1:
        faces.append(
            _face(
                flat,
                (-half, belt, body.rear_window),
                (half, belt, body.rear_window),
                (-half, belt, back),
            )
        )
    return faces


def _sides(body: Body, color: np.ndarray, kind: str) -> list[Surface]:
    """Lower body and leaning windows, left and right."""
    faces = []
    flank, windows = _flank(body, color), _windows(body, color, kind)
    for side in (-1, 1):
        x, top = side * body.width / 2, side * (body.width / 2 - body.inset)
        left, right = -side * body.length / 2, side * body.length / 2
        drawn = (flank, windows) if side > 0 else (_mirrored(flank), _mirrored(windows))
        faces.append(_face(drawn[0], (x, body.belt, left), (x, body.belt, right), (x, 0, left)))
        faces.append(
            _face(
                drawn[1], (top, body.height, left), (top, body.height, right), (x, body.belt, left)
            )
        )
    return faces


def _mirrored(texture: Texture) -> Texture:
    return Texture(np.ascontiguousarray(texture.rgba[:, ::-1]))


def _flank(body: Body, color: np.ndarray) -> Texture:
    """Paints the side below the windows, front end right."""
    canvas = Canvas(body.length, body.belt, _SCALE)
    end, wind = body.length, body.length / 2 + body.windscreen
    outline = [(0, 0.3), (0, body.belt), (wind, body.belt), (end, body.nose), (end, 0.3)]
    canvas.polygon([*outline, (end - 0.2, 0.2), (0.2, 0.2)], color)
    light = np.linspace(1.2, 0.75, canvas.rgba.shape[0])[:, None]
    canvas.shade(light)
    canvas.rectangle(0.1, 0.2, end - 0.2, 0.1, color * 0.4)
    middle = body.length / 2
    for x in np.linspace(middle - 0.75, middle + body.windscreen * 0.8, 3):
        canvas.rectangle(x, 0.3, 0.02, body.belt - 0.32, color * 0.6)
        canvas.rectangle(x - 0.22, body.belt - 0.2, 0.16, 0.04, color * 0.5)
    canvas.rectangle(0, body.belt - 0.3, 0.12, 0.16, (150, 20, 22))
    canvas.rectangle(end - 0.25, body.nose - 0.2, 0.18, 0.12, (220, 222, 214))
    radius = 0.31 if body.length < 8 else 0.48
    for x in (0.19 * end, 0.81 * end):
        canvas.ellipse(x, radius, radius + 0.07, radius + 0.07, (18, 18, 20))
        canvas.ellipse(x, radius, radius, radius, (34, 34, 36))
        canvas.ellipse(x, radius, radius * 0.62, radius * 0.62, (136, 138, 140))
        canvas.ellipse(x, radius, radius * 0.2, radius * 0.2, (70, 70, 72))
    return canvas.texture()


def _windows(body: Body, color: np.ndarray, kind: str) -> Texture:
    """Paints the side from the windows to the roof, front end right."""
    rise = body.height - body.belt
    canvas = Canvas(body.length, rise, _SCALE)
    half = body.length / 2
    rear, front = half + body.rear_window, half + body.windscreen
    top_rear, top_front = half + body.roof[0], half + body.roof[1]
    canvas.polygon([(rear, 0), (top_rear, rise), (top_front, rise), (front, 0)], color * 1.05)
    if kind == "van":
        rear, top_rear = front - 1.3, top_front - 0.7
    glass = [(rear + 0.18, 0.04), (top_rear + 0.16, rise * 0.84), (top_front - 0.06, rise * 0.84)]
    canvas.polygon([*glass, (front - 0.2, 0.04)], _GLASS)
    _reflect(canvas)
    for x in np.linspace(rear, front - 0.25, body.windows + 1)[1:-1]:
        canvas.rectangle(x, 0, 0.09, rise * 0.9, color * 0.7)
    return canvas.texture()


def _reflect(canvas: Canvas) -> None:
    """Mirrors sky and houses in what is dark, that is, glass."""
    shape = canvas.rgba.shape[:2]
    glass = canvas.rgba[..., 2] == _GLASS[2]
    street = np.clip(0.6 + 0.5 * noise(np.random.default_rng((51,)), shape, 9, 25), 0, 2)
    bright = np.linspace(52, 14, shape[0])[:, None] * street
    mirrored = canvas.rgba[..., :3] + bright[..., None] * (0.9, 1.0, 1.1)
    canvas.rgba[glass, :3] = np.clip(mirrored[glass], 0, 255)


def _pane(body: Body, color: np.ndarray) -> Texture:
    """Paints a windscreen or rear window with its pillars."""
    rise = body.height - body.belt
    canvas = Canvas(body.width, rise, _SCALE)
    width, inset = body.width, body.inset
    canvas.polygon([(0, 0), (inset, rise), (width - inset, rise), (width, 0)], color)
    glass = [(0.12, 0.05), (inset + 0.09, rise * 0.9), (width - inset - 0.09, rise * 0.9)]
    canvas.polygon([*glass, (width - 0.12, 0.05)], _GLASS)
    _reflect(canvas)
    for x in (0.3, 0.7):
        canvas.ellipse(x * width, 0.12, 0.1, 0.14, (26, 29, 33))
    return canvas.texture()


def _panel(body: Body, color: np.ndarray) -> Texture:
    """Paints sheet metal that mirrors the sky."""
    canvas = Canvas(body.width, 1.2, 30, color)
    canvas.shade(np.linspace(1.25, 1.02, canvas.rgba.shape[0])[:, None])
    return canvas.texture()


def _shell(body: Body, height: float, color: np.ndarray) -> Canvas:
    """Starts a front or rear view: tyres, body, bumper, shading."""
    canvas = Canvas(body.width, height, _SCALE)
    for x in (0.06, body.width - 0.26):
        canvas.rectangle(x, 0, 0.2, 0.35, (24, 24, 26))
    canvas.rectangle(0.15, 0.18, body.width - 0.3, 0.2, (20, 20, 22))
    outline = [(0.0, 0.3), (0.0, height - 0.03), (0.03, height), (body.width - 0.03, height)]
    outline += [(body.width, height - 0.03), (body.width, 0.3), (body.width - 0.1, 0.24)]
    canvas.polygon([*outline, (0.1, 0.24)], color)
    canvas.shade(np.linspace(1.2, 0.75, canvas.rgba.shape[0])[:, None])
    canvas.rectangle(0.04, 0.3, body.width - 0.08, 0.14, color * 0.55)
    return canvas


def _plate(canvas: Canvas, body: Body, y: float, color: Color) -> None:
    canvas.rectangle(body.width / 2 - 0.26, y, 0.52, 0.12, color)
    canvas.rectangle(body.width / 2 - 0.2, y + 0.04, 0.4, 0.05, (60, 60, 56))


def _rear(body: Body, color: np.ndarray) -> Texture:
    canvas = _shell(body, body.belt, color)
    for x in (0.03, body.width - 0.25):
        canvas.rectangle(x, body.belt - 0.36, 0.22, 0.28, (168, 18, 20))
        canvas.rectangle(x + 0.03, body.belt - 0.2, 0.16, 0.07, (226, 150, 60))
    canvas.rectangle(0.3, body.belt - 0.08, body.width - 0.6, 0.02, color * 0.5)
    _plate(canvas, body, body.belt - 0.42, (214, 190, 80))
    return canvas.texture()


def _nose(body: Body, color: np.ndarray) -> Texture:
    canvas = _shell(body, body.nose, color)
    canvas.rectangle(0.45, body.nose - 0.22, body.width - 0.9, 0.14, (34, 36, 38))
    for x in (0.06, body.width - 0.42):
        canvas.rectangle(x, body.nose - 0.26, 0.36, 0.19, (96, 98, 98))
        canvas.ellipse(x + 0.18, body.nose - 0.165, 0.13, 0.085, (250, 250, 240))
    canvas.rectangle(0.35, 0.3, body.width - 0.7, 0.1, (30, 30, 32))
    _plate(canvas, body, 0.38, (226, 226, 220))
    return canvas.texture()
