"""Samples: an image and its labels, found by a dataset's declaration."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from semseg.data.declarations import patterns
from semseg.data.declarations.specs import (
    DatasetSpec,
    FolderSpec,
    PairRule,
    SecondKind,
    ShardSpec,
    TownSpec,
)
from semseg.data.samples.label_decoder import LabelDecoder
from semseg.data.samples.pairing import FilePair, find_pairs, list_some, roots, shared_labels
from semseg.data.samples.second import DisparityFile, RightFiles, find_second
from semseg.data.samples.shards import shard_samples
from semseg.errors import ConfigError, DatasetError, unknown_name
from semseg.runtime.images.image_file import exif_hint, read_image
from semseg.town import Frame, frame, right_frame


class Sample(Protocol):
    """An image and its labels, read on request."""

    @property
    def name(self) -> str:
        """Unique in the dataset, like a path: ``val/0016E5_07959``."""

    @property
    def image_path(self) -> Path | None:
        """The image's file; None if there is none (the town)."""

    @property
    def label_path(self) -> Path | None:
        """The label file; None if there is none."""

    def read_image(self) -> np.ndarray:
        """Returns the image, uint8 (H, W, 3) RGB."""

    def read_labels(self) -> np.ndarray:
        """Returns the labels, uint8 (H, W)."""

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns image and labels, which have the same size."""

    def read_second(self) -> np.ndarray | None:
        """Returns the second input, of the image's size, if the samples were asked for one.

        Returns:
          None; or the right image, uint8 (H, W, 3) RGB; or the disparity of the image's pixels,
          float32 (H, W, 1), pixels at the image's width, 0 where unknown.
        """

    def read_right_labels(self) -> np.ndarray | None:
        """Returns the labels of the right image, uint8 (H, W), if it was asked for and has any."""


@dataclass(frozen=True)
class FileSample:
    """A ``Sample`` of an image file and a label file, and of a second input's if asked for."""

    name: str
    image_path: Path
    label_path: Path
    decoder: LabelDecoder = field(repr=False, compare=False)
    second: RightFiles | DisparityFile | None = None

    def read_image(self) -> np.ndarray:
        """Returns the image, uint8 (H, W, 3) RGB; raises ``ImageError``."""
        return read_image(self.image_path)

    def read_labels(self) -> np.ndarray:
        """Returns the labels, uint8 (H, W); raises ``ImageError`` or ``DatasetError``."""
        return self.decoder.read(self.label_path)

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns image and labels; raises ``DatasetError`` if their sizes differ."""
        image, labels = self.read_image(), self.read_labels()
        if image.shape[:2] != labels.shape:
            raise DatasetError(
                f"{self.image_path} is {_size(image)}, its labels {self.label_path} are "
                f"{_size(labels)}; expected the same size"
                f"{exif_hint(self.image_path, labels.shape)}"
            )
        return image, labels

    def read_second(self) -> np.ndarray | None:
        """Returns the second input, see ``Sample``; raises ``ImageError``."""
        return self.second.read() if self.second else None

    def read_right_labels(self) -> np.ndarray | None:
        """Returns the right image's labels, see ``Sample``; raises as ``read_labels`` does."""
        return self.second.read_labels() if isinstance(self.second, RightFiles) else None


@dataclass(frozen=True)
class TownSample:
    """A ``Sample`` that is rendered: frame ``index`` of a split of the synthetic town."""

    split: str
    index: int
    size: tuple[int, int]
    second: SecondKind | None = None
    image_path: Path | None = None
    label_path: Path | None = None

    @property
    def name(self) -> str:
        """The sample's name, ``val/000007``."""
        return f"{self.split}/{self.index:06d}"

    def read_image(self) -> np.ndarray:
        """Returns the image, uint8 (H, W, 3) RGB."""
        return self._left().image

    def read_labels(self) -> np.ndarray:
        """Returns the labels, uint8 (H, W)."""
        return self._left().labels

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns image and labels of one rendering."""
        rendered = self._left()
        return rendered.image, rendered.labels

    def read_second(self) -> np.ndarray | None:
        """Returns the second input, see ``Sample``."""
        if self.second == "right":
            return self._right().image
        return self._left().disparity[..., np.newaxis] if self.second else None

    def read_right_labels(self) -> np.ndarray | None:
        """Returns the right image's labels, see ``Sample``."""
        return self._right().labels if self.second == "right" else None

    def _left(self) -> Frame:
        return _town_frame(self.split, self.index, self.size, False)

    def _right(self) -> Frame:
        return _town_frame(self.split, self.index, self.size, True)


@lru_cache(maxsize=8)
def _town_frame(split: str, index: int, size: tuple[int, int], right: bool) -> Frame:
    """Renders a frame once for image, labels and disparity, which are read one after the other."""
    rendered = (right_frame if right else frame)(split, index, size)
    for shared in (rendered.image, rendered.labels):
        shared.setflags(write=False)
    return rendered


