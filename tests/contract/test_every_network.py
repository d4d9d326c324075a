"""Every network is frozen, and labels in TensorFlow 1.15 and in OpenVINO as it does in Keras."""

import keras
import numpy as np
import pytest
from tensorflow.compat.v1 import Graph, GraphDef, import_graph_def, placeholder

from semseg.classes import ClassTable
from semseg.runtime import Segmenter
from semseg.runtime.graph.card import append_card
from semseg.runtime.graph.frozen_graph import Card, read_frozen_graph
from semseg.runtime.graph.tensor_shapes import tensor_shapes
from semseg.training.export.graph import graph_bytes
from tolerances import assert_same_labels, of_network

CLASSES = ClassTable.create(["sky", "road", "car"], [(1, 2, 3), (40, 50, 60), (7, 8, 9)])
SIZE = (97, 131)
DILATED = ("dabnet", "fast_scnn", "mobilenet_v1", "mobilenet_v2")
"""Networks with dilated depthwise convolutions."""

SEGMENT = """
import sys
import numpy as np
from semseg.runtime import Segmenter
folder, names = sys.argv[1], sys.argv[2:]
images = np.load(folder + "/images.npy")
for name in names:
    path = folder + "/" + name
    segmenter = Segmenter.load(path + ".pb", engine="tensorflow", input_size=images.shape[1:3])
    second = images[1] if name == "sq_stereo" else None
    np.save(path + ".npy", segmenter.segment(images[0], second=second).labels)
"""


class Frozen:
    """The frozen graphs of the selected networks, the two images, and Keras's logits.

    Attributes:
      logits: of the first image and how far rounding may be from them, by name of the network.
    """

    def __init__(self, folder, names, build):
        self.folder = folder
        self.images = np.random.default_rng(0).integers(0, 256, (2, *SIZE, 3)).astype(np.uint8)
        np.save(folder / "images.npy", self.images)
        self.logits = {name: self._freeze(name, build(name, 3)) for name in names}

    def _freeze(self, name, model):
        inputs = [image[np.newaxis].astype(np.float32) for image in self.images]
        inputs = inputs if len(model.inputs) > 1 else inputs[0]
        model = _uneven(model, inputs)
        card = Card(name=name, network={"name": name}, classes=CLASSES)
        self.path(name).write_bytes(append_card(graph_bytes(model, CLASSES), card))
        logits = model.predict_on_batch(inputs)[0]
        assert len(np.unique(logits.argmax(axis=-1))) == 3
        return logits, of_network(model, inputs)

    def path(self, name):
        return self.folder / f"{name}.pb"

    def second(self, name):
        return self.images[1] if name == "sq_stereo" else None


def _uneven(model, inputs):
    """Makes every variable matter to the labels, and every class win somewhere."""
    random = np.random.default_rng(1)
    for variable in model.variables:
        if variable.name in ("gamma", "beta", "bias", "alpha", "moving_mean", "moving_variance"):
            variable.assign(variable + random.uniform(-0.2, 0.2, variable.shape))
    logits = keras.ops.convert_to_numpy(model(inputs))
    spread = keras.layers.BatchNormalization(epsilon=0.0, name="spread")
    outputs = spread(model.output)
    spread.moving_mean.assign(logits.mean(axis=(0, 1, 2)))
    spread.moving_variance.assign(logits.var(axis=(0, 1, 2)))
    return keras.Model(model.input, outputs)


@pytest.fixture(scope="module")
def frozen(request, tiny_network, tmp_path_factory):
    """All that are selected, so that TensorFlow 1.15 starts once."""
    keras.utils.set_random_seed(2)
    names = {
        item.callspec.params["network_name"]
        for item in request.session.items
        if item.module is request.module
    }
    return Frozen(tmp_path_factory.mktemp("frozen"), sorted(names), tiny_network)


@pytest.fixture(scope="module")
def labels_in_tensorflow_115(frozen, robot_python):
    """Labels by name of the network."""
    finished = robot_python.run("-c", SEGMENT, frozen.folder, *frozen.logits)
    assert finished.returncode == 0, finished.stderr
    return {name: np.load(frozen.folder / f"{name}.npy") for name in frozen.logits}


def test_labels_in_tensorflow_115(network_name, frozen, labels_in_tensorflow_115):
    assert_same_labels(labels_in_tensorflow_115[network_name], *frozen.logits[network_name])


@pytest.mark.parametrize("engine", ["openvino", "tensorflow"])
def test_labels_in_the_engines_here(network_name, engine, frozen):
    pytest.importorskip(engine)
    path = str(frozen.path(network_name))
    with Segmenter.load(path, engine=engine, input_size=SIZE) as segmenter:
        found = segmenter.segment(frozen.images[0], second=frozen.second(network_name)).labels
    assert_same_labels(found, *frozen.logits[network_name])


def test_no_depthwise_convolution_is_dilated_by_an_attribute(network_name, frozen):
    # TensorFlow 1.15 ignores it on processors, without a word; space-to-batch it computes.
    graph = GraphDef.FromString(frozen.path(network_name).read_bytes())
    convolutions = [node for node in graph.node if node.op == "DepthwiseConv2dNative"]
    assert all(set(node.attr["dilations"].list.i) <= {1} for node in convolutions)
    if network_name in DILATED:
        assert any(node.op == "SpaceToBatchND" for node in graph.node)


def test_shapes_worked_out_without_running(network_name, frozen):
    graph = read_frozen_graph(str(frozen.path(network_name)))
    shapes = {found.name: (1, *SIZE, found.channels) for found in graph.inputs}
    found = tensor_shapes(graph.nodes, shapes)
    assert all(outputs[0] is not None for outputs in found.values())
    assert found["class_probabilities"][0].shape == (1, *SIZE, 3)
    with Graph().as_default() as imported:
        fed = {name: placeholder("uint8", shape) for name, shape in shapes.items()}
        import_graph_def(GraphDef.FromString(graph.data), fed, name="")
    known = [
        (name, output.shape.as_list(), list(found[name][output.value_index].shape))
        for name in graph.nodes
        for output in imported.get_operation_by_name(name).outputs
        if name not in shapes and output.shape.is_fully_defined()
    ]
    assert len(known) > 0.9 * len(found)
    assert [case for case in known if case[1] != case[2]] == []
