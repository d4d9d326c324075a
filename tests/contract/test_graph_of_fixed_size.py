"""A graph of fixed size gives the labels and confidences of Keras, in TensorFlow 1.15 too.

``test_every_network.py`` has the labels of all networks, in graphs of open size.
"""

import numpy as np
import pytest

from semseg.classes import ClassTable
from semseg.runtime import Segmenter
from semseg.runtime.graph.frozen_graph import Card, append_card
from tolerances import assert_same_labels, of_network, softmax

CLASSES = ClassTable.create(["road", "car", "sky"], [[128, 64, 128], [0, 0, 142], [70, 130, 180]])
SIZE = (64, 96)

SEGMENT = """
import sys
import numpy as np
from semseg.runtime import Segmenter
graph, image, output = sys.argv[1:]
image = np.load(image)
result = Segmenter.load(graph, engine="tensorflow", input_size=image.shape[:2]).segment(image)
np.savez(output, labels=result.labels, confidence=result.confidence)
"""


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """Returns the graph's path, an image, and the probabilities by Keras with their tolerance."""
    export = pytest.importorskip("semseg.training.export.graph")
    model = _uneven_network()
    card = Card(name="test", network={}, classes=CLASSES, size=SIZE, version="0.1.0")
    path = tmp_path_factory.mktemp("frozen") / "model.pb"
    path.write_bytes(append_card(export.graph_bytes(model, CLASSES, SIZE), card))
    image = np.random.default_rng(4).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    batch = image[np.newaxis].astype(np.float32)
    probabilities = softmax(model.predict_on_batch(batch))[0]
    return path, image, probabilities, of_network(model, batch, softmax)


def _uneven_network():
    """Returns a network whose weights and statistics are as uneven as after a training."""
    networks = pytest.importorskip("semseg.networks")
    pytest.importorskip("keras").utils.set_random_seed(3)
    network = networks.NETWORKS["fast_scnn"](CLASSES.num_classes, width=0.25)
    random = np.random.default_rng(3)
    network.set_weights(
        [weight + 0.1 * random.random(weight.shape, np.float32) for weight in network.get_weights()]
    )
    # Logits of thousands would make every probability 0 or 1, and rounding choose which.
    head = network.get_layer("logits")
    head.set_weights([weight / 2000 for weight in head.get_weights()])
    return network


def _assert_close(labels, confidence, expected, tolerance):
    """Large logits turn float32 rounding into much at single pixels, into little on average."""
    assert_same_labels(labels, expected, tolerance)
    difference = np.abs(confidence - expected.max(axis=-1))
    assert difference.max() < tolerance
    assert difference.mean() < tolerance / 10


def test_labels_in_tensorflow_115(frozen, robot_python, tmp_path):
    path, image, expected, tolerance = frozen
    np.save(tmp_path / "image.npy", image)
    output = tmp_path / "result.npz"
    finished = robot_python.run("-c", SEGMENT, path, tmp_path / "image.npy", output)
    assert finished.returncode == 0, finished.stderr
    result = np.load(output)
    _assert_close(result["labels"], result["confidence"], expected, tolerance)


@pytest.mark.parametrize("engine", ["tensorflow", "openvino"])
def test_labels_in_the_engines_here(frozen, engine):
    pytest.importorskip(engine)
    path, image, expected, tolerance = frozen
    result = Segmenter.load(str(path), engine=engine, input_size=image.shape[:2]).segment(image)
    _assert_close(result.labels, result.confidence, expected, tolerance)
