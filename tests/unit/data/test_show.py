import numpy as np
import pytest

from semseg.data import AugmentationConfig, load_dataset, samples
from semseg.data.show import augmentation_sheet, dataset_sheet, single_augmentations


@pytest.fixture
def spec(write_declaration):
    return load_dataset(write_declaration())


@pytest.fixture
def found(spec, write_png, tmp_path):
    for number in range(3):
        write_png(f"big/images/train/{number}.png", np.full((60, 80, 3), 200, np.uint8))
        write_png(f"big/labels/train/{number}_ids.png", np.full((60, 80), 3, np.uint8))
    return samples(spec, tmp_path / "big", "train")


def colors(picture):
    return set(map(tuple, picture.reshape(-1, 3).tolist()))


def test_a_dataset_sheet_shows_image_overlay_and_labels(found, spec):
    picture = dataset_sheet(found, spec.classes, count=2)
    assert picture.dtype == np.uint8
    first_row = picture[-60:]
    assert colors(first_row[:, :80]) == {(200, 200, 200)}
    assert colors(first_row[:, 86:166]) == {(164, 132, 164)}
    assert colors(first_row[:, 172:252]) == {(128, 64, 128)}


def test_fewer_samples_than_asked_for_are_shown_once(found, spec):
    assert (
        dataset_sheet(found, spec.classes, 9).shape == dataset_sheet(found, spec.classes, 3).shape
    )


def test_each_augmentation_that_is_used_is_shown_alone():
    config = AugmentationConfig(flip=0.5, gamma=0.1, crop=(8, 8))
    assert single_augmentations(config) == {
        "crop": AugmentationConfig(flip=0, crop=(8, 8)),
        "flip": AugmentationConfig(flip=0.5),
        "gamma": AugmentationConfig(flip=0, gamma=0.1),
    }


def test_an_augmentation_sheet_has_a_column_for_each_and_rows_for_batches(found, spec):
    config = AugmentationConfig(flip=1, crop=(60, 80), brightness=0.2)
    one, two = (augmentation_sheet(found, spec.classes, config, draws) for draws in (1, 2))
    assert one.shape[1] == two.shape[1]
    assert one.shape[1] > 5 * 256
    # Tiles are 192 high: another draw is four more rows.
    assert two.shape[0] - one.shape[0] == 4 * (192 + 6)
