import math

import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.evaluation.scores.calibration import Calibration


def test_gap_between_confidence_and_accuracy_weighs_by_pixels():
    calibration = Calibration(bins=2)
    labels = np.array([[0, 0, 1, 1, IGNORE]], np.uint8)
    predictions = np.array([[0, 1, 1, 1, 0]], np.uint8)
    calibration.update(labels, predictions, np.array([[0.4, 0.3, 0.9, 0.7, 0.99]], np.float32))
    np.testing.assert_array_equal(calibration.pixels, [2, 2])
    np.testing.assert_allclose(calibration.accuracy, [0.5, 1.0])
    np.testing.assert_allclose(calibration.confidence, [0.35, 0.8], rtol=1e-6)
    assert calibration.expected_error == pytest.approx((2 * 0.15 + 2 * 0.2) / 4)


def test_certainty_belongs_to_the_last_bin():
    calibration = Calibration(bins=10)
    calibration.update(np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.uint8), np.ones((1, 1)))
    assert calibration.pixels[-1] == 1 and calibration.expected_error == 0


def test_nothing_to_score_is_nan():
    calibration = Calibration(bins=3)
    assert math.isnan(calibration.expected_error)
    assert np.isnan(calibration.accuracy).all()
