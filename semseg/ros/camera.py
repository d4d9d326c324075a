"""One camera of the node: what comes in, what goes out, and what became of each frame."""

import logging
import time
from typing import Any, Callable, Optional

import numpy as np
import rospy

from semseg.classes import IGNORE, ClassTable
from semseg.errors import ConfigError, ImageError, SemsegError
from semseg.node.incoming import Frame, Prepared
from semseg.node.masks import mask_classes
from semseg.node.models import Model
from semseg.node.options import NETWORK, RAW, CameraOptions
from semseg.node.statistics import (
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
    UNPAIRED,
    CameraStatistics,
)
from semseg.node.stream import RateLimit, StreamWatch, is_believable, is_stale, stamp_age_s
from semseg.ros.camera_info import image_size, output_camera_info
from semseg.ros.entry import Throttle
from semseg.ros.messages import disparity_from_message, image_from_message
from semseg.ros.outputs import CameraPublishers, Result, outputs
from semseg.ros.stereo_pairs import Pairing
from semseg.ros.subscriptions import CameraSubscription, ImageTopic
from semseg.runtime.graph.frozen_graph import DISPARITY
from semseg.runtime.images.view import Margins, View, read_mask

_log = logging.getLogger(__name__)

MAX_COMPLAINT = 300
"""Length of the longest warning about a message, in characters."""


class Camera:
    """Receives one camera's frames and publishes their labels.

    Args:
      name: ``front`` subscribes ``front/image`` and publishes ``~front/labels`` and so on;
        the empty name subscribes ``image`` and publishes ``~labels``.
      options: how its frames are read, seen and answered.
      model: the node's model: its classes, for the masks, and its second input.
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
        model: Model,
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
        masks = mask_classes(options.masks, options.groups, model.segmenter.classes)
        prefix = name + "/" if name else ""
        self._publishers = CameraPublishers("~" + prefix, outputs(options, masks), changed)
        self._second = model.second
        self.images = self._subscription(prefix)

    def check(self, model: Model) -> None:
        """Checks that a model can take the place of the one that the camera began with.

        Raises:
          ConfigError: it lacks a class that has a mask, or sees other second images.
        """
        mask_classes(self._options.masks, self._options.groups, model.segmenter.classes)
        if model.second != self._second:
            raise ConfigError(
                "%s sees %s, the cameras were started with %s"
                % (model.name, _inputs_text(model.second), _inputs_text(self._second))
            )

    @property
    def wanted(self) -> bool:
        """Whether this camera's frames are to be segmented: someone listens, and it may."""
        return self.enabled and self._publishers.wanted

    @property
    def probabilities_wanted(self) -> bool:
        """Whether anyone listens to the probabilities."""
        return self._publishers.probabilities_wanted

    @property
    def confidence_wanted(self) -> bool:
        """Whether labels depend on their confidence, or anyone listens to it."""
        return bool(self._options.min_confidence) or self._publishers.confidence_wanted

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
        second = self._seen_second(frame.second, placement)
        durations_ms = {
            "wait": 1e3 * (started - frame.arrival_s),
            "decode": 1e3 * (decoded - started),
            "resize": 1e3 * (time.monotonic() - decoded),
        }
        return Prepared(frame, image, seen, placement, durations_ms, second)

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

    def _subscription(self, prefix):
        transport = self._options.transport
        if self._second is None:
            return CameraSubscription(prefix + "image", transport, self._receive)
        if self._options.rotation:
            raise ConfigError("parameter ~rotation: a model with a second input sees upright pairs")
        pairing = Pairing(
            self._options.sync_slop, self._offer, lambda: self.statistics.count(UNPAIRED)
        )
        kind = RAW if self._second == DISPARITY else transport  # JPEG would ruin disparities.
        second = ImageTopic.resolve(prefix + self._second, kind)

        def receive(message):
            self._observe(message)
            pairing.add_first(message)

        return CameraSubscription(prefix + "image", transport, receive, second, pairing.add_second)

    def _receive(self, message):
        # Runs in rospy's receive thread: while it runs, the camera's socket is not read.
        self._observe(message)
        self._offer(message)

    def _observe(self, message):
        self.statistics.count(RECEIVED)
        self.stream.observe(message, time.monotonic(), rospy.get_time())

    def _offer(self, message, second=None):
        arrival_s = time.monotonic()
        if not self.wanted:
            self.statistics.count(IDLE)
        elif not self._limit.passes(arrival_s):
            self.statistics.count(LIMITED)
        elif self._put(self.name, Frame(message, arrival_s, second)) is not None:
            self.statistics.count(REPLACED)

    def _seen_second(self, message, placement):
        if message is None:
            return None
        is_disparity = self._second == DISPARITY
        second = (
            disparity_from_message(message)
            if is_disparity
            else image_from_message(message, self._options.stretch)
        )
        if second.shape[:2] != placement.image_size:
            raise ImageError(
                "the second image is %dx%d, the first %dx%d; both must be of one size"
                % (second.shape[:2] + placement.image_size)
            )
        return placement.apply_disparity(second) if is_disparity else placement.apply(second)

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


def _inputs_text(second):
    return "one image" if second is None else "image and " + second


def _restored(segmentation, placement, min_confidence):
    """Brings a segmentation to the outputs' size; what is too uncertain becomes void."""
    labels, confidence = segmentation.labels, segmentation.confidence
    if min_confidence:
        labels = np.where(confidence < min_confidence, np.uint8(IGNORE), labels)
    probabilities = segmentation.probabilities
    return segmentation._replace(
        labels=placement.restore_labels(labels),
        confidence=None if confidence is None else placement.restore(confidence, 0),
        probabilities=None if probabilities is None else placement.restore(probabilities, 0),
    )
