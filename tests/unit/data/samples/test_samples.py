import os
import re
import shutil

import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.data import load_dataset, samples
from semseg.data.samples.samples import spread
from semseg.errors import ConfigError, DatasetError


@pytest.fixture
def spec(write_declaration):
    return load_dataset(write_declaration())


def problem(spec, root, split="train"):
    with pytest.raises(DatasetError) as error:
        samples(spec, root, split)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_samples_pair_images_with_labels_in_order(spec, tree):
    found = samples(spec, tree, "train")
    assert [sample.name for sample in found] == ["train/a", "train/b", "train/c"]
    assert found[1].label_path == tree / "labels/train/b_ids.png"
    image, labels = found[1].read()
    assert image[0, 0].tolist() == [10, 20, 30]
    assert labels[:, 0].tolist() == [IGNORE, 1, 0, 0]
    assert np.array_equal(found[1].read_image(), image)
    assert np.array_equal(found[1].read_labels(), labels)


def test_labels_may_have_their_own_root(spec, tree, tmp_path):
    shutil.move(tree / "labels", tmp_path / "elsewhere" / "labels")
    found = samples(spec, tree, "val", label_root=tmp_path / "elsewhere")
    assert found[0].read_labels()[3, 0] == 0


def test_names_keep_what_tells_samples_of_several_patterns_apart(write_declaration, write_png):
    for drive in "AB":
        write_png(f"root/{drive}/rgb/0.png", np.zeros((2, 2, 3), np.uint8))
        write_png(f"root/{drive}/seg/0.png", np.zeros((2, 2), np.uint8))
    rules = [{"images": f"{drive}/rgb/*.png", "labels": f"{drive}/seg/*.png"} for drive in "AB"]
    declared = write_declaration(splits={"train": rules})
    found = samples(load_dataset(declared), declared.parent / "root", "train")
    assert [sample.name for sample in found] == ["train/A/rgb/0", "train/B/rgb/0"]


def test_the_first_label_pattern_with_a_file_is_taken(write_declaration, tree):
    labels = ["masks/*.png", "labels/val/*_ids.png"]
    splits = {"val": {"images": "images/val/*.png", "labels": labels}}
    found = samples(load_dataset(write_declaration(splits=splits)), tree, "val")
    assert found[0].label_path == tree / "labels/val/d_ids.png"


def test_a_part_is_a_block_of_the_files(write_declaration, tree):
    rule = {"images": "images/train/*.png", "labels": "labels/train/*_ids.png"}
    splits = {"train": {**rule, "part": [0, 0.6]}, "val": {**rule, "part": [0.6, 1]}}
    spec = load_dataset(write_declaration(splits=splits))
    names = {split: [sample.name for sample in samples(spec, tree, split)] for split in splits}
    assert names == {"train": ["train/a", "train/b"], "val": ["val/c"]}


def test_excluded_images_are_in_no_split(write_declaration, tree):
    spec = load_dataset(write_declaration(excluded=["images/*/[ab].png"]))
    assert [sample.name for sample in samples(spec, tree, "train")] == ["train/c"]


def test_a_declaration_may_know_its_root(write_declaration, tree):
    spec = load_dataset(write_declaration(root=str(tree)))
    assert len(samples(spec, None, "train")) == 3
    with pytest.raises(DatasetError, match="absent: no such folder"):
        samples(spec, tree / "absent", "train")


class TestListFiles:
    @pytest.fixture
    def listed(self, write_declaration, tree):
        def read(text):
            (tree / "val.txt").write_bytes(text)
            splits = {"val": {"list_file": "val.txt"}}
            return samples(load_dataset(write_declaration(splits=splits)), tree, "val")

        return read

    @pytest.mark.parametrize("separator", [b" ", b"\t", b",", b", "])
    @pytest.mark.parametrize("end", [b"\n", b"\r\n"])
    def test_lines_of_any_system_and_separator(self, listed, separator, end):
        line = b"images/val/d.png" + separator + b"labels/val/d_ids.png" + end
        found = listed(line + end)
        assert [sample.name for sample in found] == ["val/d"]
        assert found[0].read_labels()[3, 0] == 0

    def test_a_byte_order_mark_is_no_part_of_the_first_name(self, listed):
        assert len(listed(b"\xef\xbb\xbfimages/val/d.png labels/val/d_ids.png")) == 1

    def test_a_line_that_is_no_pair_is_named(self, listed):
        with pytest.raises(DatasetError, match=r"val.txt, line 2: expected 'image label', found"):
            listed(b"images/val/d.png labels/val/d_ids.png\nimages/val/e.png\n")

    def test_a_missing_label_is_listed(self, listed):
        with pytest.raises(DatasetError, match=r"1 of 1 .*: images/val/d.png"):
            listed(b"images/val/d.png labels/val/absent.png")


def test_missing_labels_are_listed_with_their_count(spec, tree):
    os.remove(tree / "labels/train/b_ids.png")
    assert problem(spec, tree) == (
        "1 of 3 images of 'tiny', split 'train', have no label file: images/train/b.png"
    )


def test_of_many_missing_labels_ten_are_listed(spec, tree):
    for number in range(15):
        shutil.copy(tree / "images/train/a.png", tree / f"images/train/x{number:02d}.png")
    text = problem(spec, tree)
    assert text.startswith("15 of 18 images")
    assert "x09.png and 5 more" in text
    assert "x10.png" not in text


def test_two_images_with_one_label_file(write_declaration, tree):
    shutil.copy(tree / "images/train/a.png", tree / "images/train/a.jpg")
    splits = {
        "train": [
            {"images": f"images/train/*.{suffix}", "labels": "labels/train/*_ids.png"}
            for suffix in ("jpg", "png")
        ]
    }
    text = problem(load_dataset(write_declaration(splits=splits)), tree)
    assert re.search("two images share the label file labels/train/a_ids.png: .*a.jpg.*a.png", text)


def test_a_wrong_root_says_what_was_looked_for_and_what_is_there(spec, tree):
    text = problem(spec, tree / "images")
    assert "looked for images/train/*.png, found train, val" in text
    assert f"(did you mean {tree}?)" in text


def test_the_right_root_inside_the_given_one_is_suggested(spec, tree):
    assert f"(did you mean {tree}?)" in problem(spec, tree.parent)


def test_an_empty_split_is_an_error(spec, tree):
    shutil.rmtree(tree / "images/val")
    assert "no image of 'tiny', split 'val'" in problem(spec, tree, "val")


def test_a_root_that_does_not_exist(spec, tmp_path):
    assert "no such folder; expected the root of 'tiny'" in problem(spec, tmp_path / "absent")


def test_an_unknown_split_and_a_missing_root_are_configuration_errors(spec, tree):
    with pytest.raises(ConfigError, match=r"unknown split of 'tiny' 'test'; available: train, val"):
        samples(spec, tree, "test")
    with pytest.raises(ConfigError, match="--root"):
        samples(spec, None, "train")


def test_different_sizes_are_an_error_that_names_both(spec, tree, write_png):
    write_png("root/labels/train/a_ids.png", np.full((4, 5), 3, np.uint8))
    with pytest.raises(DatasetError, match=r"a.png is 4x6, its labels .*a_ids.png are 4x5"):
        samples(spec, tree, "train")[0].read()


@pytest.mark.parametrize(
    ("count", "expected"), [(None, [0, 1, 2, 3, 4]), (2, [0, 2]), (9, [0, 1, 2, 3, 4])]
)
def test_samples_are_spread_over_a_split(count, expected):
    assert spread(list(range(5)), count) == expected
