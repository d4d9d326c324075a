import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.classes import IGNORE
from semseg.data import AugmentationConfig
from semseg.data.batches.augmentation import draw_geometry
from semseg.data.batches.batches import Example, augment_example

HEIGHT, WIDTH, SHIFT = 48, 96, 6


def rng(seed=0):
    return np.random.default_rng(seed)


def box_pair(left=40, with_labels=True):
    """A pair of images of a white box that is SHIFT pixels further left in the right one."""
    images = np.zeros((2, HEIGHT, WIDTH, 3), np.uint8)
    labels = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    for eye, start in enumerate((left, left - SHIFT)):
        images[eye, 15:30, start : start + 12] = 255
        labels[eye, 15:30, start : start + 12] = 7
    return Example("a", images[0], labels[0], images[1], labels[1] if with_labels else None)


def middle(mask):
    return np.nonzero(mask)[1].mean()


def test_a_mirrored_pair_is_swapped():
    example = box_pair()
    mirrored = augment_example(example, rng(), AugmentationConfig(flip=1))
    assert np.array_equal(mirrored.image, example.second[:, ::-1])
    assert np.array_equal(mirrored.second, example.image[:, ::-1])
    assert np.array_equal(mirrored.labels, example.right_labels[:, ::-1])


def test_a_pair_without_right_labels_is_not_mirrored():
    example = box_pair(with_labels=False)
    same = augment_example(example, rng(), AugmentationConfig(flip=1))
    assert np.array_equal(same.image, example.image)
    assert np.array_equal(same.second, example.second)
    assert np.array_equal(same.labels, example.labels)


@given(st.floats(0, 1), st.floats(0.6, 2), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_what_is_nearer_stays_further_left_in_the_right_image(flip, zoom, seed):
    config = AugmentationConfig(flip=flip, zoom=(zoom, zoom), crop=(2 * HEIGHT, 2 * WIDTH))
    drawn = augment_example(box_pair(), rng(seed), config)
    left, right = drawn.image[..., 0] > 127, drawn.second[..., 0] > 127
    assert middle(left) - middle(right) == pytest.approx(SHIFT * zoom, abs=1.1)
    assert np.mean((drawn.labels == 7) != left) < 0.01


def test_both_images_of_a_pair_have_the_same_colours():
    example = box_pair()
    config = AugmentationConfig(flip=0, brightness=0.4, contrast=0.4)
    drawn = augment_example(example, rng(1), config)
    assert not np.array_equal(drawn.image, example.image)
    assert set(np.unique(drawn.image)) == set(np.unique(drawn.second))


@given(st.sampled_from([0.0, 1.0]), st.floats(0.4, 3), st.sampled_from([0, 20]), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_disparity_is_scaled_and_never_interpolated(flip, zoom, rotation, seed):
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[10:30, 20:60] = 1
    disparity = np.where(labels == 1, np.float32(8), np.float32(0))
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    config = AugmentationConfig(
        flip=flip, zoom=(zoom, zoom), rotation_deg=rotation, crop=(40, 80), class_mix=0.5
    )
    example = Example("a", image, labels, disparity[..., np.newaxis])
    drawn = augment_example(example, rng(seed), config)
    assert drawn.second.dtype == np.float32
    assert drawn.second.shape == (40, 80, 1)
    assert drawn.second[drawn.labels == 1] == pytest.approx(8 * zoom, rel=1e-5)
    assert (drawn.second[drawn.labels != 1] == 0).all(), "unknown, and outside, stay 0"


@given(
    st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1)),
    st.tuples(st.integers(2, 80), st.integers(2, 120)),
    st.floats(0.5, 2),
    st.integers(0, 999),
)
@settings(max_examples=100, deadline=None)
def test_a_crop_shows_its_focus_and_no_more_padding_than_it_must(focus, crop, zoom, seed):
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    config = AugmentationConfig(crop=crop, zoom=(zoom, zoom))
    geometry = draw_geometry(rng(seed), labels.shape, config, focus)
    corners = geometry.affine @ np.array([[0, crop[1]], [0, crop[0]], [1, 1]])
    low, high = corners.min(axis=1), corners.max(axis=1)
    assert (low <= np.array(focus[::-1]) + 1e-6).all()
    assert (high > focus[::-1]).all()
    inside = (high - low) <= (WIDTH, HEIGHT)
    assert (low[inside] >= 0).all()
    assert (high[inside] <= np.array([WIDTH, HEIGHT])[inside] + 1e-6).all()


def test_focussed_crops_show_their_focus_everywhere():
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[20, 50] = 3
    config = AugmentationConfig(crop=(10, 10), flip=0)
    example = Example("a", np.zeros((HEIGHT, WIDTH, 3), np.uint8), labels, focus=(20, 50))
    places = {
        tuple(np.argwhere(augment_example(example, rng(seed), config).labels == 3)[0])
        for seed in range(300)
    }
    assert len(places) > 80
    assert {row for row, _ in places} == {column for _, column in places} == set(range(10))
    assert IGNORE not in augment_example(example, rng(), config).labels
