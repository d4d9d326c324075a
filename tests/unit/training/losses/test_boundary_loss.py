"""The loss of boundaries against a few lines of numpy in float64."""

import numpy as np
import pytest
import tensorflow as tf

from semseg.classes import IGNORE
from semseg.training.losses.outputs import BoundaryLoss, boundaries
from tolerances import SLOPE, of_means

SHAPE = (2, 9, 12)


@pytest.fixture
def pixels():
    """Three regions with void between two of them, and logits."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 6:] = 1
    labels[1, :, 9:] = 2
    labels[:, 5, 4:] = IGNORE
    labels[:, :, 7:9] = np.where(labels[:, :, 7:9] == 2, 2, IGNORE)
    return labels, np.random.default_rng(2).normal(0, 2, (*SHAPE, 1)).astype(np.float32)


def _boundaries(labels):
    found = np.zeros(labels.shape, bool)
    for image, row, column in np.ndindex(labels.shape):
        near = labels[image, max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        found[image, row, column] = len(set(near[near != IGNORE])) > 1
    return found


def _loss(labels, logits):
    valid = labels != IGNORE
    truth, logits = _boundaries(labels)[valid], logits[..., 0].astype(np.float64)[valid]
    probability = 1 / (1 + np.exp(-logits))
    share = truth.mean()
    entropy = -np.log(np.where(truth, probability, 1 - probability))
    return np.mean(entropy * np.where(truth, 1 - share, share))


def _value_and_gradient(labels, logits):
    logits = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = BoundaryLoss()(labels, logits)
    return float(value), np.array(tape.gradient(value, logits))


def test_a_boundary_is_two_pixels_deep_on_either_side():
    labels = np.full((1, 4, 10), 7, np.float32)
    labels[..., 5:] = 3
    found = np.array(boundaries(labels))
    assert np.array_equal(found, np.broadcast_to([0, 0, 0, 1, 1, 1, 1, 0, 0, 0], found.shape))


def test_void_makes_no_boundary():
    labels = np.full((1, 4, 10), 7, np.float32)
    labels[..., 5:] = IGNORE
    assert not np.any(boundaries(labels))


def test_boundaries_are_those_of_numpy(pixels):
    found = np.array(boundaries(pixels[0].astype(np.float32)))
    np.testing.assert_array_equal(found, _boundaries(pixels[0]))
    assert 0.1 < found.mean() < 0.9


def test_value_and_gradient_are_those_of_numpy(pixels):
    labels, logits = pixels
    value, gradient = _value_and_gradient(labels, logits)
    tolerance = of_means(np.count_nonzero(labels != IGNORE), np.abs(logits).max())
    assert value == pytest.approx(_loss(labels, logits), rel=0, abs=tolerance)
    assert not np.any(gradient[labels == IGNORE])
    for index in zip(*np.unravel_index(np.argsort(-abs(gradient), axis=None)[:9], gradient.shape)):
        step = np.zeros(logits.shape)
        step[index] = 1e-5
        slope = (_loss(labels, logits + step) - _loss(labels, logits - step)) / 2e-5
        assert gradient[index] == pytest.approx(slope, rel=SLOPE)


def test_an_all_void_batch_has_no_loss_and_no_gradient(pixels):
    value, gradient = _value_and_gradient(np.full(SHAPE, IGNORE, np.uint8), pixels[1])
    assert value == 0
    assert not np.any(gradient)


def test_certain_pixels_have_a_finite_gradient(pixels):
    for logits in (np.full((*SHAPE, 1), 200, np.float32), np.full((*SHAPE, 1), -200, np.float32)):
        value, gradient = _value_and_gradient(pixels[0], logits)
        assert np.isfinite(value)
        assert np.all(np.isfinite(gradient))
