"""Which frames a sheet shows, and that sheet and video hold them."""

import cv2
import numpy as np
import pytest

from semseg.classes import ClassTable
from semseg.ros.playback.pictures import SampleSheet, VideoRecorder

CLASSES = ClassTable.create(["road", "sky"], [(200, 0, 0), (0, 0, 100)])


def offer(sheet, stamp):
    offers = [
        lambda: sheet.add_image(stamp, np.full((30, 90, 3), stamp, np.uint8)),
        lambda: sheet.add_labels("true", stamp, np.zeros((30, 90), np.uint8)),
        lambda: sheet.add_labels("found", stamp, np.ones((30, 90), np.uint8)),
    ]
    for position in range(3):  # They come from three connections, in any order.
        offers[(position + stamp) % 3]()


def test_a_sheet_spreads_its_rows_over_the_whole_playback():
    sheet = SampleSheet(rows=3)
    for stamp in range(200):
        offer(sheet, stamp)
    assert not sheet._early
    drawing = sheet.draw(CLASSES)
    assert drawing.shape[0] == 24 + 3 * 36 - 6
    shown = [int(drawing[24 + row * 36 + 15, 45, 0]) for row in range(3)]
    assert shown[0] == 0
    assert shown[2] >= 150
    assert 50 <= shown[1] <= 150
    np.testing.assert_array_equal(drawing[40, 96 + 45], (200, 0, 0))
    np.testing.assert_array_equal(drawing[40, 2 * 96 + 45], (0, 0, 100))


def test_a_frame_without_an_answer_is_not_shown():
    sheet = SampleSheet()
    sheet.add_image(1, np.zeros((4, 4, 3), np.uint8))
    sheet.add_labels("true", 1, np.zeros((4, 4), np.uint8))
    assert sheet.draw(CLASSES) is None


def test_a_video_has_all_frames_at_the_rate_of_their_stamps(tmp_path):
    path = str(tmp_path / "x.mp4")
    video = VideoRecorder(path)
    for number in range(8):
        video.add(number * 200_000_000, np.full((32, 48, 3), (250, 20, 20), np.uint8))
    video.close()
    written = cv2.VideoCapture(path)
    assert written.get(cv2.CAP_PROP_FRAME_COUNT) == 8
    assert written.get(cv2.CAP_PROP_FPS) == pytest.approx(5)
    blue, _, red = written.read()[1][16, 24]
    assert red > 200
    assert blue < 60
