"""Compares a segmenter's labels with the true ones, and watches it where none are known."""

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
from tqdm import tqdm

from semseg.classes import IGNORE, ClassTable
from semseg.data.class_map import ClassMap
from semseg.errors import ImageError
from semseg.evaluation.frames import Frame, Unreadable
from semseg.evaluation.report import FrameScore, Report
from semseg.metrics import ConfusionMatrix
from semseg.runtime import Segmentation
from semseg.runtime.geometry import Size, resize_labels

_LEAST_PROBABILITY = 1e-7


class ImageSegmenter(Protocol):
    """What can be evaluated: ``semseg.runtime.Segmenter``, or anything with these two."""

    @property
    def classes(self) -> ClassTable:
        """Names and colours of the labels."""

    def segment(
        self, image: np.ndarray, second: None = None, probabilities: bool = False
    ) -> Segmentation:
        """Labels an RGB image; labels, confidence and probabilities have the image's size."""


class Evaluation:
    """Scores one frame after the other; memory does not grow with their pixels.

    Args:
      segmenter: what is evaluated.
      class_map: from the segmenter's classes to those of the truth; None if they are the same.
      with_loss: whether to compute the cross-entropy too, for which the segmenter has to return
        all probabilities; that is slower, and the latencies then include it.
    """

    def __init__(
        self,
        segmenter: ImageSegmenter,
        *,
        class_map: ClassMap | None = None,
        with_loss: bool = False,
    ) -> None:
        self._segmenter = segmenter
        self._map = class_map or ClassMap.create(segmenter.classes, segmenter.classes)
        self._membership = self._map.membership()
        self._with_loss = with_loss
        self._confusion = ConfusionMatrix(self._map.classes.num_classes)
        self._loss_sum = 0.0
        self._scores: list[FrameScore] = []
        self._skipped: list[Unreadable] = []
        self._truth_sizes: set[Size] = set()

    def skip(self, frame: Unreadable) -> None:
        """Counts a frame that could not be read."""
        self._skipped.append(frame)

    def add(self, frame: Frame) -> Segmentation | None:
        """Segments and scores a frame; returns None if that failed, which counts as skipped."""
        try:
            result = self._segmenter.segment(
                frame.image, probabilities=self._with_loss and frame.labels is not None
            )
            self._scores.append(self._score(frame, result))
        except ImageError as error:
            self.skip(Unreadable(frame.name, str(error)))
            return None
        return result

    def report(self, source: str = "", min_mean_iou: float | None = None) -> Report:
        """Returns the scores so far.

        Args:
          source: what was evaluated, such as ``camvid val``; opens the protocol line.
          min_mean_iou: the bar below which the report has not passed, 0..1.
        """
        scored_pixels = self._confusion.counts.sum()
        return Report(
            classes=self._map.classes,
            confusion=self._confusion,
            loss=self._loss_sum / scored_pixels if self._with_loss and scored_pixels else None,
            frames=self._scores,
            skipped=self._skipped,
            truth_sizes=sorted(self._truth_sizes),
            source=source,
            min_mean_iou=min_mean_iou,
        )

    def _score(self, frame: Frame, result: Segmentation) -> FrameScore:
        predicted = self._map.table[result.labels]
        confusion = ConfusionMatrix(self._map.classes.num_classes)
        if frame.labels is not None:
            size = _truth_size(frame.image, frame.labels)
            confusion.update(frame.labels, resize_labels(predicted, size))
            self._confusion.merge(confusion)
            self._truth_sizes.add(size)
            if result.probabilities is not None:
                probabilities = resize_labels(result.probabilities, size)
                self._loss_sum += self._cross_entropy(frame.labels, probabilities)
        pixels = np.bincount(predicted.ravel(), minlength=256)[: self._map.classes.num_classes]
        return FrameScore(
            name=frame.name,
            stamp_ns=frame.stamp_ns,
            timing=result.timing,
            confidence=float(result.confidence.mean(dtype=np.float64)),
            class_share=pixels / predicted.size,
            mean_iou=confusion.mean_iou,
            pixel_accuracy=confusion.pixel_accuracy,
        )

    def _cross_entropy(self, labels: np.ndarray, probabilities: np.ndarray) -> float:
        """Returns the sum over the scored pixels of -log(probability of the true class)."""
        scored = labels != IGNORE
        truth = labels[scored]  # (P,)
        members = self._membership[truth, : probabilities.shape[2]]  # (P, C)
        of_truth = np.einsum("pc,pc->p", probabilities[scored], members)
        return float(-np.log(of_truth.clip(_LEAST_PROBABILITY)).sum(dtype=np.float64))


def evaluate(
    segmenter: ImageSegmenter,
    frames: Iterable[Frame | Unreadable],
    *,
    source: str = "",
    class_map: ClassMap | None = None,
    with_loss: bool = False,
    min_mean_iou: float | None = None,
    save: Callable[[Frame, np.ndarray], None] | None = None,
) -> Report:
    """Evaluates a segmenter on frames, at the resolution of the truth.

    Predictions are brought to the size of the true labels by index tables. Frames without truth
    count for latency, confidence and class shares. A frame that cannot be read or scored is named
    in the report, and the run goes on.

    Args:
      segmenter: what is evaluated.
      frames: from ``semseg.evaluation.sources``.
      source: as in ``Evaluation.report``.
      class_map: as in ``Evaluation``.
      with_loss: as in ``Evaluation``.
      min_mean_iou: as in ``Evaluation.report``.
      save: called with each frame and its labels, of the segmenter's classes and the image's size.

    Returns:
      The report.
    """
    evaluation = Evaluation(segmenter, class_map=class_map, with_loss=with_loss)
    for frame in tqdm(frames, desc="evaluate", unit="frame"):
        if isinstance(frame, Unreadable):
            evaluation.skip(frame)
            continue
        result = evaluation.add(frame)
        if save is not None and result is not None:
            save(frame, result.labels)
    return evaluation.report(source, min_mean_iou)


def _truth_size(image: np.ndarray, labels: np.ndarray) -> Size:
    """Returns the size of the true labels, checked to show what the image shows."""
    (height, width), (true_height, true_width) = image.shape[:2], labels.shape
    # One pixel more or less is what rounding does when a dataset is made smaller.
    if abs(true_height / height - true_width / width) * min(height, width) > 1:
        raise ImageError(
            f"the image is {height}x{width}, its true labels are {true_height}x{true_width};"
            " expected the same shape, at any scale"
        )
    return true_height, true_width
