import numpy as np
import pytest
import tensorflow as tf

from semseg.classes import IGNORE
from semseg.training.losses import BootstrappedCrossEntropy, CrossEntropy

WEIGHTS = (0.5, 1.0, 3.0, 2.0)


@pytest.fixture
def pixels():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, (2, 5, 6)).astype(np.uint8)
    labels[rng.random(labels.shape) < 0.3] = IGNORE
    return labels, rng.normal(0, 2, (2, 5, 6, 4)).astype(np.float32)


def _entropy(labels, logits, weights=(1, 1, 1, 1)):
    """Weighted cross-entropy and weight of each pixel, in float64."""
    logits = logits.astype(np.float64)
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    valid = labels != IGNORE
    classes = np.where(valid, labels, 0)
    weight = np.array(weights, np.float64)[classes] * valid
    return -np.take_along_axis(logs, classes[..., np.newaxis], -1)[..., 0] * weight, weight


def _bootstrapped(labels, logits, kept, weights=(1, 1, 1, 1)):
    entropies, weight = _entropy(labels, logits, weights)
    total = mass = 0.0
    for image_entropy, image_weight in zip(entropies, weight):
        worst = np.argsort(-image_entropy.ravel(), kind="stable")[:kept]
        total += image_entropy.ravel()[worst].sum()
        mass += image_weight.ravel()[worst].sum()
    return total / mass


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_cross_entropy_is_the_weighted_mean_of_labelled_pixels(pixels, weights):
    entropy, weight = _entropy(*pixels, weights or (1, 1, 1, 1))
    loss = float(CrossEntropy(weights)(*pixels))
    assert loss == pytest.approx(entropy.sum() / weight.sum(), rel=1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_bootstrapped_cross_entropy_is_the_mean_of_the_worst_pixels(pixels, weights):
    expected = _bootstrapped(*pixels, kept=6, weights=weights or (1, 1, 1, 1))
    loss = float(BootstrappedCrossEntropy(0.2, weights)(*pixels))
    assert loss == pytest.approx(expected, rel=1e-5)


def test_an_image_with_few_labelled_pixels_counts_with_all_of_them(pixels):
    labels, logits = pixels
    labels[0] = IGNORE
    labels[0, 0, :2] = 1
    loss = float(BootstrappedCrossEntropy(0.2)(labels, logits))
    assert loss == pytest.approx(_bootstrapped(labels, logits, kept=6), rel=1e-5)


@pytest.mark.parametrize("loss", [CrossEntropy(), BootstrappedCrossEntropy(0.25, WEIGHTS)])
def test_an_all_void_batch_has_no_loss_and_no_gradient(pixels, loss):
    logits = tf.Variable(pixels[1])
    with tf.GradientTape() as tape:
        value = loss(np.full((2, 5, 6), IGNORE, np.uint8), logits)
    assert float(value) == 0
    assert not np.any(tape.gradient(value, logits))


@pytest.mark.parametrize("loss", [CrossEntropy(WEIGHTS), BootstrappedCrossEntropy(0.2, WEIGHTS)])
def test_gradient_is_that_of_the_loss(pixels, loss):
    labels, values = pixels
    logits = tf.Variable(values)
    with tf.GradientTape() as tape:
        value = loss(labels, logits)
    gradient = np.array(tape.gradient(value, logits))
    assert not np.any(gradient[labels == IGNORE])
    bootstrapped = isinstance(loss, BootstrappedCrossEntropy)
    for index in zip(*np.unravel_index(np.argsort(-abs(gradient), axis=None)[:5], gradient.shape)):
        step = np.zeros_like(values, np.float64)
        step[index] = 1e-4
        ends = [
            _bootstrapped(labels, values + sign * step, 6, WEIGHTS)
            if bootstrapped
            else np.divide(
                *(part.sum() for part in _entropy(labels, values + sign * step, WEIGHTS))
            )
            for sign in (1, -1)
        ]
        assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-3)
