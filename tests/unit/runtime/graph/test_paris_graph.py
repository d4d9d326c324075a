"""A graph as PARIS-sem-seg freezes it: TensorFlow 1 layers, five tensors, any size, no card."""

import numpy as np
import pytest

from semseg.runtime import Segmenter
from semseg.runtime.engines import ENGINES
from tolerances import assert_same_labels, of_sums

NAMES = ["road", "car", "sky", "void"]
RGB = np.array([[128, 64, 128], [0, 0, 142], [70, 130, 180], [0, 0, 0]], np.uint8)
READS_PB = [name for name in ("openvino", "tensorflow") if ENGINES[name].installed]


def _kernels():
    rng = np.random.RandomState(0)
    return [rng.randn(3, 3, *channels).astype(np.float32) for channels in ((3, 8), (16, 3))]


_LARGEST = np.prod([abs(kernel).sum(axis=(0, 1, 2)).max() for kernel in _kernels()])
NEAR = of_sums(9 * 3 + 9 * 16, _LARGEST) / 2
"""Of probabilities, which move by half of what logits do; the image is within 1 of 0."""


@pytest.fixture(scope="module")
def paris(tmp_path_factory):
    """Returns the graph's path and a function that runs it in plain TensorFlow."""
    tensorflow = pytest.importorskip("tensorflow").compat.v1
    graph = tensorflow.Graph()
    with graph.as_default():
        probabilities = _network(tensorflow)
        table = tensorflow.constant(RGB[:, ::-1], name="id_to_rgb")
        tensorflow.constant(NAMES, name="id_to_class_names")
        tensorflow.gather(table, tensorflow.argmax(probabilities, -1), name="class_colors")
    path = tmp_path_factory.mktemp("paris") / "frozen.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())

    def run(image):
        with tensorflow.Session(graph=graph) as session:
            names = ["class_probabilities:0", "class_colors:0"]
            return session.run(names, {"input:0": image[np.newaxis]})

    return str(path), run


def _network(tf):
    """Convolution, batch norm, pooling, nearest upsampling, crop to the input, softmax."""
    first, last = (tf.constant(kernel) for kernel in _kernels())
    image = tf.placeholder(tf.uint8, (None, None, None, 3), name="input")
    net = (tf.cast(image, tf.float32) - 128.0) / 128.0
    skip = tf.nn.conv2d(net, first, strides=[1, 1, 1, 1], padding="SAME")
    ones, zeros = tf.constant(np.ones(8, np.float32)), tf.constant(np.zeros(8, np.float32))
    net = tf.nn.fused_batch_norm(skip, ones, zeros, zeros, ones, is_training=False)[0]
    net = tf.nn.max_pool(tf.nn.relu(net), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    shape = tf.shape(net)
    net = tf.image.resize_nearest_neighbor(net, [shape[1] * 2, shape[2] * 2])
    net = net[:, : tf.shape(skip)[1], : tf.shape(skip)[2], :]
    net = tf.concat([net, skip], axis=-1)
    logits = tf.nn.conv2d(net, last, strides=[1, 1, 1, 1], padding="SAME")
    return tf.nn.softmax(logits, name="class_probabilities")


@pytest.mark.parametrize("engine", READS_PB)
@pytest.mark.parametrize("size", [(64, 512), (97, 131)])
def test_runs_and_equals_plain_tensorflow(paris, engine, size):
    path, run = paris
    image = np.random.RandomState(1).randint(0, 256, size + (3,)).astype(np.uint8)
    segmenter = Segmenter.load(path, engine=engine, input_size=size)
    assert segmenter.classes.names == ("road", "car", "sky")
    assert segmenter.classes.colors[2] == (70, 130, 180)
    result = segmenter.segment(image)
    probabilities, colors = run(image)
    probabilities = probabilities[0]
    assert_same_labels(result.labels, probabilities, NEAR)
    confidence = probabilities.max(axis=-1)
    np.testing.assert_allclose(result.confidence, confidence, rtol=0, atol=NEAR)
    drawn = segmenter.classes.palette[probabilities.argmax(axis=-1)]
    np.testing.assert_array_equal(drawn[..., ::-1], colors[0])  # The graph's own are BGR.
