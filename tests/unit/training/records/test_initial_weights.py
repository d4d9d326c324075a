import zipfile

import h5py
import keras
import numpy as np
import pytest

from semseg.errors import CheckpointError, ConfigError
from semseg.networks.encoders import encode
from semseg.training.records.checkpoints import model_variables, save_checkpoint
from semseg.training.records.initial_weights import KERAS_WEIGHTS, start_from


def _network(num_classes, seed):
    keras.utils.set_random_seed(seed)
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, name="stem")(image)
    x = keras.layers.BatchNormalization(name="norm", gamma_initializer="random_normal")(x)
    x = keras.layers.DepthwiseConv2D(3, name="depth")(x)
    return keras.Model(image, keras.layers.Conv2D(num_classes, 1, name="logits")(x))


def _save(model, path):
    if path.suffix == ".npz":
        save_checkpoint(path, model_variables(model), {})
    elif path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        model.save(path)


@pytest.mark.parametrize("name", ["run.npz", "whole.keras", "only.weights.h5", "old.h5"])
def test_all_but_the_head_starts_from_a_network_with_other_classes(tmp_path, caplog, name):
    caplog.set_level("INFO")
    source, model = _network(5, seed=1), _network(2, seed=2)
    _save(source, tmp_path / name)
    untouched = np.array(model.get_layer("logits").kernel)
    assert start_from(tmp_path / name, model).startswith(f"{name} (sha256 ")
    for layer in ("stem", "norm", "depth"):
        for found, expected in zip(
            model.get_layer(layer).weights, source.get_layer(layer).weights, strict=True
        ):
            np.testing.assert_array_equal(found, expected, err_msg=found.path)
    np.testing.assert_array_equal(model.get_layer("logits").kernel, untouched)
    messages = [record.getMessage() for record in caplog.records]
    assert [line.split("skipped ")[1] for line in messages if "skipped " in line] == [
        "logits/kernel: shape (1, 1, 4, 2) here, shape (1, 1, 4, 5) in the file",
        "logits/bias: shape (2,) here, shape (5,) in the file",
    ]
    assert "8 of 10 variables start from it" in caplog.text


def test_a_file_that_cannot_be_used_is_named(tmp_path):
    model = _network(2, seed=0)
    with pytest.raises(ConfigError, match="no file .*backbone.h5 to take weights from"):
        start_from(tmp_path / "backbone.h5", model)
    with pytest.raises(ConfigError, match="x.pth: weights are read from .npz, .keras, .h5 files"):
        start_from(tmp_path / "x.pth", model)
    for name in ("cut.h5", "cut.keras", "cut.npz"):
        (tmp_path / name).write_bytes(b"no weights")
        with pytest.raises(CheckpointError, match=f"{name} is damaged"):
            start_from(tmp_path / name, model)
    with zipfile.ZipFile(tmp_path / "inside.keras", "w") as archive:
        archive.writestr(KERAS_WEIGHTS, b"no weights")
    with pytest.raises(CheckpointError, match=r"inside.keras is damaged"):
        start_from(tmp_path / "inside.keras", model)


def test_a_file_of_which_nothing_fits_is_refused(tmp_path):
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")])
    other.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(CheckpointError, match="other.weights.h5 has no weight that fits"):
        start_from(tmp_path / "other.weights.h5", _network(2, seed=0))


def _write_keras_2(path, layers):
    """Writes weights as Keras 2 did: a group of a layer holds one of its name, with the arrays."""
    with h5py.File(path, "w") as file:
        for layer, variables in layers.items():
            group = file.create_group(layer).create_group(layer)
            for name, value in variables.items():
                group[f"{name}:0"] = value


def test_weights_of_keras_2_load_by_the_names_of_today(tmp_path):
    model = _network(2, seed=0)
    kernel = np.random.default_rng(0).normal(size=(3, 3, 4, 1)).astype(np.float32)
    _write_keras_2(
        tmp_path / "old.h5",
        {"depth": {"depthwise_kernel": kernel}, "norm": {"beta": np.full(4, 7, np.float32)}},
    )
    start_from(tmp_path / "old.h5", model)
    np.testing.assert_array_equal(model.get_layer("depth").kernel, kernel)
    np.testing.assert_array_equal(model.get_layer("norm").beta, np.full(4, 7))


def test_a_mobilenet_v2_of_keras_applications_fits_the_encoder(tmp_path, caplog):
    """All of its arrays but those of the classifier's end have a place here, of their shape."""
    caplog.set_level("INFO")
    source = keras.applications.MobileNetV2((96, 96, 3), weights=None, include_top=False)
    for layer in source.layers:
        for number, variable in enumerate(layer.weights):
            variable.assign(np.full(variable.shape, 1 + number / 8, np.float32))
    image = keras.Input((None, None, 3))
    outputs = encode(image, "mobilenet_v2")
    for name in ("published.weights.h5", "published.h5"):
        _save(source, tmp_path / name)
        model = keras.Model(image, outputs)
        start_from(tmp_path / name, model)
    weights = sum(len(layer.weights) for layer in source.layers) - 5
    assert f"{weights} of {weights} variables start from it" in caplog.text


@pytest.mark.parametrize(
    "state", [{"initial_weights": "lite"}, {"training": {"initial_weights": "lite"}}]
)
def test_what_the_weights_themselves_came_from_is_named(tmp_path, state):
    """The last checkpoint of a run says it in one place, the best one, for the card, in another."""
    source, model = _network(5, seed=1), _network(2, seed=2)
    save_checkpoint(tmp_path / "best.npz", model_variables(source), state)
    note = start_from(tmp_path / "best.npz", model)
    assert note.startswith("best.npz (sha256 ")
    assert note.endswith("; itself from lite)")
