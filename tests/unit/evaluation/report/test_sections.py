"""Which parts a page has, and what their tables say."""

import numpy as np
import pytest

from semseg.data.declarations.specs import ScoreConfig
from semseg.evaluation.frames.frames import Frame, Unreadable
from semseg.evaluation.loop import Settings, evaluate
from semseg.evaluation.report.sections import sections
from semseg.evaluation.scores.scores import ScoreOptions

TRUTH = np.array([[0, 1, 2, 2]], np.uint8)


def _parts(segmenter, frames, **settings):
    report = evaluate(segmenter, frames, settings=Settings(**settings))
    return {section.name: section for section in sections(report)}


def _rows(section):
    return {row[0]: row[1:] for table in section.tables for row in table.rows}


def test_single_images_with_truth(segmenter, image_of):
    declared = ScoreConfig(categories={"flat": ("road",), "rest": ("sky", "car")})
    frames = [Frame("a", None, image_of([[0, 1, 1, 2]], confidence=0.9), TRUTH)]
    parts = _parts(segmenter, frames, options=ScoreOptions(declared))
    assert list(parts) == [
        "scores",
        "classes",
        "categories",
        "confusion",
        "worst",
        "best",
        "calibration",
        "latency",
    ]
    assert _rows(parts["scores"])["pixel accuracy"] == ("75.0 %",)
    assert _rows(parts["classes"])["car"] == ("50.0 %", "100.0 %", "50.0 %", "66.7 %", "25.0 %")
    assert parts["classes"].tables[0].colors == segmenter.classes.colors
    assert _rows(parts["categories"]) == {"flat": ("100.0 %",), "rest": ("100.0 %",)}
    assert "surer than it is right, by 15" in parts["calibration"].text  # 0.9 against 0.75.
    assert _rows(parts["latency"])["inference"] == ("7.0", "7.0", "7.0")


def test_without_truth_there_are_no_scores(segmenter, image_of):
    assert list(_parts(segmenter, [Frame("a", None, image_of([[0]]))])) == ["latency"]


def test_stamps_make_time_lines_in_the_order_of_time(segmenter, image_of):
    frames = [Frame(str(s), s * 10**9, image_of([[s % 3]])) for s in (12, 10, 14)]
    (over_time,) = (part for name, part in _parts(segmenter, frames).items() if name == "over-time")
    # Confidence, latency and class shares; no mean IoU without truth.
    assert len(over_time.figures) == 3
    assert not any("mean IoU" in figure for figure in over_time.figures)


@pytest.mark.parametrize("shown", [0, 1])
def test_pictures_on_request(segmenter, image_of, shown):
    frames = [Frame("a", None, image_of(TRUTH), TRUTH)]
    assert ("worst" in _parts(segmenter, frames, shown=shown)) is bool(shown)


def test_nothing_at_all_but_what_was_skipped(segmenter):
    parts = _parts(segmenter, [Unreadable("a", "cut off")])
    assert list(parts) == ["skipped"]
    assert _rows(parts["skipped"]) == {"a": ("cut off",)}
