"""Zstandard, by whatever the installed rosbags brings along for it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

MAGIC = b"\x28\xb5\x2f\xfd"


def zstd_decompressed(data: bytes) -> bytes:
    """Decompresses frames of Zstandard; raises ``ValueError`` if they are damaged."""
    zstd = _zstd()
    try:
        return bytes(zstd.decompress(data))
    except zstd.ZstdError as error:
        raise ValueError(str(error))


class UnpackedBag:
    """A compressed file of a ROS 2 bag, unpacked into a temporary folder.

    Args:
      path: the file, such as ``x.db3.zstd``.
      read: opens the unpacked file.

    Raises:
      ValueError: it is damaged.
    """

    def __init__(self, path: Path, read: Callable[[Path], Any]) -> None:
        zstd = _zstd()
        self._folder = tempfile.TemporaryDirectory()
        try:
            file = Path(self._folder.name, path.stem)
            with zstd.open(path, "rb") as packed, file.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
            self._bag = read(file)
        except zstd.ZstdError as error:
            self._folder.cleanup()
            raise ValueError(str(error))
        except BaseException:
            self._folder.cleanup()
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bag, name)

    def close(self) -> None:
        """Closes and removes the unpacked file."""
        self._bag.close()
        self._folder.cleanup()


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
