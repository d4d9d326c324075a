import numpy as np
import pytest

from semseg.data import load_dataset, samples
from semseg.data.batches.batches import SampleSource
from semseg.data.samples.samples import RemappedSample
from semseg.errors import ConfigError, DatasetError, ImageError

RED, BLUE = np.full((1, 4, 3), (200, 0, 0), np.uint8), np.full((1, 4, 3), (0, 0, 200), np.uint8)


@pytest.fixture
def cityscapes(tmp_path, write_png):
    """One Cityscapes sample with its right image and its disparity."""
    name = "val/ulm/ulm_000000_000019"
    write_png(f"leftImg8bit/{name}_leftImg8bit.png", RED)
    write_png(f"rightImg8bit/{name}_rightImg8bit.png", BLUE)
    write_png(f"gtFine/{name}_gtFine_labelIds.png", np.array([[7, 7, 11, 11]], np.uint8))
    # (value - 1) / 256; 0 is unknown.
    disparity = np.array([[0, 1, 257, 25601]], np.uint16)
    return write_png(f"disparity/{name}_disparity.png", disparity)


@pytest.fixture
def virtual_kitti(tmp_path, write_png):
    """One frame of both cameras of Virtual KITTI 2; depth is in centimetres, 65535 is the sky."""
    road, car = (100, 60, 100), (255, 127, 80)
    for camera, image, color in (("Camera_0", RED, road), ("Camera_1", BLUE, car)):
        frames = "Scene20/clone/frames"
        write_png(f"{frames}/rgb/{camera}/rgb_00003.jpg", image)
        labels = np.full((1, 4, 3), color, np.uint8)
        write_png(f"{frames}/classSegmentation/{camera}/classgt_00003.png", labels)
        depth = np.array([[0, 65535, 1000, 5000]], np.uint16)
        write_png(f"{frames}/depth/{camera}/depth_00003.png", depth)
    return tmp_path


def found(dataset, root, second, split="val"):
    return samples(load_dataset(dataset), root, split, second=second)


def test_samples_have_no_second_input_unless_asked(cityscapes, tmp_path):
    (sample,) = found("cityscapes", tmp_path, None)
    assert sample.read_second() is None
    assert sample.read_right_labels() is None


def test_cityscapes_disparity(cityscapes, tmp_path):
    (sample,) = found("cityscapes", tmp_path, "disparity")
    disparity = sample.read_second()
    assert disparity.dtype == np.float32
    assert disparity[..., 0].tolist() == [[0, 0, 1, 100]]


def test_cityscapes_right_images_have_no_labels(cityscapes, tmp_path):
    (sample,) = found("cityscapes", tmp_path, "right")
    assert np.array_equal(sample.read_image(), RED)
    assert np.array_equal(sample.read_second(), BLUE)
    assert sample.read_right_labels() is None


def test_virtual_kitti_right_images_are_camera_1_with_labels(virtual_kitti):
    names = load_dataset("virtual_kitti_2").classes.names
    (sample,) = found("virtual_kitti_2", virtual_kitti, "right")
    assert sample.name.endswith("Camera_0/rgb_00003"), "the right camera's own images are left out"
    assert np.abs(sample.read_second().astype(int) - BLUE).max() < 5
    assert {names[label] for label in sample.read_labels().ravel()} == {"Road"}
    assert {names[label] for label in sample.read_right_labels().ravel()} == {"Car"}


def test_virtual_kitti_disparity_comes_from_depth(virtual_kitti):
    # 725.0087 px * 0.532725 m / 10 m and / 50 m.
    left, right = found("virtual_kitti_2", virtual_kitti, "disparity")
    for sample in (left, right):
        disparity = sample.read_second()[..., 0]
        assert disparity == pytest.approx(np.array([[0, 0, 38.6230, 7.7246]]), abs=1e-3)


def test_remapped_samples_map_right_labels_too(virtual_kitti):
    (sample,) = found("virtual_kitti_2", virtual_kitti, "right")
    table = np.arange(256, dtype=np.uint8)[::-1]
    remapped = RemappedSample(sample, table)
    assert np.array_equal(remapped.read_right_labels(), 255 - sample.read_right_labels())
    assert np.array_equal(remapped.read_second(), sample.read_second())


def test_missing_files_are_listed(cityscapes, tmp_path):
    cityscapes.unlink()
    with pytest.raises(DatasetError, match=r"1 of 1 images of 'cityscapes' have no disparity file"):
        found("cityscapes", tmp_path, "disparity")


def test_a_dataset_without_second_inputs_says_so(tree, write_declaration):
    with pytest.raises(ConfigError, match="unknown second input of 'tiny' 'right'; .* none"):
        found(write_declaration(), tree, "right")


def test_images_that_name_no_second_input_are_an_error(tree, write_declaration):
    second = {"right": {"replace": {"left": "right"}}}
    with pytest.raises(DatasetError, match="all of 1 images of 'tiny' have no right file"):
        found(write_declaration(second=second), tree, "right")


def test_8_bit_disparity_is_refused(cityscapes, tmp_path, write_png):
    write_png(cityscapes.relative_to(tmp_path), np.zeros((1, 4), np.uint8))
    (sample,) = found("cityscapes", tmp_path, "disparity")
    with pytest.raises(ImageError, match="has 8 bits a pixel"):
        sample.read_second()


def test_a_second_input_of_another_size_is_refused(cityscapes, tmp_path, write_png):
    write_png(cityscapes.relative_to(tmp_path), np.ones((2, 4), np.uint16))
    source = SampleSource(found("cityscapes", tmp_path, "disparity"))
    with pytest.raises(DatasetError, match="1x4, 2x4; expected one size"):
        source[0]


def test_the_town_has_pairs_with_labels_and_disparity():
    pair = found("town", None, "right", "demo")[3]
    depth = found("town", None, "disparity", "demo")[3]
    assert np.array_equal(pair.read_image(), depth.read_image())
    assert pair.read_second().shape == pair.read_image().shape
    assert not np.array_equal(pair.read_second(), pair.read_image())
    assert pair.read_right_labels().shape == pair.read_labels().shape
    assert depth.read_second().dtype == np.float32
    assert depth.read_second().shape == (*depth.read_labels().shape, 1)
    assert depth.read_right_labels() is None
