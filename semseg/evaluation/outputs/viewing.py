"""Labels for people to watch: pictures with a legend, in a window or a video file."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

import cv2
import numpy as np

from semseg.classes import ClassTable
from semseg.errors import ConfigError
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.frames.video import VideoWriter
from semseg.runtime.images import render

ItemT = TypeVar("ItemT")

_TITLE = "semseg - q closes"
_KEYS_THAT_CLOSE = (ord("q"), 27)
_WINDOW_OF_FRAMES = 30


class Viewer:
    """Draws overlays with the legend beside and the measured frames per second.

    Args:
      classes: the classes of the labels.
      clock: seconds, of any beginning.
    """

    def __init__(self, classes: ClassTable, clock: Callable[[], float] = time.perf_counter) -> None:
        self._classes = classes
        self._clock = clock
        self._times: deque[float] = deque(maxlen=_WINDOW_OF_FRAMES + 1)

    def draw(self, frame: Frame, labels: np.ndarray) -> np.ndarray:
        """Draws the next frame.

        Args:
          frame: the frame.
          labels: its labels, uint8 (H, W).

        Returns:
          uint8 (H, W + the legend's width, 3) RGB.
        """
        self._times.append(self._clock())
        picture = render.overlay(frame.image, labels, self._classes)
        if self.rate_hz is not None:
            _write(picture, f"{self.rate_hz:.1f} fps")
        return np.hstack([picture, render.legend(self._classes, picture.shape[0])])

    @property
    def rate_hz(self) -> float | None:
        """Frames per second over the last 30 frames; None before the second."""
        if len(self._times) < 2:
            return None
        return (len(self._times) - 1) / max(1e-9, self._times[-1] - self._times[0])


class Window:
    """A window that shows each frame as it is labelled, until a visitor closes it.

    Args:
      classes: the classes of the labels.

    Raises:
      ConfigError: there is no screen, or this OpenCV opens no windows.
    """

    def __init__(self, classes: ClassTable) -> None:
        # OpenCV's toolkit would end the whole process with a message of its own.
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise ConfigError("--show needs a screen: neither DISPLAY nor WAYLAND_DISPLAY is set")
        try:
            cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as error:
            raise ConfigError(f"--show: this OpenCV opens no window ({error.err})")
        self._viewer = Viewer(classes)
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        cv2.destroyAllWindows()

    def show(self, frame: Frame, labels: np.ndarray) -> None:
        """Shows the labels, uint8 (H, W), of a frame."""
        picture = self._viewer.draw(frame, labels)
        cv2.imshow(_TITLE, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        self._closed = cv2.waitKey(1) & 0xFF in _KEYS_THAT_CLOSE or not _is_visible()

    def until_closed(self, items: Iterable[ItemT]) -> Iterator[ItemT]:
        """Yields items as long as the window is open."""
        for item in items:
            if self._closed:
                return
            yield item


class Clip:
    """Writes what a ``Viewer`` draws as an MP4 or GIF file.

    Args:
      path: the file, ``.mp4`` or ``.gif``.
      rate_hz: frames per second of the file.
      classes: the classes of the labels.
      overwrite: whether an existing file may be replaced.

    Raises:
      ConfigError: the file exists.
      ImageError: it is neither ``.mp4`` nor ``.gif``.
    """

    def __init__(
        self, path: Path, rate_hz: float, classes: ClassTable, overwrite: bool = False
    ) -> None:
        if path.exists() and not overwrite:
            raise ConfigError(f"{path} exists already; choose another name or add --force")
        self._viewer = Viewer(classes)
        self._writer = VideoWriter(path, rate_hz)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        # Whoever ends a camera by Ctrl-C wants what was filmed until then.
        self._writer.__exit__(*((None, None, None) if error[0] is KeyboardInterrupt else error))

    def save(self, frame: Frame, labels: np.ndarray) -> None:
        """Appends the labels, uint8 (H, W), of a frame; raises ``ImageError`` at a new size."""
        self._writer.write(self._viewer.draw(frame, labels))


def _is_visible() -> bool:
    return cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) > 0


def _write(picture: np.ndarray, text: str) -> None:
    """Writes into the lower left corner, white on black: readable on any picture."""
    corner = (8, picture.shape[0] - 10)
    for color, thickness in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(
            picture, text, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.6, color, thickness, cv2.LINE_AA
        )
