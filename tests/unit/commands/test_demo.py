"""The demo's bar and frames; the playback itself is tests/ros/demo.test."""

from pathlib import Path

import pytest

from semseg import town
from semseg.commands import demo
from semseg.errors import GraphError
from semseg.resources import shipped_file
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


def test_the_street_is_as_long_as_its_video():
    frames = demo.street_frames()
    images = [frame.image for frame in frames]
    assert len(frames) == len(images) == 74  # Frames 0, 3, ... 219 of 221.
    assert frames.rate_hz == pytest.approx(25 / 3)
    assert {image.shape for image in images} == {(540, 960, 3)}
    # Sky above, asphalt below: blue is the strongest channel of the first alone.
    sky, road = images[0][:100].mean(axis=(0, 1)), images[0][-100:].mean(axis=(0, 1))
    assert sky.argmax() == 2
    assert road.max() - road.min() < 40


def test_the_streets_licence_is_shipped():
    notice = Path(shipped_file("demo", "README.md")).read_text()
    assert "Copyright (c) 2016-2019 Udacity, Inc." in notice
    assert demo.STREET in notice
