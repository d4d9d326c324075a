"""Scores, latency, header faults and lost frames, on playbacks worked out by hand."""

import json
import tracemalloc

import numpy as np
import pytest

from semseg.classes import ClassTable
from semseg.ros.playback.live_evaluation import Arrival, Bars, LiveEvaluation

CLASSES = ClassTable.create(["road", "sky", "car"], [(1, 2, 3), (4, 5, 6), (7, 8, 9)])
SIZE = (2, 4)
NO_DROPS = {"replaced": 0, "malformed": 0}


def labels(*values):
    return np.array(values, np.uint8).reshape(SIZE)


def answered(evaluation, stamp, sent_s=0.0, latency_s=0.1, *, frame_id="camera", size=SIZE):
    evaluation.add_image(stamp, Arrival("camera", SIZE, sent_s))
    answer = Arrival(frame_id, size, sent_s + latency_s)
    evaluation.add_labels(stamp, answer, labels(0, 0, 0, 0, 1, 1, 1, 1))


def test_scores_are_those_of_the_paired_frames():
    evaluation = LiveEvaluation(CLASSES)
    evaluation.add_truth(1, labels(0, 0, 0, 0, 0, 1, 1, 255))  # before its labels
    answered(evaluation, 1)
    answered(evaluation, 2)  # no truth: not scored
    evaluation.add_truth(3, labels(2, 2, 2, 2, 2, 2, 2, 2))  # no labels: not scored
    report = evaluation.report(NO_DROPS, Bars())
    assert report["frames"] == 1
    assert report["iou"] == {"road": 4 / 5, "sky": 2 / 3, "car": None}
    assert report["mean_iou"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert report["pixel_accuracy"] == pytest.approx(6 / 7)
    assert report["confusion"] == [[4, 1, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0]]
    assert report["passed"]
    json.dumps(report, allow_nan=False)


def test_labels_are_compared_at_the_truth_s_resolution():
    evaluation = LiveEvaluation(CLASSES)
    answered(evaluation, 1)
    evaluation.add_truth(1, np.repeat(np.array([[0], [0], [1], [1]], np.uint8), 8, axis=1))
    assert evaluation.report(NO_DROPS, Bars())["pixel_accuracy"] == 1
    assert sum(map(sum, evaluation.report(NO_DROPS, Bars())["confusion"])) == 32


def test_latency_is_from_image_to_labels():
    evaluation = LiveEvaluation(CLASSES)
    for stamp in range(101):
        answered(evaluation, stamp, sent_s=stamp, latency_s=stamp / 1000)
    assert evaluation.report(NO_DROPS, Bars())["latency_ms"] == {
        "p50": 50.0,
        "p95": 95.0,
        "p99": 99.0,
    }


@pytest.mark.parametrize(
    "fault, text",
    [
        ({"frame_id": "lidar"}, "stamp 1: frame_id 'lidar', its image has 'camera'"),
        ({"size": (1, 4)}, "stamp 1: 1x4, its image is 2x4"),
    ],
)
def test_a_wrong_header_fails(fault, text):
    evaluation = LiveEvaluation(CLASSES)
    answered(evaluation, 1, **fault)
    evaluation.add_truth(1, labels(0, 0, 0, 0, 1, 1, 1, 1))
    report = evaluation.report(NO_DROPS, Bars())
    assert report["header_errors"] == [text]
    assert not report["passed"]


def test_labels_of_no_image_are_a_header_error():
    evaluation = LiveEvaluation(CLASSES)
    answered(evaluation, 1)
    evaluation.add_labels(7, Arrival("camera", SIZE, 0.0), labels(*[0] * 8))
    assert evaluation.report(NO_DROPS, Bars())["header_errors"] == ["stamp 7: no image has it"]


@pytest.mark.parametrize("replaced, unexplained", [(2, 0), (1, 1), (3, 0)])
def test_every_missing_answer_needs_a_reason(replaced, unexplained):
    evaluation = LiveEvaluation(CLASSES)
    answered(evaluation, 1)
    evaluation.add_truth(1, labels(0, 0, 0, 0, 1, 1, 1, 1))
    for stamp in (2, 3):
        evaluation.add_image(stamp, Arrival("camera", SIZE, 0.0))
    report = evaluation.report({"replaced": replaced}, Bars())
    assert (report["sent"], report["segmented"], report["skipped"]) == (3, 1, 2)
    assert report["drops"] == {"replaced": replaced, "unexplained": unexplained}
    assert report["passed"] == (unexplained == 0)


def test_nothing_scored_and_too_low_a_score_do_not_pass():
    evaluation = LiveEvaluation(CLASSES)
    answered(evaluation, 1)
    report = evaluation.report(NO_DROPS, Bars())
    assert report["mean_iou"] is None
    assert not report["passed"]
    evaluation.add_truth(1, labels(0, 0, 0, 0, 1, 1, 0, 0))  # IoU 4/6 and 2/4
    assert evaluation.report(NO_DROPS, Bars(min_miou=0.58))["passed"]
    assert not evaluation.report(NO_DROPS, Bars(min_miou=0.59))["passed"]


def test_without_true_labels_no_score_is_demanded():
    evaluation = LiveEvaluation(CLASSES)
    assert not evaluation.report(NO_DROPS, Bars(labelled=False))["passed"]  # Nothing was sent.
    answered(evaluation, 1)
    report = evaluation.report(NO_DROPS, Bars(labelled=False))
    assert report["passed"] and report["mean_iou"] is report["min_mean_iou"] is None


@pytest.mark.parametrize("max_latency, passed", [(0.0, True), (0.11, True), (0.09, False)])
def test_latency_has_a_bar_that_a_few_frames_may_miss(max_latency, passed):
    evaluation = LiveEvaluation(CLASSES)
    for stamp in range(100):
        answered(evaluation, stamp, stamp, latency_s=0.1 if stamp < 96 else 3.0)
    report = evaluation.report(NO_DROPS, Bars(labelled=False, max_latency=max_latency))
    assert report["passed"] == passed
    json.dumps(report, allow_nan=False)


def test_age_grows_with_the_frames_that_were_dropped():
    evaluation = LiveEvaluation(CLASSES)
    for number in range(10):
        evaluation.add_image(number, Arrival("camera", SIZE, 0.1 * number))
    for number in (0, 1, 2, 5, 9):
        evaluation.add_labels(
            number, Arrival("camera", SIZE, 0.1 * number + 0.05), labels(*[0] * 8)
        )
    # Each label's image came 150 ms before the next labels, and three or four periods where
    # frames were dropped: 150, 150, 350, 450 ms.
    report = evaluation.report({"replaced": 5}, Bars(labelled=False))
    assert report["age_ms"]["p50"] == pytest.approx(250)
    assert report["age_ms"]["p99"] == pytest.approx(447)
    assert report["latency_ms"]["p99"] == pytest.approx(50)
    assert report["rate_hz"] == {
        "images": pytest.approx(10),
        "labels": pytest.approx(4 / 0.9, 1e-3),
    }


def test_one_frame_has_neither_age_nor_rate():
    evaluation = LiveEvaluation(CLASSES)
    answered(evaluation, 1)
    report = evaluation.report(NO_DROPS, Bars(labelled=False))
    assert report["age_ms"] == {"p50": None, "p95": None, "p99": None}
    assert report["rate_hz"] == {"images": None, "labels": None}


def _peak_bytes(act):
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["labels", "truth"])
def test_what_waits_for_a_partner_that_never_comes_takes_bounded_memory(kind, caplog):
    size, limit = (100, 100), 1_000_000
    evaluation = LiveEvaluation(CLASSES, max_waiting_bytes=limit)

    def play():
        for stamp in range(2000):  # 20 MB in all
            pixels = np.full(size, stamp % 3, np.uint8)
            if kind == "labels":
                evaluation.add_labels(stamp, Arrival("camera", size, stamp), pixels)
            else:
                evaluation.add_truth(stamp, pixels)

    assert _peak_bytes(play) < 2 * limit
    assert len(caplog.records) == 1
    assert "the oldest are left" in caplog.text
    # The newest are still paired.
    if kind == "labels":
        evaluation.add_truth(1999, np.full(size, 1999 % 3, np.uint8))
    else:
        evaluation.add_labels(1999, Arrival("camera", size, 0), np.full(size, 1999 % 3, np.uint8))
    assert evaluation.report(NO_DROPS, Bars())["pixel_accuracy"] == 1


def test_without_true_labels_no_labels_are_kept():
    size = (100, 100)
    evaluation = LiveEvaluation(CLASSES, labelled=False)

    def play():
        for stamp in range(1000):
            evaluation.add_labels(stamp, Arrival("", size, stamp), np.zeros(size, np.uint8))

    assert _peak_bytes(play) < 1_000_000


def test_a_frame_that_is_larger_than_the_bound_is_scored_all_the_same():
    evaluation = LiveEvaluation(CLASSES, max_waiting_bytes=1)
    evaluation.add_truth(1, labels(0, 0, 0, 0, 1, 1, 1, 1))
    answered(evaluation, 1)
    assert evaluation.report(NO_DROPS, Bars())["frames"] == 1
