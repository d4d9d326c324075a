import numpy as np
import pytest

from semseg.data import load_dataset, samples
from semseg.runtime.images.geometry import resize_labels
from semseg.training.learning_data import by_heart
from semseg.training.records.checkpoints import load_checkpoint


@pytest.fixture
def overfit(run):
    """Learns one image of the town by heart, at a size that takes seconds."""

    def start(network, steps):
        return run(
            data={"dataset": "town", "size": [16, 32]},
            network=network,
            optimizer={"name": "adam", "learning_rate": 0.003},
            training={"steps": steps, "epoch_steps": 50, "batch_size": 1, "overfit": 1},
        )

    return start


def test_a_sound_network_learns_an_image_by_heart(overfit):
    outcome = overfit({"name": "unet", "base_width": 16, "poolings": 2}, steps=600)
    assert outcome.passed and outcome.pixel_accuracy == 1
    assert outcome.text().startswith("100.000 % of the pixels of 1 samples are right after ")
    assert outcome.step < 600


def test_a_network_without_neighbours_does_not(overfit, tmp_path):
    outcome = overfit({"name": "color_position", "hidden_width": 2}, steps=40)
    assert outcome.finished and not outcome.passed
    assert 0.2 < outcome.pixel_accuracy < 1
    scores = load_checkpoint(tmp_path / "run/checkpoints/best.npz").state["scores"]
    assert scores[0]["protocol"].startswith("town train (1 samples learnt by heart), ")


def test_samples_are_as_the_network_sees_them():
    original = samples(load_dataset("town"), None, "train")[3]
    (resized,) = by_heart([original], (20, 30))
    image, labels = resized.read()
    assert image.shape == (20, 30, 3)
    np.testing.assert_array_equal(labels, resize_labels(original.read_labels(), (20, 30)))
    np.testing.assert_array_equal(image, resized.read_image())
    assert resized.name == original.name
