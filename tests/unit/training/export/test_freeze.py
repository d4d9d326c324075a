import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest

from semseg import resources
from semseg.classes import ClassTable
from semseg.data.declarations.strict_yaml import validate
from semseg.errors import CheckpointError, ConfigError, GraphError
from semseg.networks import NETWORKS
from semseg.runtime import Segmenter
from semseg.runtime.graph.card import append_card
from semseg.runtime.graph.frozen_graph import Card, read_frozen_graph
from semseg.training.building import build_network
from semseg.training.config.experiment import ExperimentConfig, load_config
from semseg.training.export.freeze import freeze, model_graph
from semseg.training.export.graph import graph_bytes
from semseg.training.records.checkpoints import load_checkpoint, model_variables, restore
from semseg.training.records.run_folder import RunFolder
from semseg.training.trainer import train
from semseg.training.training_step import settle_statistics
from tolerances import assert_same_labels, of_network, softmax

CLASSES = ClassTable.create(["sky", "road", "car"], [(1, 2, 3), (40, 50, 60), (7, 8, 9)])
SIZE = (24, 32)
NOISE = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
IMAGES = np.stack([cv2.resize(noise, (131, 97)) for noise in NOISE])


@pytest.fixture(scope="module")
def network():
    """A tiny network whose every weight and statistic matters to its labels."""
    keras.utils.set_random_seed(1)
    model = NETWORKS["fast_scnn"](3, width=0.1)
    for variable in model.trainable_variables:
        if variable.name in ("gamma", "beta", "bias"):
            variable.assign(variable + keras.random.uniform(variable.shape, -0.3, 0.3))
    settle_statistics(model, [IMAGES])
    _spread_logits(model)
    return model


def _spread_logits(model):
    """Gives each class logits of mean 0 and deviation 3, so that each wins somewhere."""
    logits = model.predict_on_batch(IMAGES.astype(np.float32))
    scale = 3 / logits.std(axis=(0, 1, 2))
    head = model.get_layer("logits")
    head.kernel.assign(head.kernel * scale)
    head.bias.assign((head.bias - logits.mean(axis=(0, 1, 2))) * scale)


@pytest.fixture(scope="module")
def graph(network, tmp_path_factory):
    """Path of its frozen graph."""
    path = tmp_path_factory.mktemp("graphs") / "fast_scnn.pb"
    card = Card(name="test", network={"name": "fast_scnn"}, classes=CLASSES)
    path.write_bytes(append_card(graph_bytes(network, CLASSES), card))
    return path


