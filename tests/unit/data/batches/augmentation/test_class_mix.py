import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semseg.classes import IGNORE
from semseg.data.batches.augmentation.class_mix import Paste, draw_pastes, paste


def rng(seed=0):
    return np.random.default_rng(seed)


def labels_of(*samples):
    return np.array([[sample] for sample in samples], np.uint8)


@pytest.mark.parametrize(("classes", "pasted"), [(1, 1), (2, 1), (3, 2), (10, 5)])
def test_half_of_the_donors_classes_are_pasted_but_never_void(classes, pasted):
    labels = labels_of([*range(classes), IGNORE], [IGNORE] * (classes + 1))
    for seed in range(20):
        to_second = [one for one in draw_pastes(labels, np.zeros(2), rng(seed), 1) if one.target]
        assert [one.donor for one in to_second] == [0]
        assert to_second[0].mask.sum() == pasted
        assert not to_second[0].mask[0, -1]


def test_every_class_is_pasted_some_time():
    labels = labels_of([0, 1, 2, 3], [4, 4, 4, 4])
    masks = [draw_pastes(labels, np.zeros(2), rng(seed), 1)[1].mask for seed in range(50)]
    assert np.logical_or.reduce(masks).all()


def test_donors_are_other_samples_of_the_same_dataset():
    labels = labels_of([0], [1], [2], [3])
    pairs = {
        (one.target, one.donor)
        for seed in range(50)
        for one in draw_pastes(labels, np.array([0, 1, 0, 0]), rng(seed), 1)
    }
    assert pairs == {(0, 2), (0, 3), (2, 0), (2, 3), (3, 0), (3, 2)}


def test_probability_is_the_share_that_is_pasted_over():
    labels = np.zeros((2000, 1, 1), np.uint8)
    assert 0.2 < len(draw_pastes(labels, np.zeros(2000), rng(), 0.25)) / 2000 < 0.3
    assert draw_pastes(labels, np.zeros(2000), rng(), 0) == []


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_donors_give_what_they_had_before(channels):
    labels = np.array([[[1, 1]], [[2, 2]], [[3, 3]]], np.float32)
    pixels = np.broadcast_to(labels.reshape(3, 1, 2, *[1] * len(channels)), (3, 1, 2, *channels))
    left, right = np.array([[True, False]]), np.array([[False, True]])
    pasted = paste(pixels, [Paste(1, 0, left), Paste(2, 1, right)])
    assert pasted.shape == pixels.shape
    assert (pasted.reshape(3, 2, -1).min(axis=2)).tolist() == [[1, 1], [1, 2], [3, 2]]
    assert (pasted.reshape(3, 2, -1).max(axis=2)).tolist() == [[1, 1], [1, 2], [3, 2]]
    assert (pixels[1] == 2).all()


@given(st.integers(0, 10_000), st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_image_and_labels_stay_aligned_and_no_id_is_invented(seed, size):
    labels = rng(seed).choice(np.array([0, 7, 90, IGNORE], np.uint8), (size, 4, 5))
    images = labels[..., np.newaxis].repeat(3, axis=3)
    pastes = draw_pastes(labels, np.zeros(size), rng(seed), 0.8)
    mixed = paste(labels, pastes)
    assert np.array_equal(paste(images, pastes)[..., 1], mixed)
    assert set(np.unique(mixed)) <= set(np.unique(labels))
