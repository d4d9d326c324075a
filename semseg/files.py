"""Files that are whole or not there: written beside, then moved to their name.

New folders never destroy what was there.
"""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO, Iterator, Optional, Union

import cv2
import numpy as np

from semseg.errors import ConfigError, OutputError

PathLike = Union[str, "os.PathLike[str]"]
PARTIAL = ".partial"
"""Ends the name of a file that is not whole yet."""
IMAGE_SUFFIXES = frozenset(
    (
        ".bmp",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tif",
        ".tiff",
        ".webp",
    )
)
"""What a file's name ends with, in small letters, that is taken for an image in a folder."""
FAST = 1
"""PNG compression for many files that are written while something waits."""


@contextlib.contextmanager
def partial_path(path: PathLike, mark: str = PARTIAL, before_suffix: bool = False) -> Iterator[str]:
    """Gives a path to write to, whose file gets its name when all went well, and not before.

    Args:
      path: the file; replaced if it exists.
      mark: what the name beside has more.
      before_suffix: put the mark before the suffix, for writers that go by it.

    Yields:
      The path beside it. After an error, or an interruption, no file is left there.
    """
    path = os.fspath(path)
    stem, suffix = os.path.splitext(path) if before_suffix else (path, "")
    beside = stem + mark + suffix
    try:
        yield beside
        os.replace(beside, path)
    finally:
        with contextlib.suppress(OSError):  # Moved, or never made.
            os.unlink(beside)


@contextlib.contextmanager
def partial_file(path: PathLike, durable: bool = False) -> Iterator[BinaryIO]:
    """Opens a file that gets its name when it is written to the end, and not before.

    Args:
      path: the file; replaced if it exists. The folders above it are made.
      durable: whether the file and its name are to survive a power cut from the end of this on;
        then its folder must exist.

    Yields:
      The file beside it, open for writing.

    Raises:
      OutputError: it cannot be written (no permission, a full disk).
    """
    path = os.fspath(path)
    folder = os.path.dirname(path) or "."
    try:
        if not durable:
            os.makedirs(folder, exist_ok=True)
        with partial_path(path) as beside, open(beside, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if durable:
            _sync_folder(folder)
    except OSError as error:
        raise OutputError("%s: cannot be written: %s" % (path, error.strerror or error))


def write_file(path: PathLike, data: Union[bytes, memoryview], durable: bool = False) -> None:
    """Writes a file whole; the arguments and errors are those of ``partial_file``."""
    with partial_file(path, durable) as file:
        file.write(data)


def encode_png(pixels: np.ndarray, compression: Optional[int] = None) -> bytes:
    """Returns a PNG file.

    Args:
      pixels: RGB, uint8 (H, W, 3), or one channel, uint8 or uint16 (H, W).
      compression: 0 to 9; None is OpenCV's own.
    """
    options = [] if compression is None else [cv2.IMWRITE_PNG_COMPRESSION, compression]
    return _encode(".png", pixels, options)


def encode_jpeg(image: np.ndarray, quality: int = 95) -> bytes:
    """Returns a JPEG file.

    Args:
      image: RGB, uint8 (H, W, 3).
      quality: 0..100.
    """
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def write_png(path: PathLike, pixels: np.ndarray, compression: Optional[int] = None) -> None:
    """Writes a PNG file of what ``encode_png`` takes."""
    write_file(path, encode_png(pixels, compression))


def new_folder(path: PathLike, force: bool) -> Path:
    """Makes a folder for results.

    Args:
      path: the folder; parents are made too.
      force: whether it may hold files already; those of the same names will be replaced.

    Raises:
      ConfigError: it holds files and ``force`` is not given, or it is a file.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise ConfigError("%s is a file, expected a folder for the results" % folder)
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise ConfigError("%s holds files already; choose another folder or add --force" % folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def check_writable(path: PathLike) -> None:
    """Finds out before long work whether a file can be written; raises ``ConfigError``."""
    if os.path.isdir(path):
        raise ConfigError("%s is a folder, expected a file to write" % path)
    folder = next(parent for parent in Path(path).absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(str(folder), os.W_OK)):
        raise ConfigError("%s: %s is no folder that can be written to" % (path, folder))


def _encode(suffix, pixels, options):
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(suffix, pixels, options)[1].tobytes()


def _sync_folder(folder):
    """Makes a rename in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
