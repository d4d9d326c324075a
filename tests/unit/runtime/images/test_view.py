"""Crops, turns and masks: labels come back to the pixels that they were made from."""

import cv2
import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.errors import ConfigError, ImageError
from semseg.runtime.images.geometry import Fit
from semseg.runtime.images.view import Margins, View, read_mask

SIZE = (6, 10)
LABELS = np.arange(60, dtype=np.uint8).reshape(SIZE)
IMAGE = np.stack([LABELS] * 3, axis=-1)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("margins", [Margins(), Margins(1, 2, 3, 0)])
def test_labels_of_what_was_seen_come_back_to_their_pixels(rotation, margins):
    placement = View(margins, rotation).placed(SIZE)
    seen = placement.apply(IMAGE)
    bottom, right = SIZE[0] - margins.bottom, SIZE[1] - margins.right
    region = IMAGE[margins.top : bottom, margins.left : right]
    np.testing.assert_array_equal(seen, np.rot90(region, -rotation // 90))
    restored = placement.restore_labels(seen[..., 0])
    expected = np.full(SIZE, IGNORE, np.uint8)
    expected[margins.top : bottom, margins.left : right] = region[..., 0]
    np.testing.assert_array_equal(restored, expected)
    assert placement.backdrop(IMAGE, seen) is IMAGE


def test_a_clockwise_quarter_turn_puts_the_left_column_on_top():
    seen = View(rotation=90).placed(SIZE).apply(IMAGE)
    assert seen.shape == (10, 6, 3)
    assert seen[0, :, 0].tolist() == LABELS[::-1, 0].tolist()


def test_probabilities_of_many_classes_come_back_too():
    placement = View(Margins(0, 1), 270).placed(SIZE)
    probabilities = np.random.RandomState(0).rand(10, 5, 11).astype(np.float32)
    restored = placement.restore(probabilities, 0)
    assert restored.shape == (6, 10, 11)
    np.testing.assert_array_equal(restored[:5], np.rot90(probabilities, -1))
    assert not restored[5].any()


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (37, 91), (2160, 3840)])
@pytest.mark.parametrize("rotation", [0, 90])
def test_any_size(size, rotation):
    labels = np.random.RandomState(1).randint(0, 9, size).astype(np.uint8)
    placement = View(rotation=rotation).placed(size)
    np.testing.assert_array_equal(
        placement.restore_labels(placement.apply(np.dstack([labels] * 3))[..., 1]), labels
    )


def test_ignored_pixels_are_void_at_every_size():
    ignored = np.zeros(SIZE, bool)
    ignored[4:, :5] = True
    view = View(ignored=ignored)
    for factor in (1, 3):  # the camera's resolution changes in mid-stream
        labels = np.zeros((6 * factor, 10 * factor), np.uint8)
        restored = view.placed(labels.shape).restore_labels(labels)
        expected = np.kron(ignored, np.ones((factor, factor))) * IGNORE
        np.testing.assert_array_equal(restored, expected)
        assert not labels.any()  # the engine's own array is left alone


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mode", ["squash", "letterbox"])
def test_outputs_of_the_network_s_size_show_the_region(rotation, mode):
    ignored = np.zeros(SIZE, bool)
    ignored[4:, :2] = True  # the last two rows and the first two columns of a region of 4x6
    view = View(Margins(2, 0, 0, 4), rotation, ignored)
    fit = Fit.create(view.seen_size(SIZE), (24, 24), mode)
    placement = view.placed(SIZE, fit)
    seen = placement.apply(IMAGE)
    # What the network is given is what it would have been given of the region itself.
    upright = np.ascontiguousarray(np.rot90(IMAGE[2:, :6], -rotation // 90))
    again = Fit.create(seen.shape[:2], (24, 24), mode)
    np.testing.assert_array_equal(again.apply(seen), fit.apply(upright))
    restored = placement.restore_labels(np.zeros(seen.shape[:2], np.uint8))
    height, width = (24, 24) if mode == "squash" else (16, 24)
    assert restored.shape == placement.output_size == (height, width)
    expected = np.zeros((height, width), np.uint8)
    expected[height // 2 :, : width // 3] = IGNORE
    np.testing.assert_array_equal(restored, expected)
    assert placement.backdrop(IMAGE, seen).shape[:2] == (height, width)


def test_a_mask_is_resized_once_for_a_stream_of_one_size():
    view = View(ignored=np.eye(6, 10) > 0)
    first = view.placed((60, 100))
    assert view.placed((60, 100)) is first
    assert view.placed((30, 50)) is not first


def test_a_crop_that_leaves_nothing_is_the_image_s_fault():
    view = View(Margins(4, 4, 0, 0))
    assert view.placed((9, 5)).region_size == (1, 5)
    with pytest.raises(ImageError, match="crop of 4,4,0,0 leaves nothing of an image of 8x5"):
        view.placed((8, 5))


def test_disparities_follow_the_region_and_its_width():
    disparity = np.arange(48, dtype=np.float32).reshape(6, 8)
    view = View(Margins(2, 0, 4, 0))
    np.testing.assert_array_equal(view.placed((6, 8)).apply_disparity(disparity), disparity[2:, 4:])
    fit = Fit.create((4, 4), (2, 2), "squash")
    halved = view.placed((6, 8), fit).apply_disparity(disparity)
    np.testing.assert_array_equal(halved, disparity[3::2, 5::2] / 2)
    assert halved.dtype == np.float32


def test_margins_are_read_from_text():
    assert Margins.parse("") == Margins(0, 0, 0, 0)
    assert Margins.parse("40, 60") == Margins(40, 60, 0, 0)
    assert Margins.parse("1,2,3,4") == Margins(1, 2, 3, 4)
    for text in ("1", "1,2,3", "a,b", "-1,2", "1,--2", "1,-", ",", "1,2,-3,4"):
        with pytest.raises(ConfigError, match="a crop is TOP,BOTTOM"):
            Margins.parse(text)


@pytest.mark.parametrize("text", ["150,100", "150,-100", " 150 , -100 "])
def test_a_margin_may_count_its_end_from_there(text):
    assert Margins.parse(text) == Margins(150, 100)
    assert Margins.parse(text + ",3,-4") == Margins(150, 100, 3, 4)


def test_other_rotations_are_refused():
    with pytest.raises(ConfigError, match="0, 90, 180 or 270 degrees; found 45"):
        View(rotation=45)


def test_a_mask_file_marks_all_that_is_not_black(tmp_path, monkeypatch):
    path = str(tmp_path / "bonnet.png")
    image = np.zeros((4, 5, 3), np.uint8)
    image[3, :, 1] = 200
    cv2.imwrite(path, image)
    assert read_mask(path).tolist() == [[False] * 5] * 3 + [[True] * 5]
    monkeypatch.setenv("HOME", str(tmp_path))
    np.testing.assert_array_equal(read_mask("~/bonnet.png"), read_mask(path))
    with pytest.raises(ConfigError, match="mask image .*no.png: cannot be read: No such file"):
        read_mask(str(tmp_path / "no.png"))
