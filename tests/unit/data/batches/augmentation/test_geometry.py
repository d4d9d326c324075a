import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.data.batches.augmentation import AugmentationConfig, Geometry, draw_geometry
from semseg.data.batches.batches import Example, augment_example
from semseg.runtime.images.geometry import resize_labels


def rng(seed=0):
    return np.random.default_rng(seed)


def augment(image, labels, generator, config):
    example = augment_example(Example("a sample", image, labels), generator, config)
    return example.image, example.labels


def test_flip_mirrors_both_exactly():
    image = rng().integers(0, 256, (5, 7, 3), np.uint8)
    labels = rng().integers(0, 9, (5, 7), np.uint8)
    flipped = augment(image, labels, rng(), AugmentationConfig(flip=1))
    assert np.array_equal(flipped[0], image[:, ::-1])
    assert np.array_equal(flipped[1], labels[:, ::-1])


def test_flip_has_its_probability_and_is_known():
    labels = np.array([[1, 2]], np.uint8)
    generator, config = rng(), AugmentationConfig(flip=0.25)
    drawn = [draw_geometry(generator, (1, 2), config) for _ in range(1000)]
    flipped = [geometry.warp_labels(labels)[0, 0] == 2 for geometry in drawn]
    assert 0.2 < np.mean(flipped) < 0.3
    assert flipped == [geometry.flipped for geometry in drawn]


def test_a_crop_larger_than_the_image_is_padded_with_ignore():
    image = np.full((4, 6, 3), 200, np.uint8)
    labels = np.full((4, 6), 5, np.uint8)
    config = AugmentationConfig(crop=(10, 10), flip=0)
    for seed in range(20):
        new_image, new_labels = augment(image, labels, rng(seed), config)
        assert (new_labels == 5).sum() == 24, "the whole image is inside"
        assert (new_labels == IGNORE).sum() == 76
        assert np.array_equal(new_image[:, :, 0] == 200, new_labels == 5)


def test_crops_come_from_everywhere_alike():
    labels = np.arange(24, dtype=np.uint8)[np.newaxis].repeat(2, axis=0)
    config = AugmentationConfig(crop=(2, 20), flip=0)
    starts = [
        draw_geometry(rng(seed), (2, 24), config).warp_labels(labels)[0, 0] for seed in range(500)
    ]
    assert (np.bincount(starts, minlength=5) > 70).all()
    assert max(starts) == 4


@pytest.mark.parametrize(("least", "greatest"), [(0, 4), (-4, 0)])
def test_a_window_of_any_size_stays_in_the_image_or_around_it(least, greatest):
    size = (10, 24 - least - greatest)
    corners = {
        draw_geometry(rng(seed), (10, 24), AugmentationConfig(crop=size, flip=0)).affine[0, 2]
        for seed in range(200)
    }
    assert corners == set(range(least, greatest + 1))


def test_zoom_is_a_magnification():
    labels = np.arange(100, dtype=np.uint8)[np.newaxis].repeat(100, axis=0)
    config = AugmentationConfig(crop=(40, 40), flip=0, zoom=(2, 2))
    row = draw_geometry(rng(), (100, 100), config).warp_labels(labels)[0].astype(int)
    assert row[-1] - row[0] == 19


@pytest.mark.parametrize("size", [(50, 70), (13, 200), (101, 140), (25, 35)])
def test_labels_are_resized_like_everywhere_else(size):
    labels = rng().integers(0, 255, (50, 70), np.uint8)
    affine = np.array([[70 / size[1], 0, 0], [0, 50 / size[0], 0]])
    assert np.array_equal(Geometry(affine, size).warp_labels(labels), resize_labels(labels, size))


@pytest.mark.parametrize("angle", [0.3, 2.0, -1.0])
def test_rotated_labels_are_those_under_the_pixels_centres(angle):
    labels = rng().integers(0, 255, (50, 70), np.uint8)
    cosine, sine = 0.7 * np.cos(angle), 0.7 * np.sin(angle)
    affine = np.array([[cosine, -sine, 31.4], [sine, cosine, -7.3]])
    warped = Geometry(affine, (30, 40)).warp_labels(labels)
    y, x = np.mgrid[:30, :40] + 0.5
    points = np.tensordot(affine, np.stack([x, y, np.ones_like(x)]), axes=1)
    # Within a hundredth of a pixel of a border either neighbour is right.
    inner = (np.abs(points - np.rint(points)) > 0.01).all(axis=0)
    columns, rows = np.floor(points).astype(int)
    inside = (rows >= 0) & (rows < 50) & (columns >= 0) & (columns < 70)
    expected = np.where(inside, labels[rows.clip(0, 49), columns.clip(0, 69)], IGNORE)
    assert inside.any()
    assert (~inside).any()
    assert np.array_equal(warped[inner], expected[inner])


def test_an_image_is_resampled_where_its_labels_are():
    ramp = np.arange(0, 240, 4, dtype=np.uint8)[np.newaxis].repeat(8, axis=0)
    image = ramp[..., np.newaxis].repeat(3, axis=2)
    affine = np.array([[0.5, 0, 10], [0, 0.5, 1]])
    row = Geometry(affine, (8, 40)).warp_image(image)[4, :, 0].astype(float)
    # Result pixel i has its centre at source x = 10 + (i + 0.5) / 2; pixel centres are at k + 0.5.
    expected = 4 * (10 + (np.arange(40) + 0.5) / 2 - 0.5)
    assert np.abs(row - expected).max() <= 0.5


def test_rotation_and_shear_keep_the_centre_and_the_area():
    config = AugmentationConfig(flip=0, rotation_deg=180, shear_deg=30)
    affine = draw_geometry(rng(3), (100, 100), config).affine
    assert affine @ (50, 50, 1) == pytest.approx((50, 50))
    assert np.linalg.det(affine[:, :2]) == pytest.approx(1)
    assert abs(affine[1, 0]) > 0.1


def test_shear_slants_upright_lines_and_no_level_ones():
    config = AugmentationConfig(flip=0, shear_deg=45)
    slants = [draw_geometry(rng(seed), (9, 9), config).affine for seed in range(200)]
    assert all((affine[1, :2] == (0, 1)).all() for affine in slants)
    assert min(affine[0, 1] for affine in slants) < -0.8
    assert 0.8 < max(affine[0, 1] for affine in slants) <= 1
