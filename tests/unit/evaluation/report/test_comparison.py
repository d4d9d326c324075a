"""Reports compared with earlier ones."""

import json

import pytest

from semseg.errors import ConfigError
from semseg.evaluation.report.comparison import compare, read_report

BEFORE = {
    "mean_iou": 0.5,
    "pixel_accuracy": 0.9,
    "loss": 0.4,
    "iou": {"road": 0.7, "car": 0.3},
    "latency_ms": {"p50": 20.0},
    "protocol": "camvid val",
}


def _rows(comparison):
    lines = comparison.table().splitlines()
    return {line[:16].strip(): line[16:].split() for line in lines if len(line) < 50}


def test_the_table_says_before_now_and_the_change():
    now = {**BEFORE, "mean_iou": 0.525, "loss": 0.35, "iou": {"road": 0.7, "bus": 0.35}}
    compared = compare({**now, "latency_ms": {"p50": 18.5}}, BEFORE)
    rows = _rows(compared)
    assert rows["mean IoU"] == ["50.00", "52.50", "+2.50"]
    assert rows["loss"] == ["0.40", "0.35", "-0.05"]
    assert rows["IoU road"] == ["70.00", "70.00", "+0.00"]
    assert rows["IoU car"] == ["30.00", "--", "--"] and rows["IoU bus"] == ["--", "35.00", "--"]
    assert rows["latency p50, ms"] == ["20.00", "18.50", "-1.50"]
    assert not compared.dropped and compared.table().endswith("no drop of the mean IoU")


@pytest.mark.parametrize(
    "now, dropped", [(0.6, False), (0.5, False), (0.49995, False), (0.4998, True), (None, True)]
)
def test_a_drop_is_a_fall_of_the_mean_iou(now, dropped):
    assert compare({**BEFORE, "mean_iou": now}, BEFORE).dropped is dropped


def test_nothing_drops_from_nothing():
    assert not compare(BEFORE, {**BEFORE, "mean_iou": None}).dropped


def test_other_protocols_are_noted():
    assert compare(BEFORE, BEFORE).notes == []
    other = compare(BEFORE, {**BEFORE, "protocol": "camvid test"})
    assert other.notes == ["the protocols differ; before: camvid test"]


@pytest.mark.parametrize(
    "content, reason",
    [
        ("{", "is no JSON file of a report"),
        ("[1]", "is no report"),
        (json.dumps({"mean_iou": 1}), "it has no 'iou'"),
        (None, "cannot be read: No such file"),
    ],
)
def test_what_is_no_report_is_named(tmp_path, content, reason):
    path = tmp_path / "other.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=f"other.json: .*{reason}"):
        read_report(path)
