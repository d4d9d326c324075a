"""What was found in files before, so that only new and changed ones are read again."""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import platformdirs

from semseg.errors import OutputError
from semseg.files import write_file

_LOG = logging.getLogger(__name__)

_VERSION = 3
"""Changes when something else is found in the same files."""

FoundT = TypeVar("FoundT")


def default_folder() -> Path:
    """Returns the folder of the user's caches: ``~/.cache/semseg/files`` on Linux."""
    return platformdirs.user_cache_path("semseg") / "files"


def file_stamp(path: str | os.PathLike) -> str:
    """Returns size and time of change of a file; another stamp means another content."""
    try:
        status = os.stat(path)
    except OSError:
        return "absent"
    return f"{status.st_size} {status.st_mtime_ns}"


class FileCache(Generic[FoundT]):
    """What was found in the files of one dataset.

    Attributes:
      found: by stamp: names of files with their ``file_stamp``.
    """

    def __init__(
        self,
        folder: Path | None,
        name: str,
        content: str,
        to_json: Callable[[FoundT], Any],
        from_json: Callable[[Any], FoundT],
    ):
        """Reads what is kept.

        Args:
          folder: where it is kept; None keeps nothing.
          name: what it is called there, such as the dataset's name.
          content: all that it depends on, apart from the files: the declaration, for example.
          to_json: turns what was found into what JSON can hold.
          from_json: turns it back; any error means that all files are read again.
        """
        digest = hashlib.blake2b(f"{_VERSION} {content}".encode(), digest_size=8).hexdigest()
        self._path = folder and folder / f"{name}-{digest}.json"
        self._to_json = to_json
        self.found: dict[str, FoundT] = _read(self._path, from_json) if self._path else {}

    def keep(self, found: Mapping[str, FoundT]) -> None:
        """Adds what was found, by stamp, and writes the file if there is any."""
        self.found.update(found)
        if self._path is None or not found:
            return
        values = {stamp: self._to_json(each) for stamp, each in self.found.items()}
        try:
            write_file(self._path, json.dumps(values).encode("utf-8"))
        except OutputError as error:
            _LOG.warning("what was found is not kept for the next time: %s", error)


def _read(path: Path, from_json: Callable[[Any], FoundT]) -> dict[str, FoundT]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return {stamp: from_json(value) for stamp, value in values.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        _LOG.warning("%s: is read no more, all files are read again: %s", path, error)
        return {}
