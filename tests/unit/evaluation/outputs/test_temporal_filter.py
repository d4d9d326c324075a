"""The temporal median: flicker goes, changes stay, and each frame keeps its labels."""

import numpy as np
import pytest

from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.prediction import median_filter

IMAGE = np.zeros((1, 1, 3), np.uint8)


def filtered(values, length):
    """Filters frames of one pixel with these labels; the frames are named 0, 1, 2..."""
    labelled = [
        (Frame(str(index), None, IMAGE), np.full((1, 1), value, np.uint8))
        for index, value in enumerate(values)
    ]
    found = list(median_filter(iter(labelled), length))
    assert [frame.name for frame, _ in found] == [str(index) for index in range(len(values))]
    return [int(labels[0, 0]) for _, labels in found]


@pytest.mark.parametrize(
    "values, length, expected",
    [
        ([1, 1, 2, 1, 1], 3, [1, 1, 1, 1, 1]),  # One frame of flicker.
        ([1, 1, 2, 2, 1, 1], 3, [1, 1, 2, 2, 1, 1]),  # Two are a change for three frames,
        ([1, 1, 2, 2, 1, 1], 5, [1, 1, 1, 1, 1, 1]),  # and flicker for five.
        ([1, 1, 1, 2, 2, 2], 3, [1, 1, 1, 2, 2, 2]),  # A change keeps its time.
        ([1, 2, 3], 3, [1, 2, 3]),  # A tie leaves the frame's own,
        ([7, 255, 7], 3, [7, 7, 7]),  # whatever the order of the ids.
        ([3, 1], 1, [3, 1]),
        ([3], 5, [3]),
        ([], 3, []),
    ],
)
def test_the_most_frequent_label_wins(values, length, expected):
    assert filtered(values, length) == expected


def test_each_pixel_has_its_own_median():
    stack = np.random.default_rng(0).integers(0, 3, (9, 4, 5)).astype(np.uint8)
    labelled = [(Frame(str(index), None, IMAGE), labels) for index, labels in enumerate(stack)]
    for index, (_, found) in enumerate(median_filter(labelled, 5)):
        around = stack[max(0, index - 2) : index + 3]
        counts = (around[..., None] == np.arange(3)).sum(0)
        chosen = np.take_along_axis(counts, found[..., None].astype(int), -1)[..., 0]
        np.testing.assert_array_equal(chosen, counts.max(-1))


def test_a_frame_comes_when_those_after_it_are_known():
    taken = []

    def labelled():
        for index in range(10):
            taken.append(index)
            yield Frame(str(index), None, IMAGE), np.zeros((1, 1), np.uint8)

    stream = median_filter(labelled(), 5)
    next(stream)
    assert taken == [0, 1, 2]


def test_frames_of_another_size_have_no_say():
    shapes = [(1, 1), (2, 2), (1, 1)]
    labelled = [
        (Frame(str(index), None, IMAGE), np.full(shape, index, np.uint8))
        for index, shape in enumerate(shapes)
    ]
    assert [int(labels.max()) for _, labels in median_filter(labelled, 3)] == [0, 1, 2]
