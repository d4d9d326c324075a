import math

import numpy as np
import pytest

from semseg.evaluation.scores.road_scores import RoadScores


def _scores(road, valid, probability):
    scores = RoadScores()
    scores.update(np.array([road], bool), np.array([valid], bool), np.array([probability]))
    return scores.score()


def test_scores_of_four_pixels_worked_by_hand():
    # At 0.8 and above: one of two road pixels, nothing else. At 0.4: both, and one of the rest.
    score = _scores([1, 1, 0, 0], [1, 1, 1, 1], [0.8, 0.4, 0.6, 0.2])
    assert score.max_f == pytest.approx(2 * 2 / (3 + 2))
    assert score.precision == pytest.approx(2 / 3)
    assert score.recall == 1 and score.false_negative_rate == 0
    assert score.false_positive_rate == pytest.approx(1 / 2)
    assert 0.2 < score.threshold <= 0.4
    # Recalls 0 to 0.5 (six of eleven) have precision 1, the others 2/3.
    assert score.average_precision == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)


def test_invalid_pixels_count_nowhere():
    all_valid = _scores([1, 0], [1, 1], [0.9, 0.1])
    one_more = _scores([1, 0, 0], [1, 1, 0], [0.9, 0.1, 1.0])
    assert one_more == all_valid
    assert all_valid.max_f == 1 and all_valid.average_precision == 1


def test_without_road_there_is_no_score():
    assert math.isnan(_scores([0, 0], [1, 1], [0.5, 0.5]).max_f)
