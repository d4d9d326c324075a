"""Datasets of rendered images."""

import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.data import load_dataset, samples
from semseg.errors import ImageError


@pytest.mark.parametrize("folder", ["dataD/dataD", "dataD"])
def test_carla_lyft_has_its_ids_in_the_red_channel(image, colors, read, folder):
    # Lane lines (6) are road.
    image(f"{folder}/CameraRGB/02_00_000.png")
    colors(f"{folder}/CameraSeg/02_00_000.png", (6, 9, 9), (7, 0, 0), (9, 1, 1), (0, 0, 0))
    assert list(read("carla_lyft", "val").values()) == [["Road", "Road", "Vegetation", None]]


def test_carla_lyft_calls_the_own_bonnet_no_car(write_png, tmp_path):
    # At 800x600, from row 496 on. Road there stays road.
    ids = np.zeros((600, 2, 3), np.uint8)
    ids[:, 0, 0], ids[:, 1, 0] = 10, 7
    write_png("dataA/CameraRGB/1.png", np.zeros((600, 2, 3), np.uint8))
    write_png("dataA/CameraSeg/1.png", ids)
    spec = load_dataset("carla_lyft")
    labels = samples(spec, tmp_path, "train")[0].read_labels()
    car, road = spec.classes.names.index("Car"), spec.classes.names.index("Road")
    assert labels[[0, 495, 496, 599]].tolist() == [
        [car, road],
        [car, road],
        [IGNORE, road],
        [IGNORE, road],
    ]


def test_carla_lyft_is_split_by_drive(image, colors, split_names):
    for drive in "ABCDE":
        image(f"data{drive}/data{drive}/CameraRGB/{drive}.png")
        colors(f"data{drive}/data{drive}/CameraSeg/{drive}.png", *[(7, 0, 0)] * 4)
    last = {
        split: [name[-1] for name in split_names("carla_lyft", split)]
        for split in ("train", "val", "test")
    }
    assert last == {"train": ["A", "B", "C"], "val": ["D"], "test": ["E"]}


def test_synthia_has_its_ids_in_16_bits(image, write_png, read):
    # A reader of 8 bits would see the high byte, 0, everywhere. Lane marking (22) is road.
    image("RGB/0000000.png", "RGB/0008500.png")
    pixels = np.array([[(3, 77, 0), (22, 1, 0), (10, 0, 0), (13, 0, 0)]], np.uint16)
    write_png("GT/LABELS/0000000.png", pixels)
    write_png("GT/LABELS/0008500.png", pixels)
    assert read("synthia", "train") == {"train/0000000": ["road", "road", "person", None]}
    assert list(read("synthia", "val")) == ["val/0008500"]


def test_virtual_kitti_2_splits_by_scene(image, colors, read):
    for scene in ("01", "20"):
        folder = f"Scene{scene}/fog/frames"
        image(f"{folder}/rgb/Camera_0/rgb_00007.jpg")
        colors(
            f"{folder}/classSegmentation/Camera_0/classgt_00007.png",
            *[(100, 60, 100), (255, 127, 80), (0, 0, 0), (80, 80, 80)],
        )
    assert read("virtual_kitti_2", "val") == {
        "val/fog/frames/rgb/Camera_0/rgb_00007": ["Road", "Car", None, None]
    }
    assert len(read("virtual_kitti_2", "train")) == 1


class TestVirtualKitti1:
    @pytest.fixture
    def drive(self, tmp_path, image, colors):
        def write(world, variation, table, *rgb):
            image(f"vkitti_1.3.1_rgb/{world}/{variation}/00007.png")
            colors(f"vkitti_1.3.1_scenegt/{world}/{variation}/00007.png", *rgb)
            name = f"vkitti_1.3.1_scenegt/{world}_{variation}_scenegt_rgb_encoding.txt"
            if table is not None:
                (tmp_path / name).write_text("Category(:id) r g b\n" + table)

        return write

    def test_each_drive_has_its_own_colours(self, drive, read):
        # (200, 200, 200) is a car in one drive and a van in the other.
        first = "Road 100 60 100\nCar:0 200 200 200\nCar:12 1 2 3\nMisc 80 80 80\n"
        second = "Road 100 60 100\nVan:0 200 200 200\nTree 0 199 0\n"
        gray, road = (200, 200, 200), (100, 60, 100)
        drive("0001", "clone", first, gray, (1, 2, 3), road, (80, 80, 80))
        drive("0002", "15-deg-left", second, gray, road, (0, 199, 0), road)
        assert read("virtual_kitti_1", "train") == {
            "train/0001/clone/00007": ["Car", "Car", "Road", None],
            "train/0002/15-deg-left/00007": ["Van", "Road", "Tree", "Road"],
        }

    def test_a_world_is_val(self, drive, read):
        drive("0020", "fog", "Sky 9 9 9\nRoad 8 8 8\n", *[(9, 9, 9)] * 3, (8, 8, 8))
        assert read("virtual_kitti_1", "val") == {"val/fog/00007": ["Sky"] * 3 + ["Road"]}

    def test_a_missing_table_is_named(self, drive, tmp_path):
        drive("0020", "fog", None, *[(9, 9, 9)] * 4)
        sample = samples(load_dataset("virtual_kitti_1"), tmp_path, "val")[0]
        with pytest.raises(ImageError, match=r"0020_fog_scenegt_rgb_encoding.txt: .*colour table"):
            sample.read_labels()


class TestGta5:
    def test_the_index_counts_not_the_colour(self, image, palette, read):
        image("images/00001.png")
        palette("labels/00001.png", 7, 26, 4, 33)
        assert read("gta5", "train") == {"train/00001": ["road", "car", None, "bicycle"]}

    def test_unusable_files_are_left_out_and_the_rest_is_split(self, image, palette, split_names):
        numbers = ["00001", "15187", "15188", "17705", "20800", "20801", "20810", "20859"]
        for number in [*numbers, "20860", "20861", "22999", "23000", "24966"]:
            image(f"images/{number}.png")
            palette(f"labels/{number}.png", 7, 7, 7, 7)
        assert split_names("gta5", "train") == ["00001", "15187", "20800", "20861", "22999"]
        assert split_names("gta5", "val") == ["23000", "24966"]


class TestViper:
    def test_ids_tell_a_van_from_a_train(self, image, gray, read):
        # Both have the colour (0, 80, 100).
        image("train/img/001/001_00001.jpg")
        gray("train/cls/001/001_00001.png", 3, 25, 29, 0)
        assert read("viper", "train") == {"train/001/001_00001": ["road", "van", None, None]}

    def test_files_of_colours_are_refused(self, image, colors, tmp_path):
        image("val/img/001/001_00001.jpg")
        colors("val/cls/001/001_00001.png", *[(0, 80, 100)] * 4)
        sample = samples(load_dataset("viper"), tmp_path, "val")[0]
        with pytest.raises(ImageError, match="holds colours"):
            sample.read_labels()
