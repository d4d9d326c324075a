import math

import numpy as np

from semseg.classes import IGNORE
from semseg.evaluation.scores.boundary_scores import BoundaryScores


def _square(left):
    labels = np.zeros((40, 40), np.uint8)
    labels[10:30, left : left + 20] = 1
    return labels


def _f_score(labels, predictions, tolerance):
    scores = BoundaryScores(3, tolerance)
    scores.update(labels, predictions)
    return scores.f_score


def test_a_shift_within_the_tolerance_costs_nothing():
    assert _f_score(_square(10), _square(12), tolerance=2)[1] == 1


def test_a_shift_beyond_the_tolerance_costs_the_upright_sides():
    # Of the 76 outline pixels, the 17 of each level side that overlap or nearly do are matched,
    # and two at each end of the nearer upright side.
    score = _f_score(_square(10), _square(15), tolerance=2)[1]
    np.testing.assert_allclose(score, (2 * 17 + 2 * 2) / 76)


def test_absent_classes_have_no_score_and_missed_ones_zero():
    score = _f_score(_square(10), np.zeros((40, 40), np.uint8), tolerance=1)
    assert score[1] == 0 and math.isnan(score[2])


def test_outlines_beside_void_do_not_count():
    labels = np.where(_square(10) == 1, 1, IGNORE).astype(np.uint8)
    assert math.isnan(_f_score(labels, np.ones_like(labels), tolerance=1)[1])
    assert math.isnan(_f_score(labels, _square(10), tolerance=1)[1])
