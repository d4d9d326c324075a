"""Datasets without a declaration: a folder with ``images/``, ``labels/`` and a class list.

The class list (see ``class_list``) is ``classes.txt``, or what CVAT, Roboflow and labelme call
theirs. Whether label files hold ids, palette indices or colours is decided from many of them:
any one may be black all over. ``void`` on a line is no class, and what it stands for is ignored.
"""

import colorsys
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semseg.classes import IGNORE, VOID_COLOR
from semseg.data.declarations import patterns
from semseg.data.declarations.class_list import (
    CLASS_LISTS,
    ListedClass,
    check_colors,
    read_class_list,
)
from semseg.data.files.label_kinds import LabelKind, label_kind
from semseg.errors import ConfigError, DatasetError, ImageError
from semseg.files import IMAGE_SUFFIXES

_CLASS_LIST = CLASS_LISTS[0]
_TRAIN = "train"
_WHITE = (255, 255, 255)
_SPLIT_NAMES = {
    "training": _TRAIN,
    "valid": "val",
    "validation": "val",
    "testing": "test",
}
"""Other names of splits, lower case; Roboflow's is ``valid``."""
_VALIDATION_SHARE = 0.1
_SAMPLED = 32
"""Label files that are looked at, spread over all."""


def describe_folder(folder: Path) -> dict[str, Any]:
    """Says what a declaration of a folder would say.

    Args:
      folder: holds ``images/``, ``labels/`` and a class list. If ``images/train`` exists, the
        folders in ``images/`` are the splits, and ``labels/`` has the same; a split without
        labels is left out. Else the last tenth of the images, in the order of their names, is
        ``val``.

    Returns:
      The keys of ``FolderSpec``.

    Raises:
      ConfigError: a part of it is missing or could mean two things, or colours are needed and
        not said.
      DatasetError: there is no image or no label file.
    """
    class_list = _find_class_list(folder)
    listed = read_class_list(class_list)
    decode = _decode(folder, class_list, listed)
    splits, notes = _splits(folder)
    return {
        "name": folder.resolve().name,
        "title": "Own data",
        "decode": decode,
        **_classes(listed, by_color=decode == "rgb"),
        "splits": splits,
        "guessed": True,
        "may_be_absent": [entry.name for entry in listed if entry.may_be_absent],
        "notes": notes,
    }


def _find_class_list(folder: Path) -> Path:
    present = sorted(os.listdir(folder))
    lists = [name for name in CLASS_LISTS if name in present]
    if not lists or "images" not in present or "labels" not in present:
        raise ConfigError(
            f"{folder}: expected images/, labels/ and {_CLASS_LIST} (or dataset.yaml), "
            f"found {', '.join(present[:10]) or 'nothing'}"
        )
    if len(lists) > 1 and lists[0] != _CLASS_LIST:
        raise ConfigError(
            f"{folder}: has several class lists ({', '.join(lists)}); call the right one "
            f"{_CLASS_LIST}"
        )
    return folder / lists[0]


def _decode(folder: Path, class_list: Path, listed: Sequence[ListedClass]) -> str:
    """Returns the decode rule that the label files look made for."""
    kinds = _label_kinds(folder / "labels")
    uncolored = [entry.name for entry in listed if entry.color is None and not entry.is_void]
    stored = {kind.name for kind in kinds}
    by_color = "rgb" in stored or (not uncolored and _mean_colors(kinds, listed))
    if not by_color and stored == {"palette"} and _differ(kinds):
        raise ConfigError(
            f"{folder / 'labels'}: the palettes of the label files differ, so that an index means "
            f"another colour in each; expected the colour of each class in {class_list.name}, as "
            f"in '{listed[0].name} 128 64 128'"
        )
    if by_color and uncolored:
        raise ConfigError(
            f"{class_list}: the label files hold colours; expected a colour behind each "
            f"name, as in 'road 128 64 128', found none for {', '.join(uncolored)}"
        )
    if by_color:
        check_colors(class_list, listed)
        return "rgb"
    return next((name for name in ("palette", "uint16") if name in stored), "gray8")


