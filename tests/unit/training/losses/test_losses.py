"""Each loss against a few lines of numpy in float64: value, gradient, void pixels."""

import numpy as np
import pytest
import tensorflow as tf

from semseg.classes import IGNORE
from semseg.training.losses import (
    LOSSES,
    BootstrappedCrossEntropy,
    CrossEntropy,
    DiceLoss,
    FocalLoss,
    LovaszLoss,
    OhemCrossEntropy,
)
from tolerances import SLOPE, of_means

WEIGHTS = (0.5, 1.0, 3.0, 2.0)
ALIKE = (1, 1, 1, 1)


@pytest.fixture
def pixels():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, (2, 5, 6)).astype(np.uint8)
    labels[rng.random(labels.shape) < 0.3] = IGNORE
    return labels, rng.normal(0, 2, (2, 5, 6, 4)).astype(np.float32)


def _probabilities(logits):
    exponentials = np.exp(logits.astype(np.float64))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _entropy(labels, logits, weights):
    """Cross-entropy and weight of each pixel."""
    valid = labels != IGNORE
    classes = np.where(valid, labels, 0)
    true = np.take_along_axis(_probabilities(logits), classes[..., np.newaxis], -1)[..., 0]
    return -np.log(true), np.array(weights, np.float64)[classes] * valid


def _cross_entropy(labels, logits, weights=ALIKE):
    entropy, weight = _entropy(labels, logits, weights)
    return (entropy * weight).sum() / weight.sum()


def _bootstrapped(labels, logits, weights=ALIKE, kept=6):
    entropies, weight = _entropy(labels, logits, weights)
    total = mass = 0.0
    for entropy, of_pixel in zip((entropies * weight).reshape(2, -1), weight.reshape(2, -1)):
        worst = np.argsort(-entropy, kind="stable")[:kept]
        total += entropy[worst].sum()
        mass += of_pixel[worst].sum()
    return total / mass


def _ohem(labels, logits, weights=ALIKE, threshold=0.05, kept=6):
    entropies, weight = _entropy(labels, logits, weights)
    total = mass = 0.0
    for entropy, of_pixel in zip(entropies.reshape(2, -1), weight.reshape(2, -1)):
        order = sorted(np.flatnonzero(of_pixel), key=lambda pixel: -entropy[pixel])
        hard = [p for i, p in enumerate(order) if i < kept or np.exp(-entropy[p]) < threshold]
        total += (entropy * of_pixel)[hard].sum()
        mass += of_pixel[hard].sum()
    return total / mass


def _focal(labels, logits, weights=ALIKE, gamma=1.5):
    entropy, weight = _entropy(labels, logits, weights)
    return ((1 - np.exp(-entropy)) ** gamma * entropy * weight).sum() / weight.sum()


def _over_classes(labels, logits, weights, loss_of_class):
    """Weighted mean over the classes that occur of a function of truth and probability [P]."""
    valid = labels != IGNORE
    truth, probabilities = labels[valid], _probabilities(logits)[valid]
    shown = np.unique(truth)
    losses = [loss_of_class(truth == index, probabilities[:, index]) for index in shown]
    return np.average(losses, weights=np.array(weights, np.float64)[shown])


def _dice(labels, logits, weights=ALIKE):
    def loss(truth, probability):
        return 1 - 2 * (probability * truth).sum() / (probability.sum() + truth.sum())

    return _over_classes(labels, logits, weights, loss)


def _lovasz(labels, logits, weights=ALIKE):
    def loss(truth, probability):
        errors = abs(truth - probability)
        order = np.argsort(-errors, kind="stable")
        present = truth[order]
        missed, added = present.sum() - present.cumsum(), present.sum() + (~present).cumsum()
        return errors[order] @ np.diff(1 - missed / added, prepend=0)

    return _over_classes(labels, logits, weights, loss)


def _lovasz_and_entropy(labels, logits, weights=ALIKE):
    return _lovasz(labels, logits, weights) + 0.5 * _cross_entropy(labels, logits, weights)


