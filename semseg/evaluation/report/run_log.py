"""A CSV file with a line for each evaluation, so that runs compare over time."""

import csv
import io
import os
from datetime import UTC, datetime
from pathlib import Path

from semseg.errors import ConfigError
from semseg.evaluation.report.report import Report

_SCORES = (
    "mean_iou",
    "pixel_accuracy",
    "frequency_weighted_iou",
    "expected_calibration_error",
    "loss",
)
COLUMNS = (
    "time",
    "model",
    "digest",
    "engine",
    "source",
    "frames",
    "skipped",
    *_SCORES,
    "latency_p50_ms",
    "passed",
    "protocol",
)
"""The columns; scores are 0..1, an unknown value is empty."""


def append(path: str | Path, report: Report) -> None:
    """Appends a report's line, in one write; a new file gets the header first.

    Raises:
      ConfigError: the file has other columns.
    """
    content = report.to_json()
    row = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": report.model.get("path"),
        "digest": report.model.get("digest"),
        "engine": report.model.get("engine"),
        "source": report.source,
        **{name: content.get(name) for name in _SCORES},
        **{name: content[name] for name in ("frames", "skipped", "passed", "protocol")},
        "latency_p50_ms": content["latency_ms"]["p50"],
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if is_new(path):
        writer.writeheader()
    writer.writerow(row)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, text.getvalue().encode())
    finally:
        os.close(file)


def is_new(path: str | Path) -> bool:
    """Returns whether a log has to be begun; raises ``ConfigError`` if the file is none."""
    if not Path(path).exists() or not Path(path).stat().st_size:
        return True
    with open(path, encoding="utf-8", errors="replace") as lines:
        header = lines.readline().strip()
    if header != ",".join(COLUMNS):
        raise ConfigError(f"{path}: is no log of evaluations: it begins with '{header[:60]}'")
    return False
