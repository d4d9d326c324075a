"""Datasets with the classes, ids or layout of Cityscapes."""

import pytest

from semseg.data import load_dataset, samples
from semseg.errors import DatasetError, ImageError


def test_cityscapes(image, gray, colors, read):
    # Ids, not train ids: 0 is unlabeled, and 29 (caravan) stays out.
    image("leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png")
    gray("gtFine/val/ulm/ulm_000000_000019_gtFine_labelIds.png", 7, 33, 0, 29)
    colors("gtFine/val/ulm/ulm_000000_000019_gtFine_color.png", *[(0, 0, 0)] * 4)
    assert read("cityscapes", "val") == {
        "val/ulm/ulm_000000_000019_leftImg8bit": ["road", "bicycle", None, None]
    }


def test_cityscapes_coarse_has_its_own_labels_and_an_extra_split(image, gray, read):
    # train/val annotate the images of the fine annotation again; only train_extra is new.
    image("leftImg8bit/train/ulm/ulm_000000_000019_leftImg8bit.png")
    gray("gtFine/train/ulm/ulm_000000_000019_gtFine_labelIds.png", 24, 24, 24, 24)
    gray("gtCoarse/train/ulm/ulm_000000_000019_gtCoarse_labelIds.png", 7, 0, 0, 26)
    image("leftImg8bit/train_extra/erlangen/erlangen_000000_000000_leftImg8bit.png")
    gray("gtCoarse/train_extra/erlangen/erlangen_000000_000000_gtCoarse_labelIds.png", 0, 7, 31, 3)
    assert read("cityscapes_coarse", "train") == {
        "train/ulm/ulm_000000_000019_leftImg8bit": ["road", None, None, "car"]
    }
    assert read("cityscapes_coarse", "train_extra") == {
        "train_extra/erlangen/erlangen_000000_000000_leftImg8bit": [None, "road", "train", None]
    }


def test_kitti_semantics_has_cityscapes_ids_and_val_in_a_block(image, gray, colors, read):
    image("training/image_2/000000_10.png", "training/image_2/000159_10.png")
    image("training/image_2/000160_10.png", "training/image_2/000199_10.png")
    gray("training/semantic/000000_10.png", 7, 26, 30, 4)
    gray("training/semantic/000159_10.png", 7, 7, 7, 7)
    gray("training/semantic/000160_10.png", 23, 11, 6, 17)
    gray("training/semantic/000199_10.png", 7, 7, 7, 7)
    # The colour files hold other values: the colours are for people.
    colors("training/semantic_rgb/000000_10.png", *[(128, 64, 128)] * 4)
    train, val = read("kitti_semantics", "train"), read("kitti_semantics", "val")
    assert train["train/000000_10"] == ["road", "car", None, None]
    assert val["val/000160_10"] == ["sky", "building", None, "pole"]
    assert (sorted(train), sorted(val)) == (
        ["train/000000_10", "train/000159_10"],
        ["val/000160_10", "val/000199_10"],
    )


def test_wilddash_does_not_take_its_label_files_for_images(image, gray, read):
    image("wd_val_01/au0000_100000.png")
    gray("wd_val_01/au0000_100000_labelIds.png", 7, 8, 33, 0)
    assert read("wilddash", "val") == {"val/au0000_100000": ["road", "sidewalk", "bicycle", None]}


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_idd_keeps_the_drivable_fallback_apart_from_the_road(image, gray, read, suffix):
    image(f"leftImg8bit/val/119/903127_leftImg8bit.{suffix}")
    gray("gtFine/val/119/903127_gtFine_labellevel3Ids.png", 0, 1, 25, 255)
    # In the ids of Cityscapes, 7 would be the road.
    gray("gtFine/val/119/903127_gtFine_labelcsTrainIds.png", 7, 7, 7, 7)
    assert read("idd", "val") == {
        "val/119/903127_leftImg8bit": ["road", "drivable fallback", "sky", None]
    }


def test_bdd100k_new_layout(image, gray, read):
    # Train ids: 7 is a traffic sign here and the road in BDD's label.py.
    image("images/10k/train/ab-1.jpg")
    gray("labels/sem_seg/masks/train/ab-1.png", 0, 7, 18, 255)
    assert read("bdd100k", "train") == {
        "train/images/10k/train/ab-1": ["road", "traffic sign", "bicycle", None]
    }


def test_bdd100k_old_layout(image, gray, read):
    image("seg/images/val/ab-1.jpg")
    gray("seg/labels/val/ab-1_train_id.png", 0, 1, 2, 255)
    assert list(read("bdd100k", "val").values()) == [["road", "sidewalk", "building", None]]


class TestMapillary:
    @pytest.mark.parametrize("folder", ["labels", "v1.2/labels"])
    def test_version_12_in_both_layouts(self, image, palette, read, folder):
        # Bridge (16) is no road, though a known mapping says so; 65 is unlabeled.
        image("training/images/0Ab_-c.jpg")
        palette(f"training/{folder}/0Ab_-c.png", 13, 16, 64, 65)
        assert read("mapillary_vistas_12", "train") == {
            "train/0Ab_-c": ["Road", "Bridge", "Ego Vehicle", None]
        }

    def test_version_20_has_other_ids_and_repeated_colours(self, image, palette, read):
        image("validation/images/0Ab_-c.jpg")
        palette("validation/v2.0/labels/0Ab_-c.png", 21, 13, 108, 123)
        palette("validation/v1.2/labels/0Ab_-c.png", 13, 13, 55, 65)
        assert read("mapillary_vistas_20", "val") == {
            "val/0Ab_-c": ["Road", "Bike Lane", "Car", None]
        }

    def test_files_of_version_20_are_not_read_as_12(self, image, palette, tmp_path):
        image("validation/images/0Ab_-c.jpg")
        palette("validation/labels/0Ab_-c.png", 108, 61, 108, 64)
        sample = samples(load_dataset("mapillary_vistas_12"), tmp_path, "val")[0]
        with pytest.raises(DatasetError, match=r"unknown ids \(108 \(2 px\)\)"):
            sample.read_labels()

    def test_converted_to_grey_the_ids_are_lost_and_refused(self, image, gray, tmp_path):
        image("training/images/0Ab_-c.jpg")
        gray("training/labels/0Ab_-c.png", 87, 87, 70, 0)
        sample = samples(load_dataset("mapillary_vistas_12"), tmp_path, "train")[0]
        with pytest.raises(ImageError, match="has no palette"):
            sample.read_labels()
