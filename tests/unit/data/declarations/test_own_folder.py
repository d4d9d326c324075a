"""Folders that say enough: images/, labels/ and a class list, and nothing else."""

import numpy as np
import pytest
from PIL import Image

from semseg.classes import IGNORE
from semseg.data import load_dataset, samples
from semseg.data.check.check import check
from semseg.errors import ConfigError, DatasetError

ROAD, SKY = (128, 64, 128), (70, 130, 180)


@pytest.fixture
def folder(tmp_path, write_png):
    """Writes a folder of N images in each of some subfolders; returns it."""

    def write(labels, class_list="road\nsky\n", below=("train/", "val/"), count=1):
        for subfolder in below:
            for number in range(count):
                write_png(
                    f"mine/images/{subfolder}{number:02d}.jpg",
                    np.full((1, 3, 3), number, np.uint8),
                )
                write_png(f"mine/labels/{subfolder}{number:02d}.png", np.asarray(labels))
        (tmp_path / "mine/classes.txt").write_text(class_list, encoding="utf-8")
        return tmp_path / "mine"

    return write


def first_labels(path, split="train"):
    return samples(load_dataset(path), None, split)[0].read_labels().tolist()


def test_a_folder_is_a_dataset(folder):
    path = folder(np.array([[0, 1, 255]], np.uint8))
    spec = load_dataset(path)
    assert (spec.name, spec.classes.names) == ("mine", ("road", "sky"))
    assert len(set(spec.classes.colors)) == 2
    assert [sample.name for sample in samples(spec, None, "val")] == ["val/00"]
    assert first_labels(path) == [[0, 1, IGNORE]]


def test_a_folder_can_be_checked_without_a_root(folder):
    report = check(load_dataset(folder(np.array([[0, 1, 255]], np.uint8))), None, workers=1)
    assert report.counts["train"].pixels.tolist() == [1, 1]


def test_without_splits_the_last_tenth_is_val(folder):
    spec = load_dataset(folder(np.array([[0, 1, 0]], np.uint8), below=("",), count=20))
    names = {split: [sample.name for sample in samples(spec, None, split)] for split in spec.splits}
    assert names["train"][::17] == ["train/00", "train/17"]
    assert names["val"] == ["val/18", "val/19"]


@pytest.mark.parametrize(("count", "train"), [(2, 1), (3, 2), (4, 3), (9, 8), (14, 13)])
def test_of_a_few_images_the_last_is_val(folder, count, train):
    spec = load_dataset(folder(np.array([[0, 1, 0]], np.uint8), below=("",), count=count))
    assert [len(samples(spec, None, split)) for split in ("train", "val")] == [train, count - train]


def test_an_only_image_is_trained_on(folder):
    spec = load_dataset(folder(np.array([[0, 1, 0]], np.uint8), below=("",)))
    assert len(samples(spec, None, "train")) == 1
    with pytest.raises(DatasetError, match="no image of 'mine', split 'val'"):
        samples(spec, None, "val")


def test_the_folders_may_be_links(folder, tmp_path):
    path = folder(np.array([[0, 1, 255]], np.uint8))
    for name in ("images/train", "labels/train"):
        (path / name).rename(tmp_path / name.split("/")[0])
        (path / name).symlink_to(tmp_path / name.split("/")[0])
    assert first_labels(path) == [[0, 1, IGNORE]]


def test_drives_are_no_splits(folder):
    labels = np.array([[0, 1, 0]], np.uint8)
    spec = load_dataset(folder(labels, below=("monday/", "tuesday/"), count=5))
    assert list(spec.splits) == ["train", "val"]
    assert [sample.name for sample in samples(spec, None, "val")] == ["val/tuesday/04"]


def test_colours_in_the_class_list_are_for_drawings(folder):
    path = folder(
        np.array([[0, 1, 255]], np.uint8), "road 128 64 128\n\nclear sky, 70, 130, 180\r\n"
    )
    assert load_dataset(path).classes == (("road", "clear sky"), (ROAD, SKY))


def test_labels_of_colours_are_recognised(folder):
    path = folder(np.array([[SKY, ROAD, (0, 0, 0)]], np.uint8), "road 128 64 128\nsky 70 130 180")
    assert first_labels(path) == [[1, 0, IGNORE]]


def test_labels_of_colours_need_colours_in_the_class_list(folder):
    path = folder(np.array([[SKY, ROAD, SKY]], np.uint8), "road 128 64 128\nsky")
    with pytest.raises(ConfigError, match=r"classes.txt: .*'road 128 64 128'.*none for sky"):
        load_dataset(path)


def test_palettes_and_16_bits_are_recognised(folder, tmp_path):
    path = folder(np.array([[1, 0, 255]], np.uint16))
    assert first_labels(path) == [[1, 0, IGNORE]]
    for name in ("train/00.png", "val/00.png"):
        image = Image.fromarray(np.array([[1, 1, 0]], np.uint8), "P")
        image.putpalette([9, 9, 9, 9, 9, 9])
        image.save(path / "labels" / name)
    assert first_labels(path) == [[1, 1, 0]]


def test_void_is_a_line_but_no_class(folder):
    path = folder(np.array([[0, 1, 2]], np.uint8), "road\nVoid\nsky\n")
    assert load_dataset(path).classes.names == ("road", "sky")
    assert first_labels(path) == [[0, IGNORE, 1]]


def test_an_id_that_is_not_in_the_list_is_an_error(folder):
    with pytest.raises(DatasetError, match=r"unknown ids \(2 \(1 px\)\)"):
        first_labels(folder(np.array([[0, 1, 2]], np.uint8)))


def test_a_declaration_in_the_folder_is_taken(folder, tmp_path):
    path = folder(np.array([[0, 1, 255]], np.uint8))
    (path / "dataset.yaml").write_text(
        "{name: theirs, classes: [{name: all, color: [1, 2, 3], ids: [0, 1]}], ignored: [255],"
        " splits: {all: {images: images/**/*.jpg, labels: labels/**/*.png}}}"
    )
    spec = load_dataset(path)
    assert spec.name == "theirs"
    assert len(samples(spec, None, "all")) == 2


@pytest.mark.parametrize("missing", ["images", "labels", "classes.txt"])
def test_what_is_missing_is_named(folder, missing):
    path = folder(np.array([[0, 1, 0]], np.uint8))
    (path / missing).rename(path / "other")
    with pytest.raises(ConfigError, match="expected images/, labels/ and classes.txt .*found"):
        load_dataset(path)


def test_a_folder_without_images_is_named(folder):
    path = folder(np.array([[0, 1, 0]], np.uint8))
    (path / "images/val/00.jpg").unlink()
    with pytest.raises(DatasetError, match=r"images/val: no image; expected files ending in"):
        load_dataset(path)
