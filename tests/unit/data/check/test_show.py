import numpy as np
import pytest

from semseg.data import AugmentationConfig, load_dataset, samples
from semseg.data.check.show import (
    EXAMPLE_STRENGTHS,
    augmentation_sheet,
    dataset_sheet,
    single_augmentations,
)


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


def test_second_inputs_are_shown_unknown_in_black(write_declaration, write_png, tmp_path, found):
    disparity = np.full((60, 80), 2560, np.uint16)
    disparity[:, 40:] = 0
    for number in range(3):
        write_png(f"big/disparity/train/{number}.png", disparity)
    spec = load_dataset(
        write_declaration(second={"disparity": {"replace": {"images": "disparity"}}})
    )
    stereo = samples(spec, tmp_path / "big", "train", second="disparity")
    (height, width), narrow = dataset_sheet(found, spec.classes, 1).shape[:2], 86
    picture = dataset_sheet(stereo, spec.classes, count=1)
    assert picture.shape[:2] == (height, width + narrow)
    shown = picture[-60:, 3 * narrow : 3 * narrow + 80]
    assert colors(shown[:, 40:]) == {(0, 0, 0)}
    assert len(colors(shown[:, :40])) == 1
    batched = augmentation_sheet(stereo, spec.classes, AugmentationConfig(crop=(60, 80), flip=0))
    assert colors(shown[:, :40]) <= colors(batched)


def test_fewer_samples_than_asked_for_are_shown_once(found, spec):
    assert (
        dataset_sheet(found, spec.classes, 9).shape == dataset_sheet(found, spec.classes, 3).shape
    )


def test_each_augmentation_that_is_used_is_shown_alone():
    plain = AugmentationConfig(flip=0, crop=(60, 80))
    config = AugmentationConfig(flip=0.5, gamma=0.1, crop=(8, 8))
    assert single_augmentations(config, plain) == {
        "crop": AugmentationConfig(flip=0, crop=(8, 8)),
        "flip": AugmentationConfig(flip=0.5, crop=(60, 80)),
        "gamma": AugmentationConfig(flip=0, gamma=0.1, crop=(60, 80)),
    }


def test_every_augmentation_has_an_example():
    plain = AugmentationConfig(flip=0)
    assert set(single_augmentations(EXAMPLE_STRENGTHS, plain)) == set(
        AugmentationConfig.model_fields
    )


def test_an_augmentation_sheet_shows_each_one_and_batches(found, spec):
    config = AugmentationConfig(flip=1, crop=(60, 80), brightness=0.2)
    one, two = (augmentation_sheet(found, spec.classes, config, draws) for draws in (1, 2))
    assert one.shape[1] == two.shape[1]
    # Unchanged, crop, flip, brightness and all; tiles are 192 high, batches of 6 are below.
    assert one.shape[0] == 2 * (24 + 2 * 198)
    # Another draw is four more rows.
    assert two.shape[0] - one.shape[0] == 4 * 198
    grey = [one[24 + 96, column * 262 + 128].tolist() for column in range(5)]
    assert grey[:3] == [[200, 200, 200]] * 3
    assert grey[3] != [200, 200, 200]


def test_more_augmentations_than_columns_go_on_in_the_next_line(found, spec):
    picture = augmentation_sheet(found, spec.classes, EXAMPLE_STRENGTHS, draws=1)
    # 16 augmentations, unchanged and all, in lines of 6, and the batches below.
    assert picture.shape[0] == 4 * (24 + 2 * 198)
