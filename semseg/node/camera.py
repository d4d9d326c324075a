"""One camera of the node: what comes in, what goes out, and what became of each frame."""

import logging
import re
import time
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

import numpy as np

from semseg.classes import IGNORE, ClassTable
from semseg.errors import ConfigError, ImageError, SemsegError
from semseg.node.masks import mask_classes
from semseg.node.models import Model
from semseg.node.options import NETWORK, CameraOptions
from semseg.node.ports import Clock, Receiver, Result, Sink, Source
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
from semseg.runtime.graph.frozen_graph import DISPARITY
from semseg.runtime.images.view import Margins, Placement, View, read_mask

_log = logging.getLogger(__name__)

MAX_COMPLAINT = 300
"""Length of the longest warning about a message, in characters."""


class CameraFrame(NamedTuple):
    """A camera message and when it arrived.

    Attributes:
      message: as the camera's source delivered it.
      stamp_s: its stamp, see ``ports.Facts``.
      arrival_s: ``time.monotonic()``.
      second: message of the second image, of models that see two.
    """

    message: Any
    stamp_s: float
    arrival_s: float
    second: Any = None


class PreparedFrame(NamedTuple):
    """A frame that can be segmented.

    Attributes:
      frame: where it is from.
      image: the camera's image, uint8 (H, W, 3) RGB.
      seen: what the network is to see of it, uint8 (h, w, 3) RGB.
      placement: how that lies in the image.
      durations_ms: what it took so far.
      second: the second image that the network is to see, or None.
    """

    frame: CameraFrame
    image: np.ndarray
    seen: np.ndarray
    placement: Placement
    durations_ms: dict
    second: Optional[np.ndarray] = None


class Throttle:
    """Lets one complaint of each kind through per period.

    Complaints are of one kind if they begin alike, up to the first number or quoted word: a
    stream of ever different nonsense must neither flood the log nor fill the memory.

    Args:
      period_s: seconds that follow a complaint without another of its kind.
      clock: gives the time in seconds.
    """

    def __init__(self, period_s: float = 10.0, clock: Callable[[], float] = time.monotonic):
        self._period_s = period_s
        self._clock = clock
        self._last: Dict[Tuple[str, str], float] = {}

    def passes(self, source: str, complaint: str) -> bool:
        """Returns whether it is the source's first complaint of this kind in the period."""
        kind = source, re.split(r"[0-9'\"]", complaint, maxsplit=1)[0]
        now = self._clock()
        if now - self._last.get(kind, -self._period_s) < self._period_s:
            return False
        self._last[kind] = now
        return True


