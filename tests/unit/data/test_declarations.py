"""Each shipped declaration reads a tiny tree in its dataset's own layout, written by hand."""

import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.data import load_dataset, samples

IMAGE = np.full((1, 4, 3), 50, np.uint8)


@pytest.fixture
def read(tmp_path):
    """Returns name -> class names by pixel (None: ignored) of a split."""

    def read_split(dataset, split):
        spec = load_dataset(dataset)
        names = (*spec.classes.names, *[None] * (IGNORE + 1 - spec.classes.num_classes))
        return {
            sample.name: [names[label] for label in sample.read()[1].ravel()]
            for sample in samples(spec, tmp_path, split)
        }

    return read_split


def gray(*ids):
    return np.array([ids], np.uint8)


def colors(*rgb):
    return np.array([rgb], np.uint8)


def test_camvid(write_png, read):
    write_png("val/0016E5_07959.png", IMAGE)
    write_png("valannot/0016E5_07959.png", gray(0, 3, 10, 11))
    assert read("camvid", "val") == {"val/0016E5_07959": ["Sky", "Road", "Bicyclist", None]}


def test_cityscapes(write_png, read):
    # Ids, not train ids: 0 is unlabeled, and 29 (caravan) and 30 (trailer) stay out.
    write_png("leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png", IMAGE)
    write_png("gtFine/val/ulm/ulm_000000_000019_gtFine_labelIds.png", gray(7, 33, 0, 29))
    write_png("gtFine/val/ulm/ulm_000000_000019_gtFine_color.png", colors(*[(0, 0, 0)] * 4))
    assert read("cityscapes", "val") == {
        "val/ulm/ulm_000000_000019_leftImg8bit": ["road", "bicycle", None, None]
    }


def test_bdd100k_new_layout(write_png, read):
    # Train ids: 7 is a traffic sign here and the road in BDD's label.py.
    write_png("images/10k/train/ab-1.jpg", IMAGE)
    write_png("labels/sem_seg/masks/train/ab-1.png", gray(0, 7, 18, 255))
    assert read("bdd100k", "train") == {
        "train/images/10k/train/ab-1": ["road", "traffic sign", "bicycle", None]
    }


def test_bdd100k_old_layout(write_png, read):
    write_png("seg/images/val/ab-1.jpg", IMAGE)
    write_png("seg/labels/val/ab-1_train_id.png", gray(0, 1, 2, 255))
    assert list(read("bdd100k", "val").values()) == [["road", "sidewalk", "building", None]]


def test_kitti_road_black_is_neither_road_nor_not(write_png, read):
    magenta, red, black = (255, 0, 255), (255, 0, 0), (0, 0, 0)
    write_png("training/image_2/um_000000.png", IMAGE)
    write_png("training/gt_image_2/um_road_000000.png", colors(magenta, red, black, red))
    write_png("training/gt_image_2/um_lane_000000.png", colors(red, red, red, red))
    assert read("kitti_road", "train") == {
        "train/um_000000": ["road", "not road", None, "not road"]
    }


def test_kitti_road_is_split_in_blocks_and_whole(write_png, read):
    for category, count in (("um", 95), ("umm", 96), ("uu", 98)):
        for number in range(count):
            write_png(f"training/image_2/{category}_{number:06d}.png", IMAGE[:, :1])
            write_png(f"training/gt_image_2/{category}_road_{number:06d}.png", colors((255, 0, 0)))
    val = read("kitti_road", "val")
    assert len(read("kitti_road", "train")) == 289 - 30
    assert sorted(val)[:10] == [f"val/um_{number:06d}" for number in range(85, 95)]
    assert len(val) == 30
    assert "val/uu_000097" in val
    assert "val/uu_000088" in val


@pytest.mark.parametrize("folder", ["dataD/dataD", "dataD"])
def test_carla_lyft_has_its_ids_in_the_red_channel(write_png, read, folder):
    write_png(f"{folder}/CameraRGB/02_00_000.png", IMAGE)
    write_png(
        f"{folder}/CameraSeg/02_00_000.png", colors((6, 9, 9), (7, 0, 0), (10, 1, 1), (0, 0, 0))
    )
    assert list(read("carla_lyft", "val").values()) == [["Road", "Road", "Car", None]]


def test_synthia_has_its_ids_in_16_bits(write_png, read):
    # A reader of 8 bits would see the high byte, 0, everywhere.
    write_png("RGB/0000000.png", IMAGE)
    pixels = np.array([[(3, 77, 0), (22, 1, 0), (10, 0, 0), (13, 0, 0)]], np.uint16)
    write_png("GT/LABELS/0000000.png", pixels)
    assert read("synthia", "train") == {"train/0000000": ["road", "road", "person", None]}


def test_virtual_kitti_2_splits_by_scene(write_png, read):
    for scene in ("01", "20"):
        folder = f"Scene{scene}/fog/frames"
        write_png(f"{folder}/rgb/Camera_0/rgb_00007.jpg", IMAGE)
        write_png(
            f"{folder}/classSegmentation/Camera_0/classgt_00007.png",
            colors((100, 60, 100), (255, 127, 80), (0, 0, 0), (80, 80, 80)),
        )
    assert read("virtual_kitti_2", "val") == {
        "val/fog/frames/rgb/Camera_0/rgb_00007": ["Road", "Car", None, None]
    }
    assert len(read("virtual_kitti_2", "train")) == 1


def test_what_was_never_tried_on_real_files_says_so(caplog):
    load_dataset("camvid")
    assert not caplog.records
    load_dataset("cityscapes")
    assert "cityscapes" in caplog.text
    assert "check_dataset.py" in caplog.text
