"""Output that never destroys what was there: new folders, and files written beside."""

import os
from pathlib import Path

import cv2
import numpy as np

from semseg.errors import ConfigError


def new_folder(path: str | Path, force: bool) -> Path:
    """Makes a folder for results.

    Args:
      path: the folder; parents are made too.
      force: whether it may hold files already; those of the same names will be replaced.

    Raises:
      ConfigError: it holds files and ``force`` is not given, or it is a file.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file, expected a folder for the results")
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(f"{folder} holds files already; choose another folder or add --force")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def check_writable(path: str | Path) -> None:
    """Finds out before long work whether a file can be written; raises ``ConfigError``."""
    if os.path.isdir(path):
        raise ConfigError(f"{path} is a folder, expected a file to write")
    folder = next(parent for parent in Path(path).absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ConfigError(f"{path}: {folder} is no folder that can be written to")


def write_file(path: Path, data: bytes) -> None:
    """Writes a file beside and moves it to its name, so that no half file bears it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    os.replace(partial, path)


def write_png(path: Path, picture: np.ndarray) -> None:
    """Writes labels, uint8 (H, W), or an RGB picture, uint8 (H, W, 3), without loss."""
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    write_file(path, cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())
