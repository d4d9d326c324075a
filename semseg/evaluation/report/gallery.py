"""The best and the worst images of an evaluation, kept as small pictures."""

from collections.abc import Callable
from functools import cache
from typing import Generic, TypeVar

import cv2
import numpy as np

from semseg.classes import IGNORE, ClassTable
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.report.page import Strip, encoded
from semseg.runtime.images.geometry import resize_image
from semseg.runtime.images.render import colorize

_WIDTH = 640
"""Pictures are at most that wide: three of them fill a screen."""
_WRONG = (224, 48, 48)
_UNKNOWN = (0, 0, 0)
_SECOND_NS = 10**9

_Drawn = tuple[str, dict[str, np.ndarray]]
"""Caption and pictures: encoded only in the end, as most do not stay that long."""

ItemT = TypeVar("ItemT")


class Highest(Generic[ItemT]):
    """Keeps what ranks highest; of each second of a drive one, as neighbours look alike.

    Args:
      count: how many are kept.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._offered = 0
        self._kept: dict[int, tuple[float, int, ItemT]] = {}  # second -> rank, -number, item

    def offer(self, rank: float, stamp_ns: int | None, make: Callable[[], ItemT]) -> None:
        """Keeps an item if it ranks higher than one that is kept; of equals the first stays.

        Args:
          rank: its rank.
          stamp_ns: when it was seen, nanoseconds; None if it has no neighbours.
          make: returns the item; called only if it is kept.
        """
        if not self._count:
            return
        self._offered += 1
        kept = self._kept
        second = -self._offered if stamp_ns is None else stamp_ns // _SECOND_NS
        rival = second
        if second not in kept and len(kept) >= self._count:
            rival = min(kept, key=lambda each: kept[each][:2])
        if rival not in kept or rank > kept[rival][0]:
            kept.pop(rival, None)
            kept[second] = rank, -self._offered, make()

    def in_order(self) -> list[ItemT]:
        """Returns what is kept, the highest first."""
        entries = sorted(self._kept.values(), key=lambda entry: entry[:2], reverse=True)
        return [item for _, _, item in entries]


class Gallery:
    """Keeps the images of the highest and the lowest score; the others leave no trace.

    Args:
      classes: the classes of the truth.
      count: how many of each are kept.
    """

    def __init__(self, classes: ClassTable, count: int) -> None:
        self._classes = classes
        self._best: Highest[_Drawn] = Highest(count)
        self._worst: Highest[_Drawn] = Highest(count)

    def add(self, frame: Frame, score: float, truth: np.ndarray, found: np.ndarray) -> None:
        """Offers an image.

        Args:
          frame: the image, with its name and stamp.
          score: its own mean IoU, 0..1.
          truth: true labels, uint8 (H, W).
          found: predicted labels, uint8 (H, W).
        """

        @cache
        def draw() -> _Drawn:
            caption = f"{frame.name}: mean IoU {100 * score:.1f} %"
            return caption, self._draw(frame.image, truth, found)

        self._best.offer(score, frame.stamp_ns, draw)
        self._worst.offer(-score, frame.stamp_ns, draw)

    @property
    def best(self) -> list[Strip]:
        """The images of the highest score, the highest first."""
        return _strips(self._best)

    @property
    def worst(self) -> list[Strip]:
        """The images of the lowest score, the lowest first."""
        return _strips(self._worst)

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


def _strips(kept: Highest[_Drawn]) -> list[Strip]:
    return [
        Strip(caption, {title: encoded(picture) for title, picture in pictures.items()})
        for caption, pictures in kept.in_order()
    ]
