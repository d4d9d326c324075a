"""A report as sections of a page."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semseg.evaluation.report import figures
from semseg.evaluation.report.page import Section, Strip, Table, write_page
from semseg.evaluation.report.report import FrameScore, Report
from semseg.evaluation.report.terminal import category_columns, class_columns, percent, score_text
from semseg.evaluation.scores.scores import TITLES


def write_report_page(report: Report, path: str | Path, more: Sequence[Section] = ()) -> None:
    """Writes a report as an HTML page.

    Args:
      report: the report.
      path: the file.
      more: further sections, such as what a bag without labels tells.
    """
    model = report.model.get("name") or report.model.get("path") or "a segmenter"
    title = f"{model} on {report.source}" if report.source else str(model)
    verdict = "Passed. " if report.passed else "Not passed. "
    write_page(path, title, verdict + f"{report.protocol}.", [*sections(report), *more])


def sections(report: Report) -> list[Section]:
    """Returns the parts of a report; scores are left out if no frame had truth."""
    scored = _scored(report) if report.confusion.counts.any() else []
    watched = [_latency(report)] if report.frames else []
    return [*scored, *watched, *_over_time(report.frames, report), *_skipped(report)]


def _scored(report: Report) -> list[Section]:
    return [
        _totals(report),
        _classes(report),
        *_categories(report),
        Section(
            "confusion",
            "Confusion matrix",
            "What the pixels of each true class (row) are predicted as, in percent of the row;"
            " shares below 0.5 % are not written.",
            figures=[figures.confusion_matrix(report.confusion.counts, report.classes)],
        ),
        *_pictures("worst", report.gallery.worst),
        *_pictures("best", report.gallery.best),
        _calibration(report),
    ]


def _totals(report: Report) -> Section:
    rows = [
        (TITLES[name], score_text(name, value)) for name, value in report.scores.totals().items()
    ]
    road = report.scores.road()
    rows += [
        (f"road {name.replace('_', ' ')} (image plane)", percent(v)) for name, v in road.items()
    ]
    bar = (
        ""
        if report.min_mean_iou is None
        else f"Passes from {percent(report.min_mean_iou)} mean IoU."
    )
    return Section("scores", "Scores", bar, [Table(("score", "value"), rows)])


def _classes(report: Report) -> Section:
    columns = class_columns(report)
    rows = list(zip(report.classes.names, *columns.values(), strict=True))
    table = Table(("class", *columns), rows, report.classes.colors)
    scores = report.scores.by_class()
    bars = {"IoU": scores["iou"], "recall": scores["recall"]}
    return Section(
        "classes",
        "Classes",
        "Share: of all predicted pixels. Bars: IoU in the colour of the class, recall in grey.",
        [table],
        [figures.class_bars(report.classes, bars)],
    )


def _categories(report: Report) -> list[Section]:
    columns = category_columns(report)
    rows = list(zip(report.scores.categories, *columns.values(), strict=True))
    text = "A mix-up of classes of one category is no error here."
    table = Table(("category", *columns), rows)
    return [Section("categories", "Categories", text, [table])] if columns else []


def _pictures(name: str, strips: list[Strip]) -> list[Section]:
    return [Section(name, f"{name.capitalize()} images", strips=strips)] if strips else []


def _calibration(report: Report) -> Section:
    calibration = report.scores.calibration
    gap = calibration.confidence_sums.sum() - calibration.right.sum()
    share = percent(abs(gap) / max(1, calibration.pixels.sum()))
    which = "surer than it is right" if gap > 0 else "right more often than it is sure"
    return Section(
        "calibration",
        "Calibration",
        f"Expected calibration error {percent(calibration.expected_error)}; on the whole the"
        f" network is {which}, by {share}.",
        figures=[figures.reliability_diagram(calibration)],
    )


def _latency(report: Report) -> Section:
    times = {
        "fitting the image": [frame.timing.resize_ms for frame in report.frames],
        "inference": [frame.timing.inference_ms for frame in report.frames],
        "restoring the labels": [frame.timing.restore_ms for frame in report.frames],
        "all": [frame.latency_ms for frame in report.frames],
    }
    rows = [
        (name, *(f"{np.percentile(values, rank):.1f}" for rank in (50, 95, 99)))
        for name, values in times.items()
    ]
    marks = {name: value for name, value in report.latency_ms().items() if value is not None}
    engine = report.model.get("engine")
    return Section(
        "latency",
        "Latency",
        "From an image to its labels, ms a frame" + (f", in {engine}." if engine else "."),
        [Table(("ms", "p50", "p95", "p99"), rows)],
        [figures.histogram(times["all"], "latency, ms", marks)],
    )


def _over_time(frames: Sequence[FrameScore], report: Report) -> list[Section]:
    """Draws stamped frames over time, if there are any two."""
    stamped = sorted(
        (frame.stamp_ns, index) for index, frame in enumerate(frames) if frame.stamp_ns is not None
    )
    if len(stamped) < 2:
        return []
    seconds = np.array([stamp - stamped[0][0] for stamp, _ in stamped]) / 1e9
    ordered = [frames[index] for _, index in stamped]
    quantities = {
        "mean IoU of the frame": np.array([frame.mean_iou for frame in ordered]),
        "mean confidence": np.array([frame.confidence for frame in ordered]),
        "latency, ms": np.array([frame.latency_ms for frame in ordered]),
    }
    drawn = [
        figures.time_lines(seconds, {label: values}, label)
        for label, values in quantities.items()
        if np.isfinite(values).any()
    ]
    shares = np.array([frame.class_share for frame in ordered])
    lines = dict(zip(report.classes.names, shares.T, strict=True))
    drawn.append(figures.time_lines(seconds, lines, "share of pixels", report.classes.colors))
    return [Section("over-time", "Over time", figures=drawn)]


def _skipped(report: Report) -> list[Section]:
    rows = [(each.name, each.reason) for each in report.skipped]
    text = f"{len(rows)} of {len(rows) + len(report.frames)} frames were not scored."
    table = Table(("frame", "reason"), rows)
    return [Section("skipped", "Skipped frames", text, [table])] if rows else []
