"""Frozen graphs with several heads, and with a second input, give what the network gives."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from semseg.classes import ClassTable
from semseg.errors import ConfigError, GraphError, ImageError
from semseg.runtime import Segmenter
from semseg.runtime.graph.card import Card, Head, append_card
from semseg.training.export.graph import graph_bytes
from semseg.training.inputs import network_inputs, second_input
from tolerances import assert_same_labels, of_network

ROAD = ClassTable.create(["road", "sky"], [(9, 8, 7), (1, 2, 3)])
ANIMAL = ClassTable.create(["cat", "dog", "cow"], [(4, 5, 6), (7, 8, 9), (10, 11, 12)])
TABLES = {"road": ROAD, "animal": ANIMAL}
SIZE = (19, 23)
RNG = np.random.default_rng(5)
IMAGE = RNG.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
RIGHT = RNG.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
DISPARITY = RNG.uniform(0, 40, SIZE).astype(np.float32)
ENGINES = ("tensorflow", "openvino")


def _convolution(classes, name):
    return keras.layers.Conv2D(classes, 3, padding="same", name=name, kernel_initializer="normal")


@pytest.fixture(scope="module")
def two_heads():
    """A network with the heads ``road`` and ``animal``, and an auxiliary output."""
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3), name="image")
    logits = {name: _convolution(TABLES[name].num_classes, name)(image) for name in TABLES}
    return keras.Model(image, {**logits, "road_aux": _convolution(2, "aux")(image)})


def _write(path, model, classes, default_head=None):
    heads = () if isinstance(classes, ClassTable) else [Head(*pair) for pair in classes.items()]
    table = classes[default_head] if heads else classes
    card = Card("test", {}, table, size=SIZE, heads=heads, default_head=default_head)
    path.write_bytes(append_card(graph_bytes(model, classes, default_head=default_head), card))
    return str(path)


@pytest.mark.parametrize("engine", ENGINES)
def test_each_head_has_its_labels_and_classes(two_heads, tmp_path, engine):
    model = _write(tmp_path / "heads.pb", two_heads, TABLES, "animal")
    image = IMAGE[np.newaxis].astype(np.float32)
    expected, tolerance = two_heads.predict_on_batch(image), of_network(two_heads, image)
    for head, truth in ((None, "animal"), ("road", "road"), ("animal", "animal")):
        segmenter = Segmenter.load(model, engine=engine, head=head)
        assert segmenter.classes == TABLES[truth]
        result = segmenter.segment(IMAGE, probabilities=True)
        assert_same_labels(result.labels, expected[truth][0], tolerance)
        np.testing.assert_array_equal(segmenter.segment(IMAGE).labels, result.labels)
        assert result.probabilities.shape == (*SIZE, TABLES[truth].num_classes)
    with pytest.raises(GraphError, match="unknown head 'raod'; available: animal, road .did you"):
        Segmenter.load(model, engine=engine, head="raod")


def test_tensors_of_every_head_are_there_and_auxiliary_outputs_are_not(two_heads):
    data = graph_bytes(two_heads, TABLES)
    for name in (b"class_ids/road", b"class_confidence/animal", b"id_to_class_names/animal"):
        assert name in data
    assert b"aux" not in data
    assert data != graph_bytes(two_heads, TABLES, default_head="animal")
    with pytest.raises(ConfigError, match="unknown head 'x'; available: animal, road"):
        graph_bytes(two_heads, TABLES, default_head="x")


def test_labels_alone_need_no_softmax(two_heads):
    graph = tf.compat.v1.GraphDef.FromString(graph_bytes(two_heads, TABLES))
    needed = tf.compat.v1.graph_util.extract_sub_graph(graph, ["class_ids"])
    assert "ArgMax" in {node.op for node in needed.node}
    assert "Softmax" not in {node.op for node in needed.node}


def test_heads_whose_tables_contradict_the_card_are_refused(two_heads, tmp_path):
    path = tmp_path / "heads.pb"
    other = ANIMAL._replace(names=("cat", "dog", "pig"))
    heads = (Head("road", ROAD), Head("animal", other))
    card = Card("test", {}, ROAD, heads=heads, default_head="road")
    path.write_bytes(append_card(graph_bytes(two_heads, TABLES), card))
    with pytest.raises(GraphError, match="classes of head 'animal': class 2 is .'cow'"):
        Segmenter.load(str(path))
    path.write_bytes(append_card(graph_bytes(two_heads, TABLES), card._replace(default_head="x")))
    with pytest.raises(GraphError, match="default head is 'x'; its heads are: road, animal"):
        Segmenter.load(str(path))


@pytest.mark.parametrize("engine", ENGINES)
def test_disparity_is_the_fourth_channel(tmp_path, engine):
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 4), name="image")
    model = keras.Model(image, _convolution(2, "logits")(image))
    assert second_input(model) == "disparity"
    stacked = np.concatenate([IMAGE, DISPARITY[..., np.newaxis]], -1, dtype=np.float32)[np.newaxis]
    np.testing.assert_array_equal(
        network_inputs(model, IMAGE[np.newaxis], DISPARITY[np.newaxis, ..., np.newaxis]), stacked
    )
    segmenter = Segmenter.load(_write(tmp_path / "depth.pb", model, ROAD), engine=engine)
    result = segmenter.segment(IMAGE, second=DISPARITY)
    logits = model.predict_on_batch(stacked)[0]
    assert_same_labels(result.labels, logits, of_network(model, stacked))
    with pytest.raises(ImageError, match="takes input and disparity; no second image was given"):
        segmenter.segment(IMAGE)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("by_name", [True, False])
def test_right_image_is_the_second_input(tmp_path, engine, by_name):
    keras.utils.set_random_seed(0)
    inputs = [keras.Input((None, None, 3), name=name) for name in ("image", "right")]
    both = keras.layers.Concatenate()(inputs)
    named = {tensor.name: tensor for tensor in inputs}
    model = keras.Model(named if by_name else inputs, _convolution(2, "logits")(both))
    assert second_input(model) == "right"
    arrays = [array[np.newaxis].astype(np.float32) for array in (IMAGE, RIGHT)]
    feeds = dict(zip(("image", "right"), arrays)) if by_name else arrays
    segmenter = Segmenter.load(_write(tmp_path / "stereo.pb", model, ROAD), engine=engine)
    result = segmenter.segment(IMAGE, second=RIGHT)
    logits = model.predict_on_batch(feeds)[0]
    assert_same_labels(result.labels, logits, of_network(model, feeds))
    swapped = segmenter.segment(RIGHT, second=IMAGE)
    assert (swapped.labels != result.labels).any()
