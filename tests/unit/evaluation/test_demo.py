"""The demo's bar and table; the playback itself is tests/ros/demo.test."""

import pytest

from semseg import town
from semseg.errors import GraphError
from semseg.evaluation import demo
from semseg.runtime.card import Card


class Graph:
    def __init__(self, scores):
        self.card = Card("town", {}, town.TOWN_CLASSES, scores=scores)


def test_the_bar_is_the_cards_score(monkeypatch):
    scores = ({"mean_iou": 0.61, "protocol": "val"}, {"mean_iou": 0.7, "protocol": "other"})
    monkeypatch.setattr(demo, "read_frozen_graph", lambda path: Graph(scores))
    assert demo.card_mean_iou("x.pb") == 0.61


def test_a_card_without_a_score_is_refused(monkeypatch):
    monkeypatch.setattr(demo, "read_frozen_graph", lambda path: Graph(()))
    with pytest.raises(GraphError, match="x.pb: its card has no score"):
        demo.card_mean_iou("x.pb")


def test_frames_are_those_of_the_demo_split():
    frames = demo.demo_frames()
    assert len(frames) == town.SPLITS["demo"]
    first = next(iter(frames))
    expected = town.frame("demo", 0)
    assert first.name == expected.name
    assert (first.labels == expected.labels).all()
    assert (first.intrinsics == expected.intrinsics).all()


def test_the_table_names_drops_and_verdict():
    text = demo.summary(
        {
            "model": "x.pb",
            "passed": False,
            "sent": 10,
            "segmented": 7,
            "skipped": 3,
            "drops": {"replaced": 2, "malformed": 0, "unexplained": 1},
            "header_errors": [],
            "latency_ms": {"p50": 10.5, "p95": 20.0, "p99": None},
            "mean_iou": None,
            "min_mean_iou": 0.59,
        }
    )
    rows = {line[:30].strip(): line[31:] for line in text.splitlines()}
    assert rows["dropped"] == "3 (replaced 2, unexplained 1)"
    assert rows["latency p50 / p95 / p99"] == "10.5 ms / 20.0 ms / None ms"
    assert rows["mean IoU"] == "none (passes from 0.59)"
    assert rows["verdict"] == "FAILED"
