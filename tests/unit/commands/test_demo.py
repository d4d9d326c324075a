"""The demo's bar and frames; the playback itself is tests/ros/demo.test."""

import pytest

from semseg import town
from semseg.commands import demo
from semseg.errors import GraphError
from semseg.runtime.graph.card import Card


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
