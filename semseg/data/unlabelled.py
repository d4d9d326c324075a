"""Images without labels, as samples: a network learns from them what a teacher says of them."""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import platformdirs

from semseg.classes import IGNORE
from semseg.files import encode_png, write_file
from semseg.runtime.images.image_file import read_image

_LOG = logging.getLogger(__name__)

_INDEX = "frames.json"


@dataclass(frozen=True)
class UnlabelledSample:
    """A ``Sample`` of an image file alone: all of its pixels are void."""

    name: str
    image_path: Path
    label_path: Path | None = None

    def read_image(self) -> np.ndarray:
        """Returns the image, uint8 (H, W, 3) RGB; raises ``ImageError``."""
        return read_image(self.image_path)

    def read_labels(self) -> np.ndarray:
        """Returns ``IGNORE`` for each pixel, uint8 (H, W); raises ``ImageError``."""
        return self.read()[1]

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns image and labels; raises ``ImageError``."""
        image = self.read_image()
        return image, np.full(image.shape[:2], IGNORE, np.uint8)

    def read_second(self) -> None:
        """Returns None: it has no second input."""
        return

    def read_right_labels(self) -> None:
        """Returns None: it has no right image."""
        return


class KeptFrames(NamedTuple):
    """Frames of a video or a bag, each kept as a file, because training reads them in any order.

    Attributes:
      paths: the PNG files by the frame's name, in order.
      skipped: name -> reason, of what could not be read.
    """

    paths: Mapping[str, Path]
    skipped: Mapping[str, str]


def frame_folder(content: str) -> Path:
    """Returns the folder of the user's caches that keeps the frames of one source.

    Args:
      content: all that they depend on: the file, its stamp, and which of its frames are kept.
    """
    digest = hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
    return platformdirs.user_cache_path("semseg") / "frames" / digest


def keep_frames(folder: Path, frames: Iterable[tuple[str, np.ndarray | str]]) -> KeptFrames:
    """Writes frames into a folder, or finds those that are there already.

    Args:
      folder: where; its index is written last, so that a folder with one is complete.
      frames: name and image, uint8 (H, W, 3) RGB, of each; or name and reason, of one that cannot
        be read. Not touched if they are there.

    Raises:
      DatasetError: the folder cannot be written (no permission, a full disk).
    """
    known = _kept(folder)
    if known is not None:
        return known
    sizes, skipped = {}, {}
    for name, frame in frames:
        if isinstance(frame, str):
            skipped[name] = frame
            continue
        content = encode_png(frame)
        write_file(folder / f"{name}.png", content)
        sizes[name] = len(content)
    write_file(folder / _INDEX, json.dumps({"sizes": sizes, "skipped": skipped}).encode())
    return KeptFrames({name: folder / f"{name}.png" for name in sizes}, skipped)


def _kept(folder: Path) -> KeptFrames | None:
    """Returns the frames of a complete folder; None if it is none, or if a file has changed."""
    try:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        sizes, skipped = index["sizes"], dict(index["skipped"])
        paths = {name: folder / f"{name}.png" for name in sizes}
        if all(path.stat().st_size == sizes[name] for name, path in paths.items()):
            return KeptFrames(paths, skipped)
        reason = "a frame has another size"
    except FileNotFoundError as error:
        if Path(error.filename).name == _INDEX:
            return None
        reason = f"{error.filename} is missing"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error)
    _LOG.warning("%s: the frames are read again: %s", folder, reason)
    return None
