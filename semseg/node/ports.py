"""What a middleware must bring: a clock, sources of frames, publishers of results.

``semseg.ros`` implements them for ROS 1. Anything with these methods will do; a test gives plain
Python objects.
"""

from typing import Any, Callable, NamedTuple

import numpy as np

from semseg.classes import ClassTable
from semseg.runtime.images.view import Placement

Clock = Callable[[], float]
"""The middleware's time in seconds: that of stamps. It may be simulated, stand still, or jump
back; 0 before there is any."""


class Facts(NamedTuple):
    """What a message says beside its pixels.

    Attributes:
      stamp_s: when the image was taken, by the middleware's clock; 0 if the camera does not tell.
      frame_id: the camera's coordinate frame.
      data: the encoded pixels, compared with those of the next message and never read.
    """

    stamp_s: float
    frame_id: str
    data: Any


class Result(NamedTuple):
    """One segmented camera frame.

    Attributes:
      message: the camera's message, as its source delivered it.
      image: RGB, uint8 (H, W, 3): the camera's image, at the outputs' size.
      segmentation: its ``runtime.Segmentation``, of the same size.
      classes: the classes of its labels.
      placement: how the outputs lie in the camera's image.
    """

    message: Any
    image: np.ndarray
    segmentation: Any
    classes: ClassTable
    placement: Placement


class Receiver:
    """What a source delivers to; its methods must return at once."""

    def observe(self, message: Any) -> None:
        """Takes note of every image that comes."""
        raise NotImplementedError

    def offer(self, message: Any, second: Any = None) -> None:
        """Takes an image to be segmented, with its second image if the model sees two."""
        raise NotImplementedError

    def miss(self) -> None:
        """Takes note of an image for which no second image came."""
        raise NotImplementedError


class Source:
    """The images of one camera; nothing comes while it is not open.

    Attributes:
      topic: where they come from, as complaints name it.
      second_topic: where the second images come from; empty without.
      info_complaint: why the newest frame's labels have no camera info; empty if they have it, or
        none came.
      unfit_infos: number of frames whose camera info was of another size.
    """

    topic: str
    second_topic: str
    info_complaint: str = ""
    unfit_infos: int = 0

    @property
    def is_open(self) -> bool:
        """Whether images are asked for."""
        raise NotImplementedError

    @property
    def num_publishers(self) -> int:
        """Number of publishers of images that are connected."""
        raise NotImplementedError

    def hint(self) -> str:
        """Returns why nobody is connected, where that can be told; empty if not."""
        raise NotImplementedError

    def deliver_to(self, receiver: Receiver) -> None:
        """Says who gets the messages; called once, before ``open``."""
        raise NotImplementedError

    def open(self) -> None:
        """Asks for images."""
        raise NotImplementedError

    def close(self) -> None:
        """Asks for no more."""
        raise NotImplementedError

    def facts(self, message: Any) -> Facts:
        """Returns what a message says beside its pixels."""
        raise NotImplementedError

    def image(self, message: Any) -> np.ndarray:
        """Decodes a message: uint8 (H, W, 3) RGB; raises ``ImageError`` if it cannot be read."""
        raise NotImplementedError

    def disparity(self, message: Any) -> np.ndarray:
        """Decodes a second message: float32 (H, W), 0 unknown; raises ``ImageError``."""
        raise NotImplementedError


class Sink:
    """Where one camera's results go."""

    @property
    def wanted(self) -> bool:
        """Whether anyone listens to an output that needs inference."""
        raise NotImplementedError

    @property
    def probabilities_wanted(self) -> bool:
        """Whether anyone listens to the probabilities."""
        raise NotImplementedError

    @property
    def confidence_wanted(self) -> bool:
        """Whether anyone listens to the confidence."""
        raise NotImplementedError

    def publish(self, result: Result) -> None:
        """Publishes what is listened to."""
        raise NotImplementedError
