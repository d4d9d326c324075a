"""Labels that follow a moving image are consistent, others flip."""

import subprocess
import sys

import numpy as np
import pytest

from semseg.classes import ClassTable
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.unlabelled.consistency import (
    OpticalFlow,
    TemporalConsistency,
    flow_size,
    gray_for_flow,
)
from semseg.runtime.images.geometry import resize_image

CLASSES = ClassTable.create(["left", "right", "never"], [(1, 2, 3), (4, 5, 6), (7, 8, 9)])
SIZE = (96, 160)
STEP = 4


def texture(width=400):
    """A texture that optical flow can follow."""
    coarse = np.random.default_rng(0).integers(0, 255, (24, width // 4, 3), np.uint8)
    return resize_image(coarse, (96, width))


def window(step):
    """A camera that turns to the right: the texture moves to the left, and the border with it."""
    start = 100 + STEP * step
    labels = np.zeros(SIZE, np.uint8)
    labels[:, 180 - start :] = 1  # The border is at column 180 of the texture.
    return Frame(str(step), step, np.ascontiguousarray(texture()[:, start : start + 160])), labels


def watch(frames):
    consistency = TemporalConsistency(CLASSES)
    for frame, labels in frames:
        consistency.add(frame, labels)
    return consistency


def test_origins_are_where_things_were():
    before, now = (gray_for_flow(window(step)[0].image) for step in (0, 1))
    origins, seen = OpticalFlow().origins(before, now)
    assert seen.mean() > 0.8
    assert not seen[:, -1].any()  # What comes in was not seen before.
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    assert np.abs(origins[seen] - np.dstack([columns + STEP, rows])[seen]).mean() < 0.3


def test_labels_that_move_with_the_image_do_not_flip():
    consistency = watch(window(step) for step in range(4))
    assert np.isnan(consistency.flips[0]) and len(consistency.flips) == 4
    assert consistency.mean_flips < 0.01
    assert consistency.mean_consistency > 0.97
    assert min(consistency.followed[1:]) > 0.8


def test_labels_that_stay_while_the_image_moves_flip_at_the_border():
    _, labels = window(0)
    consistency = watch((window(step)[0], labels) for step in range(2))
    # A strip as wide as the step between the border and where it was carried to.
    assert consistency.flips[1] == pytest.approx(STEP / SIZE[1], rel=0.35)


def test_labels_that_flicker_flip_everywhere_and_by_class():
    frame, labels = window(0)
    consistency = watch([(frame, labels), (frame, 1 - labels), (frame, labels)])
    assert consistency.flips[1:] == [1, 1]
    assert consistency.confusion.iou[:2].tolist() == [0, 0]
    assert np.isnan(consistency.confusion.iou[2])
    assert consistency.mean_consistency == 0


def test_a_new_size_starts_anew():
    (frame, labels), other = window(0), np.zeros((48, 80), np.uint8)
    small = Frame("small", 1, np.zeros((48, 80, 3), np.uint8))
    consistency = watch([(frame, labels), (small, other), (small, other)])
    assert np.isnan(consistency.flips[:2]).all() and consistency.flips[2] == 0


FOLLOW = """
import sys
import numpy as np
from semseg.classes import ClassTable
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.unlabelled.consistency import TemporalConsistency

CHANCE = np.random.default_rng(0)
for text in sys.argv[1:]:
    height, width = map(int, text.split("x"))
    consistency = TemporalConsistency(ClassTable.create(["a", "b"], [(1, 2, 3), (4, 5, 6)]))
    for index in range(2):
        image = CHANCE.integers(0, 255, (height, width, 3), np.uint8)
        consistency.add(Frame(str(index), index, image), np.zeros((height, width), np.uint8))
    assert len(consistency.flips) == 2 and not consistency.mean_flips > 0, text
    print(text, flush=True)
"""


def test_images_of_any_size_are_followed():
    """In a process of its own: where OpenCV reads beyond an image, it ends the process."""
    short, long = (1, 2, 7, 15, 16, 31, 32, 64), (1, 3, 31, 64, 255, 1024, 4096)
    sizes = [f"{a}x{b}" for a in short for b in long] + [f"{b}x{a}" for a in short for b in long]
    sizes.append("2160x3840")
    command = [sys.executable, "-c", FOLLOW, *sizes]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    done = ended.stdout.split()
    assert done == sizes, f"ended at {sizes[len(done)]}: {ended.returncode} {ended.stderr[-300:]}"


@pytest.mark.parametrize(
    "size, expected",
    [
        ((480, 640), (192, 256)),
        ((100, 200), (100, 200)),
        ((64, 1024), (32, 256)),
        ((1, 1), (32, 32)),
    ],
)
def test_large_images_are_followed_at_a_small_size(size, expected):
    assert flow_size(size) == expected
