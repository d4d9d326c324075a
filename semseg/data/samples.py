"""Samples: an image and its labels, found by a dataset's declaration."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from semseg.data import patterns
from semseg.data.labels import LabelDecoder, read_image
from semseg.data.specs import DatasetSpec, FolderSpec, PairRule, TownSpec
from semseg.errors import ConfigError, DatasetError, unknown_name
from semseg.town import frame

_LISTED = 10


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


@dataclass(frozen=True)
class FileSample:
    """A ``Sample`` of two files."""

    name: str
    image_path: Path
    label_path: Path
    decoder: LabelDecoder = field(repr=False, compare=False)

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
            )
        return image, labels


@dataclass(frozen=True)
class TownSample:
    """A ``Sample`` that is rendered: frame ``index`` of a split of the synthetic town."""

    split: str
    index: int
    size: tuple[int, int]
    image_path: Path | None = None
    label_path: Path | None = None

    @property
    def name(self) -> str:
        """The sample's name, ``val/000007``."""
        return f"{self.split}/{self.index:06d}"

    def read_image(self) -> np.ndarray:
        """Returns the image, uint8 (H, W, 3) RGB."""
        return self.read()[0]

    def read_labels(self) -> np.ndarray:
        """Returns the labels, uint8 (H, W)."""
        return self.read()[1]

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns image and labels of one rendering."""
        rendered = frame(self.split, self.index, size=self.size)
        return rendered.image, rendered.labels


class Pair(NamedTuple):
    """An image file and its label file, relative to their roots; None: no label file exists."""

    image: str
    label: str | None


def samples(
    spec: DatasetSpec,
    root: str | Path | None,
    split: str,
    label_root: str | Path | None = None,
) -> list[Sample]:
    """Finds the samples of a split, in a fixed order.

    Args:
      spec: the dataset's declaration.
      root: the dataset's folder; None for the town.
      split: name of the split.
      label_root: folder of the label files, if they are not below ``root``.

    Returns:
      The samples, at least one.

    Raises:
      ConfigError: no such split, or no root.
      DatasetError: a wrong root, an empty split, missing label files, or two images whose
        labels are one file.
    """
    if split not in spec.splits:
        raise ConfigError(unknown_name(f"split of '{spec.name}'", split, spec.splits))
    if isinstance(spec, TownSpec):
        return [TownSample(split, index, spec.size) for index in range(spec.splits[split])]
    pairs = find_pairs(spec, root, split, label_root)
    _check_labels(spec, split, pairs)
    decoder = LabelDecoder(spec)
    images, labels = Path(root or "."), Path(label_root or root or ".")
    folder = _common_folder(spec.splits[split], pairs)
    return [
        FileSample(
            name=f"{split}/{os.path.splitext(os.path.relpath(pair.image, folder or '.'))[0]}",
            image_path=images / pair.image,
            label_path=labels / str(pair.label),
            decoder=decoder,
        )
        for pair in pairs
    ]


def find_pairs(
    spec: FolderSpec, root: str | Path | None, split: str, label_root: str | Path | None = None
) -> list[Pair]:
    """Finds the images of a split and the label file of each, where it exists.

    Args:
      spec: the dataset's declaration.
      root: the dataset's folder.
      split: name of the split.
      label_root: folder of the label files, if they are not below ``root``.

    Returns:
      The pairs, in a fixed order, at least one.

    Raises:
      ConfigError: no root was given.
      DatasetError: a wrong root or an empty split.
    """
    if root is None:
        raise ConfigError(f"dataset '{spec.name}' needs a root folder (--root DIR)")
    for folder in (root, label_root or root):
        if not Path(folder).is_dir():
            raise DatasetError(f"{folder}: no such folder; expected the root of '{spec.name}'")
    pairs = [
        pair
        for rule in spec.splits[split]
        for pair in _pairs_of_rule(rule, Path(root), Path(label_root or root))
    ]
    if not pairs:
        raise DatasetError(_nothing_found(spec, Path(root), split))
    return pairs


def present_splits(
    spec: DatasetSpec, root: str | Path | None, label_root: str | Path | None = None
) -> tuple[list[str], list[DatasetError]]:
    """Finds which splits there are files of.

    Args:
      spec: the dataset's declaration.
      root: the dataset's folder; None for the town.
      label_root: folder of the label files, if they are not below ``root``.

    Returns:
      The names of the splits with images, and what is wrong with each of the others.

    Raises:
      DatasetError: there is none, so the root is wrong.
    """
    if isinstance(spec, TownSpec):
        return list(spec.splits), []
    present, problems = [], []
    for split in spec.splits:
        try:
            find_pairs(spec, root, split, label_root)
            present.append(split)
        except DatasetError as error:
            problems.append(error)
    if not present:
        raise problems[0]
    return present, problems


def _pairs_of_rule(rule: PairRule, root: Path, label_root: Path) -> Iterator[Pair]:
    if rule.list_file:
        if (root / rule.list_file).is_file():
            yield from _listed_pairs(root / rule.list_file, label_root)
        return
    for match in patterns.expand(root, str(rule.images)):
        labels = (patterns.substitute(pattern, match.captures) for pattern in rule.labels)
        yield Pair(
            match.path, next(filter(lambda path: (label_root / path).is_file(), labels), None)
        )


def _listed_pairs(path: Path, label_root: Path) -> Iterator[Pair]:
    """Reads a list file: image and label on each line, parted by a comma, a tab or a space."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    for number, line in enumerate(map(str.strip, lines), start=1):
        separator = next((mark for mark in ("\t", ",") if mark in line), None)
        names = [name.strip() for name in line.split(separator)]
        if line and len(names) != 2:
            raise DatasetError(
                f"{path}, line {number}: expected 'image label', found '{line[:80]}' "
                "(names with spaces need a tab or a comma between them)"
            )
        if line:
            yield Pair(names[0], names[1] if (label_root / names[1]).is_file() else None)


