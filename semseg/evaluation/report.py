"""The outcome of an evaluation: as JSON, and as a table for the terminal."""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semseg.classes import ClassTable
from semseg.evaluation.frames import Unreadable
from semseg.evaluation.output import write_file
from semseg.metrics import ConfusionMatrix
from semseg.runtime import Segmenter, Timing
from semseg.runtime.geometry import Size

PERCENTILES = (50, 95, 99)

_LISTED = 10
_WORST = 3


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


class Report(NamedTuple):
    """The outcome of an evaluation.

    Attributes:
      classes: the classes of the truth.
      confusion: counts over all frames; empty if no frame had truth.
      loss: mean cross-entropy per scored pixel, nats; None if it was not computed.
      frames: one score per frame that was segmented.
      skipped: the frames that were not, with the reason.
      truth_sizes: the (height, width) of the true labels that occurred.
      source: what was evaluated, such as ``camvid val``.
      min_mean_iou: the bar, 0..1, or None.
      model: what was evaluated, JSON-ready; empty if nobody said.
    """

    classes: ClassTable
    confusion: ConfusionMatrix
    loss: float | None
    frames: Sequence[FrameScore]
    skipped: Sequence[Unreadable]
    truth_sizes: Sequence[Size]
    source: str = ""
    min_mean_iou: float | None = None
    model: dict[str, Any] = {}

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
            f" ignored; {truth}; network at {network}; one scale, no flip; IoU by the Cityscapes"
            " rule, absent classes left out"
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the report as JSON-ready values; what is not known is None.

        Rows of ``confusion`` are true classes, columns predicted ones, the last column counts
        predictions that are no class. IoU and shares are 0..1, times milliseconds.
        """
        return {
            "passed": self.passed,
            "mean_iou": _known(self.confusion.mean_iou),
            "min_mean_iou": self.min_mean_iou,
            "iou": self._by_class(self.confusion.iou),
            "pixel_accuracy": _known(self.confusion.pixel_accuracy),
            "loss": self.loss,
            "confusion": self.confusion.counts.tolist(),
            "classes": list(self.classes.names),
            "frames": len(self.frames),
            "skipped": len(self.skipped),
            "skipped_frames": [each._asdict() for each in self.skipped],
            "latency_ms": self.latency_ms(),
            "inference_ms": _percentiles(frame.timing.inference_ms for frame in self.frames),
            "confidence": _known(_mean([frame.confidence for frame in self.frames])),
            "class_share": self._by_class(self._mean_class_share()),
            "protocol": self.protocol,
            "model": self.model,
            "per_frame": self._per_frame(),
        }

    def write(self, path: str | Path) -> None:
        """Writes the report as a JSON file, a line per key."""
        lines = (
            f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}"
            for key, value in self.to_json().items()
        )
        write_file(Path(path), ("{\n" + ",\n".join(lines) + "\n}\n").encode())

    def table(self) -> str:
        """Returns the report for the terminal."""
        width = max(14, *(len(name) for name in self.classes.names))
        rows = [f"{'class':{width}}     IoU   share"]
        share = self._mean_class_share()
        for name, iou, part in zip(self.classes.names, self.confusion.iou, share, strict=True):
            rows.append(f"{name:{width}}  {_percent(iou)}  {_percent(part)}")
        rows.append(f"{'mean IoU':{width}}  {_percent(self.confusion.mean_iou)}")
        rows.append(f"{'pixel accuracy':{width}}  {_percent(self.confusion.pixel_accuracy)}")
        if self.loss is not None:
            rows.append(f"{'loss':{width}}  {self.loss:6.3f}")
        latency = ", ".join(
            f"{name} {'--' if value is None else format(value, '.1f')}"
            for name, value in self.latency_ms().items()
        )
        rows.append(f"{'latency':{width}}  {latency} ms")
        confidence = _mean([frame.confidence for frame in self.frames])
        rows.append(f"{'confidence':{width}}  {_percent(confidence)}")
        rows.append(f"{'frames':{width}}  {len(self.frames)}, skipped {len(self.skipped)}")
        rows.extend(f"  skipped {each.name}: {each.reason}" for each in self.skipped[:_LISTED])
        worst = ", ".join(f"{each.name} {_percent(each.mean_iou).strip()}" for each in self.worst())
        rows.append(f"{'worst frames':{width}}  {worst or '--'}")
        rows.append(f"protocol: {self.protocol}")
        rows.append(f"verdict: {'passed' if self.passed else 'not passed'}")
        return "\n".join(rows)

    def latency_ms(self) -> dict[str, float | None]:
        """Returns ``{"p50": ..., "p95": ..., "p99": ...}``, from an image to its labels."""
        return _percentiles(frame.latency_ms for frame in self.frames)

    def worst(self, count: int = _WORST) -> list[FrameScore]:
        """Returns the frames with truth whose own mean IoU is lowest, the lowest first."""
        scored = [frame for frame in self.frames if math.isfinite(frame.mean_iou)]
        return sorted(scored, key=lambda frame: frame.mean_iou)[:count]

    def _mean_class_share(self) -> np.ndarray:
        shares = [frame.class_share for frame in self.frames]
        return np.mean(shares, axis=0) if shares else np.full(self.classes.num_classes, np.nan)

    def _by_class(self, values: np.ndarray) -> dict[str, float | None]:
        return {name: _known(value) for name, value in zip(self.classes.names, values, strict=True)}

    def _per_frame(self) -> dict[str, Any]:
        """Returns one list per quantity, each with one value per frame: ready to plot."""
        shares = np.array([frame.class_share for frame in self.frames]).reshape(
            len(self.frames), self.classes.num_classes
        )
        return {
            "name": [frame.name for frame in self.frames],
            "stamp_ns": [frame.stamp_ns for frame in self.frames],
            "latency_ms": [round(frame.latency_ms, 3) for frame in self.frames],
            "confidence": [_known(frame.confidence) for frame in self.frames],
            "mean_iou": [_known(frame.mean_iou) for frame in self.frames],
            "pixel_accuracy": [_known(frame.pixel_accuracy) for frame in self.frames],
            "class_share": {
                name: [_known(share) for share in column]
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


def _percentiles(values: Iterable[float]) -> dict[str, float | None]:
    known = list(values)
    return {
        f"p{rank}": round(float(np.percentile(known, rank)), 3) if known else None
        for rank in PERCENTILES
    }


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _known(value: float) -> float | None:
    return round(float(value), 9) if math.isfinite(value) else None


def _percent(value: float) -> str:
    return f"{100 * value:5.1f} %" if math.isfinite(value) else "     --"
