"""ONNX, TFLite and SavedModel of a frozen graph: equal to it, with its card, and reported."""

import json

import keras
import numpy as np
import pytest

from semseg.classes import ClassTable
from semseg.data.declarations.strict_yaml import validate
from semseg.errors import EngineError, GraphError
from semseg.networks import layers
from semseg.runtime import Segmenter
from semseg.runtime.engines.companions import CARD_FILE
from semseg.runtime.graph.card import Card, append_card
from semseg.runtime.graph.frozen_graph import read_frozen_graph
from semseg.training.config.experiment import ExperimentConfig
from semseg.training.export import conversion
from semseg.training.export.conversion import Comparison, compare
from semseg.training.export.formats import saved_model_path, write_format
from semseg.training.export.graph import graph_bytes
from tolerances import assert_same_labels, of_network, softmax

CLASSES = ClassTable.create(["sky", "road", "car"], [(200, 40, 40), (40, 200, 40), (40, 40, 200)])
SIZE = (24, 32)
RNG = np.random.default_rng(3)
IMAGES = [RNG.integers(0, 256, (*SIZE, 3)).astype(np.uint8) for _ in range(4)]
FORMATS = {
    "onnx": ("onnxruntime", "float32", 0.999),
    "tflite": ("litert", "float32", 0.999),
    "tflite-float16": ("litert", "float16", 0.99),
    "tflite-int8": ("litert", "int8", 0.9),
}


def _feeds(image):
    return {"input": image[np.newaxis]}


@pytest.fixture(scope="module")
def model():
    """A network with a strided and a depthwise convolution, of three channels and classes."""
    keras.utils.set_random_seed(1)
    image = keras.Input((None, None, 3), name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1)(image)
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.UpSampling2D(2)(x)
    return keras.Model(image, keras.layers.Conv2D(3, 3, padding="same", name="logits")(x))


def _freeze(model, path, **changes):
    card = Card("tiny", {"name": "tiny"}, CLASSES, size=SIZE, version="0.1.0", **changes)
    path.write_bytes(append_card(graph_bytes(model, CLASSES), card))
    return read_frozen_graph(str(path))


@pytest.fixture(scope="module")
def graph(model, tmp_path_factory):
    """The frozen graph with all formats beside it."""
    graph = _freeze(model, tmp_path_factory.mktemp("formats") / "tiny.pb")
    for form in (*FORMATS, "savedmodel"):
        write_format(graph, form, map(_feeds, IMAGES))
    return graph


@pytest.mark.parametrize("form", FORMATS)
def test_engines_give_the_graphs_labels(graph, form):
    engine, precision, share = FORMATS[form]
    pytest.importorskip({"litert": "ai_edge_litert"}.get(engine, engine))
    expected = Segmenter.load(graph.path, engine="tensorflow").segment_batch(IMAGES)
    segmenter = Segmenter.load(graph.path, engine=engine, precision=precision, threads=1)
    assert (segmenter.engine, segmenter.precision) == (engine, precision)
    for found in (segmenter.segment_batch(IMAGES), [segmenter.segment(x) for x in IMAGES]):
        equal = [a.labels == b.labels for a, b in zip(found, expected, strict=True)]
        assert np.mean(equal) >= share
        assert np.abs(found[0].confidence - expected[0].confidence).mean() < 0.05
    probabilities = segmenter.segment(IMAGES[0], probabilities=True).probabilities
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=0.02)


def test_onnx_is_of_an_old_opset_with_open_sizes(graph, model):
    onnx = pytest.importorskip("onnx")
    converted = onnx.load(graph.path.replace(".pb", ".onnx"))
    assert converted.opset_import[0].version == 13
    (image,) = converted.graph.input
    assert image.name == "input"
    sizes = [dim.dim_param or dim.dim_value for dim in image.type.tensor_type.shape.dim]
    assert sizes == ["batch", "height", "width", 3]
    names = [value.name for value in converted.graph.output]
    assert names == ["class_ids", "class_confidence", "class_probabilities"]
    image = np.random.default_rng(0).integers(0, 256, (30, 46, 3)).astype(np.uint8)
    batch = image[np.newaxis].astype(np.float32)
    logits, tolerance = model.predict_on_batch(batch)[0], of_network(model, batch)
    for engine in ("tensorflow", "onnxruntime"):
        segmenter = Segmenter.load(graph.path, engine=engine, input_size=(30, 46))
        assert_same_labels(segmenter.segment(image).labels, logits, tolerance)


