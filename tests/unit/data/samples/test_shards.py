import json

import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.data import AugmentationConfig, load_dataset, samples
from semseg.data.batches.batches import SampleSource, batches
from semseg.data.prepare import Settings, prepare
from semseg.errors import ConfigError, DatasetError, ImageError

SETTINGS = Settings(downscale=2, layout="shards", shard_size=2)


@pytest.fixture
def spec(write_declaration):
    return load_dataset(write_declaration())


@pytest.fixture
def splits(spec, tree):
    return {split: samples(spec, tree, split) for split in ("train", "val")}


@pytest.fixture
def folder(spec, splits, tmp_path):
    assert prepare(spec, splits, tmp_path / "shards", SETTINGS) == (4, 0, [])
    return tmp_path / "shards"


def test_shards_hold_what_a_tree_holds(spec, splits, folder, tmp_path):
    assert [path.name for path in sorted(folder.glob("*.tfrecord"))] == [
        "train-00000.tfrecord",
        "train-00001.tfrecord",
        "val-00000.tfrecord",
    ]
    prepare(spec, splits, tmp_path / "tree", Settings(downscale=2))
    sharded, filed = load_dataset(folder), load_dataset(tmp_path / "tree")
    assert (sharded.name, sharded.classes) == (filed.name, filed.classes)
    for split in ("train", "val"):
        one, other = samples(sharded, None, split), samples(filed, None, split)
        assert [sample.name for sample in one] == [sample.name for sample in other]
        for sample, same in zip(one, other, strict=True):
            assert np.array_equal(sample.read_image(), same.read_image())
            assert np.array_equal(sample.read_labels(), same.read_labels())


def test_training_reads_both_alike(spec, splits, folder, tmp_path):
    prepare(spec, splits, tmp_path / "tree", Settings(downscale=2))
    config = AugmentationConfig(crop=(2, 2), zoom=(0.5, 2), brightness=0.1)
    one, other = (
        next(batches(SampleSource(samples(load_dataset(path), None, "train")), config, 3, seed=1))
        for path in (folder, tmp_path / "tree")
    )
    assert one.names == other.names
    assert np.array_equal(one.images, other.images)
    assert np.array_equal(one.labels, other.labels)


def test_tensorflow_is_not_needed(folder, tmp_path):
    sample = samples(load_dataset(folder), None, "train")[2]
    image, labels = sample.read()
    assert sample.name == "train/c"
    assert image.tolist() == [[[20, 20, 30]] * 3] * 2
    assert labels.tolist() == [[1, 1, 1], [0, 0, 0]]


def test_a_second_run_writes_only_missing_shards(spec, splits, folder):
    kept = folder / "train-00000.tfrecord"
    before = kept.stat().st_mtime_ns
    # As a process leaves them that is killed before the index, and in the middle of a shard.
    (folder / "train-00001.tfrecord.json").unlink()
    (folder / "val-00000.tfrecord").rename(folder / "val-00000.tfrecord.partial")
    assert prepare(spec, splits, folder, SETTINGS) == (2, 2, [])
    assert kept.stat().st_mtime_ns == before
    assert not list(folder.glob("*.partial"))
    assert len(samples(load_dataset(folder), None, "train")) == 3


def test_a_damaged_image_is_named_in_every_run(spec, splits, tree, tmp_path):
    (tree / "images/train/b.png").write_bytes(b"damaged")
    first, second = (prepare(spec, splits, tmp_path / "out", SETTINGS) for _ in range(2))
    assert (first.written, second.reused) == (3, 3)
    assert first.failed == second.failed
    assert first.failed[0].startswith("train/b: ")
    found = samples(load_dataset(tmp_path / "out"), None, "train")
    assert [sample.name for sample in found] == ["train/a", "train/c"]


def test_a_damaged_record_is_an_unreadable_image(folder):
    path = folder / "val-00000.tfrecord"
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    with pytest.raises(ImageError, match="val-00000.tfrecord: the record at byte 0 is damaged"):
        samples(load_dataset(folder), None, "val")[0].read()


def test_mistakes_are_named(folder):
    spec = load_dataset(folder / "dataset.yaml")
    with pytest.raises(ConfigError, match="--root"):
        samples(spec, None, "val")
    with pytest.raises(ConfigError, match="unknown second input .*'disparity'; available: none"):
        samples(spec, folder, "val", second="disparity")
    with pytest.raises(DatasetError, match=r"no shard of .*'val': val-\*.tfrecord"):
        samples(spec, folder.parent, "val")
    index = folder / "val-00000.tfrecord.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "size": 7}))
    with pytest.raises(DatasetError, match="its index says 7"):
        samples(spec, folder, "val")


def test_void_stays_void(spec, splits, tmp_path):
    prepare(spec, splits, tmp_path / "whole", Settings(layout="shards"))
    labels = samples(load_dataset(tmp_path / "whole"), None, "val")[0].read_labels()
    assert labels[0].tolist() == [IGNORE, 1, 1, 1, 1, 1]
