"""What a node's published labels are worth: scores, latency, age, rate, headers and lost frames.

Pure bookkeeping by stamp; ``evaluator`` feeds it from topics.
"""

import logging
from collections import OrderedDict
from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from semseg.classes import ClassTable
from semseg.metrics import ConfusionMatrix
from semseg.runtime.images.geometry import resize_labels

_log = logging.getLogger(__name__)

MAX_WAITING_BYTES = 128 * 2**20
"""So much the labels may take that wait for their truth, and as much the truths that wait for
their labels: 14 seconds of 640x480 at 30 Hz. Of what never comes, nothing else would free them."""
PERCENTILES = (50, 95, 99)
PROTOCOL = (
    "labels published by the node against true labels of the same stamp, at the true labels' "
    "resolution; latency from the arrival of an image to the arrival of its labels; age of the "
    "newest labels, counted from the arrival of their image, at the moment when the next ones come"
)


class Arrival(NamedTuple):
    """What an image and its labels must have in common, and when one of them arrived.

    Attributes:
      frame_id: of the header.
      size: (height, width).
      time_s: clock of arrival, in seconds.
    """

    frame_id: str
    size: Tuple[int, int]
    time_s: float


class Bars(NamedTuple):
    """What is good enough.

    Attributes:
      labelled: whether there are true labels; if not, no score is demanded.
      min_miou: the least mean IoU, 0..1.
      max_latency: the longest latency, in seconds, that 95 % of the labels keep to; 0: any.
    """

    labelled: bool = True
    min_miou: float = 0.0
    max_latency: float = 0.0


class _Waiting:
    """Label images by stamp; the oldest give way when all of them take more than ``max_bytes``."""

    def __init__(self, kind: str, max_bytes: int):
        self._kind = kind
        self._max_bytes = max_bytes
        self._num_bytes = 0
        self._images: "OrderedDict[int, np.ndarray]" = OrderedDict()
        self._has_dropped = False

    def __contains__(self, stamp: int) -> bool:
        return stamp in self._images

    def add(self, stamp: int, labels: np.ndarray) -> None:
        self.take(stamp)
        self._images[stamp] = labels
        self._num_bytes += labels.nbytes
        while self._num_bytes > self._max_bytes and len(self._images) > 1:
            self.take(next(iter(self._images)))
            if not self._has_dropped:
                self._has_dropped = True
                _log.warning("%s wait for their partners in vain; the oldest are left", self._kind)

    def take(self, stamp: int) -> Optional[np.ndarray]:
        labels = self._images.pop(stamp, None)
        self._num_bytes -= 0 if labels is None else labels.nbytes
        return labels