class Camera(Receiver):
    """Takes one camera's frames in and has their labels published.

    Args:
      name: empty for the only one.
      options: how its frames are seen and answered.
      model: the node's model: its classes, for the masks, and its second input.
      source: where the frames come from.
      sink: where the results go.
      put: takes (camera name, frame) and returns the frame that it replaced, or None.
      clock: the middleware's.

    Attributes:
      source: the argument.
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
        *,
        source: Source,
        sink: Sink,
        put: Callable[[str, CameraFrame], Optional[CameraFrame]],
        clock: Clock,
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
        mask_classes(options.masks, options.groups, model.segmenter.classes)  # Are they right?
        self._second = model.second
        if self._second is not None and options.rotation:
            raise ConfigError("parameter ~rotation: a model with a second input sees upright pairs")
        self._sink = sink
        self._clock = clock
        self.source = source
        source.deliver_to(self)

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
        return self.enabled and self._sink.wanted

    @property
    def probabilities_wanted(self) -> bool:
        """Whether anyone listens to the probabilities."""
        return self._sink.probabilities_wanted

    @property
    def confidence_wanted(self) -> bool:
        """Whether labels depend on their confidence, or anyone listens to it."""
        return bool(self._options.min_confidence) or self._sink.confidence_wanted

    def follow_demand(self) -> None:
        """Subscribes while frames are wanted, unsubscribes while not; one thread calls it."""
        wanted = self.wanted or self._options.keep_subscribed
        if wanted and not self.source.is_open:
            self.stream.reset()
            self.source.open()
        elif not wanted and self.source.is_open:
            self.source.close()

    def prepare(self, frame: CameraFrame, segmenter: Any) -> Optional[PreparedFrame]:
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
        if not self.wanted:
            self.statistics.count(IDLE)
            return None
        if is_stale(self._options.max_age, frame.stamp_s, self._clock()):
            self.statistics.count(STALE)
            return None
        image = self.source.image(frame.message)
        decoded = time.monotonic()
        placement = self._placement(image, segmenter)
        seen = placement.apply(image)
        second = self._seen_second(frame.second, placement)
        durations_ms = {
            "wait": 1e3 * (started - frame.arrival_s),
            "decode": 1e3 * (decoded - started),
            "resize": 1e3 * (time.monotonic() - decoded),
        }
        return PreparedFrame(frame, image, seen, placement, durations_ms, second)

    def publish(self, prepared: PreparedFrame, segmentation: Any, classes: ClassTable) -> None:
        """Publishes what is listened to.

        Args:
          prepared: the frame.
          segmentation: the ``Segmentation`` of ``prepared.seen``.
          classes: the classes of its labels.
        """
        segmented = time.monotonic()
        frame, placement = prepared.frame, prepared.placement
        backdrop = placement.backdrop(prepared.image, prepared.seen)
        restored = _restored(segmentation, placement, self._options.min_confidence)
        finished = time.monotonic()
        self._sink.publish(Result(frame.message, backdrop, restored, classes, placement))
        published = time.monotonic()
        self.statistics.count(SEGMENTED)
        timing, durations_ms = segmentation.timing, prepared.durations_ms
        durations_ms["resize"] += timing.resize_ms
        durations_ms["inference"] = timing.inference_ms
        durations_ms["restore"] = timing.restore_ms + 1e3 * (finished - segmented)
        durations_ms["publish"] = 1e3 * (published - finished)
        durations_ms[AGE] = 1e3 * (published - frame.arrival_s)
        age_s = stamp_age_s(frame.stamp_s, self._clock())
        if age_s is not None and is_believable(age_s):
            durations_ms[END_TO_END] = 1e3 * age_s
        self.statistics.add_durations(durations_ms)

    def reject(self, error: SemsegError) -> None:
        """Counts a frame that could not be segmented, and names the reason once in a while."""
        self.statistics.count(MALFORMED if isinstance(error, ImageError) else FAILED)
        # The text quotes the message's own fields, which may be anything of any length.
        complaint = " ".join(str(error).split())[:MAX_COMPLAINT]
        if self._throttle.passes(self.name, complaint):
            _log.warning("%s: %s", self.source.topic, complaint)

    def observe(self, message: Any) -> None:
        """Takes note of every image that comes."""
        self.statistics.count(RECEIVED)
        self.stream.observe(self.source.facts(message), time.monotonic(), self._clock())

    def offer(self, message: Any, second: Any = None) -> None:
        """Leaves an image for the worker, if it is wanted and not one too many."""
        arrival_s = time.monotonic()
        if not self.wanted:
            self.statistics.count(IDLE)
        elif not self._limit.passes(arrival_s):
            self.statistics.count(LIMITED)
        else:
            stamp_s = self.source.facts(message).stamp_s
            frame = CameraFrame(message, stamp_s, arrival_s, second)
            if self._put(self.name, frame) is not None:
                self.statistics.count(REPLACED)

    def miss(self) -> None:
        """Takes note of an image for which no second image came."""
        self.statistics.count(UNPAIRED)

    def _seen_second(self, message, placement):
        if message is None:
            return None
        is_disparity = self._second == DISPARITY
        decode = self.source.disparity if is_disparity else self.source.image
        second = decode(message)
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
