"""The scores beside the IoU, as an evaluation adds them up; each has a test of its own, too."""

import math

import numpy as np
import pytest

from semseg.classes import IGNORE, ClassTable
from semseg.data.declarations.class_map import ClassMap
from semseg.data.declarations.specs import InstanceConfig, ScoreConfig
from semseg.data.samples.instances import Instances
from semseg.errors import ImageError
from semseg.evaluation.scores.scores import TITLES, Prediction, ScoreOptions, Scores, Truth

CLASSES = ClassTable(("road", "path", "car"), ((1, 1, 1), (2, 2, 2), (3, 3, 3)))
SAME = ClassMap.create(CLASSES, CLASSES)
CATEGORIES = {"flat": ("road", "path"), "vehicle": ("car",)}
TRUTH = np.array([[0, 0, 1, 2, IGNORE]], np.uint8)
FOUND = np.array([[0, 1, 1, 1, 2]], np.uint8)
SURE = np.array([[0.9, 0.6, 0.7, 0.8, 0.5]], np.float32)


def _scores(declared=None, class_map=SAME, **options):
    return Scores(class_map, ScoreOptions(ScoreConfig(**(declared or {})), **options))


def _updated(scores, truth=None, **prediction):
    scores.update(truth or Truth(TRUTH), Prediction(FOUND, SURE, **prediction))
    return scores


def test_what_every_evaluation_tells():
    totals = _updated(_scores()).totals()
    assert list(totals) == [
        "mean_iou",
        "pixel_accuracy",
        "frequency_weighted_iou",
        "mean_precision",
        "mean_recall",
        "mean_f_score",
        "expected_calibration_error",
    ]
    assert set(totals) < set(TITLES)
    # road 1 of 2, path 1 of 3, car 0 of 1.
    assert totals["mean_iou"] == pytest.approx((1 / 2 + 1 / 3 + 0) / 3)
    assert totals["frequency_weighted_iou"] == pytest.approx((2 * 1 / 2 + 1 / 3 + 0) / 4)
    assert totals["mean_precision"] == pytest.approx((1 + 1 / 3) / 2)  # No car was predicted.
    assert totals["mean_recall"] == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert totals["mean_f_score"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    # Each of the four pixels is in a bin of its own.
    assert totals["expected_calibration_error"] == pytest.approx((0.1 + 0.6 + 0.3 + 0.8) / 4)


def test_a_mix_up_within_a_category_is_none():
    scores = _updated(_scores({"categories": CATEGORIES}))
    assert scores.by_category()["category_iou"].tolist() == [3 / 4, 0]
    assert scores.totals()["mean_category_iou"] == 3 / 8
    assert scores.categories == ("flat", "vehicle")


def test_instances_weigh_by_their_size():
    instances = InstanceConfig(replace={"a": "b"}, divisor=10, mean_sizes={"car": 2.0})
    scores = _scores({"categories": CATEGORIES, "instances": instances})
    truth = np.array([[2, 2, 2, 2, 0]], np.uint8)
    found = np.array([[2, 2, 2, 0, 2]], np.uint8)
    objects = Instances(np.array([[0, 0, 0, 1, -1]]), np.array([2, 2], np.uint8))
    scores.update(Truth(truth, objects), Prediction(found, np.ones((1, 5))))
    # A car of 3 pixels is found, one of 1 pixel is missed, one pixel is taken for a car.
    expected = (3 * 2 / 3) / (3 * 2 / 3 + 1 * 2 / 1 + 1)
    assert scores.by_class()["instance_iou"].tolist()[:2] == pytest.approx(
        [math.nan] * 2, nan_ok=True
    )
    assert scores.totals()["mean_instance_iou"] == pytest.approx(expected)
    assert scores.totals()["mean_category_instance_iou"] == pytest.approx(expected)


def test_an_instance_of_no_class_does_not_count():
    instances = InstanceConfig(replace={"a": "b"}, divisor=10, mean_sizes={"car": 2.0})
    scores = _scores({"instances": instances})
    objects = Instances(np.array([[0]]), np.array([IGNORE], np.uint8))
    scores.update(
        Truth(np.full((1, 1), IGNORE, np.uint8), objects),
        Prediction(np.full((1, 1), 2, np.uint8), np.ones((1, 1))),
    )
    assert math.isnan(scores.totals()["mean_instance_iou"])


def test_instances_of_another_size_are_refused():
    objects = Instances(np.zeros((2, 5), int), np.array([2], np.uint8))
    with pytest.raises(ImageError, match="the instance file is 2x5, the label file 1x5"):
        _updated(_scores(), Truth(TRUTH, objects))


def test_the_road_is_scored_by_the_probabilities_of_all_that_means_it():
    own = ClassTable(("asphalt", "gravel", "rest"), CLASSES.colors)
    class_map = ClassMap.create(own, CLASSES, {"asphalt": "road", "gravel": "road", "rest": "car"})
    options = ScoreOptions(ScoreConfig(road_class="road"))
    assert options.needs_probabilities and not ScoreOptions().needs_probabilities
    scores = Scores(class_map, options)
    truth = np.array([[0, 0, 2, IGNORE]], np.uint8)
    # Only together do asphalt and gravel make the second pixel more road than the third.
    probabilities = np.array(
        [[[0.9, 0, 0.1], [0.3, 0.4, 0.3], [0.5, 0, 0.5], [1, 0, 0]]], np.float32
    )
    found = class_map.table[probabilities.argmax(axis=2)]
    scores.update(Truth(truth), Prediction(found, probabilities.max(axis=2), probabilities))
    assert scores.road()["max_f"] == 1 and 0.5 < scores.road()["threshold"] <= 0.7
    assert scores.totals()["road_max_f_image_plane"] == 1
    assert "loss" not in scores.totals()


def test_outlines_are_scored_on_request():
    truth = np.repeat([[0, 0, 0, 0, 1, 1, 1, 1]], 8, 0).astype(np.uint8)
    for tolerance, expected in ((1, 1.0), (2, 1.0)):
        scores = _scores(boundary_px=tolerance)
        scores.update(Truth(truth), Prediction(truth, np.ones(truth.shape)))
        assert scores.totals()["mean_boundary_f"] == expected
    assert "boundary_f" not in _scores().by_class()


def test_an_image_that_is_refused_changes_nothing():
    scores = _scores()
    with pytest.raises(ImageError, match="true label 9 is neither"):
        scores.update(Truth(np.full_like(TRUTH, 9)), Prediction(FOUND, SURE))
    assert scores.confusion.counts.sum() == 0 and scores.calibration.pixels.sum() == 0
