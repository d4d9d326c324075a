"""Probabilities of several views, averaged."""

import numpy as np
import pytest

from semseg.classes import ClassTable
from semseg.errors import ImageError
from semseg.evaluation.averaging import AveragingSegmenter, Views, window_corners
from semseg.runtime import Segmentation, Timing

CLASSES = ClassTable(("left", "right"), ((1, 1, 1), (2, 2, 2)))


class Constant:
    """Is as sure of ``right`` everywhere."""

    classes = CLASSES

    def __init__(self, right):
        self.right = right

    def segment(self, image, second=None, probabilities=False, confidence=True):
        found = np.empty((*image.shape[:2], 2), np.float32)
        found[..., 1] = self.right
        found[..., 0] = 1 - self.right
        return _result(found)


class Place:
    """Says ``right`` with the red channel, after a look at the shape it is shown."""

    classes = CLASSES

    def __init__(self):
        self.shapes = []

    def segment(self, image, second=None, probabilities=False, confidence=True):
        assert image.flags.c_contiguous
        self.shapes.append(image.shape[:2])
        right = image[..., 0].astype(np.float32) / 255
        return _result(np.stack([1 - right, right], axis=2))


class OnlyLeftHalf(Place):
    """Sees nothing in the right half of what it is shown."""

    def segment(self, image, second=None, probabilities=False, confidence=True):
        image = image.copy()
        image[:, image.shape[1] // 2 :] = 0
        return super().segment(image)


def _result(probabilities):
    labels = probabilities.argmax(axis=2).astype(np.uint8)
    return Segmentation(labels, probabilities.max(axis=2), probabilities, Timing(1.0, 2.0, 3.0))


def _image(red):
    red = np.asarray(red, np.uint8)
    return np.stack([red, red, red], axis=2)


def test_scales_are_averaged_over_probabilities_not_votes():
    # Two votes for left lose against one that is sure.
    segmenters = {0.5: Constant(0.4), 1.0: Constant(0.4), 2.0: Constant(0.9)}
    result = AveragingSegmenter(segmenters, flip=False).segment(_image([[0]]), probabilities=True)
    assert result.labels.tolist() == [[1]]
    np.testing.assert_allclose(result.confidence, [[1.7 / 3]], rtol=1e-6)
    np.testing.assert_allclose(result.probabilities[0, 0], [1.3 / 3, 1.7 / 3], rtol=1e-6)
    assert result.timing == Timing(3.0, 6.0, 9.0)


def test_a_mirrored_view_is_mirrored_back():
    image = _image([[255, 0, 0, 255]])
    result = AveragingSegmenter({1.0: OnlyLeftHalf()}, flip=True).segment(image, probabilities=True)
    # Each edge pixel is seen in one of the two views.
    np.testing.assert_allclose(result.probabilities[0, :, 1], [0.5, 0, 0, 0.5])


def test_probabilities_are_returned_on_request_alone():
    segmenter = AveragingSegmenter({1.0: Place()}, flip=False)
    assert segmenter.segment(_image([[0]])).probabilities is None
    assert segmenter.classes is CLASSES


def test_windows_cover_the_image_and_put_everything_in_its_place():
    red = np.arange(7 * 11, dtype=np.uint8).reshape(7, 11) * 3
    place = Place()
    segmenter = AveragingSegmenter({1.0: place}, flip=True, window=(4, 5))
    result = segmenter.segment(_image(red), probabilities=True)
    np.testing.assert_allclose(result.probabilities[..., 1], red / 255, atol=1e-6)
    assert set(place.shapes) == {(4, 5)}


def test_windows_are_cut_out_of_the_scaled_image():
    place = Place()
    segmenter = AveragingSegmenter({2.0: place}, flip=False, window=(8, 8))
    result = segmenter.segment(_image(np.full((8, 8), 51)), probabilities=True)
    assert place.shapes == [(8, 8)] * 9  # 16x16 by steps of two thirds of 8.
    assert result.labels.shape == (8, 8)
    np.testing.assert_allclose(result.probabilities[..., 1], 0.2, rtol=1e-6)


def test_an_image_smaller_than_the_window_is_one_window():
    place = Place()
    AveragingSegmenter({1.0: place}, flip=False, window=(8, 8)).segment(_image([[0, 0, 0]]))
    assert place.shapes == [(1, 3)]


@pytest.mark.parametrize("size", [(8, 8), (9, 17), (100, 30)])
def test_every_pixel_is_in_a_window(size):
    window = 8, 8
    seen = np.zeros(size, int)
    for top, left in window_corners(size, window):
        assert 0 <= top <= size[0] - window[0] and 0 <= left <= size[1] - window[1]
        seen[top : top + window[0], left : left + window[1]] += 1
    assert seen.min() >= 1 and seen.max() <= 9


def test_a_second_input_is_refused():
    segmenter = AveragingSegmenter({1.0: Place()}, flip=True)
    with pytest.raises(ImageError, match="two inputs"):
        segmenter.segment(_image([[0]]), second=np.zeros((1, 1, 1), np.float32))


def test_views_say_what_they_are():
    assert Views().is_plain
    views = Views((0.5, 1.0), True, (64, 128))
    assert not views.is_plain
    assert views.describe() == {"scales": [0.5, 1.0], "flip": True, "window": "64x128"}
