"""The segmenter on a graph whose labels are known: the strongest colour of each pixel."""

import importlib.util
import logging

import numpy as np
import pytest

from semseg.errors import EngineError, GraphError, ImageError
from semseg.runtime import Segmenter
from semseg.runtime.engines import ENGINES
from semseg.runtime.graph.frozen_graph import append_card
from semseg.runtime.images.geometry import resize_labels
from tolerances import ELEMENTARY, EPS

READS_PB = [name for name in ("openvino", "tensorflow") if ENGINES[name].installed]
RED, GREEN, BLUE = 0, 1, 2
NEAR = ELEMENTARY * EPS
"""Two softmaxes of three logits, which the graph makes of each pixel alone."""


def stripes(height, width):
    """Returns an image of three vertical stripes (red, green, blue) and its labels."""
    labels = resize_labels(np.array([[RED, GREEN, BLUE]], np.uint8), (height, width))
    image = np.full((height, width, 3), 20, np.uint8)
    np.put_along_axis(image, labels[..., np.newaxis].astype(np.intp), 200, axis=2)
    return image, labels


@pytest.fixture(params=READS_PB)
def engine(request):
    return request.param


@pytest.mark.parametrize("size", [(1, 1), (48, 96), (97, 131), (480, 640), (2160, 3840)])
@pytest.mark.parametrize("fit", ["squash", "letterbox"])
def test_labels_have_the_images_size_and_place(color_model, engine, size, fit):
    segmenter = Segmenter.load(color_model(size=(48, 96), fit=fit), engine=engine)
    image, labels = stripes(*size)
    result = segmenter.segment(image)
    assert result.labels.shape == result.confidence.shape == size
    assert (result.labels.dtype, result.confidence.dtype) == (np.uint8, np.float32)
    assert result.probabilities is None
    at_network_size = resize_labels(resize_labels(labels, (48, 96)), size)
    assert (result.labels == at_network_size).mean() > 0.95  # Colours mix at two borders.
    best = np.float32(1 / (1 + 2 * np.exp(-0.05 * 180)))
    assert abs(np.median(result.confidence) - best) < 1e-4


def test_exact_labels_where_no_resize_is_needed(color_model, engine):
    segmenter = Segmenter.load(color_model(size=(48, 96)), engine=engine)
    image, labels = stripes(48, 96)
    np.testing.assert_array_equal(segmenter.segment(image).labels, labels)


@pytest.mark.parametrize("wanted", [{}, {"probabilities": True}])
def test_confidence_is_made_on_demand(color_model, engine, wanted):
    segmenter = Segmenter.load(color_model(size=(48, 96)), engine=engine)
    image, labels = stripes(60, 70)
    with_it, without = (segmenter.segment(image, confidence=x, **wanted) for x in (True, False))
    assert without.confidence is None
    np.testing.assert_array_equal(without.labels, with_it.labels)
    assert (without.probabilities is None) == (with_it.probabilities is None) == (not wanted)
    (alone,), (together,) = (segmenter.segment_batch([image], confidence=x) for x in (False, True))
    assert alone.confidence is None
    np.testing.assert_array_equal(alone.labels, with_it.labels)
    np.testing.assert_allclose(together.confidence, with_it.confidence, rtol=0, atol=NEAR)


def test_probabilities_belong_to_the_labels(color_model, engine):
    segmenter = Segmenter.load(color_model(size=(48, 96)), engine=engine)
    image = np.random.RandomState(0).randint(0, 256, (60, 70, 3)).astype(np.uint8)
    plain, full = segmenter.segment(image), segmenter.segment(image, probabilities=True)
    assert full.probabilities.shape == (60, 70, 3)
    np.testing.assert_allclose(full.probabilities.sum(axis=-1), 1, rtol=0, atol=NEAR)
    np.testing.assert_array_equal(full.labels, plain.labels)
    np.testing.assert_allclose(full.confidence, plain.confidence, rtol=0, atol=NEAR)


