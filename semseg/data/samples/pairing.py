"""Pairing: which images a split has, and which label file belongs to each."""

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple, TypeVar

from semseg.data.declarations import patterns
from semseg.data.declarations.specs import DatasetSpec, FolderSpec, PairRule
from semseg.errors import ConfigError, DatasetError

_LISTED = 10
FileT = TypeVar("FileT")


class FilePair(NamedTuple):
    """An image file and its label file, relative to their roots; None: no label file exists."""

    image: str
    label: str | None


def find_pairs(
    spec: FolderSpec, root: str | Path | None, split: str, label_root: str | Path | None = None
) -> list[FilePair]:
    """Finds the images of a split and the label file of each, where it exists.

    Args:
      spec: the dataset's declaration.
      root: the dataset's folder; None takes the declaration's own, if it has one.
      split: name of the split.
      label_root: folder of the label files, if they are not below ``root``.

    Returns:
      The pairs, in a fixed order, at least one.

    Raises:
      ConfigError: no root was given.
      DatasetError: a wrong root or an empty split.
    """
    images, labels = roots(spec, root, label_root)
    pairs = [
        pair
        for rule in spec.splits[split]
        for pair in _pairs_of_rule(rule, images, labels)
        if not any(fnmatchcase(pair.image, pattern) for pattern in spec.excluded)
    ]
    if not pairs:
        raise DatasetError(_nothing_found(spec, images, split))
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
    if not isinstance(spec, FolderSpec):
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


def roots(
    spec: FolderSpec, root: str | Path | None, label_root: str | Path | None
) -> tuple[Path, Path]:
    """Returns the folders of images and of labels; raises as ``find_pairs`` does."""
    root = root or spec.root
    if root is None:
        raise ConfigError(f"dataset '{spec.name}' needs a root folder (--root DIR)")
    for folder in (root, label_root or root):
        if not Path(folder).is_dir():
            raise DatasetError(f"{folder}: no such folder; expected the root of '{spec.name}'")
    return Path(root), Path(label_root or root)


def _pairs_of_rule(rule: PairRule, root: Path, label_root: Path) -> Iterator[FilePair]:
    if rule.list_file:
        if (root / rule.list_file).is_file():
            yield from _part(list(_listed_pairs(root / rule.list_file, label_root)), rule)
        return
    for match in _part(list(patterns.expand(root, str(rule.images))), rule):
        labels = (patterns.substitute(pattern, match.captures) for pattern in rule.labels)
        yield FilePair(
            match.path, next(filter(lambda path: (label_root / path).is_file(), labels), None)
        )


def _part(files: list[FileT], rule: PairRule) -> list[FileT]:
    """Returns the block of the files that the rule takes."""
    start, stop = (round(share * len(files)) for share in rule.part)
    return files[start:stop]


def _listed_pairs(path: Path, label_root: Path) -> Iterator[FilePair]:
    """Reads a list file: image and label on each line, parted by a comma, a tab or a space."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: no list can be read: {error}")
    for number, line in enumerate(map(str.strip, lines), start=1):
        separator = next((mark for mark in ("\t", ",") if mark in line), None)
        names = [name.strip() for name in line.split(separator)]
        if line and len(names) != 2:
            raise DatasetError(
                f"{path}, line {number}: expected 'image label', found '{line[:80]}' "
                "(names with spaces need a tab or a comma between them)"
            )
        if line:
            yield FilePair(names[0], names[1] if (label_root / names[1]).is_file() else None)


def shared_labels(pairs: list[FilePair]) -> Iterator[str]:
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
    except DatasetError:
        return False  # a folder that may not be listed is no suggestion


def list_some(names: list[str]) -> str:
    """Returns the first ten names, and how many more there are."""
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
