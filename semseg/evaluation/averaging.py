"""Several views of an image, labelled one by one: their probabilities are averaged."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from semseg.classes import ClassTable
from semseg.errors import ConfigError, ImageError
from semseg.evaluation.frames.frames import ImageSegmenter
from semseg.runtime import Segmentation, Segmenter, Timing
from semseg.runtime.images.geometry import Size, resize_image, resize_labels

_STEP = 2 / 3
"""Windows advance by this share of their size."""
_MULTIPLE = 32


class Views(NamedTuple):
    """How an image is shown to a network.

    Attributes:
      scales: factors of the size.
      flip: whether it is shown mirrored, too.
      window: (height, width) of overlapping windows that are shown instead of the whole.
    """

    scales: Sequence[float] = (1.0,)
    flip: bool = False
    window: Size | None = None

    @property
    def is_plain(self) -> bool:
        """Whether one look at the whole image is all."""
        return tuple(self.scales) == (1.0,) and not self.flip and self.window is None

    def describe(self) -> dict[str, Any]:
        """Returns what a report's protocol says of the views, JSON-ready."""
        window = f"{self.window[0]}x{self.window[1]}" if self.window else None
        return {"scales": list(self.scales), "flip": self.flip, "window": window}


class AveragingSegmenter:
    """Labels an image by the mean probabilities of several views of it.

    Args:
      segmenters: for each scale what labels it. Without windows each has its own network size;
        with windows the image is scaled, and one segmenter may serve all scales.
      flip: whether to label mirrored images, too.
      window: (height, width) of the windows, as far as the scaled image is that large; None
        shows the whole image.
    """

    def __init__(
        self, segmenters: Mapping[float, ImageSegmenter], flip: bool, window: Size | None = None
    ) -> None:
        self._segmenters = segmenters
        self._flip = flip
        self._window = window

    @classmethod
    def load(cls, path: str, views: Views, *, engine: str, input_size: Size | None) -> "Loaded":
        """Loads a graph as often as the views need it.

        Args:
          path: the frozen graph.
          views: the views.
          engine: as in ``Segmenter.load``.
          input_size: the network's (height, width) at scale 1; windows are always of its size.

        Returns:
          What labels, and the segmenter of scale 1, which the report describes.

        Raises:
          ConfigError: scales of a graph that chooses a size for each image.
          SemsegError: as in ``Segmenter.load``.
        """
        if views.window and input_size not in (None, views.window):
            raise ConfigError("windows are shown at their own size: leave out --size")
        base = Segmenter.load(path, engine=engine, input_size=views.window or input_size)
        if views.is_plain:
            return Loaded(base, base)
        segmenters: dict[float, ImageSegmenter] = dict.fromkeys(views.scales, base)
        if views.window is None:
            for scale in views.scales:
                size = _network_size(base, scale)
                if size != base.input_size:
                    segmenters[scale] = Segmenter.load(path, engine=engine, input_size=size)
        return Loaded(cls(segmenters, views.flip, views.window), base)

    @property
    def classes(self) -> ClassTable:
        """Names and colours of the labels."""
        return next(iter(self._segmenters.values())).classes

    def segment(
        self,
        image: np.ndarray,
        second: np.ndarray | None = None,
        probabilities: bool = False,
        confidence: bool = True,
    ) -> Segmentation:
        """Labels an image.

        Args:
          image: uint8 (H, W, 3) RGB.
          second: must be None: a disparity or a right image cannot be mirrored alike.
          probabilities: whether to return the mean probabilities, too.
          confidence: whether to return the largest of them, too.

        Returns:
          Labels, and what was asked for, of the image's size; the timing is the sum.

        Raises:
          ImageError: a second input is given.
        """
        if second is not None:
            raise ImageError("networks of two inputs are evaluated without scales, flips, windows")
        seen = [image, image[:, ::-1]] if self._flip else [image]
        total = np.zeros((*image.shape[:2], self.classes.num_classes), np.float32)
        timing = Timing(0.0, 0.0, 0.0)
        for scale in self._segmenters:
            for position, view in enumerate(seen):
                found, spent = self._probabilities(scale, np.ascontiguousarray(view))
                total += found[:, ::-1] if position else found
                timing = _sum(timing, spent)
        total /= len(self._segmenters) * len(seen)
        labels = total.argmax(axis=2).astype(np.uint8)
        sure = total.max(axis=2) if confidence else None
        return Segmentation(labels, sure, total if probabilities else None, timing)

    def _probabilities(self, scale: float, image: np.ndarray) -> tuple[np.ndarray, Timing]:
        segmenter = self._segmenters[scale]
        if self._window is not None:
            return _in_windows(segmenter, image, scale, self._window)
        result = segmenter.segment(image, probabilities=True)
        return _all_probabilities(result), result.timing


class Loaded(NamedTuple):
    """What labels images, and the segmenter (of scale 1) that says what it is."""

    segmenter: ImageSegmenter
    base: Segmenter


def window_corners(size: Size, window: Size) -> Iterator[tuple[int, int]]:
    """Yields the (top, left) of windows that cover an image, spread evenly.

    Args:
      size: (height, width) of the image.
      window: (height, width) of the windows, at most the image's.
    """
    for top in _starts(size[0], window[0]):
        for left in _starts(size[1], window[1]):
            yield top, left


def _starts(length: int, window: int) -> list[int]:
    count = 1 + math.ceil((length - window) / (window * _STEP))
    return [round(start) for start in np.linspace(0, length - window, count)]


def _in_windows(
    segmenter: ImageSegmenter, image: np.ndarray, scale: float, window: Size
) -> tuple[np.ndarray, Timing]:
    """Returns the probabilities of a scaled image at the image's own size."""
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    scaled = resize_image(image, (height, width), "area" if scale < 1 else "linear")
    rows, columns = min(window[0], height), min(window[1], width)
    total = np.zeros((height, width, segmenter.classes.num_classes), np.float32)
    views = np.zeros((height, width, 1), np.float32)
    timing = Timing(0.0, 0.0, 0.0)
    for top, left in window_corners((height, width), (rows, columns)):
        place = np.s_[top : top + rows, left : left + columns]
        result = segmenter.segment(np.ascontiguousarray(scaled[place]), probabilities=True)
        total[place] += _all_probabilities(result)
        views[place] += 1
        timing = _sum(timing, result.timing)
    return resize_labels(total / views, (image.shape[0], image.shape[1])), timing


def _network_size(base: Segmenter, scale: float) -> Size:
    """Returns the network's size at a scale, a multiple of 32 as networks want it."""
    if scale == 1 and base.input_size is not None:
        return base.input_size
    if base.input_size is None:
        raise ConfigError(
            f"{base.graph.path} chooses a size for each image; scales need one (--size HxW)"
        )
    height, width = (
        max(1, round(length * scale / _MULTIPLE)) * _MULTIPLE for length in base.input_size
    )
    return height, width


def _all_probabilities(result: Segmentation) -> np.ndarray:
    assert result.probabilities is not None  # They were asked for.
    return result.probabilities


def _sum(first: Timing, second: Timing) -> Timing:
    return Timing(*(a + b for a, b in zip(first, second, strict=True)))
