import keras
import numpy as np
import pytest
from keras import ops

from semseg.networks import NETWORKS
from semseg.networks.layers import (
    AdaptiveAverage,
    AppendPosition,
    CropLike,
    DoubleSize,
    PadToMultiple,
    ResizeLike,
)

TINY = {
    "color_position": {"hidden_width": 4},
    "ddrnet": {"width": 4},
    "fast_scnn": {"width": 0.1},
    "resnet_baseline": {"base_width": 2},
}
ODD_SIZE = (97, 131)


def _trainable(model):
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def test_every_network_has_a_tiny_version_here():
    assert set(TINY) == set(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_have_the_size_of_an_odd_image(name):
    model = NETWORKS[name](5, **TINY[name])
    assert model.output_shape == (None, None, None, 5)
    images = np.random.default_rng(0).uniform(0, 255, (1, *ODD_SIZE, 3))
    logits = model.predict_on_batch(images)  # Traced with open sizes, as for freezing.
    assert logits.shape == (1, *ODD_SIZE, 5)
    assert np.isfinite(logits).all() and logits.std() > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_moves_every_weight_to_a_number(name):
    keras.utils.set_random_seed(0)
    model = NETWORKS[name](3, **TINY[name])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # A rate at which no step is lost in rounding; tracing would take longer than the one step.
    model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)
    before = [np.array(variable) for variable in model.trainable_variables]
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (4, 40, 56, 3)).astype(np.float32)
    model.train_on_batch(images, rng.integers(0, 3, (4, 40, 56)))
    after = [np.array(variable) for variable in model.trainable_variables]
    assert all(np.isfinite(value).all() for value in after)
    still = [
        variable.path
        for variable, old, new in zip(model.trainable_variables, before, after)
        if (old == new).all()
    ]
    assert not still


@pytest.mark.parametrize(
    ("name", "options", "num_classes", "millions"),
    [
        ("resnet_baseline", {"base_width": 8}, 20, 0.503),  # PARIS-sem-seg's reduced model
        ("resnet_baseline", {"base_width": 48}, 19, 17.963),  # and its full one
        ("fast_scnn", {}, 19, 1.138),  # 1.11 in the paper
        ("color_position", {}, 11, 0.005),
    ],
)
def test_parameter_counts(name, options, num_classes, millions):
    assert _trainable(NETWORKS[name](num_classes, **options)) / 1e6 == pytest.approx(
        millions, abs=5e-4
    )


def test_multiplications_of_the_reduced_baseline():
    model = NETWORKS["resnet_baseline"](20, base_width=8)
    macs = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            scale = _scale(layer.name)
            macs += int(np.prod(layer.kernel.shape)) * (256 // scale) * (512 // scale)
    assert macs / 1e9 == pytest.approx(3.33, abs=0.02)


def _scale(name):
    stage = name.split("_")[0]
    return 2 ** int(stage[-1]) if stage[-1].isdigit() else 1


def test_padding_and_cropping_undo_each_other():
    image = np.random.default_rng(0).random((1, 17, 30, 2), np.float32)
    padded = PadToMultiple(16)(image)
    assert padded.shape == (1, 32, 32, 2)
    np.testing.assert_array_equal(padded[:, :17, :30], image)
    assert not np.any(padded[:, 17:]) and not np.any(padded[:, :, 30:])
    np.testing.assert_array_equal(CropLike()([padded, image]), image)


def test_double_size_repeats_every_pixel():
    features = np.arange(6, dtype=np.float32).reshape(1, 2, 3, 1)
    expected = features.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(DoubleSize()(features), expected)


def test_resize_like_interpolates_between_pixel_centres():
    row = np.array([0.0, 4.0], np.float32).reshape(1, 1, 2, 1)
    wide = ResizeLike()([row, np.zeros((1, 1, 4, 9), np.float32)])
    np.testing.assert_allclose(np.ravel(wide), [0, 1, 3, 4])


@pytest.mark.parametrize(("height", "width", "bins"), [(7, 9, 3), (4, 5, 6), (12, 6, 2)])
def test_adaptive_average_is_the_mean_of_each_cell(height, width, bins):
    features = np.random.default_rng(0).random((2, height, width, 3), np.float32)
    averaged = ops.convert_to_numpy(AdaptiveAverage(bins)(features))
    for row in range(bins):
        for column in range(bins):
            rows = slice(row * height // bins, -(-(row + 1) * height // bins))
            columns = slice(column * width // bins, -(-(column + 1) * width // bins))
            expected = features[:, rows, columns].mean(axis=(1, 2))
            np.testing.assert_allclose(averaged[:, row, column], expected, rtol=1e-5)


def test_positions_are_symmetric_about_the_middle():
    image = np.zeros((1, 2, 4, 1), np.float32)
    appended = ops.convert_to_numpy(AppendPosition()(image))[0]
    np.testing.assert_allclose(appended[:, 0, 1], [-0.5, 0.5])
    np.testing.assert_allclose(appended[0, :, 2], [-0.75, -0.25, 0.25, 0.75])
