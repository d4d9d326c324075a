"""The best and the worst images of an evaluation, kept as small pictures."""

import heapq
from collections.abc import Iterable

import cv2
import numpy as np

from semseg.classes import IGNORE, ClassTable
from semseg.evaluation.page import Strip, encoded
from semseg.runtime.geometry import resize_image
from semseg.runtime.render import colorize

_WIDTH = 640
"""Pictures are at most that wide: three of them fill a screen."""
_WRONG = (224, 48, 48)
_UNKNOWN = (0, 0, 0)

_Entry = tuple[float, int, str, dict[str, np.ndarray]]
"""Rank, minus the position of the image (of equals the first stays), caption and pictures."""


class Gallery:
    """Keeps the images of the highest and the lowest score; the others leave no trace.

    Args:
      classes: the classes of the truth.
      count: how many of each are kept.
    """

    def __init__(self, classes: ClassTable, count: int) -> None:
        self._classes = classes
        self._count = count
        self._offered = 0
        self._best: list[_Entry] = []  # Heaps whose first entry is the next to leave.
        self._worst: list[_Entry] = []

    def add(
        self, name: str, score: float, image: np.ndarray, truth: np.ndarray, found: np.ndarray
    ) -> None:
        """Offers an image.

        Args:
          name: its name.
          score: its own mean IoU, 0..1.
          image: uint8 (h, w, 3) RGB.
          truth: true labels, uint8 (H, W).
          found: predicted labels, uint8 (H, W).
        """
        self._offered += 1
        wanted = [
            (heap, rank)
            for heap, rank in ((self._best, score), (self._worst, -score))
            if len(heap) < self._count or (heap and rank > heap[0][0])
        ]
        if not wanted:
            return
        caption, drawn = f"{name}: mean IoU {100 * score:.1f} %", self._draw(image, truth, found)
        for heap, rank in wanted:
            heapq.heappush(heap, (rank, -self._offered, caption, drawn))
            if len(heap) > self._count:
                heapq.heappop(heap)

    @property
    def best(self) -> list[Strip]:
        """The images of the highest score, the highest first."""
        return _in_order(self._best)

    @property
    def worst(self) -> list[Strip]:
        """The images of the lowest score, the lowest first."""
        return _in_order(self._worst)

    def _draw(
        self, image: np.ndarray, truth: np.ndarray, found: np.ndarray
    ) -> dict[str, np.ndarray]:
        height, width = truth.shape
        size = (round(height * min(1, _WIDTH / width)), min(width, _WIDTH))
        drawn = {
            "image": image,
            "truth": colorize(truth, self._classes),
            "prediction": colorize(found, self._classes),
            "errors (red); no truth (black)": error_map(image, truth, found),
        }
        return {title: resize_image(picture, size, "area") for title, picture in drawn.items()}


def error_map(image: np.ndarray, truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Draws where labels are wrong: red on the greyed image, black where there is no truth.

    Args:
      image: uint8 (h, w, 3) RGB.
      truth: true labels, uint8 (H, W).
      found: predicted labels, uint8 (H, W).

    Returns:
      uint8 (H, W, 3) RGB.
    """
    height, width = truth.shape
    gray = cv2.cvtColor(resize_image(image, (height, width)), cv2.COLOR_RGB2GRAY)
    drawing = cv2.cvtColor(96 + gray // 2, cv2.COLOR_GRAY2RGB)
    drawing[truth != found] = _WRONG
    drawing[truth == IGNORE] = _UNKNOWN
    return drawing


def _in_order(entries: Iterable[_Entry]) -> list[Strip]:
    ordered = sorted(entries, key=lambda entry: entry[:2], reverse=True)
    # Encoded only now: most pictures leave again before the end.
    return [
        Strip(caption, {title: encoded(picture) for title, picture in drawn.items()})
        for _, _, caption, drawn in ordered
    ]
