"""Frames from image files, datasets and bags: names, order, and what cannot be read."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from semseg import town
from semseg.errors import ConfigError, ImageError
from semseg.evaluation.frames.frames import Frame, Unreadable
from semseg.evaluation.frames.sources import (
    frames_from_dataset,
    frames_from_images,
    frames_from_town,
)
from semseg.evaluation.frames.video import VideoReader, VideoWriter

IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def write_image(path, image=IMAGE):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image[..., ::-1])


def names(frames):
    return [frame.name for frame in frames]


def test_a_folder_gives_its_images_in_order(tmp_path):
    for name in ("b.png", "a.png", "c.bmp"):
        write_image(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    frames = frames_from_images(str(tmp_path))
    assert len(frames) == 3
    assert names(frames) == names(frames) == ["a", "b", "c"]
    for frame in frames:
        np.testing.assert_array_equal(frame.image, IMAGE)
        assert frame.labels is None and frame.stamp_ns is None


def test_a_glob_keeps_names_apart_by_their_folders(tmp_path):
    write_image(tmp_path / "in" / "left" / "0.png")
    write_image(tmp_path / "in" / "right" / "0.png")
    assert names(frames_from_images(f"{tmp_path}/in/*/0.png")) == ["left/0", "right/0"]
    assert names(frames_from_images(f"{tmp_path}/**/*.png")) == ["left/0", "right/0"]


def test_images_that_differ_in_the_suffix_alone_keep_it(tmp_path):
    for name in ("a.png", "a.bmp", "b.png"):
        write_image(tmp_path / name)
    assert names(frames_from_images(str(tmp_path))) == ["a.bmp", "a.png", "b"]


def test_a_single_image_is_a_source(tmp_path):
    write_image(tmp_path / "a.png")
    assert names(frames_from_images(str(tmp_path / "a.png"))) == ["a"]


def test_no_image_is_an_error_that_names_the_place(tmp_path):
    for images in (tmp_path, tmp_path / "*.png", tmp_path / "nowhere"):
        with pytest.raises(ImageError, match=f"no images found at '{images}'".replace("*", r"\*")):
            frames_from_images(str(images))


def test_an_unreadable_image_keeps_its_place(tmp_path):
    write_image(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:30])
    write_image(tmp_path / "c.png")
    first, second, third = frames_from_images(str(tmp_path))
    assert isinstance(first, Frame) and isinstance(third, Frame)
    assert isinstance(second, Unreadable)
    assert second.name == "b" and "b.png" in second.reason


def test_samples_of_a_dataset_keep_their_own_sizes_and_second_inputs():
    labels, disparity = np.zeros((8, 12), np.uint8), np.ones((4, 6, 1), np.float32)
    sample = SimpleNamespace(
        name="val/0",
        image_path="0.png",
        read_image=lambda: IMAGE,
        read_labels=lambda: labels,
        read_second=lambda: disparity,
    )
    (frame,) = frames_from_dataset([sample])
    assert frame.name == "val/0"
    assert frame.image is IMAGE and frame.labels is labels
    assert frame.second is disparity


def test_a_rendered_sample_is_rendered_once():
    labels = np.zeros((4, 6), np.uint8)
    sample = SimpleNamespace(
        name="val/0", image_path=None, read=lambda: (IMAGE, labels), read_second=lambda: None
    )
    (frame,) = frames_from_dataset([sample])
    assert frame.image is IMAGE and frame.labels is labels


def test_an_unreadable_sample_keeps_its_place():
    def fail():
        raise ImageError("0.png: cut off")

    sample = SimpleNamespace(name="val/0", image_path="0.png", read_image=fail)
    assert list(frames_from_dataset([sample])) == [Unreadable("val/0", "0.png: cut off")]


def test_a_video_gives_its_frames_with_their_times(tmp_path):
    with VideoWriter(tmp_path / "drive.mp4", 20.0) as video:
        for value in (0, 60, 120):
            video.write(np.full((32, 48, 3), value, np.uint8))
    frames = frames_from_images(str(tmp_path / "drive.mp4"))
    assert len(frames) == 3 and frames.rate_hz == pytest.approx(20.0)
    assert names(frames) == ["drive_000000", "drive_000001", "drive_000002"]
    assert [frame.stamp_ns for frame in frames] == [0, 50_000_000, 100_000_000]


def test_a_video_that_ends_early_says_so(tmp_path, monkeypatch):
    with VideoWriter(tmp_path / "drive.mp4", 2.0) as video:
        for _ in range(3):
            video.write(np.zeros((32, 48, 3), np.uint8))
    monkeypatch.setattr(VideoReader, "__iter__", lambda self: iter([IMAGE, IMAGE]))
    assert len(list(frames_from_images(str(tmp_path / "drive.mp4")))) == 2  # Half a second less.
    monkeypatch.setattr(VideoReader, "__iter__", lambda self: iter([]))
    (missing,) = frames_from_images(str(tmp_path / "drive.mp4"))
    assert missing.name == "drive_000000"
    assert missing.reason.endswith("drive.mp4 ends early: 0 of its 3 frames can be decoded")


def test_a_camera_sends_until_it_is_unplugged(monkeypatch):
    monkeypatch.setattr("cv2.VideoCapture", FakeCapture)
    frames = frames_from_images("camera:1")
    first, second, end = frames
    assert (first.name, second.name) == ("camera1_000000", "camera1_000001")
    np.testing.assert_array_equal(first.image, IMAGE)
    assert 0 < first.stamp_ns <= second.stamp_ns
    assert end == Unreadable("camera:1", "the camera sends nothing any more")
    assert len(frames.first(1)) == len(list(frames.first(1))) == 1


def test_a_camera_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr("cv2.VideoCapture", FakeCapture)
    with pytest.raises(ImageError, match="camera:7: no camera answers as /dev/video7"):
        frames_from_images("camera:7")


class FakeCapture:
    """The camera /dev/video1, which sends two images."""

    def __init__(self, number):
        self.number, self.sent = number, 0

    def isOpened(self):
        return self.number == 1

    def set(self, *_):
        pass

    def read(self):
        self.sent += 1
        return self.sent <= 2, IMAGE[..., ::-1].copy()

    def release(self):
        pass


def test_the_town_is_driven_through(monkeypatch):
    intrinsics = np.eye(3)

    def drive(split, frames, rate_hz, size):
        for index in range(frames):
            yield SimpleNamespace(
                name=f"{split}/{index}",
                stamp=index / rate_hz,
                image=np.zeros((*size, 3), np.uint8),
                labels=np.zeros(size, np.uint8),
                intrinsics=intrinsics,
            )

    monkeypatch.setattr(town, "drive", drive)
    monkeypatch.setattr(town, "SPLITS", {"demo": 2})
    frames = frames_from_town("demo", 10.0, (4, 8))
    assert len(frames) == 2 and names(frames) == ["demo/0", "demo/1"]
    last = list(frames)[-1]
    assert last.stamp_ns == 100_000_000 and last.image.shape == (4, 8, 3)
    assert last.intrinsics is intrinsics
    with pytest.raises(ConfigError, match="unknown split of 'town' 'test'; available: demo"):
        frames_from_town("test", 10.0, (4, 8))
