import numpy as np
import pytest
from keras import ops

from semseg.networks.layers import (
    AdaptiveAverage,
    AppendPosition,
    CropLike,
    DoubleSize,
    MaxUnpool,
    PadChannels,
    PadToMultiple,
    ResizeLike,
)
from tolerances import of_means


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
            near = of_means(height * width, 1)
            np.testing.assert_allclose(averaged[:, row, column], expected, rtol=0, atol=near)


def test_positions_are_symmetric_about_the_middle():
    image = np.zeros((1, 2, 4, 1), np.float32)
    appended = ops.convert_to_numpy(AppendPosition()(image))[0]
    np.testing.assert_allclose(appended[:, 0, 1], [-0.5, 0.5])
    np.testing.assert_allclose(appended[0, :, 2], [-0.75, -0.25, 0.25, 0.75])


def test_unpooling_puts_features_where_the_maxima_were():
    before = np.array([[1, 9, 2, 3], [4, 5, 8, 6]], np.float32).reshape(1, 2, 4, 1)
    pooled = np.array([9, 8], np.float32).reshape(1, 1, 2, 1)
    features = np.array([-7, 3], np.float32).reshape(1, 1, 2, 1)
    unpooled = ops.convert_to_numpy(MaxUnpool()([features, before, pooled]))
    np.testing.assert_array_equal(unpooled[0, ..., 0], [[0, -7, 0, 0], [0, 0, 3, 0]])


def test_appended_channels_are_zero():
    features = np.ones((1, 2, 3, 2), np.float32)
    widened = ops.convert_to_numpy(PadChannels(5)(features))
    np.testing.assert_array_equal(widened[0, 0, 0], [1, 1, 0, 0, 0])
