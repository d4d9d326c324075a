"""Soft labels: a probability of each class for each pixel, as another network gives them.

They are uint8 (ceil(H / 2), ceil(W / 2), C) for an image of (H, W): for each cell of 2x2 pixels the
square roots of its mean probabilities, times 255. So an image of 11 classes takes 2.75 bytes a
pixel, and small probabilities, which a temperature brings out, have fine steps: the least is
1 / 65025, and near 1 one is 0.8 %. Cells of zeros are void.
"""

import hashlib
import io
import logging
import os
import tempfile
import threading
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import platformdirs

from semseg.classes import IGNORE
from semseg.errors import DatasetError

_LOG = logging.getLogger(__name__)

CELL = 2
"""Height and width of a cell of soft labels, pixels."""

ONE = 255
"""The value of a probability of 1."""

_NAME = "soft_labels"


def cells(probabilities: np.ndarray) -> np.ndarray:
    """Averages probabilities over cells.

    Args:
      probabilities: float32 (H, W, C), 0..1.

    Returns:
      float32 (ceil(H / 2), ceil(W / 2), C); a cell at an odd end is its only row or column.
    """
    height, width, _ = probabilities.shape
    padded = np.pad(probabilities, ((0, height % CELL), (0, width % CELL), (0, 0)), mode="edge")
    rows = padded[::CELL] + padded[1::CELL]
    return (rows[:, ::CELL] + rows[:, 1::CELL]) / CELL**2


def mapped(probabilities: np.ndarray, table: np.ndarray, num_classes: int) -> np.ndarray:
    """Adds up the probabilities of the classes that mean one class of another table.

    Args:
      probabilities: float32 (h, w, C), 0..1.
      table: uint8 (256,), the new label of each class, ``IGNORE`` for none.
      num_classes: of the other table.

    Returns:
      uint8 (h, w, num_classes), soft labels: probabilities given that it is one of these classes,
      zeros where it is more probably none of them.
    """
    shares = np.zeros((*probabilities.shape[:2], num_classes), np.float32)
    for label, partner in enumerate(table[: probabilities.shape[2]]):
        if partner != IGNORE:
            shares[..., partner] += probabilities[..., label]
    mass = shares.sum(axis=-1, keepdims=True)
    known = mass >= 0.5
    return encoded(np.where(known, shares / np.where(known, mass, 1), 0))


def encoded(probabilities: np.ndarray) -> np.ndarray:
    """Returns probabilities, floats 0..1, as soft labels hold them, uint8."""
    return np.rint(ONE * np.sqrt(probabilities)).astype(np.uint8)


def decoded(soft_labels: np.ndarray) -> np.ndarray:
    """Returns the probabilities of soft labels, float32 0..1; they add up to about 1."""
    return np.square(soft_labels.astype(np.float32) / ONE)


def labels_of(soft_labels: np.ndarray) -> np.ndarray:
    """Returns the most probable class of each cell, uint8 (h, w), ``IGNORE`` where it is void."""
    labels = soft_labels.argmax(axis=-1).astype(np.uint8)
    labels[~soft_labels.any(axis=-1)] = IGNORE
    return labels


def default_folder() -> Path:
    """Returns the folder of the user's soft labels: ``~/.cache/semseg/soft_labels`` on Linux."""
    return platformdirs.user_cache_path("semseg") / "soft_labels"


class SoftLabelCache:
    """Soft labels on the disk, found by the pixels of their image: one file for each image.

    The pixels, not the file's name and date, because a rendered frame, a prepared copy and a
    frame of a video have soft labels too; a changed image is another one.

    Args:
      folder: where they are; of one teacher and one class table. Made when it is needed.
      num_classes: number of classes.

    Attributes:
      folder: the same.
    """

    def __init__(self, folder: Path, num_classes: int) -> None:
        self.folder = folder
        self._num_classes = num_classes
        self._making = threading.Lock()

    def get(self, image: np.ndarray, make: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Returns the soft labels of an image, from the disk if they are there, from any thread.

        Args:
          image: uint8 (H, W, 3) RGB.
          make: makes its soft labels; called by one thread at a time.

        Raises:
          DatasetError: they cannot be written (no permission, a full disk).
        """
        path = self._path(image)
        found = self._read(path, image)
        if found is not None:
            return found
        with self._making:
            found = self._read(path, image)  # Another thread may have made them meanwhile.
            if found is None:
                found = make(image)
                _write(path, found)
            return found

    def _path(self, image: np.ndarray) -> Path:
        digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=16)
        digest.update(np.ascontiguousarray(image).data)
        name = digest.hexdigest()
        return self.folder / name[:2] / f"{name}.npz"

    def _read(self, path: Path, image: np.ndarray) -> np.ndarray | None:
        expected = (*(-(-side // CELL) for side in image.shape[:2]), self._num_classes)
        try:
            # The archive has a checksum: half-written and rotten files raise.
            with np.load(path, allow_pickle=False) as file:
                found = file[_NAME]
            if found.shape != expected or found.dtype != np.uint8:
                raise ValueError(f"{found.dtype} {found.shape}, expected uint8 {expected}")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            _LOG.warning("%s: damaged, the soft labels are made again: %s", path, error)
            return None
        return found


def _write(path: Path, soft_labels: np.ndarray) -> None:
    """Writes beside and renames; two runs may write the same file, so each has its own beside."""
    content = io.BytesIO()
    np.savez(content, **{_NAME: soft_labels})
    partial = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
        with open(descriptor, "wb") as file:
            file.write(content.getbuffer())
        os.replace(partial, path)
    except OSError as error:
        raise DatasetError(
            f"{path}: soft labels cannot be written: {error.strerror}; XDG_CACHE_HOME names "
            "another folder for caches"
        )
    finally:
        if partial is not None:
            with suppress(OSError):
                os.unlink(partial)
