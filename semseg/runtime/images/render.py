"""Draws labels for people: colours, overlays, legends and contact sheets. RGB throughout."""

from functools import lru_cache
from typing import Sequence

import cv2
import numpy as np

from semseg.classes import ClassTable
from semseg.errors import ImageError
from semseg.runtime.images.geometry import resize_image

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.5
_INK = (0, 0, 0)
_PAPER = 255
_ROW_HEIGHT = 24
_SWATCH_WIDTH = 32
_MARGIN = 6


def colorize(labels: np.ndarray, classes: ClassTable) -> np.ndarray:
    """Returns the classes' colours, uint8 (H, W, 3); black where a label is no class.

    Args:
      labels: uint8 (H, W).
      classes: the class table.
    """
    # A third of the time of cv2.LUT; with a table of one's own it keeps the table's channel order.
    return cv2.applyColorMap(labels, classes.palette[:, np.newaxis])


def overlay(
    image: np.ndarray, labels: np.ndarray, classes: ClassTable, alpha: float = 0.5
) -> np.ndarray:
    """Returns the image tinted by the colours of its labels, uint8 (H, W, 3).

    Args:
      image: uint8 (H, W, 3).
      labels: uint8 (H, W).
      classes: the class table.
      alpha: weight of the colours, 0..1.
    """
    if image.shape[:2] != labels.shape:
        raise ImageError(
            "labels are %dx%d, their image is %dx%d; an overlay needs one size"
            % (labels.shape + image.shape[:2])
        )
    return cv2.addWeighted(colorize(labels, classes), alpha, image, 1 - alpha, 0)


def legend(classes: ClassTable, height: int) -> np.ndarray:
    """Draws the class table in columns.

    Args:
      classes: the class table.
      height: height of the drawing in pixels, such as that of the image beside it.

    Returns:
      uint8 (height, W, 3), as wide as it must be to name every class.
    """
    rows = max(1, height // _ROW_HEIGHT)
    text_width = max(_text_width(name) for name in classes.names)
    column_width = _SWATCH_WIDTH + text_width + 3 * _MARGIN
    columns = -(-classes.num_classes // rows)
    drawing = np.full((height, columns * column_width, 3), _PAPER, np.uint8)
    for position, (name, color) in enumerate(zip(classes.names, classes.colors)):
        column, row = divmod(position, rows)
        left, top = column * column_width + _MARGIN, row * _ROW_HEIGHT
        swatch_end = (left + _SWATCH_WIDTH, top + _ROW_HEIGHT - 4)
        cv2.rectangle(drawing, (left, top + 3), swatch_end, color, cv2.FILLED)
        _write(drawing, name, (left + _SWATCH_WIDTH + _MARGIN, top))
    return drawing


def draw_legend(image: np.ndarray, classes: ClassTable) -> None:
    """Draws the class table into the upper left corner of an image, half transparent.

    An image that is too small to name every class, in a third of its width, is left as it is.

    Args:
      image: uint8 (H, W, 3), changed in place.
      classes: the class table.
    """
    panel = _legend_panel(classes, image.shape[0])
    height, width = panel.shape[:2]
    if 3 * width <= image.shape[1]:
        corner = image[:height, :width]
        corner[:] = cv2.addWeighted(panel, 0.6, corner, 0.4, 0)


@lru_cache(maxsize=8)
def _legend_panel(classes, max_height):
    return legend(classes, min(max_height, classes.num_classes * _ROW_HEIGHT + _MARGIN))


def sheet(rows: Sequence[Sequence[np.ndarray]], titles: Sequence[str] = ()) -> np.ndarray:
    """Draws a contact sheet.

    Args:
      rows: rows of RGB images; each is scaled to the size of the very first.
      titles: one title per column; none draws no title line.

    Returns:
      uint8 (H, W, 3).
    """
    if not rows or not rows[0]:
        raise ImageError("a contact sheet needs at least one image, found none")
    height, width = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    title_height = _ROW_HEIGHT if titles else 0
    drawing = np.full(
        (
            title_height + len(rows) * (height + _MARGIN) - _MARGIN,
            columns * (width + _MARGIN) - _MARGIN,
            3,
        ),
        _PAPER,
        np.uint8,
    )
    for column, title in enumerate(titles):
        _write(drawing, title, (column * (width + _MARGIN) + _MARGIN, 0))
    for row, images in enumerate(rows):
        top = title_height + row * (height + _MARGIN)
        for column, image in enumerate(images):
            left = column * (width + _MARGIN)
            drawing[top : top + height, left : left + width] = resize_image(image, (height, width))
    return drawing


def _text_width(text):
    return cv2.getTextSize(text, _FONT, _FONT_SCALE, 1)[0][0]


def _write(drawing, text, corner):
    baseline = (corner[0], corner[1] + _ROW_HEIGHT - 7)
    cv2.putText(drawing, text, baseline, _FONT, _FONT_SCALE, _INK, 1, cv2.LINE_AA)