CASES = {
    "bootstrapped_cross_entropy": (BootstrappedCrossEntropy(0.2), _bootstrapped),
    "bootstrapped weighted": (
        BootstrappedCrossEntropy(0.2, class_weights=WEIGHTS),
        lambda *pixels: _bootstrapped(*pixels, WEIGHTS),
    ),
    "cross_entropy": (CrossEntropy(), _cross_entropy),
    "cross-entropy weighted": (
        CrossEntropy(class_weights=WEIGHTS),
        lambda *pixels: _cross_entropy(*pixels, WEIGHTS),
    ),
    "dice": (DiceLoss(), _dice),
    "dice weighted": (DiceLoss(class_weights=WEIGHTS), lambda *pixels: _dice(*pixels, WEIGHTS)),
    "focal": (FocalLoss(1.5), _focal),
    "focal weighted": (
        FocalLoss(1.5, class_weights=WEIGHTS),
        lambda *pixels: _focal(*pixels, WEIGHTS),
    ),
    "lovasz": (LovaszLoss(), _lovasz),
    "lovasz with weighted cross-entropy": (
        LovaszLoss(class_weights=WEIGHTS, cross_entropy=0.5),
        lambda *pixels: _lovasz_and_entropy(*pixels, WEIGHTS),
    ),
    "ohem_cross_entropy": (OhemCrossEntropy(0.05, 0.2), _ohem),
    "ohem, more than the least": (
        OhemCrossEntropy(0.6, 0.05, class_weights=WEIGHTS),
        lambda *pixels: _ohem(*pixels, WEIGHTS, threshold=0.6, kept=2),
    ),
}


def _near(expected, labels, logits):
    """A loss is a mean over the labelled pixels of what is made of their logits."""
    pixels = np.count_nonzero(labels != IGNORE)
    return pytest.approx(expected, rel=0, abs=of_means(pixels, max(1, np.abs(logits).max())))


every_case = pytest.mark.parametrize(("loss", "reference"), CASES.values(), ids=CASES)


def _value_and_gradient(loss, labels, logits):
    logits = tf.Variable(logits)

    @tf.function  # As training runs it: with shapes that are known before it runs.
    def run():
        with tf.GradientTape() as tape:
            value = loss(labels, logits)
        return value, tape.gradient(value, logits)

    value, gradient = run()
    return float(value), np.array(gradient)


def test_every_loss_has_a_case():
    assert set(LOSSES) <= set(CASES)


@every_case
def test_value_is_that_of_numpy(pixels, loss, reference):
    value, _ = _value_and_gradient(loss, *pixels)
    assert value == _near(reference(*pixels), *pixels)


@every_case
def test_gradient_is_the_slope_of_numpy(pixels, loss, reference):
    labels, logits = pixels
    _, gradient = _value_and_gradient(loss, labels, logits)
    for index in zip(*np.unravel_index(np.argsort(-abs(gradient), axis=None)[:9], gradient.shape)):
        step = np.zeros(logits.shape)
        step[index] = 1e-5
        slope = (reference(labels, logits + step) - reference(labels, logits - step)) / 2e-5
        assert gradient[index] == pytest.approx(slope, rel=SLOPE)


@every_case
def test_void_pixels_count_nowhere(pixels, loss, reference):
    labels, logits = pixels
    value, gradient = _value_and_gradient(loss, labels, logits)
    assert not np.any(gradient[labels == IGNORE])
    changed = np.where((labels == IGNORE)[..., np.newaxis], 50 - logits, logits)
    assert _value_and_gradient(loss, labels, changed)[0] == _near(value, labels, logits)


@every_case
def test_an_all_void_batch_has_no_loss_and_no_gradient(pixels, loss, reference):
    value, gradient = _value_and_gradient(loss, np.full((2, 5, 6), IGNORE, np.uint8), pixels[1])
    assert value == 0
    assert not np.any(gradient)


@every_case
def test_certain_pixels_have_a_finite_gradient(pixels, loss, reference):
    labels, _ = pixels
    right = 200 * np.eye(4, dtype=np.float32)[np.where(labels == IGNORE, 0, labels)]
    for logits in (right, -right):
        value, gradient = _value_and_gradient(loss, labels, logits)
        assert np.isfinite(value)
        assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize(
    ("loss", "reference"),
    [CASES["bootstrapped_cross_entropy"], CASES["ohem_cross_entropy"]],
    ids=["bootstrapped", "ohem"],
)
def test_an_image_with_few_labelled_pixels_counts_with_all_of_them(pixels, loss, reference):
    labels, logits = pixels
    labels[0] = IGNORE
    labels[0, 0, :2] = 1
    assert float(loss(labels, logits)) == _near(reference(labels, logits), labels, logits)


def test_focal_loss_without_focus_is_cross_entropy(pixels):
    assert float(FocalLoss(0.0)(*pixels)) == _near(_cross_entropy(*pixels), *pixels)


@pytest.mark.parametrize("spread", [0.1, 5])
def test_lovasz_by_histograms_is_that_by_order_on_many_pixels(spread):
    rng = np.random.default_rng(0)
    labels = np.minimum(rng.geometric(0.5, (1, 150, 200)) - 1, 6).astype(np.uint8)
    logits = rng.normal(0, spread, (1, 150, 200, 7)).astype(np.float32)
    expected = _lovasz(labels, logits, np.ones(7))
    # The errors that are sorted are probabilities: none is greater than 1.
    tolerance = of_means(labels.size, 1)
    assert float(LovaszLoss()(labels, logits)) == pytest.approx(expected, rel=0, abs=tolerance)
