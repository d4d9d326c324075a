"""Two reports side by side: what became better, what worse."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from semseg.errors import ConfigError
from semseg.evaluation.scores.scores import LOSS, TITLES

TOLERANCE = 1e-4
"""Mean IoU may fall by this, 0.01 points: engines differ in the last bits."""


class Comparison(NamedTuple):
    """The difference of two reports.

    Attributes:
      rows: title -> (value of the other report, value of this one), None where unknown.
      notes: what makes the two hard to compare.
      dropped: whether the mean IoU fell.
    """

    rows: dict[str, tuple[float | None, float | None]]
    notes: list[str]
    dropped: bool

    def table(self) -> str:
        """Returns the comparison for the terminal; shares in percent."""
        width = max(16, *(len(name) for name in self.rows))
        lines = [f"{'compared with':{width}}{'before':>10}{'now':>10}{'change':>10}"]
        for name, (before, now) in self.rows.items():
            factor = 1 if name == TITLES[LOSS] or name.startswith("latency") else 100
            change = None if before is None or now is None else now - before
            cells = (_text(before, factor), _text(now, factor), _text(change, factor, "+"))
            lines.append(f"{name:{width}}" + "".join(f"{cell:>10}" for cell in cells))
        lines += [f"note: {note}" for note in self.notes]
        lines.append("mean IoU dropped" if self.dropped else "no drop of the mean IoU")
        return "\n".join(lines)


def compare(report: Mapping[str, Any], other: Mapping[str, Any]) -> Comparison:
    """Compares a report with an earlier one.

    Args:
      report: as ``Report.to_json`` returns it.
      other: the same of an earlier run, see ``read_report``.
    """
    rows = {
        title: (_number(other.get(name)), _number(report.get(name)))
        for name, title in TITLES.items()
        if name in report or name in other
    }
    for name in dict.fromkeys([*report["iou"], *other["iou"]]):
        values = _number(other["iou"].get(name)), _number(report["iou"].get(name))
        rows[f"IoU {name}"] = values
    latencies = (_number((each.get("latency_ms") or {}).get("p50")) for each in (other, report))
    rows["latency p50, ms"] = (next(latencies), next(latencies))
    notes = []
    if report.get("protocol") != other.get("protocol"):
        notes.append(f"the protocols differ; before: {other.get('protocol')}")
    before, now = rows[TITLES["mean_iou"]]
    dropped = before is not None and (now is None or now < before - TOLERANCE)
    return Comparison(rows, notes, dropped)


def read_report(path: str | Path) -> dict[str, Any]:
    """Reads the JSON file of a report.

    Raises:
      ConfigError: it cannot be read or is no such file.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}")
    except ValueError as error:
        raise ConfigError(f"{path}: is no JSON file of a report: {error}")
    if not isinstance(content, dict) or not isinstance(content.get("iou"), dict):
        raise ConfigError(f"{path}: is no report of evaluate.py: it has no 'iou'")
    return content


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if is_number else None  # type: ignore[arg-type]


def _text(value: float | None, factor: int, sign: str = "") -> str:
    return "--" if value is None else f"{factor * value:{sign}.2f}"
