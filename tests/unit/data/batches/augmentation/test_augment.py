import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.classes import IGNORE
from semseg.data.batches.augmentation import AugmentationConfig
from semseg.data.batches.batches import Example, augment_example
from semseg.data.declarations.strict_yaml import validate
from semseg.errors import ConfigError

SIZES = st.tuples(st.integers(1, 60), st.integers(1, 60))
STRENGTHS = ("shadow", "illumination", "noise", "saturation", "gamma", "contrast", "brightness")


def rng(seed=0):
    return np.random.default_rng(seed)


def augment(image, labels, generator, config):
    example = augment_example(Example("a sample", image, labels), generator, config)
    return example.image, example.labels


@st.composite
def configs(draw):
    zoom = sorted(draw(st.tuples(st.floats(0.2, 4), st.floats(0.2, 4))))
    strength = st.floats(0, 0.6)
    return AugmentationConfig(
        crop=draw(st.none() | SIZES),
        flip=draw(st.floats(0, 1)),
        zoom=tuple(zoom),
        rotation_deg=draw(st.sampled_from([0.0, 10.0, 180.0])),
        shear_deg=draw(st.sampled_from([0.0, 10.0, 60.0])),
        blur_px=draw(st.sampled_from([0.0, 0.1, 3.0])),
        hue_deg=draw(st.sampled_from([0.0, 30.0, 180.0])),
        jpeg=draw(st.sampled_from([0.0, 0.99])),
        **{name: draw(strength) for name in STRENGTHS},
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
    again = augment(image, labels, rng(seed), config)
    assert np.array_equal(new_image, again[0])
    assert np.array_equal(new_labels, again[1])


@given(
    st.tuples(st.integers(0, 39), st.integers(0, 59)),
    st.sampled_from([0.0, 1.0]),
    st.floats(0.5, 3),
    st.sampled_from([(0.0, 0.0), (30.0, 0.0), (180.0, 30.0)]),
    st.integers(0, 10_000),
)
@settings(max_examples=150, deadline=None)
def test_a_coloured_marker_stays_on_its_id(corner, flip, zoom, turns, seed):
    image = np.zeros((50, 70, 3), np.uint8)
    labels = np.zeros((50, 70), np.uint8)
    where = np.s_[corner[0] : corner[0] + 10, corner[1] : corner[1] + 10]
    image[where], labels[where] = 255, 9
    config = AugmentationConfig(
        crop=(48, 64), flip=flip, zoom=(zoom, zoom), rotation_deg=turns[0], shear_deg=turns[1]
    )
    new_image, new_labels = augment(image, labels, rng(seed), config)
    brightness, marked = new_image[..., 0], new_labels == 9
    # All four pixels that were mixed are the marker's; and of a point inside, at least a quarter.
    assert marked[brightness > 250].all()
    assert (brightness[marked] > 55).all()


def test_nothing_asked_changes_nothing():
    image = rng().integers(0, 256, (37, 53, 3), np.uint8)
    labels = rng().integers(0, 9, (37, 53), np.uint8)
    new_image, new_labels = augment(image, labels, rng(), AugmentationConfig(flip=0))
    assert np.array_equal(new_image, image)
    assert np.array_equal(new_labels, labels)


def test_a_crop_that_is_not_zoomed_is_a_piece_of_the_image_pixel_by_pixel():
    image = rng().integers(0, 256, (20, 30, 3), np.uint8)
    labels = np.arange(600).reshape(20, 30).astype(np.uint8)
    new_image, new_labels = augment(image, labels, rng(5), AugmentationConfig(crop=(8, 9), flip=0))
    (top, left), *_ = np.argwhere((image == new_image[0, 0]).all(axis=2))
    assert np.array_equal(new_image, image[top : top + 8, left : left + 9])
    assert np.array_equal(new_labels, labels[top : top + 8, left : left + 9])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"zoom": [2, 1]}, "zoom is"),
        ({"flip": 1.5}, "flip"),
        ({"gamma": 0.8}, "gamma"),
        ({"crop": [0, 5]}, "crop"),
        ({"class_mix": 2.0}, "class_mix"),
        ({"fliip": 1}, "did you mean 'flip'"),
    ],
)
def test_mistakes_are_named(values, message):
    with pytest.raises(ConfigError, match=message):
        validate(AugmentationConfig, values, "x.yaml")
