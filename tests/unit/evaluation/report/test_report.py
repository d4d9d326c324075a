"""What a report says, in JSON and in the terminal."""

import json

import numpy as np
import pytest

from semseg.evaluation.frames.frames import Frame, Unreadable
from semseg.evaluation.loop import Settings, evaluate
from semseg.evaluation.report.report import FrameScore
from semseg.evaluation.report.terminal import table
from semseg.evaluation.scores.scores import ScoreOptions
from semseg.runtime import Timing


@pytest.fixture
def report(segmenter, image_of):
    frames = [
        Frame("a", 10**9, image_of([[0, 1]], confidence=0.6), np.array([[0, 1]], np.uint8)),
        Frame("b", 2 * 10**9, image_of([[0, 1]]), np.array([[0, 0]], np.uint8)),
        Unreadable("c", "cut off"),
    ]
    return evaluate(
        segmenter, frames, source="toy val", settings=Settings(options=ScoreOptions(loss=True))
    )


def test_json_has_the_promised_keys_and_values(report, tmp_path):
    report.write(tmp_path / "new" / "report.json")
    content = json.loads((tmp_path / "new" / "report.json").read_text())
    assert content["passed"] is False
    assert content["iou"] == {"road": pytest.approx(2 / 3), "sky": 0.5, "car": None}
    assert content["mean_iou"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert content["pixel_accuracy"] == 0.75
    assert content["confusion"] == [[2, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert content["classes"] == ["road", "sky", "car"]
    assert (content["frames"], content["skipped"]) == (2, 1)
    assert content["skipped_frames"] == [{"name": "c", "reason": "cut off"}]
    assert content["latency_ms"] == {"p50": 10.0, "p95": 10.0, "p99": 10.0}
    assert content["inference_ms"]["p50"] == 7.0
    assert content["confidence"] == pytest.approx(0.8)
    assert content["class_share"] == {"road": 0.5, "sky": 0.5, "car": 0.0}
    assert content["loss"] == pytest.approx(report.scores.totals()["loss"])
    assert content["per_frame"]["name"] == ["a", "b"]
    assert content["per_frame"]["stamp_ns"] == [10**9, 2 * 10**9]
    assert content["per_frame"]["class_share"]["road"] == [0.5, 0.5]
    assert content["protocol"].startswith(
        "toy val, 2 frames; 3 classes, void ignored; truth at its own 1x2; network at a size"
    )


def test_percentiles_are_over_the_frames(report):
    scores = [
        FrameScore(str(ms), None, Timing(0, ms, 0), 1.0, np.zeros(3), 1.0, 1.0) for ms in range(101)
    ]
    assert report._replace(frames=scores).latency_ms() == {"p50": 50.0, "p95": 95.0, "p99": 99.0}


def test_an_empty_report_is_null_and_not_nan(segmenter):
    content = evaluate(segmenter, []).to_json()
    assert json.dumps(content, allow_nan=False)
    assert content["mean_iou"] is None and content["latency_ms"]["p50"] is None
    assert content["iou"] == {"road": None, "sky": None, "car": None}


@pytest.mark.parametrize("bar, passed", [(None, True), (0.58, True), (0.59, False)])
def test_the_bar_decides(report, bar, passed):
    assert report._replace(skipped=[], min_mean_iou=bar).passed is passed


def test_a_bar_without_truth_is_not_passed(segmenter, image_of):
    report = evaluate(segmenter, [Frame("a", None, image_of([[0]]))], min_mean_iou=0.0)
    assert not report.passed


def test_the_table_shows_absent_classes_as_dashes(report):
    lines = table(report).splitlines()
    row = {line.split()[0]: line.split()[1:] for line in lines}
    # IoU, precision, recall, F and share.
    assert [row["road"][i] for i in (0, 2, 4, 6, 8)] == ["66.7", "100.0", "66.7", "80.0", "50.0"]
    assert row["car"] == ["--", "--", "--", "--", "0.0", "%"]
    assert "mean IoU                58.3 %" in lines
    assert "pixel accuracy          75.0 %" in lines
    assert "  skipped c: cut off" in lines
    assert "worst frames            b 25.0 %, a 100.0 %" in lines
    assert lines[-1] == "verdict: not passed"


def test_a_report_that_fails_leaves_the_former_one(report, tmp_path):
    path = tmp_path / "report.json"
    path.write_text("former")
    with pytest.raises(ValueError, match="not JSON compliant"):
        report._replace(min_mean_iou=float("nan")).write(path)
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "model, expected",
    [
        ({}, "network at a size chosen for each image; one scale, no flip, whole images;"),
        (
            {"input_size": "360x480", "scales": [0.75, 1.0], "flip": True, "window": "64x64"},
            "network at 360x480; scales 0.75 1.0, flipped too, windows of 64x64;",
        ),
    ],
)
def test_the_protocol_says_what_the_network_was_shown(report, model, expected):
    assert expected in report._replace(model=model).protocol
