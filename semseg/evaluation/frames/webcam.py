"""A camera that is plugged in: each image is the newest."""

import re
import time
from collections.abc import Iterator
from typing import Self

import cv2
import numpy as np

from semseg.errors import ImageError

_NAME = re.compile(r"camera(?::(\d+))?")


def is_camera(text: str) -> bool:
    """Says whether a text names a camera: ``camera``, ``camera:1`` and so on."""
    return _NAME.fullmatch(text) is not None


class Camera:
    """The images of a camera, until it sends no more.

    Args:
      name: ``camera:N`` for ``/dev/videoN``; ``camera`` for the first.

    Raises:
      ImageError: it cannot be opened.
    """

    def __init__(self, name: str) -> None:
        match = _NAME.fullmatch(name)
        if match is None:
            raise ImageError(f"'{name}' is no camera, expected camera, camera:1 and so on")
        number = int(match[1] or 0)
        self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise ImageError(f"{name}: no camera answers as /dev/video{number}")
        # Otherwise the driver keeps some images, and each that comes is already old.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the camera back."""
        self._capture.release()

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yields the time of each image, nanoseconds, and the image, uint8 (H, W, 3) RGB."""
        while True:
            received, image = self._capture.read()
            if not received:
                return
            yield time.time_ns(), cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
