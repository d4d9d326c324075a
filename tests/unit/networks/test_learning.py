"""Every network, as wide as it is published, begins to learn: its initialisation fits its depth."""

import inspect

import keras
import numpy as np
import pytest

from semseg import town
from semseg.networks import NETWORKS
from semseg.networks.heads import ONLY_HEAD
from semseg.training.losses import CrossEntropy, output_losses

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SIZE, BATCH, STEPS = (64, 128), 2, 10


@pytest.fixture(scope="module")
def batch():
    """Scenes of the town: left images, right images and labels."""
    frames = [town.frame("train", 10 * index, SIZE) for index in range(BATCH)]
    rights = [town.right_frame("train", 10 * index, SIZE) for index in range(BATCH)]
    left, right = (
        np.stack([frame.image for frame in eye]).astype(np.float32) for eye in (frames, rights)
    )
    return left, right, np.stack([frame.labels for frame in frames])


def _compiled(name):
    takes_auxiliary = "auxiliary" in inspect.signature(NETWORKS[name]).parameters
    options = {"auxiliary": True} if takes_auxiliary else {}
    model = NETWORKS[name](town.TOWN_CLASSES.num_classes, **options)
    loss, weights = CrossEntropy(), None
    if takes_auxiliary:
        loss, weights = output_losses({ONLY_HEAD: loss}, model.output, auxiliary_weight=0.4)
    # Tracing a deep network would take longer than these few steps.
    model.compile(keras.optimizers.Adam(1e-3), loss, loss_weights=weights, run_eagerly=True)
    return model


def test_the_loss_of_one_batch_falls(network_name, batch):
    keras.utils.set_random_seed(0)
    left, right, labels = batch
    model = _compiled(network_name)
    images = [left, right] if len(model.inputs) > 1 else left
    targets = dict.fromkeys(model.output, labels) if isinstance(model.output, dict) else labels
    losses = []
    for _ in range(STEPS):
        model.reset_metrics()  # Else losses would be means since the first step.
        losses.append(float(np.ravel(model.train_on_batch(images, targets))[0]))
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.95 * losses[0]
