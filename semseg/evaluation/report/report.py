"""The outcome of an evaluation: what is kept of each frame, and what its JSON file says."""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semseg.classes import ClassTable
from semseg.evaluation.frames.frames import Unreadable
from semseg.evaluation.report.gallery import Gallery
from semseg.evaluation.scores.scores import Scores
from semseg.files import write_file
from semseg.metrics import ConfusionMatrix
from semseg.runtime import Segmenter, Timing
from semseg.runtime.images.geometry import Size


class FrameScore(NamedTuple):
    """What is kept of one frame.

    Attributes:
      name: the frame's name.
      stamp_ns: when it was taken, nanoseconds, or None.
      timing: what its segmentation took.
      confidence: mean over its pixels, 0..1.
      class_share: share of its pixels predicted as each class, float64 (C,).
      mean_iou: of this frame alone; NaN without truth.
      pixel_accuracy: of this frame alone; NaN without truth.
    """

    name: str
    stamp_ns: int | None
    timing: Timing
    confidence: float
    class_share: np.ndarray
    mean_iou: float
    pixel_accuracy: float

    @property
    def latency_ms(self) -> float:
        """Milliseconds from the image to its labels."""
        return sum(self.timing)


PERCENTILES = (50, 95, 99)


class Report(NamedTuple):
    """The outcome of an evaluation.

    Attributes:
      classes: the classes of the truth.
      scores: all that was counted; nothing if no frame had truth.
      frames: one score per frame that was segmented.
      skipped: the frames that were not, with the reason.
      truth_sizes: the (height, width) of the true labels that occurred.
      gallery: the best and the worst images.
      source: what was evaluated, such as ``camvid val``.
      min_mean_iou: the bar, 0..1, or None.
      model: what was evaluated, JSON-ready, see ``describe_model``; empty if nobody said.
      extra: further keys of the JSON file, such as what a bag tells beside the scores.
    """

    classes: ClassTable
    scores: Scores
    frames: Sequence[FrameScore]
    skipped: Sequence[Unreadable]
    truth_sizes: Sequence[Size]
    gallery: Gallery
    source: str = ""
    min_mean_iou: float | None = None
    model: dict[str, Any] = {}
    extra: dict[str, Any] = {}

    @property
    def confusion(self) -> ConfusionMatrix:
        """Counts over all frames."""
        return self.scores.confusion

    @property
    def passed(self) -> bool:
        """Whether all frames were segmented, and well enough if there is a bar."""
        good = self.min_mean_iou is None or self.confusion.mean_iou >= self.min_mean_iou
        return bool(self.frames) and not self.skipped and good

    @property
    def protocol(self) -> str:
        """How the scores came about; without it no two scores compare."""
        sizes = ", ".join(f"{height}x{width}" for height, width in self.truth_sizes[:3])
        more = " and others" if len(self.truth_sizes) > 3 else ""
        truth = f"truth at its own {sizes}{more}" if sizes else "no truth"
        network = self.model.get("input_size") or "a size chosen for each image"
        return (
            f"{self.source}, {len(self.frames)} frames; {self.classes.num_classes} classes, void"
            f" ignored; {truth}; network at {network}; {self._views()}; IoU by the Cityscapes"
            " rule, absent classes left out"
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the report as JSON-ready values; what is not known is None.

        Rows of ``confusion`` are true classes, columns predicted ones, the last column counts
        predictions that are no class. Scores and shares are 0..1, times milliseconds.
        """
        by_class = {name: self._by_class(v) for name, v in self.scores.by_class().items()}
        totals = {name: known(value) for name, value in self.scores.totals().items()}
        return {
            "passed": self.passed,
            "mean_iou": totals.pop("mean_iou"),
            "min_mean_iou": self.min_mean_iou,
            "iou": by_class.pop("iou"),
            **totals,
            "loss": totals.get("loss"),
            **by_class,
            **self._by_category(),
            "road_image_plane": {name: known(v) for name, v in self.scores.road().items()} or None,
            "calibration": self._calibration(),
            "confusion": self.confusion.counts.tolist(),
            "classes": list(self.classes.names),
            "frames": len(self.frames),
            "skipped": len(self.skipped),
            "skipped_frames": [each._asdict() for each in self.skipped],
            "latency_ms": self.latency_ms(),
            "inference_ms": percentiles(frame.timing.inference_ms for frame in self.frames),
            "confidence": known(self.mean_confidence),
            "class_share": self._by_class(self.mean_class_share()),
            "worst": [frame.name for frame in self.worst()],
            "protocol": self.protocol,
            "model": self.model,
            "per_frame": self._per_frame(),
            **self.extra,
        }

    def write(self, path: str | Path) -> None:
        """Writes the report as a JSON file, a line per key."""
        lines = (
            f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}"
            for key, value in self.to_json().items()
        )
        write_file(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())

    def latency_ms(self) -> dict[str, float | None]:
        """Returns ``{"p50": ..., "p95": ..., "p99": ...}``, from an image to its labels."""
        return percentiles(frame.latency_ms for frame in self.frames)

    def worst(self, count: int = 10) -> list[FrameScore]:
        """Returns the frames with truth whose own mean IoU is lowest, the lowest first."""
        scored = [frame for frame in self.frames if math.isfinite(frame.mean_iou)]
        return sorted(scored, key=lambda frame: frame.mean_iou)[:count]

    @property
    def mean_confidence(self) -> float:
        """Mean confidence of the frames, 0..1; NaN without frames."""
        return float(np.mean([frame.confidence for frame in self.frames] or [math.nan]))

    def mean_class_share(self) -> np.ndarray:
        """Returns the share of the pixels predicted as each class, (C,); NaN without frames."""
        shares = [frame.class_share for frame in self.frames]
        return np.mean(shares, axis=0) if shares else np.full(self.classes.num_classes, np.nan)

    def _views(self) -> str:
        scales = self.model.get("scales", [1.0])
        window = self.model.get("window")
        return ", ".join(
            (
                "one scale" if scales == [1.0] else f"scales {' '.join(map(str, scales))}",
                "flipped too" if self.model.get("flip") else "no flip",
                f"windows of {window}" if window else "whole images",
            )
        )

    def _by_class(self, values: np.ndarray) -> dict[str, float | None]:
        return dict(zip(self.classes.names, map(known, values), strict=True))

    def _by_category(self) -> dict[str, Any]:
        names = self.scores.categories
        return {
            name: dict(zip(names, map(known, values), strict=True))
            for name, values in self.scores.by_category().items()
        }

    def _calibration(self) -> dict[str, Any]:
        calibration = self.scores.calibration
        return {
            "pixels": calibration.pixels.tolist(),
            "confidence": [known(value) for value in calibration.confidence],
            "accuracy": [known(value) for value in calibration.accuracy],
        }

    def _per_frame(self) -> dict[str, Any]:
        """Returns one list per quantity, each with one value per frame: ready to plot."""
        shares = np.array([frame.class_share for frame in self.frames]).reshape(
            len(self.frames), self.classes.num_classes
        )
        return {
            "name": [frame.name for frame in self.frames],
            "stamp_ns": [frame.stamp_ns for frame in self.frames],
            "latency_ms": [round(frame.latency_ms, 3) for frame in self.frames],
            "confidence": [known(frame.confidence) for frame in self.frames],
            "mean_iou": [known(frame.mean_iou) for frame in self.frames],
            "pixel_accuracy": [known(frame.pixel_accuracy) for frame in self.frames],
            "class_share": {
                name: [known(share) for share in column]
                for name, column in zip(self.classes.names, shares.T, strict=True)
            },
        }


def describe_model(segmenter: Segmenter) -> dict[str, Any]:
    """Returns what a report says of its model, JSON-ready."""
    network = segmenter.input_size
    return {
        "path": str(segmenter.graph.path),
        "name": segmenter.card.name if segmenter.card else None,
        "digest": segmenter.digest,
        "engine": segmenter.engine,
        "precision": segmenter.precision,
        "input_size": f"{network[0]}x{network[1]}" if network else None,
    }


def percentiles(values: Iterable[float]) -> dict[str, float | None]:
    """Returns ``PERCENTILES`` of values, rounded to 0.001; None without values."""
    listed = list(values)
    return {
        f"p{rank}": round(float(np.percentile(listed, rank)), 3) if listed else None
        for rank in PERCENTILES
    }


def known(value: float) -> float | None:
    """Returns a value for JSON, rounded to 1e-9; None if it is no number."""
    return round(float(value), 9) if math.isfinite(value) else None
