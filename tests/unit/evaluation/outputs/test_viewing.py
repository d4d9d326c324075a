"""What people watch: overlay, legend and rate, as a file and in a window."""

import cv2
import numpy as np
import pytest

from semseg.errors import ConfigError, ImageError
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.frames.video import VideoReader
from semseg.evaluation.outputs import viewing
from semseg.evaluation.outputs.viewing import Clip, Viewer, Window
from semseg.runtime.images import render

SIZE = (64, 96)


def frame(value=100):
    return Frame("a", None, np.full((*SIZE, 3), value, np.uint8))


def labels(value):
    return np.full(SIZE, value, np.uint8)


def test_a_picture_has_overlay_and_legend(segmenter):
    drawn = Viewer(segmenter.classes).draw(frame(), labels(2))
    legend = render.legend(segmenter.classes, SIZE[0])
    np.testing.assert_array_equal(drawn[:, SIZE[1] :], legend)
    expected = render.overlay(frame().image, labels(2), segmenter.classes)
    np.testing.assert_array_equal(drawn[:, : SIZE[1]], expected)  # No rate of one frame.


def test_the_rate_is_that_of_the_last_frames(segmenter):
    times = iter([0.0, *np.arange(1, 40) * 0.25])
    viewer = Viewer(segmenter.classes, lambda: next(times))
    viewer.draw(frame(), labels(0))
    assert viewer.rate_hz is None
    drawn = viewer.draw(frame(), labels(0))
    assert viewer.rate_hz == 4
    assert (drawn[40:, :60] > 200).all(-1).any()  # It is written into the picture.
    for _ in range(38):
        viewer.draw(frame(), labels(0))
    assert viewer.rate_hz == pytest.approx(4)


@pytest.mark.parametrize("name", ["x.mp4", "x.gif"])
def test_a_clip_plays(tmp_path, segmenter, name):
    with Clip(tmp_path / name, 5.0, segmenter.classes) as clip:
        for value in range(3):
            clip.save(frame(), labels(value))
    video = VideoReader(tmp_path / name)
    images = list(video)
    assert video.rate_hz == pytest.approx(5) and len(images) == 3
    for value, image in enumerate(images):
        expected = (100 + np.array(segmenter.classes.colors[value])) / 2
        np.testing.assert_allclose(image[4:24, 10:90].mean((0, 1)), expected, atol=8)


def test_an_existing_clip_is_kept_unless_forced(tmp_path, segmenter):
    path = tmp_path / "x.gif"
    path.write_bytes(b"old")
    with pytest.raises(ConfigError, match="x.gif exists already; .*--force"):
        Clip(path, 5.0, segmenter.classes)
    assert path.read_bytes() == b"old"
    with Clip(path, 5.0, segmenter.classes, overwrite=True) as clip:
        clip.save(frame(), labels(0))
    assert path.read_bytes().startswith(b"GIF")


def test_a_clip_is_kept_when_a_camera_is_ended_by_ctrl_c(tmp_path, segmenter):
    with pytest.raises(KeyboardInterrupt), Clip(tmp_path / "x.mp4", 5.0, segmenter.classes) as clip:
        clip.save(frame(), labels(0))
        raise KeyboardInterrupt
    assert len(list(VideoReader(tmp_path / "x.mp4"))) == 1


def test_a_clip_wants_one_size(tmp_path, segmenter):
    other = Frame("b", None, np.zeros((32, 32, 3), np.uint8))
    with Clip(tmp_path / "x.gif", 5.0, segmenter.classes) as clip:
        clip.save(frame(), labels(0))
        with pytest.raises(ImageError, match="image of 32x"):
            clip.save(other, np.zeros((32, 32), np.uint8))


class Screen:
    """Stands for OpenCV's windows: the visitor presses a key at the second frame."""

    def __init__(self, monkeypatch, key):
        self.shown, self.keys = [], iter([-1, key, -1, -1])
        monkeypatch.setenv("DISPLAY", ":9")
        monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
        monkeypatch.setattr(cv2, "imshow", lambda _, picture: self.shown.append(picture))
        monkeypatch.setattr(cv2, "waitKey", lambda _: next(self.keys))
        monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
        monkeypatch.setattr(viewing, "_is_visible", lambda: True)


@pytest.mark.parametrize("key, seen", [(ord("q"), 2), (27, 2), (ord("x"), 4)])
def test_a_window_shows_frames_until_q(monkeypatch, segmenter, key, seen):
    screen = Screen(monkeypatch, key)
    with Window(segmenter.classes) as window:
        for _ in window.until_closed(range(4)):
            window.show(frame(), labels(2))
    assert len(screen.shown) == seen
    blue_green_red = screen.shown[0][4, 4]
    expected = (100 + np.array(segmenter.classes.colors[2])) / 2
    np.testing.assert_allclose(blue_green_red[::-1], expected, atol=1)


def test_without_a_screen_it_is_said(monkeypatch, segmenter):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(ConfigError, match="--show needs a screen"):
        Window(segmenter.classes)
