"""The scores, against values worked out by hand."""

import math

import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.errors import ImageError
from semseg.metrics import ConfusionMatrix

TRUTH = np.array([[0, 0, 1], [0, 1, 1], [2, 2, IGNORE]], np.uint8)
PREDICTED = np.array([[0, 1, 1], [0, 1, IGNORE], [2, 0, 2]], np.uint8)
COUNTS = [
    [2, 1, 0, 0],
    [0, 2, 0, 1],
    [1, 0, 1, 0],
]


def matrix(truth, predicted, num_classes=3):
    confusion = ConfusionMatrix(num_classes)
    confusion.update(np.array(truth, np.uint8), np.array(predicted, np.uint8))
    return confusion


def test_counts_have_a_row_per_truth_and_a_last_column_for_no_class():
    confusion = matrix(TRUTH, PREDICTED)
    assert confusion.counts.dtype == np.int64
    np.testing.assert_array_equal(confusion.counts, COUNTS)


def test_scores_of_a_hand_worked_image():
    confusion = matrix(TRUTH, PREDICTED)
    # Class 0: TP 2, FN 1, FP 1.  Class 1: TP 2, FN 1 (predicted ignore), FP 1.  Class 2: 1, 1, 0.
    np.testing.assert_allclose(confusion.iou, [2 / 4, 2 / 4, 1 / 2])
    assert confusion.mean_iou == pytest.approx(0.5)
    assert confusion.pixel_accuracy == pytest.approx(5 / 8)


def test_a_prediction_on_ignored_truth_is_no_false_positive():
    confusion = matrix([[0, IGNORE, IGNORE]], [[0, 0, 1]], num_classes=2)
    assert confusion.iou[0] == 1.0
    assert math.isnan(confusion.iou[1])


@pytest.mark.parametrize("predicted", [IGNORE, 7], ids=["ignore", "an id outside the table"])
def test_a_prediction_that_is_no_class_is_a_false_negative(predicted):
    confusion = matrix([[0, 0, 0, 0]], [[0, 0, 0, predicted]])
    assert confusion.iou[0] == pytest.approx(3 / 4)
    assert confusion.pixel_accuracy == pytest.approx(3 / 4)


def test_an_absent_class_has_no_score_and_leaves_the_mean():
    confusion = matrix([[0, 0, 1, 1]], [[0, 0, 1, 0]])
    assert math.isnan(confusion.iou[2])
    assert confusion.mean_iou == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_a_class_that_is_only_predicted_scores_zero():
    confusion = matrix([[0, 0]], [[0, 2]])
    assert confusion.iou[2] == 0.0
    assert confusion.mean_iou == pytest.approx((1 / 2 + 0) / 2)


def test_nothing_to_score_is_nan_and_not_zero():
    confusion = matrix([[IGNORE]], [[0]])
    assert math.isnan(confusion.mean_iou)
    assert math.isnan(confusion.pixel_accuracy)


def test_merged_parts_equal_the_whole():
    random = np.random.default_rng(0)
    truth, predicted = random.integers(0, 3, (2, 6, 5), np.uint8)
    parts = matrix(truth[:3], predicted[:3])
    parts.merge(matrix(truth[3:], predicted[3:]))
    np.testing.assert_array_equal(parts.counts, matrix(truth, predicted).counts)
    assert parts.counts.sum() == 30


def test_255_classes_fit():
    labels = np.arange(256, dtype=np.uint8)
    confusion = matrix(labels, labels, num_classes=255)
    assert np.trace(confusion.counts) == 255
    assert confusion.counts[:, -1].sum() == 0


def test_unequal_sizes_are_an_error_with_both_sizes():
    with pytest.raises(ImageError, match="prediction is 2x3, its truth is 4x6"):
        matrix(np.zeros((4, 6)), np.zeros((2, 3)))


def test_a_true_label_outside_the_table_is_an_error():
    with pytest.raises(ImageError, match=r"true label 3 is neither a class \(0\.\.2\) nor ignore"):
        matrix([[0, 3]], [[0, 0]])


def test_labels_that_do_not_fit_a_byte_are_an_error_and_not_wrapped():
    confusion = ConfusionMatrix(3)
    with pytest.raises(ImageError, match="must be uint8, found int64"):
        confusion.update(np.zeros((1, 1), np.uint8), np.array([[256]]))
    assert confusion.counts.sum() == 0


def test_precision_recall_and_f_of_a_hand_worked_image():
    confusion = matrix(TRUTH, PREDICTED)
    np.testing.assert_allclose(confusion.precision, [2 / 3, 2 / 3, 1])
    np.testing.assert_allclose(confusion.recall, [2 / 3, 2 / 3, 1 / 2])
    np.testing.assert_allclose(confusion.f_score, [2 / 3, 2 / 3, 2 / 3])


def test_a_class_without_pixels_or_predictions_has_no_precision_or_recall():
    confusion = matrix([[0, 0, 1]], [[0, 0, 0]])
    assert math.isnan(confusion.precision[1]) and confusion.recall[1] == 0
    assert math.isnan(confusion.precision[2]) and math.isnan(confusion.recall[2])
    assert confusion.f_score[1] == 0 and math.isnan(confusion.f_score[2])


def test_frequency_weighted_iou_weighs_by_true_pixels():
    confusion = matrix([[0, 0, 0, 1]], [[0, 0, 1, 1]])
    assert confusion.frequency_weighted_iou == pytest.approx(3 / 4 * 2 / 3 + 1 / 4 * 1 / 2)
    assert math.isnan(matrix([[IGNORE]], [[0]]).frequency_weighted_iou)


def test_a_mix_up_within_a_group_is_no_error_of_the_group():
    confusion = matrix([[0, 0, 1, 2, 2]], [[1, 2, 1, IGNORE, 2]])
    grouped = confusion.grouped([0, 0, 1], 2)
    np.testing.assert_array_equal(grouped.counts, [[2, 1, 0], [0, 1, 1]])
    np.testing.assert_allclose(grouped.iou, [2 / 3, 1 / 3])


def test_counts_beyond_what_a_float32_holds_are_exact():
    labels = np.zeros(2**24 + 3, np.uint8)
    assert matrix(labels, labels).counts[0, 0] == 2**24 + 3


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4000, 4001])
@pytest.mark.parametrize("run", [1, 2, 7, 50], ids=lambda run: f"runs of {run}")
def test_runs_and_noise_are_counted_alike(size, run):
    random = np.random.default_rng(size + run)
    truth, found = (
        np.repeat(random.integers(0, 3, size // run + 1), length)[:size].astype(np.uint8)
        for length in (run, run + 3)
    )
    truth[size // 3 : size // 2] = IGNORE
    expected = np.zeros((256, 256), np.int64)
    np.add.at(expected, (truth, found), 1)
    assert matrix(truth, found).counts[:, :3].tolist() == expected[:3, :3].tolist()


def test_labels_with_gaps_in_memory_are_counted():
    truth, found = np.arange(12, dtype=np.uint8).reshape(3, 4) % 3, np.zeros((3, 8), np.uint8)
    expected = matrix(truth.copy()[:, 1:], found[:, :3]).counts
    assert matrix(truth[:, 1:], found[:, ::2][:, 1:]).counts.tolist() == expected.tolist()
    assert expected.sum() == 9
