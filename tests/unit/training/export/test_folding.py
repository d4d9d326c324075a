"""The passes over a graph: what they make of it, and that its numbers stay."""

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from semseg.classes import ClassTable
from semseg.training.export.graph import graph_bytes, graph_stages
from semseg.training.export.passes import widened
from tolerances import of_network, of_sums, softmax

CLASSES = ClassTable.create(["a", "b", "c"], [(1, 2, 3), (4, 5, 6), (7, 8, 9)])
IMAGE = np.random.default_rng(1).integers(0, 256, (1, 12, 20, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def network():
    """Normalisations behind a normal and a depthwise convolution, and one behind a sum."""
    keras.utils.set_random_seed(2)
    image = keras.Input((None, None, 3), name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1)(image)
    stem = keras.layers.Conv2D(6, 5, padding="same", use_bias=False)(x)
    skip = keras.layers.ReLU()(keras.layers.BatchNormalization()(stem))
    x = keras.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, use_bias=False)(skip)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.Conv2D(6, 1, use_bias=False)(x) + skip
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    model = keras.Model(image, keras.layers.Conv2D(3, 3, padding="same")(x))
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.uniform(0.1, 0.5, w.shape) for w in model.get_weights()])
    model.layers[-1].kernel.assign(0.03 * model.layers[-1].kernel)  # No class is all but certain.
    return model


def _nodes(data):
    return {node.name: node for node in tf.compat.v1.GraphDef.FromString(data).node}


def _ops(data):
    return [node.op for node in _nodes(data).values()]


def _probabilities(data):
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(data), name="")
    with tf.compat.v1.Session(graph=graph) as session:
        return session.run("class_probabilities:0", {"input:0": IMAGE})


def _assert_probabilities(found, model):
    image = IMAGE.astype(np.float32)
    expected = softmax(model.predict_on_batch(image))
    assert np.median(expected.max(axis=-1)) < 0.95  # Else logits could be wrong unseen.
    np.testing.assert_allclose(found, expected, rtol=0, atol=of_network(model, image, softmax))


def test_normalisations_become_weights_and_biases(network):
    data = graph_bytes(network, CLASSES)
    ops = _ops(data)
    # Left are the scale of the image and the normalisation behind the sum, a product and a sum
    # each, and the sum itself.
    assert (ops.count("Mul"), ops.count("AddV2")) == (2, 3)
    assert ops.count("BiasAdd") == 3
    assert not {"Identity", "NoOp", "Rsqrt", "Sub"} & set(ops)
    _assert_probabilities(_probabilities(data), network)


def test_what_each_pass_takes_is_counted_and_logged(network, caplog):
    with caplog.at_level(logging.INFO, "semseg"):
        data = graph_bytes(network, CLASSES, (12, 20), columns=True)
    stages = list(graph_stages(network, CLASSES, (12, 20), columns=True))
    assert [stage.name for stage in stages] == [
        "conversion", "stripping", "Grappler", "depthwise factors", "biases", "grouped columns"
    ]  # fmt: skip
    converted, stripped, grappler, depthwise, biases, grouped = (s.num_nodes for s in stages)
    assert converted > stripped > grappler
    assert depthwise == grappler - 2  # the product, and its factors beside the new weights
    assert biases == depthwise  # sums become biases, their constants others
    assert grouped > biases
    assert stages[-1].graph.SerializeToString(deterministic=True) == data
    assert (stages[-1].num_nodes, stages[-1].num_bytes) == (len(_nodes(data)), len(data))
    expected = [
        "%-17s %6d nodes %9.1f kB" % (s.name, s.num_nodes, s.num_bytes / 1e3) for s in stages
    ]
    assert [record.getMessage() for record in caplog.records] == expected
    for stage in stages[1:]:
        probabilities = _probabilities(stage.graph.SerializeToString())
        _assert_probabilities(probabilities, network)


def test_columns_are_grouped_where_the_width_is_known(network):
    fixed = graph_bytes(network, CLASSES, (12, 20), columns=True)
    kernels = {
        tuple(tf.make_ndarray(_nodes(fixed)[node.input[1]].attr["value"].tensor).shape)
        for node in _nodes(fixed).values()
        if node.op == "Conv2D"
    }
    # The stem reads 3 channels, so 4 columns are one; the logits 6, so 2 are. 1x1 stays.
    assert kernels == {(5, 3, 12, 24), (1, 1, 12, 6), (3, 3, 12, 6)}
    _assert_probabilities(_probabilities(fixed), network)
    assert "Reshape" not in _ops(graph_bytes(network, CLASSES, columns=True))
    assert "Reshape" not in _ops(graph_bytes(network, CLASSES, (12, 21), columns=True))


@pytest.mark.parametrize(("size", "columns"), [(3, 2), (3, 4), (5, 2), (5, 4), (7, 2)])
def test_widened_kernels_sum_the_same_products(size, columns):
    rng = np.random.default_rng(size)
    weights = rng.normal(size=(size, size, 3, 5)).astype(np.float32)
    x = rng.normal(size=(1, 6, 16, 3)).astype(np.float32)
    expected = tf.nn.conv2d(x, weights, 1, "SAME")
    grouped = x.reshape(1, 6, 16 // columns, 3 * columns)
    found = tf.nn.conv2d(grouped, widened(weights, columns), 1, "SAME")
    sizes = tf.nn.conv2d(abs(x), abs(weights), 1, "SAME")
    tolerance = of_sums(size * size * 3, np.max(sizes))
    np.testing.assert_allclose(np.reshape(found, expected.shape), expected, rtol=0, atol=tolerance)
