import math

import numpy as np
import pytest

from semseg.metrics import ConfusionMatrix
from semseg.training.validation import Score, best_mean_iou, has_stalled, validation_columns


def _history(*scores):
    return [{"validation_mean_iou": score} for score in scores]


def test_the_best_is_the_highest():
    assert best_mean_iou(_history(0.2, 0.5, 0.4)) == 0.5
    assert math.isnan(best_mean_iou([]))


@pytest.mark.parametrize(
    ("scores", "stalled"),
    [
        ((0.1, 0.1), False),  # Nothing is known before the last two epochs.
        ((0.3, 0.1, 0.2), True),
        ((0.3, 0.1, 0.3), True),
        ((0.3, 0.1, 0.31), False),
        ((0.3, 0.31, 0.1), False),
        ((0.3, 0.31, 0.1, 0.2), True),
    ],
)
def test_a_run_stalls_after_two_epochs_without_a_better_one(scores, stalled):
    assert has_stalled(_history(*scores), patience=2) == stalled


def _score(loss, right, wrong):
    confusion = ConfusionMatrix(2)
    labels = np.zeros((1, right + wrong), np.uint8)
    predictions = np.array([[0] * right + [1] * wrong], np.uint8)
    confusion.update(labels, predictions)
    return Score(loss, confusion)


def test_several_datasets_count_alike():
    columns = validation_columns({"a": _score(1.0, 3, 1), "b": _score(2.0, 100, 0)})
    assert columns == pytest.approx(
        {
            "validation_loss": 1.5,
            "validation_mean_iou": (0.75 / 2 + 1.0) / 2,  # Class 1 of b does not occur.
            "validation_pixel_accuracy": 0.875,
            "validation_loss/a": 1.0,
            "validation_mean_iou/a": 0.375,
            "validation_pixel_accuracy/a": 0.75,
            "validation_loss/b": 2.0,
            "validation_mean_iou/b": 1.0,
            "validation_pixel_accuracy/b": 1.0,
        }
    )
    assert list(validation_columns({"a": _score(1.0, 3, 1)})) == [
        "validation_loss",
        "validation_mean_iou",
        "validation_pixel_accuracy",
    ]