@dataclass(frozen=True)
class ChangedSample:
    """A ``Sample`` that is another one with its pixels changed; subclasses say how.

    Attributes:
      sample: the sample as its dataset has it.
    """

    sample: Sample

    @property
    def name(self) -> str:
        """The sample's name."""
        return self.sample.name

    @property
    def image_path(self) -> Path | None:
        """The file of the image before the change, see ``Sample``."""
        return self.sample.image_path

    @property
    def label_path(self) -> Path | None:
        """The file of the labels before the change, see ``Sample``."""
        return self.sample.label_path

    def read_image(self) -> np.ndarray:
        """Returns the changed image, uint8 (h, w, 3) RGB."""
        return self._changed_image(self.sample.read_image())

    def read_labels(self) -> np.ndarray:
        """Returns the changed labels, uint8 (h, w)."""
        return self._changed_labels(self.sample.read_labels())

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the changed image and labels."""
        image, labels = self.sample.read()
        return self._changed_image(image), self._changed_labels(labels)

    def read_second(self) -> np.ndarray | None:
        """Returns the changed second input, see ``Sample``."""
        second = self.sample.read_second()
        return None if second is None else self._changed_image(second)

    def read_right_labels(self) -> np.ndarray | None:
        """Returns the changed labels of the right image, see ``Sample``."""
        labels = self.sample.read_right_labels()
        return None if labels is None else self._changed_labels(labels)

    def _changed_image(self, image: np.ndarray) -> np.ndarray:
        """Changes an image or a second input."""
        return image

    def _changed_labels(self, labels: np.ndarray) -> np.ndarray:
        return labels


@dataclass(frozen=True)
class RemappedSample(ChangedSample):
    """A ``Sample`` with the labels of another class table.

    Attributes:
      table: uint8 (256,), the new label of each of the dataset's labels, ``IGNORE`` for none.
    """

    table: np.ndarray = field(repr=False, compare=False)

    def _changed_labels(self, labels: np.ndarray) -> np.ndarray:
        return self.table[labels]


def samples(
    spec: DatasetSpec,
    root: str | Path | None,
    split: str,
    label_root: str | Path | None = None,
    second: SecondKind | None = None,
) -> list[Sample]:
    """Finds the samples of a split, in a fixed order.

    Args:
      spec: the dataset's declaration.
      root: the dataset's folder; None for the town.
      split: name of the split.
      label_root: folder of the label files, if they are not below ``root``.
      second: what the samples are to have beside the image.

    Returns:
      The samples, at least one.

    Raises:
      ConfigError: no such split, no root, or no second input of this kind.
      DatasetError: a wrong root, an empty split, missing label files or second inputs, or two
        images whose labels are one file.
    """
    if split not in spec.splits:
        raise ConfigError(unknown_name(f"split of '{spec.name}'", split, spec.splits))
    if isinstance(spec, TownSpec):
        return [TownSample(split, index, spec.size, second) for index in range(spec.splits[split])]
    if isinstance(spec, ShardSpec):
        return [*shard_samples(spec, root, split, second)]
    pairs = find_pairs(spec, root, split, label_root)
    _check_labels(spec, split, pairs)
    decoder = LabelDecoder(spec)
    images, labels = roots(spec, root, label_root)
    folder = _common_folder(spec.splits[split], pairs)
    seconds = find_second(spec, second, pairs, (images, labels), decoder)
    return [
        FileSample(
            name=f"{split}/{os.path.splitext(os.path.relpath(pair.image, folder or '.'))[0]}",
            image_path=images / pair.image,
            label_path=labels / str(pair.label),
            decoder=decoder,
            second=seconds[pair.image] if second else None,
        )
        for pair in pairs
        if second is None or pair.image in seconds
    ]


def spread(samples: Sequence[Sample], count: int | None) -> list[Sample]:
    """Returns ``count`` samples spread evenly over all; all of them for None."""
    if count is None or count >= len(samples):
        return list(samples)
    return [samples[index] for index in np.arange(count) * len(samples) // count]


def _check_labels(spec: FolderSpec, split: str, pairs: list[FilePair]) -> None:
    missing = [pair.image for pair in pairs if pair.label is None]
    if missing:
        raise DatasetError(
            f"{len(missing)} of {len(pairs)} images of '{spec.name}', split '{split}', have no "
            f"label file: {list_some(missing)}"
        )
    for problem in shared_labels(pairs):
        raise DatasetError(f"'{spec.name}', split '{split}': {problem}")


def _common_folder(rules: tuple[PairRule, ...], pairs: list[FilePair]) -> str:
    """Returns the folder that is left out of sample names, known without looking at the files."""
    folders = {patterns.fixed_folder(rule.images) for rule in rules if rule.images}
    folders |= {os.path.dirname(pair.image) for pair in pairs if not folders}
    return os.path.commonpath(folders)


def _size(array: np.ndarray) -> str:
    return f"{array.shape[0]}x{array.shape[1]}"
