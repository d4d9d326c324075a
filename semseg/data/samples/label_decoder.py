"""From the raw ids of label files to labels.

A raw id is what the file stores, a label is the network's index (see ``semseg.classes``).
Ids are looked up in a table, never compared one after the other and never interpolated. Where
label files are coloured, a text file may say what the colours of one sequence mean: Virtual
KITTI 1 has such a table for each drive, where every car has its own colour.
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import cv2
import numpy as np

from semseg.classes import IGNORE
from semseg.data.declarations import patterns
from semseg.data.declarations.specs import RAW_LIMITS, FolderSpec, pack_color
from semseg.data.files.pixels import read_raw_ids
from semseg.errors import DatasetError, ImageError

_LOG = logging.getLogger(__name__)


_COLOR_LINE = re.compile(r"\s*(.+?)(?::\d+)?\s+(\d+)\s+(\d+)\s+(\d+)\s*")


def color_table_path(path: Path, pattern: str) -> Path:
    """Returns the colour table of a label file.

    Args:
      path: the label file.
      pattern: name of the table. Its n wildcards stand for the names of the n folders that the
        label file is in, and it lies beside the outermost of these: ``*_*.txt`` is, for
        ``labels/0001/fog/00007.png``, ``labels/0001_fog.txt``.
    """
    folders = path.parents[: patterns.count_wildcards(pattern)]
    names = tuple(folder.name for folder in reversed(folders))
    return path.parents[len(folders)] / patterns.substitute(pattern, names)


def read_color_table(path: Path) -> dict[int, str]:
    """Reads a text file of lines ``NAME red green blue``, or ``NAME:INSTANCE red green blue``.

    Args:
      path: the file; a first line without numbers is a heading.

    Returns:
      The name of each packed colour (see ``specs.pack_color``).

    Raises:
      ImageError: no such file, or a line that is no colour.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImageError(f"{path}: the colour table of the labels cannot be read: {error}")
    colors = {}
    for number, line in enumerate(lines, start=1):
        entry = _parse(line)
        if entry:
            colors[entry[0]] = entry[1]
        elif line.strip() and (number > 1 or re.search(r"\d", line)):
            raise ImageError(
                f"{path}, line {number}: expected 'NAME red green blue', found '{line[:80]}'"
            )
    return colors


def _parse(line: str) -> tuple[int, str] | None:
    """Returns the packed colour and the name, or None for another line."""
    match = _COLOR_LINE.fullmatch(line)
    color = tuple(map(int, match.groups()[1:])) if match else ()
    return (pack_color(color), match[1]) if match and max(color) <= 255 else None


class _Meaning(NamedTuple):
    """What raw ids mean: uint8 raw id -> label, and bool raw id -> whether it is declared."""

    labels: np.ndarray
    known: np.ndarray

    @classmethod
    def create(cls, limit: int, labels: Mapping[Any, int]) -> Self:
        meaning = cls(np.full(limit, IGNORE, np.uint8), np.zeros(limit, bool))
        raw_ids = np.array(list(labels), np.intp)
        meaning.labels[raw_ids] = list(labels.values())
        meaning.known[raw_ids] = True
        return meaning

    def look_up(self, raw_ids: np.ndarray) -> np.ndarray:
        """Returns the labels of raw ids; of bytes in a fifth of the time that indexing takes."""
        if raw_ids.dtype == np.uint8:
            return cv2.LUT(raw_ids, self.labels[:256])
        return self.labels[raw_ids]

    def count_unknown(self, raw_ids: np.ndarray, labels: np.ndarray) -> dict[int, int]:
        """Returns the pixel count of each raw id that is not declared."""
        # Nearly always there are none; the first two questions cost little.
        if self.known[: int(raw_ids.max(initial=0)) + 1].all():
            return {}
        if raw_ids.dtype == np.uint8 and not cv2.LUT(raw_ids, self._unknown_bytes).any():
            return {}
        ignored = raw_ids[labels == IGNORE]
        unknown, counts = np.unique(ignored[~self.known[ignored]], return_counts=True)
        return dict(zip(unknown.tolist(), counts.tolist(), strict=True))

    @property
    def _unknown_bytes(self) -> np.ndarray:
        return (~self.known[:256]).astype(np.uint8)


