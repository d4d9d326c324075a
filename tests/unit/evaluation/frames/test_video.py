"""Videos: what was written plays, with its size, rate and number of frames."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from semseg.errors import ImageError
from semseg.evaluation.frames.video import VideoReader, VideoWriter, is_video


def write(path, shape=(32, 48), count=3):
    with VideoWriter(path, 12.5) as video:
        for index in range(count):
            video.write(np.full((*shape, 3), (40 * index, 200, 90), np.uint8))
    return path


def test_round_trip(tmp_path):
    video = VideoReader(write(tmp_path / "new" / "x.mp4"))
    assert video.rate_hz == pytest.approx(12.5) and video.count == 3
    for _ in range(2):  # It can be read again.
        images = list(video)
        assert [image.shape for image in images] == [(32, 48, 3)] * 3
        for index, image in enumerate(images):
            assert np.abs(image.mean((0, 1)) - (40 * index, 200, 90)).max() < 6


def test_it_is_h264_with_the_colours_that_browsers_play(tmp_path):
    path = write(tmp_path / "x.mp4")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path)]
    told = subprocess.run(command, check=False, capture_output=True, text=True).stderr
    assert "h264" in told and "yuv420p" in told


def test_odd_sizes_gain_a_row_and_a_column(tmp_path):
    (image, *_) = VideoReader(write(tmp_path / "x.mp4", shape=(31, 47)))
    assert image.shape == (32, 48, 3)


def test_images_of_another_size_are_refused_and_nothing_is_left(tmp_path):
    message = "image of 4x6 in a video of 32x48"
    with pytest.raises(ImageError, match=message), VideoWriter(tmp_path / "x.mp4", 10.0) as video:
        video.write(np.zeros((32, 48, 3), np.uint8))
        video.write(np.zeros((4, 6, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_a_video_without_images_is_no_file(tmp_path):
    write(tmp_path / "x.mp4", count=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"no video at all"])
def test_what_is_no_video_is_named_once(tmp_path, capfd, content):
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(ImageError, match="x.mp4: cannot be opened as a video"):
        VideoReader(path)
    assert not capfd.readouterr().err  # Of ffmpeg's own.


def test_videos_are_known_by_their_suffix(tmp_path):
    write(tmp_path / "x.mp4", count=1)
    assert is_video(tmp_path / "x.mp4")
    assert not is_video(tmp_path / "missing.mp4")
    assert not is_video(tmp_path)


def test_a_gif_keeps_colours_size_and_rate(tmp_path):
    video = VideoReader(write(tmp_path / "x.gif", count=4))
    assert video.rate_hz == pytest.approx(12.5)
    images = list(video)
    assert [image.shape for image in images] == [(32, 48, 3)] * 4
    for index, image in enumerate(images):
        assert np.abs(image.mean((0, 1)) - (40 * index, 200, 90)).max() < 4
    assert (tmp_path / "x.gif").read_bytes().startswith(b"GIF89a")


def test_other_kinds_of_video_are_refused(tmp_path):
    with pytest.raises(ImageError, match=r"x.avi: unknown kind of video '.avi'; available: .gif"):
        VideoWriter(tmp_path / "x.avi", 10.0)
