"""One camera of the node: what comes in, what goes out, and what became of each frame."""

import time
from typing import Any, Callable, NamedTuple, Optional

from semseg.classes import ClassTable
from semseg.ros.messages import image_from_message
from semseg.ros.publishers import CameraPublishers, Result
from semseg.ros.statistics import AGE, IDLE, RECEIVED, REPLACED, SEGMENTED, CameraStatistics
from semseg.ros.subscriptions import CameraInfoSubscription, ImageSubscription


class Frame(NamedTuple):
    """A camera message and when it arrived.

    Attributes:
      message: ``Image`` or ``CompressedImage``.
      arrival: ``time.monotonic()`` in seconds.
    """

    message: Any
    arrival: float


class Camera:
    """Receives one camera's frames and publishes their labels.

    Args:
      name: ``front`` subscribes ``front/image`` and publishes ``~front/labels`` and so on;
        the empty name subscribes ``image`` and publishes ``~labels``.
      transport: ``raw`` or ``compressed``.
      put: takes (camera name, frame) and returns the frame that it replaced, or None; called
        with each frame while someone listens to the labels.
      classes: the classes of the labels.
      overlay_alpha: weight of the colours in the overlay, 0..1.

    Attributes:
      images: the subscription of the images.
      statistics: what became of the frames.
      last_arrival: ``time.monotonic()`` of the newest frame; None before the first.

    Raises:
      ConfigError: the transport is unknown, or the weight out of its range.
    """

    def __init__(
        self, name: str, transport: str, put: Callable, classes: ClassTable, overlay_alpha: float
    ):
        self.name = name
        self.statistics = CameraStatistics()
        self.last_arrival: Optional[float] = None
        self._put = put
        prefix = name + "/" if name else ""
        self._publishers = CameraPublishers("~" + prefix, classes, overlay_alpha)
        self._camera_info = CameraInfoSubscription(prefix + "image")
        # Last: frames may arrive as soon as it exists.
        self.images = ImageSubscription(prefix + "image", transport, self._receive)

    @property
    def wanted(self) -> bool:
        """Whether anyone listens to this camera's labels in any form."""
        return self._publishers.wanted

    def segment(self, frame: Frame, segmenter: Any) -> None:
        """Segments a frame and publishes what is listened to.

        Raises:
          ImageError: the message cannot be read.
          EngineError: the engine cannot run on it.
        """
        if not self.wanted:
            self.statistics.count(IDLE)
            return
        started = time.monotonic()
        image = image_from_message(frame.message)
        decoded = time.monotonic()
        segmentation = segmenter.segment(image, probabilities=self._publishers.probabilities_wanted)
        segmented = time.monotonic()
        self._publishers.publish(
            Result(frame.message.header, image, segmentation, self._camera_info.newest)
        )
        published = time.monotonic()
        self.statistics.count(SEGMENTED)
        self.statistics.add_durations(
            {
                AGE: 1e3 * (published - frame.arrival),
                "wait": 1e3 * (started - frame.arrival),
                "decode": 1e3 * (decoded - started),
                "resize": segmentation.timing.resize_ms,
                "inference": segmentation.timing.inference_ms,
                "restore": segmentation.timing.restore_ms,
                "publish": 1e3 * (published - segmented),
            }
        )

    def _receive(self, message):
        # Runs in rospy's receive thread: while it runs, the camera's socket is not read.
        arrival = self.last_arrival = time.monotonic()
        self.statistics.count(RECEIVED)
        if not self.wanted:
            self.statistics.count(IDLE)
        elif self._put(self.name, Frame(message, arrival)) is not None:
            self.statistics.count(REPLACED)
