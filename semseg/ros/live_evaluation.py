"""What a node's published labels are worth: scores, latency, headers and lost frames.

Pure bookkeeping by stamp; ``evaluator`` feeds it from topics.
"""

from typing import Any, Dict, Mapping, NamedTuple, Tuple

import numpy as np

from semseg.classes import ClassTable
from semseg.metrics import ConfusionMatrix
from semseg.runtime.geometry import resize_labels

PERCENTILES = (50, 95, 99)
PROTOCOL = (
    "labels published by the node against true labels of the same stamp, at the true labels' "
    "resolution; latency from the arrival of an image to the arrival of its labels"
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


class LiveEvaluation:
    """Collects camera images, labels and true labels of one playback, in any order.

    Args:
      classes: the classes of labels and true labels.
    """

    def __init__(self, classes: ClassTable):
        self._classes = classes
        self._confusion = ConfusionMatrix(classes.num_classes)
        self._images: Dict[int, Arrival] = {}
        self._answers: Dict[int, Arrival] = {}
        self._unscored_labels: Dict[int, np.ndarray] = {}
        self._unscored_truths: Dict[int, np.ndarray] = {}
        self._num_scored = 0

    def add_image(self, stamp: int, image: Arrival) -> None:
        """Notes that the camera sent an image; ``stamp`` in nanoseconds."""
        self._images[stamp] = image

    def add_labels(self, stamp: int, answer: Arrival, labels: np.ndarray) -> None:
        """Notes that the node published labels, uint8 (H, W)."""
        self._answers[stamp] = answer
        self._unscored_labels[stamp] = labels
        self._score(stamp)

    def add_truth(self, stamp: int, labels: np.ndarray) -> None:
        """Notes the true labels, uint8 (H, W) of any size, of the image of that stamp."""
        self._unscored_truths[stamp] = labels
        self._score(stamp)

    @property
    def num_unanswered(self) -> int:
        """Number of images that have no labels (yet)."""
        return len(set(self._images) - set(self._answers))

    def report(self, drops: Mapping[str, int], min_mean_iou: float = 0.0) -> Dict[str, Any]:
        """Sums up.

        Args:
          drops: reason -> number of frames that the node says it dropped for it.
          min_mean_iou: the least mean IoU, 0..1, that is good enough.

        Returns:
          JSON-ready report. ``passed`` is true if frames were answered, every answer has its
          image's stamp, frame_id and size, every missing answer has a reason, and the mean
          IoU is good enough.
        """
        header_errors = self._header_errors()
        unexplained = max(0, self.num_unanswered - sum(drops.values()))
        mean_iou = _number(self._confusion.mean_iou)
        good_enough = mean_iou is not None and mean_iou >= min_mean_iou
        return {
            "passed": good_enough and not header_errors and not unexplained,
            "protocol": PROTOCOL,
            "mean_iou": mean_iou,
            "min_mean_iou": min_mean_iou,
            "iou": dict(zip(self._classes.names, map(_number, self._confusion.iou))),
            "pixel_accuracy": _number(self._confusion.pixel_accuracy),
            "confusion": self._confusion.counts.tolist(),
            "frames": self._num_scored,
            "sent": len(self._images),
            "segmented": len(self._answers),
            "skipped": self.num_unanswered,
            "drops": dict(drops, unexplained=unexplained),
            "header_errors": header_errors,
            "latency_ms": self._latency_ms(),
        }

    def _score(self, stamp):
        if stamp in self._unscored_labels and stamp in self._unscored_truths:
            truth = self._unscored_truths.pop(stamp)
            labels = self._unscored_labels.pop(stamp)
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

    def _latency_ms(self):
        latencies = [
            1e3 * (answer.time_s - self._images[stamp].time_s)
            for stamp, answer in self._answers.items()
            if stamp in self._images
        ]
        if not latencies:
            return {"p%d" % percentile: None for percentile in PERCENTILES}
        return {
            "p%d" % percentile: round(float(np.percentile(latencies, percentile)), 2)
            for percentile in PERCENTILES
        }


def _number(value):
    """Returns a float for JSON; None stands for "not defined"."""
    return float(value) if np.isfinite(value) else None
