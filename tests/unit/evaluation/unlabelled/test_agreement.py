"""Two models: what they label alike, and the frames that show where not."""

import cv2
import numpy as np
import pytest

from semseg.classes import ClassTable
from semseg.errors import ConfigError
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.unlabelled.agreement import Agreement

SECOND = 10**9


def frame_of(image_of, other_labels, stamp_ns=0, name="a"):
    """A frame that the fake segmenter, here the other model, labels so."""
    return Frame(name, stamp_ns, image_of(other_labels))


def test_agreement_is_counted_by_frame_and_by_class(segmenter, image_of):
    agreement = Agreement(segmenter.classes, segmenter)
    agreement.add(frame_of(image_of, [[0, 0, 1, 1]]), np.array([[0, 0, 1, 0]], np.uint8))
    agreement.add(frame_of(image_of, [[1, 1, 1, 1]]), np.array([[1, 1, 1, 1]], np.uint8))
    assert agreement.per_frame == [0.75, 1.0]
    assert agreement.pixels == 7 / 8
    np.testing.assert_allclose(agreement.confusion.iou, [2 / 3, 5 / 6, np.nan])


def test_classes_are_matched_by_name(segmenter, image_of):
    table = ClassTable.create(["sky", "house", "road"], [(1, 2, 3), (4, 5, 6), (7, 8, 9)])
    agreement = Agreement(table, segmenter)
    # The other's road, sky and car; this one calls road 2, sky 0, and knows no car.
    agreement.add(frame_of(image_of, [[0, 1, 2, 0]]), np.array([[2, 0, 1, 0]], np.uint8))
    assert agreement.per_frame == [0.5]
    assert agreement.confusion.counts.tolist() == [[1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 1, 0]]


def test_models_without_a_common_class_are_refused(segmenter):
    table = ClassTable.create(["cat"], [(1, 2, 3)])
    with pytest.raises(ConfigError, match="no class in common: cat; and road, sky, car"):
        Agreement(table, segmenter)


def test_the_least_agreement_of_each_second_is_kept_to_look_at(segmenter, image_of):
    agreement = Agreement(segmenter.classes, segmenter, shown=2)
    labels = np.zeros((1, 10), np.uint8)
    for stamp, differing in [(0, 3), (0.1, 5), (0.2, 4), (1.0, 1), (2.0, 2), (3.0, 1)]:
        other = labels.copy()
        other[0, :differing] = 1
        name = f"{stamp:.1f}"
        agreement.add(frame_of(image_of, other, int(stamp * SECOND), name), labels)
    assert [strip.caption for strip in agreement.disputed] == [
        "0.1: 50.0 % alike",
        "2.0: 80.0 % alike",
    ]


def test_pictures_show_where_they_differ(segmenter, image_of):
    agreement = Agreement(segmenter.classes, segmenter)
    labels, other = np.zeros((2, 32, 64), np.uint8)
    other[:, 32:] = 2
    agreement.add(frame_of(image_of, other), labels)
    (strip,) = agreement.disputed
    assert list(strip.pictures) == ["image", "model", "other model", "they differ (red)"]
    data = np.frombuffer(strip.pictures["they differ (red)"], np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    redness = picture[..., 0] - picture[..., 1]
    assert redness[:, :24].mean() < 20
    assert redness[:, 40:].mean() > 100


def test_frames_without_a_stamp_are_each_their_own(segmenter, image_of):
    agreement = Agreement(segmenter.classes, segmenter)
    for name in "ab":
        agreement.add(Frame(name, None, image_of([[1]])), np.array([[0]], np.uint8))
    assert len(agreement.disputed) == 2
