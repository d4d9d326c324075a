import os
import shutil

import numpy as np
import pytest
import yaml

from semseg.data import load_dataset, samples
from semseg.data.check import inspection
from semseg.data.check.check import check
from semseg.data.prepare import Settings, prepare
from semseg.errors import ConfigError, DatasetError


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
    assert "a.png: PNG is cut off (50 bytes)" in report.errors[0]
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


def test_a_file_that_two_splits_declare_is_a_warning(checked):
    parts = [
        {"images": f"images/{split}/*.png", "labels": f"labels/{split}/*_ids.png"}
        for split in ("train", "val")
    ]
    report = checked(splits={"train": [parts[0]], "both": parts, "val": [parts[1]]})
    assert report.errors == []
    assert report.warnings == [
        "train: 3 of its images are declared for both too",
        "val: 1 of its images are declared for both too",
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


def test_a_class_that_never_occurs_is_a_warning(checked, write_png, declaration):
    classes = [*declaration["classes"], {"name": "car", "color": [0, 0, 142], "ids": [9]}]
    report = checked(classes=classes)
    assert report.errors == []
    assert report.warnings == ["train: no pixel of car", "val: no pixel of car"]


def test_a_split_of_one_class_is_an_error(checked, write_png):
    write_png("root/labels/val/d_ids.png", np.full((4, 6), 3, np.uint8))
    report = checked()
    assert report.warnings == ["val: no pixel of sky"]
    assert report.errors == [
        "val: road alone occurs, no pixel is sky, and all else (0.0%) is ignored"
    ]


def test_a_split_with_nothing_to_score_is_an_error(checked, write_png):
    write_png("root/labels/val/d_ids.png", np.zeros((4, 6), np.uint8))
    assert checked().errors == [
        "val: nothing to learn or score: no pixel has a class, all else (100.0%) is ignored; "
        "expected ids or colours of road, sky"
    ]


def test_an_image_without_a_class_is_named(checked, write_png):
    write_png("root/labels/train/b_ids.png", np.zeros((4, 6), np.uint8))
    report = checked()
    assert report.errors == []
    assert report.warnings == ["train: 1 images have no class: images/train/b.png"]


def test_the_table_says_what_the_label_files_store(checked):
    lines = checked().text().splitlines()
    assert lines[1].startswith("road")
    assert lines[1].endswith("   3, 4")
    assert lines[3].endswith("   0")


def test_an_absent_split_is_a_warning_but_a_wrong_root_an_error(checked, tree):
    shutil.rmtree(tree / "images/val")
    report = checked()
    assert report.passed
    assert "no image of 'tiny', split 'val'" in report.warnings[0]
    shutil.rmtree(tree / "images/train")
    with pytest.raises(DatasetError, match="split 'train'"):
        checked()


def test_labels_of_another_block_of_the_files_have_an_image(checked):
    splits = {
        name: {"images": "images/train/*.png", "labels": "labels/train/*_ids.png", "part": part}
        for name, part in {"train": [0, 0.67], "val": [0.67, 1]}.items()
    }
    assert checked(splits=splits).warnings == []
    assert checked(splits=splits, excluded=["images/train/a.png"]).warnings == []


@pytest.fixture
def check_pairs(write_declaration, tree, write_png):
    """Checks the tree with right images, labelled for training, and disparities."""
    shutil.copytree(tree / "images", tree / "right")
    for split, names in (("train", "abc"), ("val", "d")):
        for name in names:
            write_png(f"root/disparity/{split}/{name}.png", np.full((4, 6), 256, np.uint16))
    shutil.copytree(tree / "labels", tree / "right_labels")
    right = {"replace": {"images": "right"}, "replace_labels": {"labels": "right_labels"}}
    declared = {"right": right, "disparity": {"replace": {"images": "disparity"}}}
    spec = load_dataset(write_declaration(second=declared))
    return lambda second: check(spec, tree, second=second, workers=2)


class TestSecondInputs:
    @pytest.mark.parametrize("second", [None, "right", "disparity"])
    def test_good_ones_pass(self, check_pairs, second):
        assert check_pairs(second).errors == []

    def test_missing_ones_are_listed(self, check_pairs, tree):
        os.remove(tree / "right/train/a.png")
        os.remove(tree / "disparity/val/d.png")
        assert check_pairs(None).passed
        assert check_pairs("right").errors == [
            "train: 1 images have no right file: images/train/a.png"
        ]
        assert check_pairs("disparity").errors == [
            "val: 1 images have no disparity file: images/val/d.png"
        ]

    def test_other_sizes_are_errors(self, check_pairs, write_png):
        write_png("root/right/train/a.png", np.zeros((4, 7, 3), np.uint8))
        write_png("root/right_labels/train/b_ids.png", np.full((5, 6), 3, np.uint8))
        write_png("root/disparity/train/c.png", np.ones((2, 3), np.uint16))
        assert check_pairs("right").errors == [
            "train: images/train/a.png is 4x6, its right image 4x7",
            "train: images/train/b.png is 4x6, its right image's labels 5x6",
        ]
        assert check_pairs("disparity").errors == [
            "train: images/train/c.png is 4x6, its disparity 2x3"
        ]

    def test_what_cannot_be_read_is_an_error(self, check_pairs, tree, write_png):
        (tree / "right/train/a.png").write_bytes(b"damaged")
        os.remove(tree / "right_labels/train/b_ids.png")
        write_png("root/disparity/train/c.png", np.ones((4, 6), np.uint8))
        damaged, absent = check_pairs("right").errors
        assert "right/train/a.png: damaged, cut off or no image" in damaged
        assert "right_labels/train/b_ids.png: cannot be read: No such file" in absent
        assert "disparity/train/c.png: has 8 bits a pixel" in check_pairs("disparity").errors[0]

    def test_a_pattern_that_fits_no_image_is_an_error(self, write_declaration, tree):
        second = {"disparity": {"replace": {"nowhere": "there"}}}
        spec = load_dataset(write_declaration(second=second))
        report = check(spec, tree, splits=["val"], second="disparity")
        assert report.errors == ["val: 1 images have no disparity file: images/val/d.png"]

    def test_they_must_be_declared(self, write_declaration, tree):
        with pytest.raises(ConfigError, match="unknown second input of 'tiny' 'right'"):
            check(load_dataset(write_declaration()), tree, second="right")

    def test_shards_that_hold_none(self, write_declaration, tree, tmp_path):
        spec = load_dataset(write_declaration())
        splits = {"val": samples(spec, tree, "val")}
        prepare(spec, splits, tmp_path / "shards", Settings(layout="shards"))
        with pytest.raises(ConfigError, match="unknown second input .*; available: none"):
            check(load_dataset(tmp_path / "shards"), None, second="right")


def test_only_the_splits_that_are_asked_for_are_read(write_declaration, tree):
    (tree / "images/val/d.png").write_bytes(b"damaged")
    report = check(load_dataset(write_declaration()), tree, splits=["train"])
    assert report.passed
    assert list(report.counts) == ["train"]


class TestCache:
    @pytest.fixture
    def look(self, write_declaration, tree, tmp_path):
        """Checks with a cache; returns the report and the files that were read."""

        def look(**changes):
            spec = load_dataset(write_declaration(**changes))
            read = []
            original = inspection.read_image
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(
                    inspection, "read_image", lambda path: read.append(path.name) or original(path)
                )
                return check(spec, tree, cache=tmp_path / "cache", workers=1), read

        return look

    def test_a_second_check_reads_nothing_and_says_the_same(self, look, write_png):
        labels = np.full((4, 6), 3, np.uint8)
        labels[0, :2] = 99
        write_png("root/labels/train/a_ids.png", labels)
        (first, all_files), (second, none) = look(), look()
        assert all_files == ["a.png", "b.png", "c.png", "d.png"]
        assert none == []
        assert second.text() == first.text()
        assert "99 (2 px)" in second.text()

    def test_changed_and_new_files_are_read(self, look, tree, write_png):
        look()
        write_png("root/labels/train/b_ids.png", np.full((4, 5), 3, np.uint8))
        shutil.copy(tree / "images/train/a.png", tree / "images/train/z.png")
        shutil.copy(tree / "labels/train/a_ids.png", tree / "labels/train/z_ids.png")
        report, read = look()
        assert read == ["b.png", "z.png"]
        assert report.errors == ["train: images/train/b.png is 4x6, its labels 4x5"]

    def test_another_declaration_reads_all(self, look):
        look()
        assert len(look(ignored=[0, 1])[1]) == 4

    def test_a_missing_label_is_seen_though_nothing_is_read(self, look, tree):
        look()
        (tree / "labels/train/b_ids.png").unlink()
        report, read = look()
        assert read == []
        assert report.errors == ["train: 1 images have no labels: images/train/b.png"]

    @pytest.mark.parametrize("content", ["{", "[]", '{"a": {"b": 1}}'])
    def test_a_damaged_cache_is_passed_over(self, look, tmp_path, content, caplog):
        look()
        (file,) = (tmp_path / "cache").iterdir()
        file.write_text(content)
        report, read = look()
        assert report.passed
        assert len(read) == 4
        assert "all files are read again" in caplog.text

    def test_a_folder_that_cannot_be_written_is_no_error(self, look, tmp_path, caplog):
        (tmp_path / "cache").write_text("a file")
        assert look()[0].passed
        assert "not kept" in caplog.text


class TestShards:
    @pytest.fixture
    def shards(self, write_declaration, tree, tmp_path):
        spec = load_dataset(write_declaration())
        splits = {split: samples(spec, tree, split) for split in ("train", "val")}
        prepare(spec, splits, tmp_path / "shards", Settings(layout="shards"))
        return tmp_path / "shards"

    def test_sound_shards_pass_with_their_counts(self, shards):
        report = check(load_dataset(shards), None)
        assert report.passed
        assert report.counts["train"].pixels.tolist() == [36, 33]

    def test_damaged_records_are_errors(self, shards, tmp_path):
        data = bytearray((shards / "val-00000.tfrecord").read_bytes())
        data[-10] ^= 1
        (shards / "val-00000.tfrecord").write_bytes(data)
        assert "the record at byte 0 is damaged" in check(load_dataset(shards), None).errors[0]

    def test_labels_that_are_no_class_are_errors(self, shards):
        path = shards / "dataset.yaml"
        values = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump({**values, "classes": values["classes"][:1]}))
        errors = check(load_dataset(shards), None).errors
        assert errors[:4] == [
            f"{sample.split('/')[0]}: {sample} has labels above 0"
            for sample in ("train/a", "train/b", "train/c", "val/d")
        ]
        assert ["one class alone" in error for error in errors[4:]] == [True, True]
