"""What former checks found, so that only new and changed files are read again."""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from semseg.data.inspection import Finding
from semseg.data.writing import write_file
from semseg.errors import DatasetError

_LOG = logging.getLogger(__name__)

_VERSION = 1
"""Changes when an inspection says something else of the same files."""


def default_folder() -> Path:
    """Returns the folder of the user's caches: ``~/.cache/semseg/checks`` on Linux."""
    return platformdirs.user_cache_path("semseg") / "checks"


class CheckCache:
    """Findings of one dataset in one place.

    Attributes:
      findings: by the stamps of their subjects.
    """

    def __init__(self, folder: Path | None, name: str, content: str):
        """Reads what is kept.

        Args:
          folder: where it is kept; None keeps nothing.
          name: the dataset's name.
          content: all that findings depend on, apart from the files: declaration and place.
        """
        digest = hashlib.blake2b(f"{_VERSION} {content}".encode(), digest_size=8).hexdigest()
        self._path = folder and folder / f"{name}-{digest}.json"
        self.findings: dict[str, Finding] = _read(self._path) if self._path else {}

    def keep(self, findings: Mapping[str, Finding]) -> None:
        """Adds findings by stamp, and writes the file if there are any."""
        self.findings.update(findings)
        if self._path is None or not findings:
            return
        values = {stamp: finding.to_json() for stamp, finding in self.findings.items()}
        try:
            write_file(self._path, json.dumps(values).encode("utf-8"))
        except DatasetError as error:
            _LOG.warning("the check is not kept for the next time: %s", error)


def _read(path: Path) -> dict[str, Finding]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return {stamp: Finding.from_json(finding) for stamp, finding in values.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        _LOG.warning("%s: is read no more, all files are checked: %s", path, error)
        return {}
