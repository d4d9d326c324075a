import keras
import numpy as np
import pytest

from semseg.data.soft_labels import decoded, encoded
from semseg.training.losses import SoftLabels


def _batch(seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (2, 3, 4, 5)).astype(np.float32)
    probabilities = rng.dirichlet(np.ones(5), (2, 3, 4)).astype(np.float32)
    probabilities[0, 1] = 0  # void
    probabilities[1, 0, 0] = (0, 1, 0, 0, 0)
    soft_labels = encoded(probabilities)
    return decoded(soft_labels), soft_labels, logits


def _softmax(logits):
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def _expected(probabilities, logits, temperature):
    valid = probabilities.sum(axis=-1) > 0
    said = probabilities[valid].astype(np.float64) ** (1 / temperature)
    said /= said.sum(axis=-1, keepdims=True)
    logs = np.log(_softmax(logits[valid].astype(np.float64) / temperature))
    return -(temperature**2) * np.mean(np.sum(said * logs, axis=-1))


@pytest.mark.parametrize("temperature", [1.0, 2.0, 3.5])
def test_the_loss_is_the_softened_cross_entropy_of_valid_pixels(temperature):
    probabilities, soft_labels, logits = _batch()
    found = float(SoftLabels(temperature)(soft_labels, logits))
    assert found == pytest.approx(_expected(probabilities, logits, temperature), rel=1e-5)


def test_a_teachers_logits_are_divided_by_the_temperature():
    """Softening its probabilities is softening its logits, so the equal network is best."""
    logits = _batch()[-1]
    loss, said = SoftLabels(2.0), encoded(_softmax(logits))
    equal = float(loss(said, logits))
    softened = _softmax(logits / 2)
    entropy = -np.mean(np.sum(softened * np.log(softened), axis=-1))
    assert equal == pytest.approx(4 * entropy, rel=0.01)
    for other in (logits * 1.1, logits * 0.9, logits[::-1]):
        assert float(loss(said, other)) > equal


def _gradient(soft_labels, logits, temperature):
    """The gradient that one step of an optimizer of rate 1 took."""
    image = keras.Input(logits.shape[1:])
    shift = keras.layers.Dense(5, use_bias=False, kernel_initializer="identity")
    model = keras.Model(image, shift(image))
    model.compile(keras.optimizers.SGD(1.0), SoftLabels(temperature))
    before = np.array(shift.kernel)
    model.train_on_batch(logits, soft_labels)
    return before - np.array(shift.kernel)


def test_the_gradient_pulls_towards_the_soft_labels():
    probabilities, soft_labels, logits = _batch()
    valid = probabilities.sum(axis=-1) > 0
    said = probabilities[valid] ** 0.5
    said /= said.sum(axis=-1, keepdims=True)
    pull = 2 * (_softmax(logits[valid] / 2) - said) / valid.sum()  # T squared over T
    found = _gradient(soft_labels, logits, 2.0)
    np.testing.assert_allclose(found, logits[valid].T @ pull, rtol=1e-4, atol=1e-5)


def test_a_batch_without_soft_labels_has_no_loss_and_no_gradient():
    _, soft_labels, logits = _batch()
    void = np.zeros_like(soft_labels)
    assert float(SoftLabels(2.0)(void, logits)) == 0
    assert not _gradient(void, logits, 2.0).any()
