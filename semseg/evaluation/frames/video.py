"""Video files: read by OpenCV, written by ffmpeg as H.264 in MP4, or as GIF."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np

from semseg.errors import ImageError, unknown_name
from semseg.files import partial_path
from semseg.runtime.images.geometry import Size

VIDEO_SUFFIXES = frozenset(
    (".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")
)

VIDEO_RATE_HZ = 10.0
"""Frames per second where nothing says another rate."""

# -8 is silence: of a damaged file, an error of ours says all that ffmpeg's own lines would.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

_FORMATS: dict[str, dict[str, Any]] = {
    ".mp4": {"codec": "libx264", "quality": 7},
    # A palette made for the video: labels have few colours, and the usual one spoils them.
    ".gif": {
        "codec": "gif",
        "pix_fmt_out": "pal8",
        "output_params": ["-filter_complex", "split[a][b];[a]palettegen[p];[b][p]paletteuse"],
    },
}


def is_video(path: str | Path) -> bool:
    """Says whether a path names an existing video file, by its suffix."""
    return Path(path).suffix.lower() in VIDEO_SUFFIXES and Path(path).is_file()


class VideoReader:
    """The images of a video file, in order; each iteration starts at the first.

    Attributes:
      rate_hz: frames per second; 10 where the file does not say.
      count: number of frames by the file's own account, 0 where it gives none.

    Raises:
      ImageError: the file cannot be decoded.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = str(path)
        capture = self._open()
        self.rate_hz: float = capture.get(cv2.CAP_PROP_FPS) or VIDEO_RATE_HZ
        self.count = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        decodable, _ = capture.read()
        capture.release()
        if not decodable:
            raise ImageError(f"{path}: no image of this video can be decoded")

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yields uint8 (H, W, 3) RGB images."""
        capture = self._open()
        try:
            while True:
                decoded, image = capture.read()
                if not decoded:
                    return
                yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        finally:
            capture.release()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(self._path, cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise ImageError(f"{self._path}: cannot be opened as a video")
        return capture


class VideoWriter:
    """Writes a video that every player and browser shows; it gets its name when it is whole.

    H.264 with halved colour resolution wants even sizes, so an odd last row or column is
    repeated once.

    Args:
      path: the file to write, ``.mp4`` or ``.gif``.
      rate_hz: frames per second.

    Raises:
      ImageError: the name ends otherwise.
    """

    def __init__(self, path: str | Path, rate_hz: float) -> None:
        self._path = Path(path)
        suffix = self._path.suffix.lower()
        if suffix not in _FORMATS:
            raise ImageError(f"{path}: {unknown_name('kind of video', suffix, _FORMATS)}")
        self._format = _FORMATS[suffix]
        self._rate_hz = rate_hz
        self._size: Size = (0, 0)
        self._encoder: Generator[None, np.ndarray | None, None] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._encoder is not None:
            self._encoder.close()
        self._stack.__exit__(*error)

    def write(self, image: np.ndarray) -> None:
        """Appends an image.

        Args:
          image: uint8 (H, W, 3) RGB, all of one size.

        Raises:
          ImageError: the size differs from that of the first image.
        """
        height, width = image.shape[:2]
        if self._encoder is None:
            self._size = (height, width)
            self._encoder = self._start(width + width % 2, height + height % 2)
        if self._size != (height, width):
            raise ImageError(
                f"{self._path}: image of {height}x{width} in a video of"
                f" {self._size[0]}x{self._size[1]}"
            )
        padded = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        self._encoder.send(np.ascontiguousarray(padded))

    def _start(self, width: int, height: int) -> Generator[None, np.ndarray | None, None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        encoder = imageio_ffmpeg.write_frames(
            self._stack.enter_context(partial_path(self._path, before_suffix=True)),
            (width, height),
            fps=self._rate_hz,
            macro_block_size=2,
            ffmpeg_log_level="error",
            **self._format,
        )
        encoder.send(None)
        return encoder
