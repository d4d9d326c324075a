import os
import shutil

import numpy as np
import pytest

from semseg.data import load_dataset
from semseg.data.check import check
from semseg.errors import DatasetError


@pytest.fixture
def checked(write_declaration, tree):
    return lambda **changes: check(load_dataset(write_declaration(**changes)), tree, workers=2)


def test_a_sound_dataset_passes_with_its_counts(checked):
    report = checked()
    assert report.passed
    assert report.errors == report.warnings == []
    # Each label image: 12 pixels road, 11 sky, 1 ignored.
    assert report.counts["train"].pixels.tolist() == [36, 33]
    assert report.counts["train"].ignored == 3
    assert report.counts["val"].images == 1
    text = report.text()
    assert "52.174%" in text
    assert text.endswith("tiny: 0 errors, 0 warnings")


def test_images_without_labels_and_labels_without_images(checked, tree):
    os.remove(tree / "labels/train/b_ids.png")
    os.remove(tree / "images/train/c.png")
    report = checked()
    assert report.errors == ["train: 1 images have no labels: images/train/b.png"]
    assert report.warnings == ["train: 1 labels have no image: labels/train/c_ids.png"]
    assert report.counts["train"].images == 1


def test_damaged_files_and_differing_sizes_are_errors(checked, tree, write_png):
    path = tree / "images/train/a.png"
    path.write_bytes(path.read_bytes()[:50])
    write_png("root/labels/train/b_ids.png", np.full((4, 5), 3, np.uint8))
    report = checked()
    assert len(report.errors) == 2
    assert "a.png: damaged, cut off or no image" in report.errors[0]
    assert report.errors[1] == "train: images/train/b.png is 4x6, its labels 4x5"


def test_unknown_ids_are_counted_and_too_many_are_an_error(checked, write_png):
    labels = np.full((4, 6), 3, np.uint8)
    labels[0, :2] = 99
    write_png("root/labels/train/a_ids.png", labels)
    report = checked()
    assert report.errors == ["train: labels/train/a_ids.png has unknown ids: 99 (2 px)"]
    assert report.warnings == ["train: unknown ids are ignored: 99 (2 px)"]
    assert checked(max_unknown_share=0.1).passed


def test_one_image_in_two_splits_is_an_error_and_twice_in_one_a_warning(checked, tree):
    shutil.copy(tree / "images/train/a.png", tree / "images/val/d.png")
    shutil.copy(tree / "images/train/b.png", tree / "images/train/c.png")
    report = checked()
    assert report.errors == [
        "images/val/d.png (val) and images/train/a.png (train) are the same image"
    ]
    assert report.warnings == [
        "train: images/train/c.png and images/train/b.png are the same image"
    ]


def test_two_images_with_one_label_file_are_an_error(checked, tree):
    os.rename(tree / "images/train/b.png", tree / "images/train/a.jpg")
    splits = {
        "train": [
            {"images": f"images/train/*.{suffix}", "labels": "labels/train/*_ids.png"}
            for suffix in ("png", "jpg")
        ]
    }
    assert checked(splits=splits).errors == [
        "train: two images share the label file labels/train/a_ids.png: "
        "images/train/a.png, images/train/a.jpg"
    ]


def test_a_class_that_never_occurs_is_a_warning(checked, write_png):
    write_png("root/labels/val/d_ids.png", np.full((4, 6), 3, np.uint8))
    assert checked().warnings == ["val: no pixel of sky"]


def test_an_absent_split_is_a_warning_but_a_wrong_root_an_error(checked, tree):
    shutil.rmtree(tree / "images/val")
    report = checked()
    assert report.passed
    assert "no image of 'tiny', split 'val'" in report.warnings[0]
    shutil.rmtree(tree / "images/train")
    with pytest.raises(DatasetError, match="split 'train'"):
        checked()
