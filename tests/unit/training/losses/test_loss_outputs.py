"""The sum of losses over heads and auxiliary outputs, as a compiled model adds it up."""

import keras
import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.data.soft_labels import encoded
from semseg.training.config.optimization import TeacherConfig
from semseg.training.losses import CrossEntropy, HeadLoss, output_losses
from semseg.training.losses.outputs import BoundaryLoss
from tolerances import of_means


def _model(outputs):
    """Gives the image's channels as the logits of every output, by a weight of the output."""
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(
        image,
        {
            name: keras.layers.Dense(3, use_bias=False, kernel_initializer="identity", name=name)(
                image
            )
            for name in outputs
        },
    )


@pytest.fixture
def batch():
    rng = np.random.default_rng(1)
    images = rng.normal(0, 1, (4, 3, 5, 3)).astype(np.float32)
    labels = rng.integers(0, 3, (4, 3, 5)).astype(np.uint8)
    return images, labels


def _entropy(images, labels):
    """Mean cross-entropy of labelled pixels, in float64, with images as logits."""
    images = images.astype(np.float64)
    logs = images - np.log(np.exp(images).sum(-1, keepdims=True))
    valid = labels != IGNORE
    return -np.mean(logs[valid, labels[valid]])


def _near(expected, images, labels):
    return pytest.approx(expected, rel=0, abs=2 * of_means(labels.size, np.abs(images).max()))


def _compiled(losses, outputs, auxiliary_weight):
    model = _model(outputs)
    by_output, weights = output_losses(losses, outputs, auxiliary_weight)
    model.compile(keras.optimizers.SGD(0.1), loss=by_output, loss_weights=weights)
    return model


def test_auxiliary_outputs_add_their_share(batch):
    images, labels = batch
    names = ["logits", "logits_aux0", "logits_aux1"]
    model = _compiled({"logits": CrossEntropy()}, names, auxiliary_weight=0.4)
    total = model.test_on_batch(images, dict.fromkeys(names, labels))
    assert np.ravel(total)[0] == _near(1.8 * _entropy(images, labels), images, labels)


def test_a_teacher_adds_its_weight_and_takes_no_share_of_an_auxiliary_output(batch):
    images, labels = batch
    names = ["logits", "logits_aux0", "logits_teacher"]
    teacher = TeacherConfig(graph="x.pb", temperature=1.0, weight=3.0)
    losses, weights = output_losses({"logits": CrossEntropy()}, names, 0.4, teacher)
    assert weights == {"logits": 1.0, "logits_aux0": 0.4, "logits_teacher": 3.0}
    model = _model(names)
    model.compile("sgd", loss=losses, loss_weights=weights)
    targets = dict.fromkeys(names, labels)
    targets["logits_teacher"] = encoded(np.eye(3, dtype=np.float32)[labels])
    total = model.test_on_batch(images, targets)
    assert np.ravel(total)[0] == pytest.approx(4.4 * _entropy(images, labels), rel=1e-5)


def test_boundaries_are_learnt_by_a_loss_of_their_own():
    names = ["logits", "logits_aux0", "logits_boundary"]
    entropy = CrossEntropy()
    losses, weights = output_losses({"logits": entropy}, names, auxiliary_weight=0.4)
    assert losses["logits"] is losses["logits_aux0"] is entropy
    assert isinstance(losses["logits_boundary"].loss, BoundaryLoss)
    assert weights == {"logits": 1, "logits_aux0": 0.4, "logits_boundary": 20}


def test_heads_count_by_their_images_alone(batch):
    images, labels = batch
    first, second = labels.copy(), labels.copy()
    first[:3] = IGNORE  # One image is of the first dataset, three are of the second.
    first[3, 0] = IGNORE
    second[3] = IGNORE
    losses = {"a": HeadLoss(CrossEntropy()), "b": HeadLoss(CrossEntropy())}
    model = _compiled(losses, ["a", "b"], auxiliary_weight=0.4)
    total = model.test_on_batch(images, {"a": first, "b": second})
    expected = 0.25 * _entropy(images, first) + 0.75 * _entropy(images, second)
    assert np.ravel(total)[0] == _near(expected, images, labels)


def test_a_head_without_labels_does_not_learn(batch):
    images, labels = batch
    losses = {"a": HeadLoss(CrossEntropy()), "b": HeadLoss(CrossEntropy())}
    model = _compiled(losses, ["a", "b"], auxiliary_weight=0.4)
    before = [np.array(model.get_layer(name).kernel) for name in "ab"]
    model.train_on_batch(images, {"a": labels, "b": np.full_like(labels, IGNORE)})
    after = [np.array(model.get_layer(name).kernel) for name in "ab"]
    assert np.any(after[0] != before[0])
    np.testing.assert_array_equal(after[1], before[1])