def _check_labels(spec: FolderSpec, split: str, pairs: list[Pair]) -> None:
    missing = [pair.image for pair in pairs if pair.label is None]
    if missing:
        raise DatasetError(
            f"{len(missing)} of {len(pairs)} images of '{spec.name}', split '{split}', have no "
            f"label file: {list_some(missing)}"
        )
    for problem in shared_labels(pairs):
        raise DatasetError(f"'{spec.name}', split '{split}': {problem}")


def shared_labels(pairs: list[Pair]) -> Iterator[str]:
    """Yields a line for each image whose label file belongs to another image already."""
    owners: dict[str, str] = {}
    for image, label in pairs:
        if label is not None and owners.setdefault(label, image) != image:
            yield f"two images share the label file {label}: {owners[label]}, {image}"


def _nothing_found(spec: FolderSpec, root: Path, split: str) -> str:
    looked_for = [str(rule.images or rule.list_file) for rule in spec.splits[split]]
    found = list_some(sorted(os.listdir(root))) or "nothing"
    text = (
        f"{root}: no image of '{spec.name}', split '{split}'; "
        f"looked for {' and '.join(looked_for)}, found {found}"
    )
    near = [root.resolve().parent, *sorted(path for path in root.iterdir() if path.is_dir())]
    better = next((path for path in near if _has_images(spec, path, split)), None)
    return text + (f" (did you mean {better}?)" if better else "")


def _has_images(spec: FolderSpec, root: Path, split: str) -> bool:
    try:
        return any(True for rule in spec.splits[split] for _ in _pairs_of_rule(rule, root, root))
    except OSError:
        return False  # a folder that may not be listed is no suggestion


def _common_folder(rules: tuple[PairRule, ...], pairs: list[Pair]) -> str:
    """Returns the folder that is left out of sample names, known without looking at the files."""
    folders = {patterns.fixed_folder(rule.images) for rule in rules if rule.images}
    folders |= {os.path.dirname(pair.image) for pair in pairs if not folders}
    return os.path.commonpath(folders)


def list_some(names: list[str]) -> str:
    """Returns the first ten names, and how many more there are."""
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _size(array: np.ndarray) -> str:
    return f"{array.shape[0]}x{array.shape[1]}"