class LiveEvaluation:
    """Collects camera images, labels and true labels of one playback, in any order.

    Args:
      classes: the classes of labels and true labels.
      labelled: whether true labels come at all; if not, labels are not kept for them.
      max_waiting_bytes: see ``MAX_WAITING_BYTES``.
    """

    def __init__(
        self,
        classes: ClassTable,
        labelled: bool = True,
        max_waiting_bytes: int = MAX_WAITING_BYTES,
    ):
        self._classes = classes
        self._confusion = ConfusionMatrix(classes.num_classes)
        self._images: Dict[int, Arrival] = {}
        self._answers: Dict[int, Arrival] = {}
        self._labelled = labelled
        self._unscored_labels = _Waiting("published labels", max_waiting_bytes)
        self._unscored_truths = _Waiting("true labels", max_waiting_bytes)
        self._num_scored = 0

    def add_image(self, stamp: int, image: Arrival) -> None:
        """Notes that the camera sent an image; ``stamp`` in nanoseconds."""
        self._images[stamp] = image

    def add_labels(self, stamp: int, answer: Arrival, labels: np.ndarray) -> None:
        """Notes that the node published labels, uint8 (H, W)."""
        self._answers[stamp] = answer
        if self._labelled:
            self._unscored_labels.add(stamp, labels)
            self._score(stamp)

    def add_truth(self, stamp: int, labels: np.ndarray) -> None:
        """Notes the true labels, uint8 (H, W) of any size, of the image of that stamp."""
        self._unscored_truths.add(stamp, labels)
        self._score(stamp)

    @property
    def num_unanswered(self) -> int:
        """Number of images that have no labels (yet)."""
        return len(set(self._images) - set(self._answers))

    def report(self, drops: Mapping[str, int], bars: Bars) -> Dict[str, Any]:
        """Sums up.

        Args:
          drops: reason -> number of frames that the node says it dropped for it.
          bars: what is good enough.

        Returns:
          JSON-ready report. ``passed`` is true if frames were answered, every answer has its
          image's stamp, frame_id and size, every missing answer has a reason, and the mean
          IoU and the latency are good enough.
        """
        header_errors = self._header_errors()
        unexplained = max(0, self.num_unanswered - sum(drops.values()))
        flawless = bool(self._answers) and not header_errors and not unexplained
        return {
            "passed": flawless and self._is_good_enough(bars),
            "protocol": PROTOCOL,
            "mean_iou": _number(self._confusion.mean_iou),
            "min_mean_iou": bars.min_miou if bars.labelled else None,
            "iou": dict(zip(self._classes.names, map(_number, self._confusion.iou))),
            "pixel_accuracy": _number(self._confusion.pixel_accuracy),
            "confusion": self._confusion.counts.tolist(),
            "frames": self._num_scored,
            "sent": len(self._images),
            "segmented": len(self._answers),
            "skipped": self.num_unanswered,
            "drops": dict(drops, unexplained=unexplained),
            "header_errors": header_errors,
            "latency_ms": _percentiles(self._latencies_ms()),
            "max_latency_ms": 1e3 * bars.max_latency or None,
            "age_ms": _percentiles(self._ages_ms()),
            "rate_hz": {
                "images": _rate_hz(self._images.values()),
                "labels": _rate_hz(self._answers.values()),
            },
        }

    def _is_good_enough(self, bars):
        mean_iou = self._confusion.mean_iou
        if bars.labelled and not mean_iou >= bars.min_miou:  # NaN is not good enough either.
            return False
        slowest_ms = np.percentile(self._latencies_ms() or [np.inf], 95)
        return not bars.max_latency or bool(slowest_ms <= 1e3 * bars.max_latency)

    def _score(self, stamp):
        if stamp in self._unscored_labels and stamp in self._unscored_truths:
            truth, labels = self._unscored_truths.take(stamp), self._unscored_labels.take(stamp)
            assert truth is not None and labels is not None
            height, width = truth.shape
            self._confusion.update(truth, resize_labels(labels, (height, width)))
            self._num_scored += 1

    def _header_errors(self):
        errors = []
        for stamp, answer in sorted(self._answers.items()):
            image = self._images.get(stamp)
            if image is None:
                errors.append("stamp %d: no image has it" % stamp)
            elif answer.frame_id != image.frame_id:
                errors.append(
                    "stamp %d: frame_id '%s', its image has '%s'"
                    % (stamp, answer.frame_id, image.frame_id)
                )
            elif answer.size != image.size:
                errors.append(
                    "stamp %d: %dx%d, its image is %dx%d" % ((stamp,) + answer.size + image.size)
                )
        return errors

    def _latencies_ms(self):
        return [
            1e3 * (answer.time_s - self._images[stamp].time_s)
            for stamp, answer in self._answers.items()
            if stamp in self._images
        ]

    def _ages_ms(self):
        """Age that each labels have reached when the next ones come.

        Source: the peak age of information of Costa, Codreanu and Ephremides 2016, "On the age of
        information in status update systems with packet management". Unlike the latency it
        grows with every frame that is dropped.
        """
        answers = sorted(
            (answer.time_s, self._images[stamp].time_s)
            for stamp, answer in self._answers.items()
            if stamp in self._images
        )
        return [1e3 * (after - taken) for (_, taken), (after, _) in zip(answers, answers[1:])]


def _percentiles(values):
    return {
        "p%d" % percentile: round(float(np.percentile(values, percentile)), 2) if values else None
        for percentile in PERCENTILES
    }


def _rate_hz(arrivals: Iterable[Arrival]):
    """Returns the mean number of arrivals a second; None for less than two."""
    times = [arrival.time_s for arrival in arrivals]
    span = max(times) - min(times) if times else 0.0
    return round((len(times) - 1) / span, 3) if span > 0 else None


def _number(value):
    """Returns a float for JSON; None stands for "not defined"."""
    return float(value) if np.isfinite(value) else None
