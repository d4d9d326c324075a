import numpy as np
import pytest

from semseg.data import load_dataset, samples
from semseg.data.check.check import check
from semseg.data.prepare import Settings, prepare
from semseg.errors import ConfigError


@pytest.fixture
def stereo(tmp_path, write_png, write_declaration):
    """One pair of 4x4 with labels of both images, and its disparity."""
    left, right = (np.full((4, 4, 3), value, np.uint8) for value in (40, 80))
    write_png("raw/images/val/images/a.png", left)
    write_png("raw/eye/val/eye/a.png", right)
    write_png("raw/labels/val/images/a.png", np.array([[3, 3, 7, 7]] * 4, np.uint8))
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
    assert small.read_labels().tolist() == [[0, 1], [0, 1]]
    assert (small.read_right_labels() == 1).all()


def test_without_second_inputs_none_are_declared(stereo, tmp_path):
    prepared(stereo, tmp_path, None)
    small = load_dataset(tmp_path / "small/dataset.yaml")
    with pytest.raises(ConfigError, match="unknown second input"):
        samples(small, tmp_path / "small", "val", second="right")


@pytest.mark.parametrize("second", ["right", "disparity"])
@pytest.mark.parametrize("image_format", ["png", "jpg"])
def test_shards_hold_what_a_tree_holds(stereo, tmp_path, second, image_format):
    filed = prepared(stereo, tmp_path, second, image_format=image_format)
    parts = filed.read_image(), filed.read_second(), filed.read_right_labels()
    assert (parts[2] is not None) == (second == "right")
    (tmp_path / "small").rename(tmp_path / "tree")
    sharded = prepared(stereo, tmp_path, second, image_format=image_format, layout="shards")
    found = sharded.read_image(), sharded.read_second(), sharded.read_right_labels()
    for part, same in zip(found, parts, strict=True):
        np.testing.assert_array_equal(part, same)
    assert found[1].dtype == parts[1].dtype


def test_shards_give_the_second_input_that_they_hold_and_only_if_asked(stereo, tmp_path):
    prepared(stereo, tmp_path, "disparity", layout="shards")
    small = load_dataset(tmp_path / "small")
    assert samples(small, None, "val")[0].read_second() is None
    with pytest.raises(ConfigError, match="unknown second input .*'right'; available: disparity"):
        samples(small, None, "val", second="right")
    assert check(small, None, second="disparity", cache=tmp_path / "cache").passed


def test_a_shard_that_lacks_a_second_input_fails_its_check(stereo, tmp_path):
    prepared(stereo, tmp_path, None, layout="shards")
    declaration = tmp_path / "small/dataset.yaml"
    declaration.write_text(declaration.read_text().replace("second: null", "second: right"))
    report = check(load_dataset(declaration), tmp_path / "small", second="right")
    assert "record val/images/a: holds no right" in report.errors[0]


def test_a_second_input_that_cannot_be_read_is_named(stereo, tmp_path):
    (tmp_path / "raw/depth/val/depth/a.png").write_bytes(b"damaged")
    found = samples(stereo, tmp_path / "raw", "val", second="disparity")
    for layout in ("tree", "shards"):
        settings = Settings(second="disparity", layout=layout)
        outcome = prepare(stereo, {"val": found}, tmp_path / layout, settings)
        assert outcome.written == 0 and outcome.failed[0].startswith("val/images/a: ")
