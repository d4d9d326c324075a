"""What a player reads from folders, patterns and videos."""

import cv2
import numpy as np
import pytest

from semseg.errors import ConfigError
from semseg.ros.playback.image_player import read_images


def write(path, rgb):
    cv2.imwrite(str(path), np.full((8, 12, 3), rgb[::-1], np.uint8))


def test_a_folder_is_read_by_name_and_only_its_images(tmp_path):
    write(tmp_path / "b.png", (200, 0, 0))
    write(tmp_path / "a.PNG", (0, 0, 200))
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "c.png").write_text("no image either")
    images = dict(read_images(str(tmp_path)))
    assert [path.rsplit("/", 1)[1] for path in images] == ["a.PNG", "b.png", "c.png"]
    first, second, third = images.values()
    np.testing.assert_array_equal(first[0, 0], (0, 0, 200))
    np.testing.assert_array_equal(second[0, 0], (200, 0, 0))
    assert third is None


def test_a_folder_s_name_is_no_pattern(tmp_path):
    folder = tmp_path / "drive [1]*"
    folder.mkdir()
    write(folder / "a.png", (1, 2, 3))
    assert [path for path, _ in read_images(str(folder))] == [str(folder / "a.png")]


def test_a_pattern_chooses(tmp_path):
    for name in ("x1.png", "x2.png", "y1.png"):
        write(tmp_path / name, (1, 2, 3))
    assert len(list(read_images(str(tmp_path / "x*.png")))) == 2


def test_a_video_gives_its_frames(tmp_path):
    path = str(tmp_path / "x.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 24))
    for value in (30, 120, 210):
        writer.write(np.full((24, 32, 3), value, np.uint8))
    writer.release()
    frames = list(read_images(path))
    assert [name for name, _ in frames] == ["%s frame %d" % (path, number) for number in range(3)]
    np.testing.assert_allclose([frame.mean() for _, frame in frames], (30, 120, 210), atol=3)


@pytest.mark.parametrize("source", ["nowhere", "empty", "notes.txt"])
def test_a_source_without_images_is_an_error(tmp_path, source):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no video")
    with pytest.raises(ConfigError, match=source):
        list(read_images(str(tmp_path / source)))
