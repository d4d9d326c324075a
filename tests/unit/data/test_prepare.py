import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.data import load_dataset, samples
from semseg.data.declarations.strict_yaml import validate
from semseg.data.prepare import Settings, prepare
from semseg.data.samples.samples import spread
from semseg.errors import ConfigError


@pytest.fixture
def spec(write_declaration):
    return load_dataset(write_declaration(terms="research only", title="Tiny"))


@pytest.fixture
def splits(spec, tree):
    return {split: samples(spec, tree, split) for split in ("train", "val")}


def test_the_result_is_a_dataset_with_the_same_names_and_classes(spec, splits, tmp_path):
    outcome = prepare(spec, splits, tmp_path / "small", Settings(downscale=2))
    assert outcome == (4, 0, [])
    small = load_dataset(tmp_path / "small/dataset.yaml")
    assert (small.name, small.terms, small.classes) == (
        "tiny_by_2",
        "research only",
        spec.classes,
    )
    found = samples(small, tmp_path / "small", "train")
    assert [sample.name for sample in found] == ["train/a", "train/b", "train/c"]
    image, labels = found[1].read()
    assert image.tolist() == [[[10, 20, 30]] * 3] * 2
    # The first block has one ignored pixel of four: its sky still wins.
    assert labels.tolist() == [[1, 1, 1], [0, 0, 0]]


def test_images_are_means_of_their_blocks(spec, write_png, tree, tmp_path):
    checker = np.zeros((4, 6, 3), np.uint8)
    checker[::2, ::2], checker[1::2, 1::2] = 200, 200
    write_png("root/images/val/d.png", checker)
    prepare(spec, {"val": samples(spec, tree, "val")}, tmp_path / "small", Settings(downscale=2))
    assert (cv2.imread(str(tmp_path / "small/images/val/d.png")) == 100).all()


def test_folders_of_sample_names_are_kept(write_declaration, write_png, tmp_path):
    write_png("root/img/ulm/1.png", np.zeros((2, 2, 3), np.uint8))
    write_png("root/gt/ulm/1.png", np.full((2, 2), 7, np.uint8))
    rule = {"images": "img/*/*.png", "labels": "gt/*/*.png"}
    spec = load_dataset(write_declaration(splits={"val": rule}))
    prepare(spec, {"val": samples(spec, tmp_path / "root", "val")}, tmp_path / "out", Settings())
    small = load_dataset(tmp_path / "out/dataset.yaml")
    found = samples(small, tmp_path / "out", "val")
    assert [sample.name for sample in found] == ["val/ulm/1"]
    assert found[0].read_labels().tolist() == [[1, 1], [1, 1]]


def test_a_second_run_writes_only_what_is_missing(spec, splits, tmp_path):
    prepare(spec, splits, tmp_path / "small", Settings(downscale=2))
    kept = tmp_path / "small/labels/train/a.png"
    before = kept.stat().st_mtime_ns
    os.remove(tmp_path / "small/labels/train/b.png")
    (tmp_path / "small/labels/train/b.png.partial").write_bytes(b"half")
    assert prepare(spec, splits, tmp_path / "small", Settings(downscale=2)) == (1, 3, [])
    assert kept.stat().st_mtime_ns == before
    assert not list((tmp_path / "small").glob("**/*.partial"))


def test_other_settings_need_another_folder(spec, splits, tmp_path):
    prepare(spec, splits, tmp_path / "small", Settings(downscale=2))
    with pytest.raises(ConfigError, match=r"small was prepared with other settings \(downscale\)"):
        prepare(spec, splits, tmp_path / "small", Settings(downscale=4))


def test_a_folder_of_something_else_is_left_alone(spec, splits, tree):
    with pytest.raises(ConfigError, match="was not prepared by this"):
        prepare(spec, splits, tree, Settings(downscale=2))


@pytest.mark.parametrize("content", ["{half", "7", "[1]"])
def test_a_damaged_manifest_is_named(spec, splits, tmp_path, content):
    prepare(spec, splits, tmp_path / "small", Settings(downscale=2))
    (tmp_path / "small/manifest.json").write_text(content)
    with pytest.raises(ConfigError, match=r"small/manifest.json: cannot be read, so choose"):
        prepare(spec, splits, tmp_path / "small", Settings(downscale=2))


