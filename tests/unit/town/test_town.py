"""The town as its users see it: frames, splits, class shares."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from semseg.errors import ConfigError
from semseg.town import SPLITS, TOWN_CLASSES, drive, frame, traffic
from semseg.town.path import Path
from semseg.town.style import style

CAMVID_TRAIN_SHARES = {
    "Sky": 0.1754,
    "Building": 0.2421,
    "Pole": 0.0102,
    "Road": 0.3296,
    "Pavement": 0.0467,
    "Tree": 0.1012,
    "SignSymbol": 0.0122,
    "Fence": 0.0117,
    "Car": 0.0611,
    "Pedestrian": 0.0067,
    "Bicyclist": 0.0030,
}
"""Shares of the labelled pixels of CamVid's 367 training images (SegNet's 11 classes)."""

DIGEST = """
import hashlib
from semseg.town import frame
for split, index in (("train", 3), ("train", 4)):
    one = frame(split, index, (96, 160))
    for array in (one.image, one.labels, one.depth, one.pose):
        print(hashlib.sha256(array.tobytes()).hexdigest())
"""


def digest_in_a_fresh_process():
    return subprocess.run(
        [sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True
    ).stdout


def test_fresh_processes_render_the_same_bytes():
    first, second = digest_in_a_fresh_process(), digest_in_a_fresh_process()
    assert first == second
    assert len(set(first.split())) == 8


def test_frames_do_not_depend_on_what_was_rendered_before():
    alone = frame("train", 17, (64, 128))
    for index in (900, 16, 18):
        frame("train", index, (64, 128))
    again = frame("train", 17, (64, 128))
    assert np.array_equal(alone.image, again.image)
    assert np.array_equal(alone.depth, again.depth)


def test_splits_share_no_frame():
    names = [frame(split, 0, (32, 64)).name for split in SPLITS]
    digests = {
        hashlib.sha256(frame(split, index, (32, 64)).labels.tobytes()).hexdigest()
        for split in SPLITS
        for index in (0, SPLITS[split] // 2)
    }
    assert names == ["train/0000_00", "val/0000_00", "demo/0000_00"]
    assert len(digests) == 2 * len(SPLITS)


def test_class_shares_are_within_three_times_those_of_camvid():
    counts = np.zeros(256, np.int64)
    for index in range(0, SPLITS["train"], 70):
        labels = frame("train", index, (96, 192)).labels
        counts += np.bincount(labels.ravel(), minlength=256)
    assert counts[TOWN_CLASSES.num_classes :].sum() == 0
    shares = dict(zip(TOWN_CLASSES.names, counts / counts.sum(), strict=False))
    ratios = {name: shares[name] / share for name, share in CAMVID_TRAIN_SHARES.items()}
    assert {name: ratio for name, ratio in ratios.items() if not 1 / 3 < ratio < 3} == {}


@pytest.mark.parametrize("size", [(256, 512), (480, 640), (97, 131), (64, 32)])
def test_frames_have_the_size_asked_for(size):
    one = frame("val", 5, size)
    assert one.image.shape == (*size, 3)
    assert one.image.dtype == np.uint8
    assert one.labels.shape == size
    assert one.labels.dtype == np.uint8
    assert one.depth.shape == size
    assert one.depth.dtype == np.float32
    assert one.intrinsics[0, 2] == (size[1] - 1) / 2
    assert one.intrinsics[1, 1] == 0.9 * size[1]


def test_sizes_show_the_same_view():
    small, large = frame("train", 41, (64, 128)), frame("train", 41, (192, 384))
    centres = large.labels[1::3, 1::3]
    assert np.mean(small.labels == centres) > 0.97
    assert np.array_equal(small.pose, large.pose)


def test_drive_gives_successive_stamps_and_moves_forward():
    frames = list(drive(7, 4, rate_hz=20.0, size=(48, 96)))
    assert [one.stamp for one in frames] == pytest.approx([0.0, 0.05, 0.1, 0.15])
    steps = np.diff([one.pose[2, 3] for one in frames])
    assert np.all((steps > 0.2) & (steps < 0.6))
    assert len({one.name for one in frames}) == 4


def test_drive_through_a_split_begins_with_its_first_frame():
    first = next(iter(drive("demo", 1, size=(48, 96))))
    assert np.array_equal(first.image, frame("demo", 0, (48, 96)).image)


def test_unknown_split_is_named_with_the_choices():
    with pytest.raises(ConfigError, match="unknown town split 'trian'.*train.*did you mean"):
        frame("trian", 0)


def test_index_outside_a_split_is_refused():
    with pytest.raises(ConfigError, match=r"val/120: expected 0\.\.119"):
        frame("val", SPLITS["val"])


def test_a_crossing_may_lie_behind_the_start_of_a_drive():
    look = style(np.random.default_rng(0))
    street = traffic.Street(look, Path((1, 2), bend=0.0), (1, 2))
    people = [len(list(traffic.crossing_pedestrians(street, -4.0, z, 1.0))) for z in range(-9, 0)]
    assert 0 <= min(people) <= max(people) < 4