def test_graph_of_paris_runs_at_any_size(color_model, engine, caplog):
    caplog.set_level(logging.INFO)
    segmenter = Segmenter.load(color_model(card=False), engine=engine)
    assert segmenter.card is None
    assert segmenter.input_size is None
    assert segmenter.classes.names == ("red", "green", "blue")
    image, labels = stripes(480, 640)
    assert (segmenter.segment(image).labels == labels).mean() > 0.95
    segmenter.segment(image)
    assert [record.message for record in caplog.records].count(
        "images of 480x640 run at network size 384x512"
    ) == 1


def test_a_region_is_labelled_as_its_copy_is(color_model, engine):
    whole = np.random.RandomState(0).randint(0, 256, (90, 120, 3)).astype(np.uint8)
    segmenter = Segmenter.load(color_model(size=(48, 96)), engine=engine)
    for region in (whole[10:58, 4:100], whole[3:70, 7:90], whole[:, ::-1], whole[..., ::-1]):
        expected = segmenter.segment(np.ascontiguousarray(region)).labels
        np.testing.assert_array_equal(segmenter.segment(region).labels, expected)


def test_input_size_overrides_the_cards(color_model, engine):
    segmenter = Segmenter.load(color_model(size=(48, 96)), engine=engine, input_size=(33, 65))
    assert segmenter.input_size == (33, 65)
    image, labels = stripes(33, 65)
    np.testing.assert_array_equal(segmenter.segment(image).labels, labels)


def test_fixed_graph_keeps_its_size(color_model, engine):
    model = color_model(sizes=(1, 48, 96, 3), size=(48, 96))
    assert Segmenter.load(model, engine=engine).input_size == (48, 96)
    with pytest.raises(GraphError, match="is frozen at 48x96 and cannot run at 64x64"):
        Segmenter.load(model, engine=engine, input_size=(64, 64))


@pytest.mark.parametrize("sizes", [(None, None, None, 3), (1, None, None, 3)])
def test_batch_equals_single_images(color_model, engine, sizes):
    segmenter = Segmenter.load(color_model(sizes=sizes, size=(48, 96)), engine=engine)
    images = [stripes(60, 80)[0], stripes(31, 57)[0][:, ::-1], stripes(48, 96)[0]]
    results = segmenter.segment_batch(images)
    assert len(results) == 3
    for image, result in zip(images, results):
        np.testing.assert_array_equal(result.labels, segmenter.segment(image).labels)
    assert segmenter.segment_batch([]) == []


def test_views_and_read_only_images(color_model, engine):
    segmenter = Segmenter.load(color_model(size=(48, 96)), engine=engine)
    image = stripes(48, 96)[0]
    flipped = image[::-1, ::-1]
    np.testing.assert_array_equal(
        segmenter.segment(flipped).labels, segmenter.segment(flipped.copy()).labels
    )
    frozen = np.frombuffer(image.tobytes(), np.uint8).reshape(image.shape)
    np.testing.assert_array_equal(segmenter.segment(frozen).labels, segmenter.segment(image).labels)


def test_results_are_not_overwritten_by_the_next_image(color_model, engine):
    segmenter = Segmenter.load(color_model(size=(48, 96)), engine=engine)
    image = stripes(48, 96)[0]
    first = segmenter.segment(image)
    kept = first.labels.copy()
    segmenter.segment(image[:, ::-1])
    np.testing.assert_array_equal(first.labels, kept)


@pytest.mark.parametrize(
    ("image", "part"),
    [
        (np.zeros((4, 5), np.uint8), "found uint8 of shape 4x5"),
        (np.zeros((4, 5, 4), np.uint8), "found uint8 of shape 4x5x4"),
        (np.zeros((4, 5, 3), np.float32), "found float32 of shape 4x5x3"),
        (np.zeros((0, 5, 3), np.uint8), "found uint8 of shape 0x5x3"),
        ([[1, 2, 3]], "found list"),
    ],
)
def test_arrays_that_are_no_images(color_model, image, part):
    segmenter = Segmenter.load(color_model(size=(48, 96)))
    with pytest.raises(ImageError) as caught:
        segmenter.segment(image)
    assert part in str(caught.value)