class LabelDecoder:
    """Reads label files of one dataset as labels."""

    def __init__(self, spec: FolderSpec):
        self._spec = spec
        self._warned: set[int] = set()
        self._labels = _declared_labels(spec)
        self._limit = RAW_LIMITS[spec.decode_rule]
        self._color_tables: dict[Path, dict[int, int]] = {}
        if spec.color_table is None:
            self._meaning = _Meaning.create(self._limit, self._labels)

    def read(self, path: str | Path) -> np.ndarray:
        """Reads a label file; unknown raw ids become ``IGNORE`` and are logged, each once.

        Args:
          path: the file.

        Returns:
          labels, uint8 (H, W).

        Raises:
          ImageError: the file cannot be read by the dataset's rule.
          DatasetError: more unknown pixels than ``max_unknown_share``.
        """
        labels, unknown = self.read_and_count(path)
        share = sum(unknown.values()) / max(labels.size, 1)
        if share > self._spec.max_unknown_share:
            raise DatasetError(
                f"{path}: {share:.1%} of the pixels have unknown ids ({self.describe(unknown)}); "
                f"max_unknown_share of '{self._spec.name}' is {self._spec.max_unknown_share:.1%}"
            )
        news = {raw_id: count for raw_id, count in unknown.items() if raw_id not in self._warned}
        if news:
            self._warned.update(news)
            _LOG.warning("%s: unknown ids are ignored: %s", path, self.describe(news))
        return labels

    def read_and_count(self, path: str | Path) -> tuple[np.ndarray, dict[int, int]]:
        """Reads a label file, whatever it holds.

        Args:
          path: the file.

        Returns:
          labels, uint8 (H, W), and the pixel count of each unknown raw id.
        """
        raw_ids = read_raw_ids(path, self._spec.decode_rule)
        if self._spec.divisor > 1:
            raw_ids = raw_ids // self._spec.divisor
        meaning = self._meaning_of(Path(path))
        labels = meaning.look_up(raw_ids)
        unknown = meaning.count_unknown(raw_ids, labels)
        self._ignore_bonnet(labels)
        return labels, unknown

    def describe(self, counts: dict[int, int]) -> str:
        """Says which raw ids occur how often, the most frequent first: ``37 (120 px), ...``."""
        frequent = sorted(counts.items(), key=lambda item: -item[1])[:10]
        text = ", ".join(f"{self._name(raw_id)} ({count} px)" for raw_id, count in frequent)
        return text + (f" and {len(counts) - 10} more" if len(counts) > 10 else "")

    def _meaning_of(self, path: Path) -> _Meaning:
        if self._spec.color_table is None:
            return self._meaning
        table = color_table_path(path, self._spec.color_table)
        if table not in self._color_tables:
            colors = read_color_table(table)
            self._color_tables[table] = {
                color: self._labels[name] for color, name in colors.items() if name in self._labels
            }
        # Kept as colours: a table that is looked up takes 32 MB, and there is one for each drive.
        return _Meaning.create(self._limit, self._color_tables[table])

    def _ignore_bonnet(self, labels: np.ndarray) -> None:
        for name, share in self._spec.ignored_below.items():
            bottom = labels[round(share * len(labels)) :]
            bottom[bottom == self._spec.classes.names.index(name)] = IGNORE

    def _name(self, raw_id: int) -> str:
        if self._spec.decode_rule == "rgb":
            return f"[{raw_id >> 16}, {raw_id >> 8 & 255}, {raw_id & 255}]"
        return str(raw_id)


def _declared_labels(spec: FolderSpec) -> dict[int | str, int]:
    """Returns the label of each raw id that a declaration names; ``IGNORE`` for ignored ones."""
    labels: dict[int | str, int] = dict.fromkeys(spec.ignored, IGNORE)
    for label in range(spec.classes.num_classes):
        labels.update(dict.fromkeys(spec.raw_ids(label), label))
    return labels
