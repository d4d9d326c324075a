"""Sizes: index tables, resizing, and that a fit is undone exactly."""

import subprocess
import sys

import numpy as np
import pytest

from semseg.errors import ImageError
from semseg.runtime.images.geometry import Fit, resize_image, resize_labels


def expected_labels(labels, size):
    rows = [int(np.floor((i + 0.5) * labels.shape[0] / size[0])) for i in range(size[0])]
    columns = [int(np.floor((i + 0.5) * labels.shape[1] / size[1])) for i in range(size[1])]
    return labels[np.ix_(rows, columns)]


@pytest.mark.parametrize("source", [(1, 1), (7, 13), (32, 64), (97, 131)])
@pytest.mark.parametrize("target", [(1, 1), (3, 5), (64, 32), (120, 161)])
def test_labels_are_those_under_the_target_pixels_centres(source, target):
    labels = np.random.RandomState(0).randint(0, 256, source).astype(np.uint8)
    resized = resize_labels(labels, target)
    assert resized.dtype == np.uint8
    np.testing.assert_array_equal(resized, expected_labels(labels, target))


def test_labels_at_a_third_take_the_middle_pixel():
    labels = np.arange(9, dtype=np.uint8).reshape(1, 9)
    assert resize_labels(labels, (1, 3)).tolist() == [[1, 4, 7]]  # cv2.INTER_NEAREST: 0, 3, 6.


def test_probabilities_go_through_the_same_tables():
    values = np.random.RandomState(0).rand(5, 6, 3).astype(np.float32)
    np.testing.assert_array_equal(resize_labels(values, (9, 4)), expected_labels(values, (9, 4)))


def test_nothing_is_copied_at_the_right_size():
    array = np.zeros((4, 5, 3), np.uint8)
    assert resize_labels(array, (4, 5)) is array
    assert resize_image(array, (4, 5)) is array


def test_images_are_averaged_between_pixel_centres():
    image = np.array([[[0], [100]]], np.uint8)
    assert resize_image(image, (1, 4)).tolist() == [[[0], [25], [75], [100]]]
    wide = np.arange(8, dtype=np.uint8).reshape(1, 8, 1) * 10
    assert resize_image(wide, (1, 2), "area").tolist() == [[[15], [55]]]
    with pytest.raises(ImageError, match="unknown interpolation 'cubic'; available: area, linear"):
        resize_image(image, (1, 4), "cubic")


@pytest.mark.parametrize("image_size", [(1, 1), (33, 200), (200, 33), (64, 128), (480, 640)])
def test_letterbox_keeps_aspect_and_is_undone(image_size):
    fit = Fit.create(image_size, (64, 128), "letterbox")
    scale = min(64 / image_size[0], 128 / image_size[1])
    for inner, size in zip(fit.inner_size, image_size):
        assert abs(inner - scale * size) <= 0.5 or inner == 1
    assert 64 in fit.inner_size[:1] or fit.inner_size[1] == 128
    network = np.full((64, 128), 9, np.uint8)  # 9: what the network says of the padding
    top, left = fit.corner
    inside = np.random.RandomState(1).randint(0, 5, fit.inner_size).astype(np.uint8)
    network[top : top + fit.inner_size[0], left : left + fit.inner_size[1]] = inside
    np.testing.assert_array_equal(fit.undo(network), expected_labels(inside, image_size))


def test_letterbox_pads_with_zeros_around_the_centre():
    image = np.full((10, 10, 3), 200, np.uint8)
    padded = Fit.create((10, 10), (10, 20), "letterbox").apply(image)
    assert padded.shape == (10, 20, 3)
    assert (padded[:, 5:15] == 200).all()
    assert padded.sum() == image.sum()


def test_squash_fills_the_network_and_is_undone():
    fit = Fit.create((3, 3), (6, 9), "squash")
    assert (fit.corner, fit.inner_size) == ((0, 0), (6, 9))
    labels = np.repeat(np.repeat(np.arange(9).reshape(3, 3), 2, axis=0), 3, axis=1)
    assert fit.undo(labels.astype(np.uint8)).tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    with pytest.raises(ImageError, match="unknown fit 'crop'"):
        Fit.create((3, 3), (6, 9), "crop")


def test_disparity_is_scaled_with_the_width_and_never_mixed():
    disparity = np.array([[0, 40], [0, 40]], np.float32)
    scaled = Fit.create((2, 2), (4, 8), "squash").apply_disparity(disparity)
    assert scaled.shape == (4, 8, 1)
    assert scaled[0, :, 0].tolist() == [0, 0, 0, 0, 160, 160, 160, 160]


def test_a_robot_that_feeds_the_networks_size_needs_no_opencv():
    program = (
        "import sys, numpy as np; from semseg.runtime.images.geometry import Fit, resize_labels;"
        "Fit.create((4, 6), (4, 6), 'squash').apply(np.zeros((4, 6, 3), np.uint8));"
        "resize_labels(np.zeros((4, 6), np.uint8), (8, 9)); import semseg.runtime;"
        "sys.exit('cv2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