def test_second_image_is_for_graphs_with_two_inputs(color_model, graphs, tmp_path):
    image = stripes(48, 96)[0]
    with pytest.raises(ImageError, match="takes input; a second image was given"):
        Segmenter.load(color_model(size=(48, 96))).segment(image, second=image)
    disparity = graphs.placeholder("disparity", graphs.float32, (None, None, None, 1))
    data = graphs.color_graph(extra=[disparity])
    path = tmp_path / "depth.pb"
    path.write_bytes(append_card(data, graphs.color_card(size=(24, 48))))
    segmenter = Segmenter.load(str(path), engine=READS_PB[-1])
    with pytest.raises(ImageError, match="takes input and disparity; no second image"):
        segmenter.segment(image)
    with pytest.raises(ImageError, match="the second image is 24x48, the first 48x96"):
        segmenter.segment(image, second=np.zeros((24, 48), np.float32))
    with pytest.raises(ImageError, match="a disparity image is float32"):
        segmenter.segment(image, second=np.zeros((48, 96), np.uint8))
    assert segmenter.segment(image, second=np.zeros((48, 96), np.float32)).labels.shape == (48, 96)


def test_tensors_that_would_take_all_memory_are_refused_before_any_engine(graphs, tmp_path):
    sizes = graphs.constant("sizes", np.array([9000, 9000, 9], np.int32), graphs.int32)
    kind = graphs.type_attr("T", graphs.float32)
    vast = graphs.node("vast", "Fill", ["sizes", "scale"], kind)
    path = tmp_path / "vast.pb"
    path.write_bytes(graphs.color_graph(extra=[sizes, vast]))
    message = "vast.pb cannot run at 48x96: one of its tensors has 729000000 values for an input"
    with pytest.raises(GraphError, match=message):
        Segmenter.load(str(path), engine="no engine is reached", input_size=(48, 96))


def test_tables_that_do_not_fit_the_network(graphs, tmp_path, engine):
    classes = graphs.classes._replace(
        names=graphs.classes.names + ("more",), colors=graphs.classes.colors + ((9, 9, 9),)
    )
    path = tmp_path / "five.pb"
    path.write_bytes(graphs.color_graph(labels=False, classes=classes))
    with pytest.raises(GraphError, match="probabilities of 3 classes, its table names 4"):
        Segmenter.load(str(path), engine=engine, input_size=(48, 96))


def test_timing_and_identity(color_model, engine):
    with Segmenter.load(color_model(size=(48, 96)), engine=engine) as segmenter:
        assert (segmenter.engine, segmenter.precision) == (engine, "float32")
        assert len(segmenter.digest) == 64
        timing = segmenter.segment(stripes(480, 640)[0]).timing
        assert all(milliseconds > 0 for milliseconds in timing)


def test_wrong_engines_precisions_and_threads(color_model, engine):
    model = color_model()
    with pytest.raises(EngineError, match="unknown engine 'tensorrt'; available: auto, litert"):
        Segmenter.load(model, engine="tensorrt")
    with pytest.raises(EngineError, match="'int8'; available: auto, .*float32"):
        Segmenter.load(model, engine=engine, precision="int8")
    with pytest.raises(EngineError, match="at least 1 thread, found 0"):
        Segmenter.load(model, engine=engine, threads=0)
    assert Segmenter.load(model, engine=engine, threads=1).engine == engine


def test_missing_engine_names_the_command(color_model, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "openvino" else found(name)
    )
    with pytest.raises(EngineError, match="not installed; install it with: pip install openvino"):
        Segmenter.load(color_model(), engine="openvino")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match="no inference engine is installed"):
        Segmenter.load(color_model())


def test_auto_takes_the_first_installed_and_says_so(color_model, caplog):
    caplog.set_level(logging.INFO)
    assert Segmenter.load(color_model()).engine == READS_PB[0]
    assert any("engine auto: %s" % READS_PB[0] in record.message for record in caplog.records)
