"""From the raw ids of label files to labels.

A raw id is what the file stores, a label is the network's index (see ``semseg.classes``).
Ids are looked up in a table, never compared one after the other and never interpolated.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import cv2
import numpy as np

from semseg.classes import IGNORE
from semseg.data.declarations.specs import RAW_LIMITS, FolderSpec
from semseg.data.files.pixels import read_raw_ids
from semseg.data.samples.color_tables import color_table_path, read_color_table
from semseg.errors import DatasetError

_LOG = logging.getLogger(__name__)


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
