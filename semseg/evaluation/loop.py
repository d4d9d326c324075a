"""Compares a segmenter's labels with the true ones, and watches it where none are known."""

from collections.abc import Callable, Iterable, Sized
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from semseg.classes import IGNORE, ClassTable
from semseg.data.declarations.class_map import ClassMap
from semseg.errors import ImageError
from semseg.evaluation.frames.frames import Frame, ImageSegmenter, Unreadable
from semseg.evaluation.frames.read_ahead import InBackground, read_ahead
from semseg.evaluation.report.gallery import Gallery
from semseg.evaluation.report.report import FrameScore, Report
from semseg.evaluation.scores.scores import Prediction, ScoreOptions, Scores, Truth, to_truth
from semseg.runtime import Segmentation
from semseg.runtime.images.geometry import Size, resize_labels


class Settings(NamedTuple):
    """How frames are evaluated.

    Attributes:
      class_map: from the segmenter's classes to those of the truth; None if they are the same.
      options: what is scored. What needs all probabilities is slower, and latencies include it.
      shown: how many of the best and of the worst images the report shows.
    """

    class_map: ClassMap | None = None
    options: ScoreOptions = ScoreOptions()
    shown: int = 5


USUAL = Settings()


class Evaluation:
    """Scores one frame after the other; memory does not grow with their pixels.

    Args:
      classes: the segmenter's classes.
      settings: how.
    """

    def __init__(self, classes: ClassTable, settings: Settings = USUAL) -> None:
        self._own_classes = classes
        self._map = settings.class_map or ClassMap.create(classes, classes)
        self._scores = Scores(self._map, settings.options)
        self._gallery = Gallery(self._map.classes, settings.shown)
        self._frames: list[FrameScore] = []
        self._skipped: list[Unreadable] = []
        self._truth_sizes: set[Size] = set()

    def skip(self, frame: Unreadable) -> None:
        """Counts a frame that could not be read."""
        self._skipped.append(frame)

    def add(self, frame: Frame, result: Segmentation) -> bool:
        """Scores the labels of a frame; returns whether they fit it, else it counts as skipped."""
        try:
            self._frames.append(self._score(frame, result))
        except ImageError as error:
            self.skip(Unreadable(frame.name, str(error)))
            return False
        return True

    def report(self, source: str = "", min_mean_iou: float | None = None) -> Report:
        """Returns the scores so far.

        Args:
          source: what was evaluated, such as ``camvid val``; opens the protocol line.
          min_mean_iou: the bar below which the report has not passed, 0..1.
        """
        return Report(
            classes=self._map.classes,
            scores=self._scores,
            frames=self._frames,
            skipped=self._skipped,
            truth_sizes=sorted(self._truth_sizes),
            gallery=self._gallery,
            source=source,
            min_mean_iou=min_mean_iou,
        )

    def _score(self, frame: Frame, result: Segmentation) -> FrameScore:
        found = self._in_classes_of_truth(frame, result)
        assert result.confidence is not None
        mean_iou, pixel_accuracy = self._compare(frame, result, found)
        pixels = np.bincount(found.ravel(), minlength=256)[: self._map.classes.num_classes]
        return FrameScore(
            name=frame.name,
            stamp_ns=frame.stamp_ns,
            timing=result.timing,
            confidence=float(result.confidence.mean(dtype=np.float64)),
            class_share=pixels / found.size,
            mean_iou=mean_iou,
            pixel_accuracy=pixel_accuracy,
        )

    def _in_classes_of_truth(self, frame: Frame, result: Segmentation) -> np.ndarray:
        _check_shape(frame.image, "its prediction is", result.labels)
        strangers = result.labels[result.labels >= self._own_classes.num_classes]
        if (strangers != IGNORE).any():
            raise ImageError(
                f"predicted label {strangers.min()} is neither a class"
                f" (0..{self._own_classes.num_classes - 1}) nor ignore ({IGNORE})"
            )
        return to_truth(result.labels, self._map)

    def _compare(
        self, frame: Frame, result: Segmentation, found: np.ndarray
    ) -> tuple[float, float]:
        """Scores a frame at the size of its truth; returns its own mean IoU and accuracy."""
        if frame.labels is None:
            return np.nan, np.nan
        _check_shape(frame.image, "its true labels are", frame.labels)
        assert result.confidence is not None
        height, width = frame.labels.shape
        size = height, width
        prediction = Prediction(
            labels=resize_labels(found, size),
            confidence=resize_labels(result.confidence, size),
            probabilities=None
            if result.probabilities is None
            else resize_labels(result.probabilities, size),
        )
        confusion = self._scores.update(Truth(frame.labels, frame.instances), prediction)
        self._truth_sizes.add(size)
        score = confusion.mean_iou
        if np.isfinite(score):
            self._gallery.add(frame, score, frame.labels, prediction.labels)
        return score, confusion.pixel_accuracy


def evaluate(
    segmenter: ImageSegmenter,
    frames: Iterable[Frame | Unreadable],
    *,
    source: str = "",
    settings: Settings = USUAL,
    min_mean_iou: float | None = None,
    save: Callable[[Frame, Segmentation], None] | None = None,
) -> Report:
    """Evaluates a segmenter on frames, at the resolution of the truth.

    Frames are read ahead and scored while the segmenter works. Predictions are brought to the
    size of the true labels by index tables. Frames without truth count for latency, confidence
    and class shares. A frame that cannot be read or scored is named in the report, and the run
    goes on.

    Args:
      segmenter: what is evaluated.
      frames: from ``semseg.evaluation.frames.sources``.
      source: as in ``Evaluation.report``.
      settings: how.
      min_mean_iou: as in ``Evaluation.report``.
      save: called with each frame and its labels and confidence, of the segmenter's classes and
        the image's size, in their order, in another thread.

    Returns:
      The report.
    """
    evaluation = Evaluation(segmenter.classes, settings)

    def finish(frame: Frame, result: Segmentation) -> None:
        if evaluation.add(frame, result) and save is not None:
            save(frame, result)

    total = len(frames) or None if isinstance(frames, Sized) else None
    with InBackground() as background:
        for frame in tqdm(read_ahead(frames), desc="evaluate", unit="frame", total=total):
            try:
                result = _segment(segmenter, frame, settings.options)
            except ImageError as error:
                background.submit(evaluation.skip, Unreadable(frame.name, str(error)))
                continue
            background.submit(finish, frame, result)
    return evaluation.report(source, min_mean_iou)


def _segment(
    segmenter: ImageSegmenter, frame: Frame | Unreadable, options: ScoreOptions
) -> Segmentation:
    if isinstance(frame, Unreadable):
        raise ImageError(frame.reason)
    wanted = options.needs_probabilities and frame.labels is not None
    return segmenter.segment(frame.image, frame.second, probabilities=wanted)


def _check_shape(image: np.ndarray, what: str, labels: np.ndarray) -> None:
    """Raises ``ImageError`` if labels cannot show what an image shows."""
    (height, width), (label_height, label_width) = image.shape[:2], labels.shape
    # One pixel more or less is what rounding does when a dataset is made smaller.
    if abs(label_height / height - label_width / width) * min(height, width) > 1:
        raise ImageError(
            f"the image is {height}x{width}, {what} {label_height}x{label_width};"
            " expected the same shape, at any scale"
        )