@pytest.mark.parametrize("size", [(30, 46), (33, 17)])
def test_sizes_are_computed_alike_in_onnx(tmp_path, size):
    """Its integer division rounds towards zero, TensorFlow's down: only negatives show it."""
    pytest.importorskip("onnxruntime")
    keras.utils.set_random_seed(4)
    image = keras.Input((None, None, 3), name="image")
    x = layers.PadToMultiple(8)(image)
    cells = keras.layers.Conv2D(3, 1)(layers.AdaptiveAverage(6)(x))
    x = layers.CropLike()([x + layers.ResizeLike()([cells, x]), image])
    network = keras.Model(image, keras.layers.Rescaling(0.02)(x))
    graph = _freeze(network, tmp_path / "sizes.pb")
    write_format(graph, "onnx", ())
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3)).astype(np.uint8)
    expected, found = (
        Segmenter.load(graph.path, engine=engine, input_size=size).segment(picture, None, True)
        for engine in ("tensorflow", "onnxruntime")
    )
    tolerance = of_network(network, picture[np.newaxis].astype(np.float32), softmax)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, rtol=0, atol=tolerance)
    assert_same_labels(found.labels, expected.probabilities, tolerance)


def test_tflite_runs_at_its_own_size_alone(graph):
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(EngineError, match="runs at 24x32 alone and cannot run at 48x64; make one"):
        Segmenter.load(graph.path, engine="litert", input_size=(48, 64))


def test_saved_model_has_the_card(graph):
    text = (saved_model_path(graph.path) / "assets.extra" / CARD_FILE).read_text()
    assert json.loads(text)["graph_sha256"] == graph.digest


def test_a_conversion_that_changes_nothing_is_reported_so(graph, model):
    truth = RNG.integers(0, 3, (48, 64)).astype(np.uint8)
    (report,) = compare(graph, ["savedmodel"], [(_feeds(image), truth) for image in IMAGES])
    assert (report.form, report.images, report.passed) == ("savedmodel", 4, True)
    assert report.max_difference < of_network(model, np.stack(IMAGES).astype(np.float32), softmax)
    assert report.equal_labels > 0.999
    assert report.mean_iou_before == pytest.approx(report.mean_iou_after, abs=1e-3)
    assert 0 < report.mean_iou_before < 1


@pytest.fixture
def config(experiment):
    """An experiment on the tiny dataset."""
    return validate(ExperimentConfig, experiment(), "test")


def _reports(*ious):
    return lambda graph, forms, sample: [
        Comparison(form, 0.5, 0.9, 0.6, iou, len(list(sample)))
        for form, iou in zip(forms, ious, strict=True)
    ]


def test_formats_that_lose_more_than_a_point_are_not_written(
    model, config, tiny_dataset, tmp_path, monkeypatch
):
    graph = _freeze(model, tmp_path / "tiny.pb")
    roots = {config.data.dataset: str(tiny_dataset.parent)}
    monkeypatch.setattr(conversion, "compare", _reports(0.595, 0.58))
    with pytest.raises(GraphError, match=r"--allow-drop.*tflite: .*mean IoU 0.6000 -> 0.5800 on 3"):
        conversion.convert(graph.path, ["savedmodel", "tflite"], config, roots)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.pb", "tiny.saved_model"]
    conversion.convert(graph.path, ["savedmodel", "tflite"], config, roots, allow_drop=True)
    assert (tmp_path / "tiny.tflite").exists()