@pytest.fixture(scope="module")
def trained(experiment, tiny_dataset, tmp_path_factory):
    """Folder of a short run, for reading."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    config = validate(ExperimentConfig, experiment(), "test")
    train(config, {config.data.dataset: str(tiny_dataset.parent)}, folder)
    return folder


def _expected_probabilities(model, images):
    """Of the first image, and how far rounding may be from them."""
    images = images.astype(np.float32)
    return softmax(model.predict_on_batch(images))[0], of_network(model, images, softmax)


def _restored(trained):
    model = build_network(load_config(trained / "config.yaml").network, 3)
    restore(load_checkpoint(RunFolder(trained).best), model_variables(model))
    return model


# Labels of every network, in all engines: tests/contract/test_every_network.py.
def test_the_graph_gives_the_probabilities_of_the_network(network, graph):
    expected, tolerance = _expected_probabilities(network, IMAGES[:1])
    segmenter = Segmenter.load(str(graph), engine="tensorflow", input_size=(97, 131))
    result = segmenter.segment(IMAGES[0], probabilities=True)
    assert len(np.unique(result.labels)) == 3
    assert_same_labels(result.labels, expected, tolerance)
    np.testing.assert_allclose(result.probabilities, expected, rtol=0, atol=tolerance)
    np.testing.assert_allclose(result.confidence, expected.max(axis=-1), rtol=0, atol=tolerance)
    assert segmenter.classes == CLASSES


def test_normalisations_are_folded_and_nothing_of_training_is_left(graph):
    ops = read_frozen_graph(str(graph)).ops
    assert not ops & {"Rsqrt", "FusedBatchNormV3", "Identity", "NoOp", "RandomUniform"}


def test_freezing_in_another_process_gives_the_same_bytes(trained, tiny_dataset, tmp_path):
    freeze(trained, tmp_path / "here.pb")
    script = resources.shipped_file("scripts", "freeze.py")
    command = [sys.executable, script, "--workdir", trained, "--output", tmp_path / "there.pb"]
    command += ["--format", "savedmodel", "--root", tiny_dataset.parent]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (tmp_path / "here.pb").read_bytes() == (tmp_path / "there.pb").read_bytes()
    assert "savedmodel: largest difference of a probability" in done.stdout
    assert (tmp_path / "there.saved_model" / "saved_model.pb").exists()


def test_the_card_tells_what_the_graph_is(trained, tmp_path):
    card = freeze(trained, tmp_path / "fixed.pb", size=(20, 36))
    graph = read_frozen_graph(str(tmp_path / "fixed.pb"))
    assert graph.card == card._replace(graph_sha256=graph.digest)
    assert graph.inputs[0].shape == (None, 20, 36, 3)
    assert (card.name, card.size, card.fit) == ("tiny", (20, 36), "squash")
    assert card.network == {"name": "color_position", "hidden_width": 8, "hidden_layers": 2}
    assert card.classes.names == ("sky", "road", "car")
    assert card.training["terms"] == "made by a test"
    assert "network at 24x32" in card.scores[0]["protocol"]


def test_a_run_folder_is_frozen_once_for_each_checkpoint(trained, tmp_path, monkeypatch):
    path = model_graph(trained)
    assert path.parent == trained / "frozen"
    monkeypatch.setattr("semseg.training.export.freeze.freeze", None)
    assert model_graph(trained) == path
    assert model_graph(tmp_path / "other.pb") == tmp_path / "other.pb"
    model = _restored(trained)
    image = np.load(RunFolder(trained).images)[0]
    labels = Segmenter.load(str(path), engine="tensorflow").segment(image).labels
    assert_same_labels(labels, *_expected_probabilities(model, image[np.newaxis]))


def test_a_graph_that_labels_otherwise_is_not_left(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "semseg.training.export.freeze._labels_in_fresh_process",
        lambda graph, inputs: np.full((len(inputs), *SIZE), 2, np.uint8),
    )
    with pytest.raises(GraphError, match=r"labels \d+\.\d\d % of the pixels otherwise"):
        freeze(trained, tmp_path / "wrong.pb")
    assert not list(tmp_path.glob("wrong*"))


def test_a_mirrored_graph_labels_a_mirrored_image_alike(trained, tmp_path):
    card = freeze(trained, tmp_path / "both.pb", mirror=True)
    assert card.network["mirrored"] is True
    assert card.scores[0]["protocol"].endswith("of the network that is mirrored here")
    image = np.load(RunFolder(trained).images)[0]
    plain = Segmenter.load(str(model_graph(trained)), engine="tensorflow")
    both = Segmenter.load(str(tmp_path / "both.pb"), engine="tensorflow")
    straight, turned = (
        both.segment(np.ascontiguousarray(x), probabilities=True).probabilities
        for x in (image, image[:, ::-1])
    )
    model = _restored(trained)
    _, tolerance = _expected_probabilities(model, image[np.newaxis])
    np.testing.assert_allclose(turned[:, ::-1], straight, rtol=0, atol=tolerance)
    # color_position knows the column, so that mirroring changes what it says.
    alone = plain.segment(image, probabilities=True).probabilities
    assert np.abs(alone - straight).max() > 10 * tolerance


def test_columns_are_grouped_at_a_fixed_size_only(trained, tmp_path):
    with pytest.raises(ConfigError, match="say --size too"):
        freeze(trained, tmp_path / "open.pb", columns=True)


def test_folders_without_a_run_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no run in"):
        freeze(tmp_path, tmp_path / "x.pb")
    with pytest.raises(CheckpointError, match="is no run folder with a best checkpoint"):
        model_graph(tmp_path)
