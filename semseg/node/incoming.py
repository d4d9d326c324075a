"""A camera's frame on its way to the network."""

from typing import Any, NamedTuple, Optional

import numpy as np

from semseg.runtime.images.view import Placement


class Frame(NamedTuple):
    """A camera message and when it arrived.

    Attributes:
      message: ``Image`` or ``CompressedImage``.
      arrival_s: ``time.monotonic()``.
      second: message of the second image, of models that see two.
    """

    message: Any
    arrival_s: float
    second: Any = None


class Prepared(NamedTuple):
    """A frame that can be segmented.

    Attributes:
      frame: where it is from.
      image: the camera's image, uint8 (H, W, 3) RGB.
      seen: what the network is to see of it, uint8 (h, w, 3) RGB.
      placement: how that lies in the image.
      durations_ms: what it took so far.
      second: the second image that the network is to see, or None.
    """

    frame: Frame
    image: np.ndarray
    seen: np.ndarray
    placement: Placement
    durations_ms: dict
    second: Optional[np.ndarray] = None
