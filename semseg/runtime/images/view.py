"""What of a camera's image the network sees, and how its labels come back to the camera.

A view leaves out margins (the sky, the bonnet), turns the image of a camera that is mounted
askew upright, and knows pixels that never mean anything. Sizes are (height, width).
"""

import os
from typing import NamedTuple, Optional, Tuple, Union

import cv2
import numpy as np

from semseg.classes import IGNORE
from semseg.errors import ConfigError, ImageError
from semseg.runtime.images.geometry import (
    Fit,
    Size,
    resize_disparity,
    resize_image,
    resize_labels,
)
from semseg.runtime.images.image_file import read_image

ROTATIONS = (0, 90, 180, 270)

# By quarter turns clockwise. The fastest there is; np.rot90 where OpenCV has no such pixels.
_TURNS = {
    1: cv2.ROTATE_90_CLOCKWISE,
    2: cv2.ROTATE_180,
    3: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
_MAX_OPENCV_CHANNELS = 4


class Margins(NamedTuple):
    """Rows and columns of the camera's image that are left out at each side."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    @classmethod
    def parse(cls, text: str) -> "Margins":
        """Reads ``TOP,BOTTOM`` or ``TOP,BOTTOM,LEFT,RIGHT``; an empty text leaves nothing out.

        BOTTOM and RIGHT may be negative, as an end that is counted from there: ``150,-100`` is
        the same as ``150,100``.

        Raises:
          ConfigError: the text is no such list.
        """
        parts = [part.strip() for part in text.split(",")] if text.strip() else []
        parts[1::2] = [part[1:] if part.startswith("-") else part for part in parts[1::2]]
        if len(parts) not in (0, 2, 4) or not all(part.isdecimal() for part in parts):
            raise ConfigError(
                "a crop is TOP,BOTTOM or TOP,BOTTOM,LEFT,RIGHT in pixels, such as 40,60; found '%s'"
                % text
            )
        return cls(*map(int, parts))


WHOLE = Margins()


class Placement(NamedTuple):
    """A view of images of one size.

    Attributes:
      image_size: size of the camera's image.
      corner: (top, left) of the region that is seen.
      region_size: its size, in the camera's pixels.
      quarter_turns: how often the region is turned clockwise, 0..3.
      seen_size: size of the image that the network is given, turned.
      interpolation: how the region comes to that size, as in ``geometry.resize_image``.
      region_only: whether outputs show the region at ``seen_size``, turned back, and not the
        camera's whole image at its own size.
      ignored: bool of ``output_size``, or None; true where a label never means anything.
    """

    image_size: Size
    corner: Tuple[int, int]
    region_size: Size
    quarter_turns: int
    seen_size: Size
    interpolation: str
    region_only: bool
    ignored: Optional[np.ndarray] = None

    @property
    def output_size(self) -> Size:
        """Size of what ``restore`` returns."""
        return _swapped(self.seen_size, self.quarter_turns) if self.region_only else self.image_size

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Returns what the network is given of a camera's image, uint8 (H, W, 3)."""
        region = _turned(self.region(image), self.quarter_turns)
        return resize_image(region, self.seen_size, self.interpolation)

    def apply_disparity(self, disparity: np.ndarray) -> np.ndarray:
        """Returns the disparities of what ``apply`` returns.

        Args:
          disparity: float32 (H, W) of ``image_size``, pixels at that width. Not of a view that
            is turned: disparities lie along the rows.
        """
        return resize_disparity(self.region(disparity), self.seen_size)

    def restore(self, values: np.ndarray, absent: Union[int, float]) -> np.ndarray:
        """Brings values of what ``apply`` returned back to the camera's orientation.

        Args:
          values: (h, w) or (h, w, channels) of any type.
          absent: value of pixels that were not seen or are ignored.

        Returns:
          Array of ``output_size``.
        """
        values = _turned(values, -self.quarter_turns % 4)
        if values.shape[:2] != self.output_size:
            whole = np.full(self.output_size + values.shape[2:], absent, values.dtype)
            self.region(whole)[:] = values
            values = whole
        if self.ignored is not None:
            values = values.copy()
            values[self.ignored] = absent
        return values

    def restore_labels(self, labels: np.ndarray) -> np.ndarray:
        """Returns labels, uint8, as ``restore`` does; void where nothing was seen."""
        return self.restore(labels, IGNORE)

    def backdrop(self, image: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Returns the picture that lies under the outputs, uint8 (H, W, 3).

        Args:
          image: the camera's image.
          seen: what ``apply`` made of it.
        """
        return _turned(seen, -self.quarter_turns % 4) if self.region_only else image

    def region(self, image: np.ndarray) -> np.ndarray:
        """Returns the region of a camera's image, or of anything of its size, as a view."""
        (top, left), (height, width) = self.corner, self.region_size
        return image[top : top + height, left : left + width]


class View:
    """How a camera's images of any size are placed.

    Args:
      margins: what is left out at each side.
      rotation: degrees clockwise, one of ``ROTATIONS``, that turn the image upright.
      ignored: bool (H, W), true where a label never means anything; brought to each image's
        size without interpolation. None ignores nothing.

    Raises:
      ConfigError: the rotation is none of those.
    """

    def __init__(
        self,
        margins: Margins = WHOLE,
        rotation: int = 0,
        ignored: Optional[np.ndarray] = None,
    ):
        if rotation not in ROTATIONS:
            raise ConfigError("a rotation is 0, 90, 180 or 270 degrees; found %r" % (rotation,))
        self._margins = margins
        self._quarter_turns = rotation // 90
        self._ignored = ignored
        self._newest: Optional[Placement] = None

    def seen_size(self, image_size: Size) -> Size:
        """Returns the size of an upright region of an image of that size, not resized.

        Raises:
          ImageError: the margins leave nothing of it.
        """
        height = image_size[0] - self._margins.top - self._margins.bottom
        width = image_size[1] - self._margins.left - self._margins.right
        if height < 1 or width < 1:
            raise ImageError(
                "a crop of %d,%d,%d,%d leaves nothing of an image of %dx%d"
                % (self._margins + tuple(image_size))
            )
        return (width, height) if self._quarter_turns % 2 else (height, width)

    def placed(self, image_size: Size, fit: Optional[Fit] = None) -> Placement:
        """Places images of a size.

        Args:
          image_size: size of the camera's image.
          fit: how the network is going to fit an image of ``seen_size(image_size)``: outputs
            then have the network's resolution and cover the seen region alone. None gives
            outputs of the camera's size.

        Raises:
          ImageError: the margins leave nothing of the image.
        """
        placement = self._placement(tuple(image_size), fit)
        newest = self._newest  # Masks are resized once for a stream of one size.
        if newest is not None and newest._replace(ignored=None) == placement:
            return newest
        self._newest = placement._replace(ignored=self._ignored_in(placement))
        return self._newest

    def _placement(self, image_size, fit):
        upright = self.seen_size(image_size)
        seen = upright if fit is None else fit.inner_size
        return Placement(
            image_size,
            (self._margins.top, self._margins.left),
            _swapped(upright, self._quarter_turns),
            self._quarter_turns,
            seen,
            "linear" if fit is None else fit.interpolation,
            fit is not None,
        )

    def _ignored_in(self, placement):
        if self._ignored is None:
            return None
        ignored = resize_labels(self._ignored, placement.image_size)
        if placement.region_only:
            ignored = placement.region(ignored)
        return resize_labels(ignored, placement.output_size)


def read_mask(path: str) -> np.ndarray:
    """Reads a mask image: bool (H, W), true where any channel is not black.

    Raises:
      ConfigError: the file is missing or no image.
    """
    try:
        return read_image(os.path.expanduser(path)).any(axis=2)
    except ImageError as error:
        raise ConfigError("mask image %s" % error)


def _turned(values, quarter_turns):
    if not quarter_turns:
        return values
    if values.ndim == 2 or values.shape[2] <= _MAX_OPENCV_CHANNELS:
        return cv2.rotate(values, _TURNS[quarter_turns]).reshape(
            _turned_shape(values, quarter_turns)
        )
    return np.ascontiguousarray(np.rot90(values, -quarter_turns))


def _turned_shape(values, quarter_turns):
    return _swapped(values.shape[:2], quarter_turns) + values.shape[2:]


def _swapped(size, quarter_turns):
    return (size[1], size[0]) if quarter_turns % 2 else tuple(size)
