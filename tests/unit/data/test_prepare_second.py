import numpy as np
import pytest

from semseg.data import load_dataset, samples
from semseg.data.prepare import Settings, prepare
from semseg.data.strict_yaml import validate
from semseg.errors import ConfigError


@pytest.fixture
def stereo(tmp_path, write_png, write_declaration):
    """One pair of 4x4 with labels of both images, and its disparity."""
    left, right = (np.full((4, 4, 3), value, np.uint8) for value in (40, 80))
    write_png("raw/images/val/images/a.png", left)
    write_png("raw/eye/val/eye/a.png", right)
    write_png("raw/labels/val/images/a.png", np.full((4, 4), 3, np.uint8))
    write_png("raw/right_ids/val/images/a.png", np.full((4, 4), 7, np.uint8))
    disparity = np.array([[0, 0, 512, 512]] * 2 + [[1, 1, 2560, 0]] * 2, np.uint16)
    write_png("raw/depth/val/depth/a.png", disparity)
    return load_dataset(
        write_declaration(
            splits={"val": {"images": "images/val/**/*.png", "labels": "labels/val/**/*.png"}},
            second={
                "right": {"replace": {"images": "eye"}, "replace_labels": {"labels": "right_ids"}},
                "disparity": {"replace": {"images": "depth"}},
            },
        )
    )


def prepared(stereo, tmp_path, second, **options):
    found = samples(stereo, tmp_path / "raw", "val", second=second)
    settings = Settings(downscale=2, second=second, **options)
    assert prepare(stereo, {"val": found}, tmp_path / "small", settings) == (1, 0, [])
    small = load_dataset(tmp_path / "small/dataset.yaml")
    return samples(small, tmp_path / "small", "val", second=second)[0]


@pytest.mark.parametrize("image_format", ["png", "jpg"])
def test_disparities_are_scaled_with_their_image_and_unknown_stays(stereo, tmp_path, image_format):
    small = prepared(stereo, tmp_path, "disparity", image_format=image_format)
    # The middle of each 2x2 block is its lower right pixel; 1/256 pixel is known and stays so.
    assert small.read_second()[..., 0].tolist() == [[0, 1], [1 / 256, 0]]


@pytest.mark.parametrize("image_format", ["png", "jpg"])
def test_right_images_keep_their_labels(stereo, tmp_path, image_format):
    small = prepared(stereo, tmp_path, "right", image_format=image_format)
    assert np.abs(small.read_second().astype(int) - 80).max() <= 1
    assert small.read_second().shape == (2, 2, 3)
    assert (small.read_labels() == 0).all()
    assert (small.read_right_labels() == 1).all()


def test_without_second_inputs_none_are_declared(stereo, tmp_path):
    prepared(stereo, tmp_path, None)
    small = load_dataset(tmp_path / "small/dataset.yaml")
    with pytest.raises(ConfigError, match="unknown second input"):
        samples(small, tmp_path / "small", "val", second="right")


def test_shards_hold_no_second_input():
    with pytest.raises(ConfigError, match="shards hold no second input; found second 'right'"):
        validate(Settings, {"layout": "shards", "second": "right"}, "flags")