def _label_kinds(folder: Path) -> list[LabelKind]:
    paths = sorted(_images_in(folder))
    step = max(1, len(paths) // _SAMPLED)
    kinds, problems = [], []
    for path in paths[::step]:
        try:
            kinds.append(label_kind(folder / path))
        except ImageError as error:
            problems.append(error)
    if not kinds:
        raise problems[0]
    return kinds


def _mean_colors(kinds: Sequence[LabelKind], listed: Sequence[ListedClass]) -> bool:
    """Says whether files without colour channels mean the colours of the list.

    These may be for drawings alone: an index or a grey value may as well be an id.
    """
    if any(kind.palette for kind in kinds) and _differ(kinds):
        return True
    declared = {entry.color for entry in listed}
    shown = set().union(*(kind.colors for kind in kinds)) - {VOID_COLOR, _WHITE}
    if any(kind.palette for kind in kinds):
        return 2 * len(shown & declared) > len(shown)
    ids = set().union(*(kind.ids for kind in kinds))
    grey = {(value, value, value) for value in ids}
    return grey <= declared | {VOID_COLOR} and not ids <= {entry.raw_id for entry in listed}


def _differ(kinds: Sequence[LabelKind]) -> bool:
    """Says whether the palettes of two files give one index two colours; one may be longer."""
    palettes = [kind.palette for kind in kinds if kind.palette]
    longest = max(palettes, key=len, default=())
    return any(palette != longest[: len(palette)] for palette in palettes)


def _classes(listed: Sequence[ListedClass], by_color: bool) -> dict[str, Any]:
    classes, ignored = [], []
    for position, entry in enumerate(listed):
        meaning: list[Any] = [list(entry.color or VOID_COLOR) if by_color else entry.raw_id]
        if entry.is_void:
            ignored += [one for one in meaning if one not in ignored]
        else:
            color = list(entry.color or _color(position))
            classes.append({"name": entry.name, "color": color, "ids": meaning})
    void = list(VOID_COLOR) if by_color else IGNORE
    named = [raw_id for entry in classes for raw_id in entry["ids"]]
    return {"classes": classes, "ignored": ignored + [void] * (void not in named + ignored)}


def _color(position: int) -> tuple[int, ...]:
    """Returns a colour that differs from those of other positions: hues by the golden ratio."""
    red, green, blue = colorsys.hsv_to_rgb(position * 0.618 % 1, 0.75, 0.9 - 0.3 * (position % 2))
    return round(red * 255), round(green * 255), round(blue * 255)


def _splits(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Returns the splits, and a line for each that has no labels."""
    images = folder / "images"
    below = {
        _SPLIT_NAMES.get(name.lower(), name): name
        for name in sorted(os.listdir(images), reverse=True)
        if (images / name).is_dir() and not patterns.is_junk(name)
    }
    if _TRAIN not in below:
        # At least one of a few images; an only one, of which less than half is none, is trained on.
        border = 1 - min(max(_VALIDATION_SHARE, 1 / len(_images_in(images))), 0.49)
        parts = {_TRAIN: [0, border], "val": [border, 1]}
        return {name: _rule(folder, "", part) for name, part in parts.items()}, []
    splits, notes = {}, []
    for split, name in sorted(below.items()):
        if split in (_TRAIN, "val") or _has_images(folder / "labels" / name):
            splits[split] = _rule(folder, f"{name}/", [0, 1])
        else:
            notes.append(
                f"split '{split}' has no labels and is left out; predict.py can read "
                f"{images / name}"
            )
    return splits, notes


def _rule(folder: Path, below: str, part: list[float]) -> dict[str, Any]:
    # One rule for all endings: each of several would have a last tenth of its own.
    suffixes = [suffix.lstrip(".") for suffix in _suffixes(folder / "images" / below)]
    suffix = suffixes[0] if len(suffixes) == 1 else "{%s}" % ",".join(suffixes)
    return {
        "images": f"images/{below}**/*.{suffix}",
        "labels": [
            f"labels/{below}**/*{label_suffix}"
            for label_suffix in _suffixes(folder / "labels" / below)
        ],
        "part": part,
    }


def _suffixes(folder: Path) -> list[str]:
    return sorted({path.suffix for path in _images_in(folder)})


def _has_images(folder: Path) -> bool:
    return folder.is_dir() and any(map(_is_image, _files_in(folder)))


def _images_in(folder: Path) -> list[Path]:
    """Returns the image files at any depth, relative to the folder; raises if there is none."""
    found = [path for path in _files_in(folder) if _is_image(path)]
    if not found:
        endings = ", ".join(sorted(IMAGE_SUFFIXES))
        raise DatasetError(f"{folder}: no image; expected files ending in {endings}")
    return found


def _files_in(folder: Path) -> list[Path]:
    return [Path(match.path) for match in patterns.expand(folder, "**/*")]


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES
