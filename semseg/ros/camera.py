"""One camera of the node: what comes in, what goes out, and what became of each frame."""

import logging
import time
from typing import Any, Callable, NamedTuple, Optional

import numpy as np
import rospy

from semseg.classes import IGNORE, ClassTable
from semseg.errors import ImageError, SemsegError
from semseg.ros.admission import RateLimit, is_stale, stamp_age_s
from semseg.ros.camera_info import image_size, output_camera_info
from semseg.ros.masks import mask_classes
from semseg.ros.messages import image_from_message
from semseg.ros.options import NETWORK, CameraOptions
from semseg.ros.outputs import Result, outputs
from semseg.ros.publishers import CameraPublishers
from semseg.ros.rosout import Throttle
from semseg.ros.statistics import (
    AGE,
    END_TO_END,
    FAILED,
    IDLE,
    LIMITED,
    MALFORMED,
    RECEIVED,
    REPLACED,
    SEGMENTED,
    STALE,
    CameraStatistics,
)
from semseg.ros.stream import StreamWatch, is_believable
from semseg.ros.subscriptions import CameraSubscription
from semseg.runtime.view import Margins, Placement, View, read_mask

_log = logging.getLogger(__name__)

MAX_COMPLAINT = 300
"""Length of the longest warning about a message, in characters."""


class Frame(NamedTuple):
    """A camera message and when it arrived.

    Attributes:
      message: ``Image`` or ``CompressedImage``.
      arrival_s: ``time.monotonic()``.
    """

    message: Any
    arrival_s: float


class Prepared(NamedTuple):
    """A frame that can be segmented.

    Attributes:
      frame: where it is from.
      image: the camera's image, uint8 (H, W, 3) RGB.
      seen: what the network is to see of it, uint8 (h, w, 3) RGB.
      placement: how that lies in the image.
      durations_ms: what it took so far.
    """

    frame: Frame
    image: np.ndarray
    seen: np.ndarray
    placement: Placement
    durations_ms: dict


class Camera:
    """Receives one camera's frames and publishes their labels.

    Args:
      name: ``front`` subscribes ``front/image`` and publishes ``~front/labels`` and so on;
        the empty name subscribes ``image`` and publishes ``~labels``.
      options: how its frames are read, seen and answered.
      classes: the classes of the labels, for the masks.
      put: takes (camera name, frame) and returns the frame that it replaced, or None.
      changed: called when a listener came or went; ``follow_demand`` is due then.

    Attributes:
      images: the subscription of the images.
      statistics: what became of the frames.
      stream: what the messages show of the camera.
      enabled: whether frames are segmented at all.

    Raises:
      ConfigError: an option cannot be used.
    """

    def __init__(
        self,
        name: str,
        options: CameraOptions,
        classes: ClassTable,
        put: Callable[[str, Frame], Optional[Frame]],
        changed: Callable[[], None],
    ):
        self.name = name
        self.enabled = True
        self.statistics = CameraStatistics()
        self.stream = StreamWatch()
        self._options = options
        self._put = put
        self._limit = RateLimit(options.max_rate)
        self._throttle = Throttle()
        ignored = read_mask(options.ignore_mask) if options.ignore_mask else None
        self._view = View(Margins.parse(options.crop), options.rotation, ignored)
        masks = mask_classes(options.masks, options.groups, classes)
        prefix = name + "/" if name else ""
        self._publishers = CameraPublishers("~" + prefix, outputs(options, masks), changed)
        self.images = CameraSubscription(prefix + "image", options.transport, self._receive)

    @property
    def wanted(self) -> bool:
        """Whether this camera's frames are to be segmented: someone listens, and it may."""
        return self.enabled and self._publishers.wanted

    @property
    def probabilities_wanted(self) -> bool:
        """Whether anyone listens to the probabilities."""
        return self._publishers.probabilities_wanted

    def follow_demand(self) -> None:
        """Subscribes while frames are wanted, unsubscribes while not; one thread calls it."""
        wanted = self.wanted or self._options.keep_subscribed
        if wanted and not self.images.is_open:
            self.stream.reset()
            self.images.open()
        elif not wanted and self.images.is_open:
            self.images.close()

    def prepare(self, frame: Frame, segmenter: Any) -> Optional[Prepared]:
        """Decodes a frame and takes what the network is to see of it.

        Args:
          frame: a frame of this camera.
          segmenter: the one that is going to segment it.

        Returns:
          None if nobody waits for it any more, or it is too old.

        Raises:
          ImageError: the message cannot be read.
        """
        started = time.monotonic()
        stamp_s = frame.message.header.stamp.to_sec()
        if not self.wanted:
            self.statistics.count(IDLE)
            return None
        if is_stale(self._options.max_age, stamp_s, rospy.get_time()):
            self.statistics.count(STALE)
            return None
        image = image_from_message(frame.message, self._options.stretch)
        decoded = time.monotonic()
        placement = self._placement(image, segmenter)
        seen = placement.apply(image)
        durations_ms = {
            "wait": 1e3 * (started - frame.arrival_s),
            "decode": 1e3 * (decoded - started),
            "resize": 1e3 * (time.monotonic() - decoded),
        }
        return Prepared(frame, image, seen, placement, durations_ms)

    def publish(self, prepared: Prepared, segmentation: Any, classes: ClassTable) -> None:
        """Publishes what is listened to.

        Args:
          prepared: the frame.
          segmentation: the ``Segmentation`` of ``prepared.seen``.
          classes: the classes of its labels.
        """
        segmented = time.monotonic()
        header, placement = prepared.frame.message.header, prepared.placement
        backdrop = placement.backdrop(prepared.image, prepared.seen)
        restored = _restored(segmentation, placement, self._options.min_confidence)
        finished = time.monotonic()
        info = self._camera_info(header, placement)
        self._publishers.publish(Result(header, backdrop, restored, classes, info))
        published = time.monotonic()
        self.statistics.count(SEGMENTED)
        timing, durations_ms = segmentation.timing, prepared.durations_ms
        durations_ms["resize"] += timing.resize_ms
        durations_ms["inference"] = timing.inference_ms
        durations_ms["restore"] = timing.restore_ms + 1e3 * (finished - segmented)
        durations_ms["publish"] = 1e3 * (published - finished)
        durations_ms[AGE] = 1e3 * (published - prepared.frame.arrival_s)
        age_s = stamp_age_s(header.stamp.to_sec(), rospy.get_time())
        if age_s is not None and is_believable(age_s):
            durations_ms[END_TO_END] = 1e3 * age_s
        self.statistics.add_durations(durations_ms)

    def reject(self, error: SemsegError) -> None:
        """Counts a frame that could not be segmented, and names the reason once in a while."""
        self.statistics.count(MALFORMED if isinstance(error, ImageError) else FAILED)
        # The text quotes the message's own fields, which may be anything of any length.
        complaint = " ".join(str(error).split())[:MAX_COMPLAINT]
        if self._throttle.passes(self.name, complaint):
            _log.warning("%s: %s", self.images.topic, complaint)

    def _receive(self, message):
        # Runs in rospy's receive thread: while it runs, the camera's socket is not read.
        arrival_s = time.monotonic()
        self.statistics.count(RECEIVED)
        self.stream.observe(message, arrival_s, rospy.get_time())
        if not self.wanted:
            self.statistics.count(IDLE)
        elif not self._limit.passes(arrival_s):
            self.statistics.count(LIMITED)
        elif self._put(self.name, Frame(message, arrival_s)) is not None:
            self.statistics.count(REPLACED)

    def _placement(self, image, segmenter):
        size = image.shape[:2]
        if self._options.output_size != NETWORK:
            return self._view.placed(size)
        return self._view.placed(size, segmenter.fit(self._view.seen_size(size)))

    def _camera_info(self, header, placement):
        info = self.images.newest_info
        if info is None or image_size(info) != placement.image_size:
            return None
        return output_camera_info(info, header, placement)


def _restored(segmentation, placement, min_confidence):
    """Brings a segmentation to the outputs' size; what is too uncertain becomes void."""
    labels, confidence = segmentation.labels, segmentation.confidence
    if min_confidence:
        labels = np.where(confidence < min_confidence, np.uint8(IGNORE), labels)
    probabilities = segmentation.probabilities
    return segmentation._replace(
        labels=placement.restore_labels(labels),
        confidence=placement.restore(confidence, 0),
        probabilities=None if probabilities is None else placement.restore(probabilities, 0),
    )
