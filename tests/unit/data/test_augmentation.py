import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.classes import IGNORE
from semseg.data.augmentation import (
    AugmentationConfig,
    augment,
    draw_affine,
    gamma_exponent,
    warp_image,
    warp_labels,
)
from semseg.data.strict_yaml import validate
from semseg.errors import ConfigError
from semseg.runtime.geometry import resize_labels

SIZES = st.tuples(st.integers(1, 60), st.integers(1, 60))
UNCHANGED = AugmentationConfig(flip=0)


def rng(seed=0):
    return np.random.default_rng(seed)


@st.composite
def configs(draw):
    zoom = sorted(draw(st.tuples(st.floats(0.2, 4), st.floats(0.2, 4))))
    strength = st.floats(0, 0.6)
    return AugmentationConfig(
        crop=draw(st.none() | SIZES),
        flip=draw(st.floats(0, 1)),
        zoom=tuple(zoom),
        rotation_deg=draw(st.sampled_from([0.0, 10.0, 180.0])),
        gamma=draw(strength),
        brightness=draw(strength),
        contrast=draw(strength),
        saturation=draw(strength),
    )


@given(configs(), SIZES, st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_no_augmentation_invents_an_id(config, size, seed):
    # Ids far apart, so that any mean of two would be a new one.
    labels = rng(seed).choice(np.array([3, 90, 200, IGNORE], np.uint8), size)
    image = rng(seed).integers(0, 256, (*size, 3), np.uint8)
    new_image, new_labels = augment(image, labels, rng(seed), config)
    assert new_labels.shape == new_image.shape[:2] == (config.crop or size)
    assert (new_image.dtype, new_labels.dtype) == (np.uint8, np.uint8)
    assert set(np.unique(new_labels)) <= set(np.unique(labels)) | {IGNORE}


@given(
    st.tuples(st.integers(0, 39), st.integers(0, 59)),
    st.sampled_from([0.0, 1.0]),
    st.floats(0.5, 3),
    st.sampled_from([0.0, 30.0, 180.0]),
    st.integers(0, 10_000),
)
@settings(max_examples=150, deadline=None)
def test_a_coloured_marker_stays_on_its_id(corner, flip, zoom, rotation, seed):
    image = np.zeros((50, 70, 3), np.uint8)
    labels = np.zeros((50, 70), np.uint8)
    where = np.s_[corner[0] : corner[0] + 10, corner[1] : corner[1] + 10]
    image[where], labels[where] = 255, 9
    config = AugmentationConfig(crop=(48, 64), flip=flip, zoom=(zoom, zoom), rotation_deg=rotation)
    new_image, new_labels = augment(image, labels, rng(seed), config)
    brightness, marked = new_image[..., 0], new_labels == 9
    # All four pixels that were mixed are the marker's; and of a point inside, at least a quarter.
    assert marked[brightness > 250].all()
    assert (brightness[marked] > 55).all()


def test_flip_mirrors_both_exactly():
    image = rng().integers(0, 256, (5, 7, 3), np.uint8)
    labels = rng().integers(0, 9, (5, 7), np.uint8)
    flipped = augment(image, labels, rng(), AugmentationConfig(flip=1))
    assert np.array_equal(flipped[0], image[:, ::-1])
    assert np.array_equal(flipped[1], labels[:, ::-1])


def test_flip_has_its_probability():
    labels = np.array([[1, 2]], np.uint8)
    image = np.zeros((1, 2, 3), np.uint8)
    generator, config = rng(), AugmentationConfig(flip=0.25)
    flipped = [augment(image, labels, generator, config)[1][0, 0] == 2 for _ in range(1000)]
    assert 0.2 < np.mean(flipped) < 0.3


def test_nothing_asked_changes_nothing():
    image = rng().integers(0, 256, (37, 53, 3), np.uint8)
    labels = rng().integers(0, 9, (37, 53), np.uint8)
    new_image, new_labels = augment(image, labels, rng(), UNCHANGED)
    assert np.array_equal(new_image, image)
    assert np.array_equal(new_labels, labels)


def test_a_crop_larger_than_the_image_is_padded_with_ignore():
    image = np.full((4, 6, 3), 200, np.uint8)
    labels = np.full((4, 6), 5, np.uint8)
    config = AugmentationConfig(crop=(10, 10), flip=0)
    for seed in range(20):
        new_image, new_labels = augment(image, labels, rng(seed), config)
        assert (new_labels == 5).sum() == 24, "the whole image is inside"
        assert (new_labels == IGNORE).sum() == 76
        assert (new_image[:, :, 0] > 0).sum() <= 35, "and nothing but the image is"


def test_crops_come_from_everywhere():
    labels = np.arange(200, dtype=np.uint8)[np.newaxis].repeat(2, axis=0)
    image = np.zeros((2, 200, 3), np.uint8)
    config = AugmentationConfig(crop=(2, 20), flip=0)
    starts = [augment(image, labels, rng(seed), config)[1][0, 0] for seed in range(300)]
    assert min(starts) < 10
    assert max(starts) > 170


def test_zoom_is_a_magnification():
    labels = np.arange(100, dtype=np.uint8)[np.newaxis].repeat(100, axis=0)
    image = np.zeros((100, 100, 3), np.uint8)
    config = AugmentationConfig(crop=(40, 40), flip=0, zoom=(2, 2))
    row = augment(image, labels, rng(), config)[1][0].astype(int)
    assert 19 <= row[-1] - row[0] <= 20


@pytest.mark.parametrize("size", [(50, 70), (13, 200), (101, 140)])
def test_labels_are_resized_like_everywhere_else(size):
    labels = rng().integers(0, 255, (50, 70), np.uint8)
    affine = np.array([[70 / size[1], 0, 0], [0, 50 / size[0], 0]])
    assert np.array_equal(warp_labels(labels, affine, size), resize_labels(labels, size))


def test_an_image_is_resampled_where_its_labels_are():
    ramp = np.arange(0, 240, 4, dtype=np.uint8)[np.newaxis].repeat(8, axis=0)
    image = ramp[..., np.newaxis].repeat(3, axis=2)
    affine = np.array([[0.5, 0, 10], [0, 0.5, 1]])
    row = warp_image(image, affine, (8, 40))[4, :, 0].astype(float)
    # Result pixel i has its centre at source x = 10 + (i + 0.5) / 2; pixel centres are at k + 0.5.
    expected = 4 * (10 + (np.arange(40) + 0.5) / 2 - 0.5)
    assert np.abs(row - expected).max() <= 0.5


def test_rotation_keeps_the_centre_and_the_scale():
    config = AugmentationConfig(flip=0, rotation_deg=180)
    affine = draw_affine(rng(3), (100, 100), (100, 100), config)
    assert affine @ (50, 50, 1) == pytest.approx((50, 50))
    assert np.linalg.det(affine[:, :2]) == pytest.approx(1)
    assert abs(affine[0, 1]) > 0.1


@pytest.mark.parametrize(("z", "exponent"), [(0.0, 1.0), (0.05, 0.8146), (-0.05, 1.2275)])
def test_gamma_follows_the_frrn_rule(z, exponent):
    # ln(0.5353553) / ln(0.4646447) and its inverse, computed by hand.
    assert gamma_exponent(z) == pytest.approx(exponent, abs=1e-3)


@pytest.mark.parametrize("field", ["gamma", "brightness", "contrast"])
def test_tone_changes_keep_grey_grey_and_move_no_label(field):
    image = np.full((3, 3, 3), 60, np.uint8)
    labels = np.arange(9, dtype=np.uint8).reshape(3, 3)
    config = AugmentationConfig(flip=0, **{field: 0.3})
    new_image, new_labels = augment(image, labels, rng(), config)
    assert (new_image == new_image[0, 0, 0]).all()
    assert new_image[0, 0, 0] != 60
    assert np.array_equal(new_labels, labels)


def test_brightness_is_a_share_of_the_range_and_saturates():
    grey = np.full((1, 1, 3), 250, np.uint8)
    config = AugmentationConfig(flip=0, brightness=0.2)
    values = [int(augment(grey, grey[..., 0], rng(seed), config)[0][0, 0, 0]) for seed in range(99)]
    assert 250 - 51 <= min(values) < 210
    assert max(values) == 255


def test_saturation_moves_colours_but_no_grey():
    image = np.array([[(200, 100, 50), (90, 90, 90)]], np.uint8)
    labels = np.zeros((1, 2), np.uint8)
    config = AugmentationConfig(flip=0, saturation=0.5)
    new_image = augment(image, labels, rng(1), config)[0]
    assert not np.array_equal(new_image[0, 0], image[0, 0])
    assert np.abs(new_image[0, 1].astype(int) - 90).max() <= 1


def test_mistakes_are_named():
    for values, message in [
        ({"zoom": [2, 1]}, "zoom is"),
        ({"flip": 1.5}, "flip"),
        ({"gamma": 0.8}, "gamma"),
        ({"crop": [0, 5]}, "crop"),
        ({"fliip": 1}, "did you mean 'flip'"),
    ]:
        with pytest.raises(ConfigError, match=message):
            validate(AugmentationConfig, values, "x.yaml")
