"""The best and the worst images."""

import cv2
import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.report.gallery import Gallery, error_map

IMAGE = np.full((4, 8, 3), 100, np.uint8)
LABELS = np.zeros((4, 8), np.uint8)


def _gallery(classes, count, scores):
    gallery = Gallery(classes, count)
    for name, score in scores.items():
        gallery.add(Frame(name, None, IMAGE), score, LABELS, LABELS)
    return gallery


def _captions(strips):
    return [strip.caption for strip in strips]


def test_the_extremes_are_kept_in_their_order(segmenter):
    scores = {"a": 0.5, "b": 0.9, "c": 0.1, "d": 0.7, "e": 0.3}
    gallery = _gallery(segmenter.classes, 2, scores)
    assert _captions(gallery.best) == ["b: mean IoU 90.0 %", "d: mean IoU 70.0 %"]
    assert _captions(gallery.worst) == ["c: mean IoU 10.0 %", "e: mean IoU 30.0 %"]


def test_of_equal_ones_the_first_stay_even_if_they_share_a_name(segmenter):
    gallery = Gallery(segmenter.classes, 2)
    for value in (10, 20, 30):
        gallery.add(Frame("same", None, np.full_like(IMAGE, value)), 0.5, LABELS, LABELS)
    pictures = [strip.pictures["image"] for strip in gallery.best]
    shown = [cv2.imdecode(np.frombuffer(data, np.uint8), -1)[0, 0, 0] for data in pictures]
    np.testing.assert_allclose(shown, [10, 20], atol=2)


def test_of_each_second_of_a_drive_one_is_kept(segmenter):
    gallery = Gallery(segmenter.classes, 2)
    scores = {0.0: 0.5, 0.1: 0.9, 0.2: 0.8, 1.0: 0.1, 1.9: 0.2, 2.5: 0.3}
    for seconds, score in scores.items():
        frame = Frame(f"{seconds}", round(seconds * 10**9), IMAGE)
        gallery.add(frame, score, LABELS, LABELS)
    assert _captions(gallery.best) == ["0.1: mean IoU 90.0 %", "2.5: mean IoU 30.0 %"]
    assert _captions(gallery.worst) == ["1.0: mean IoU 10.0 %", "2.5: mean IoU 30.0 %"]


@pytest.mark.parametrize("count, kept", [(0, 0), (1, 1), (9, 3)])
def test_no_more_than_asked_for_and_no_more_than_there_are(segmenter, count, kept):
    gallery = _gallery(segmenter.classes, count, dict.fromkeys("abc", 0.5))
    assert len(gallery.best) == len(gallery.worst) == kept


def test_pictures_are_scaled_down_together(segmenter):
    gallery = Gallery(segmenter.classes, 1)
    truth = np.ones((500, 1000), np.uint8)
    gallery.add(Frame("a", None, np.zeros((250, 500, 3), np.uint8)), 0.5, truth, truth)
    (strip,) = gallery.best
    assert list(strip.pictures)[:3] == ["image", "truth", "prediction"]
    for data in strip.pictures.values():
        assert cv2.imdecode(np.frombuffer(data, np.uint8), -1).shape == (320, 640, 3)
    shown = cv2.imdecode(np.frombuffer(strip.pictures["truth"], np.uint8), -1)[160, 320, ::-1]
    np.testing.assert_allclose(shown, segmenter.classes.colors[1], atol=4)


def test_the_error_map_marks_what_is_wrong_and_what_nobody_knows():
    truth = np.array([[0, 1, IGNORE, 2]], np.uint8)
    found = np.array([[0, 2, 1, IGNORE]], np.uint8)
    image = np.full((1, 4, 3), 200, np.uint8)
    drawn = error_map(image, truth, found)[0].tolist()
    assert drawn == [[196] * 3, [224, 48, 48], [0, 0, 0], [224, 48, 48]]