def test_a_damaged_image_is_named_and_the_rest_is_written(spec, splits, tree, tmp_path):
    (tree / "images/train/b.png").write_bytes(b"damaged")
    outcome = prepare(spec, splits, tmp_path / "small", Settings(downscale=2))
    assert outcome.written == 3
    assert len(outcome.failed) == 1
    assert outcome.failed[0].startswith("train/b: ")
    assert (
        len(samples(load_dataset(tmp_path / "small/dataset.yaml"), tmp_path / "small", "train"))
        == 2
    )


def test_the_manifest_says_how_it_was_made(spec, splits, tmp_path):
    prepare(spec, splits, tmp_path / "small", Settings(downscale=2))
    manifest = json.loads((tmp_path / "small/manifest.json").read_text())
    assert manifest["downscale"] == 2
    assert manifest["void_threshold"] == 0.75
    assert manifest["samples"] == {"train": 3, "val": 1}
    assert manifest["source"]["name"] == "tiny"


def test_the_town_becomes_a_folder(tmp_path):
    town = load_dataset("town")
    frames = spread(samples(town, None, "val"), 1)
    prepare(town, {"val": frames}, tmp_path / "town", Settings())
    found = samples(load_dataset(tmp_path / "town/dataset.yaml"), tmp_path / "town", "val")
    image, labels = frames[0].read()
    assert np.array_equal(found[0].read_image(), image)
    assert np.array_equal(found[0].read_labels(), labels)
    assert labels.max() in (*range(11), IGNORE)


class TestSettings:
    def test_nearest_takes_the_pixel_in_the_middle_of_each_block(
        self, spec, tree, write_png, tmp_path
    ):
        labels = np.full((4, 6), 3, np.uint8)
        labels[1, 1::2] = 7
        write_png("root/labels/val/d_ids.png", labels)
        splits = {"val": samples(spec, tree, "val")}
        for rule, expected in [("vote", [0, 0, 0]), ("nearest", [1, 1, 1])]:
            prepare(spec, splits, tmp_path / rule, Settings(downscale=2, labels=rule))
            found = samples(load_dataset(tmp_path / rule), None, "val")[0].read_labels()
            assert found[0].tolist() == expected

    def test_a_greater_threshold_makes_more_void(self, spec, splits, tmp_path):
        prepare(spec, splits, tmp_path / "strict", Settings(downscale=2, void_threshold=1.0))
        labels = samples(load_dataset(tmp_path / "strict"), None, "val")[0].read_labels()
        assert labels.tolist() == [[IGNORE, 1, 1], [0, 0, 0]]

    def test_jpeg_images_are_close_and_labels_exact(self, spec, splits, tmp_path):
        prepare(spec, splits, tmp_path / "jpg", Settings(image_format="jpg"))
        found = samples(load_dataset(tmp_path / "jpg"), None, "train")[2]
        assert (tmp_path / "jpg/images/train/c.jpg").read_bytes().startswith(b"\xff\xd8")
        assert np.abs(found.read_image().astype(int) - (20, 20, 30)).max() <= 3
        assert np.array_equal(found.read_labels(), splits["train"][2].read_labels())

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"labels": "nearst"}, "labels: .*found 'nearst'"),
            ({"downscale": 0}, "downscale"),
            ({"void_threshold": 0.5}, "void_threshold"),
        ],
    )
    def test_mistakes_are_named(self, values, message):
        with pytest.raises(ConfigError, match=message):
            validate(Settings, values, "x")


def test_a_killed_run_is_taken_up_where_it_was(spec, splits, tmp_path):
    program = (
        "import os, sys\n"
        "from semseg.data import load_dataset, samples\n"
        "from semseg.data.prepare import Settings, prepare\n"
        "class Killer:\n"
        "    name = 'train/b'\n"
        "    def read(self):\n"
        "        os.kill(os.getpid(), 9)\n"
        "spec = load_dataset(sys.argv[1])\n"
        "found = samples(spec, sys.argv[2], 'train')\n"
        "splits = {'train': [found[0], Killer(), found[2]]}\n"
        "prepare(spec, splits, sys.argv[3], Settings(), workers=1)\n"
    )
    arguments = [tmp_path / "tiny.yaml", tmp_path / "root", tmp_path / "small"]
    killed = subprocess.run([sys.executable, "-c", program, *arguments], check=False)
    assert killed.returncode == -9
    assert not (tmp_path / "small/dataset.yaml").exists()
    outcome = prepare(spec, {"train": splits["train"]}, tmp_path / "small", Settings())
    assert outcome == (2, 1, [])
    for sample, same in zip(
        samples(load_dataset(tmp_path / "small"), None, "train"), splits["train"], strict=True
    ):
        assert np.array_equal(sample.read_labels(), same.read_labels())
