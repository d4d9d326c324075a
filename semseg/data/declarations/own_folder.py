"""Datasets without a declaration: a folder with ``images/``, ``labels/`` and ``classes.txt``.

``classes.txt`` has a class on each line, in the order of the ids 0, 1, 2 ... that the label files
hold: ``road``, or with its colour ``road 128 64 128``. Label files that hold these colours instead
of ids are recognised. ``void`` on a line is no class, and what it stands for is ignored.
"""

import colorsys
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from semseg.classes import IGNORE, VOID_COLOR, VOID_NAME
from semseg.data.declarations import patterns
from semseg.data.files.pixels import guess_decode
from semseg.errors import ConfigError, DatasetError
from semseg.files import IMAGE_SUFFIXES

_CLASS_LIST = "classes.txt"
_TRAIN = "train"
_VALIDATION_SHARE = 0.1
_CLASS_LINE = re.compile(r"(.*?\S)(?:[\s,]+(\d+)[\s,]+(\d+)[\s,]+(\d+))?")


class _Line(NamedTuple):
    """A line of the class list; ``color`` is what it says, if it does."""

    name: str
    color: tuple[int, ...] | None

    @property
    def is_void(self) -> bool:
        return self.name.lower() == VOID_NAME


def describe_folder(folder: Path) -> dict[str, Any]:
    """Says what a declaration of a folder would say.

    Args:
      folder: holds ``images/``, ``labels/`` and ``classes.txt``. If ``images/train`` exists, the
        folders in ``images/`` are the splits, and ``labels/`` has the same; else the last tenth
        of the images, in the order of their names, is ``val``.

    Returns:
      The keys of ``FolderSpec``.

    Raises:
      ConfigError: a part of it is missing, or colours are needed and not said.
      DatasetError: there is no image or no label file.
    """
    present = sorted(os.listdir(folder))
    missing = [name for name in ("images", "labels", _CLASS_LIST) if name not in present]
    if missing:
        raise ConfigError(
            f"{folder}: expected images/, labels/ and {_CLASS_LIST} (or dataset.yaml), "
            f"found {', '.join(present[:10]) or 'nothing'}"
        )
    decode = guess_decode(_first_file(folder / "labels"))
    lines = _read_class_list(folder / _CLASS_LIST)
    uncolored = [line.name for line in lines if line.color is None and not line.is_void]
    if decode == "rgb" and uncolored:
        raise ConfigError(
            f"{folder / _CLASS_LIST}: the label files hold colours; expected a colour behind each "
            f"name, as in 'road 128 64 128', found none for {', '.join(uncolored)}"
        )
    return {
        "name": folder.resolve().name,
        "title": "Own data",
        "decode": decode,
        **_classes(lines, by_color=decode == "rgb"),
        "splits": _splits(folder),
    }


def _read_class_list(path: Path) -> list[_Line]:
    try:
        texts = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}")
    matches = [_CLASS_LINE.fullmatch(text.strip()) for text in texts if text.strip()]
    return [
        _Line(match[1], tuple(map(int, match.groups()[1:])) if match[2] else None)
        for match in matches
        if match
    ]


def _classes(lines: list[_Line], by_color: bool) -> dict[str, Any]:
    classes, ignored = [], []
    for raw_id, line in enumerate(lines):
        meaning = [list(line.color or VOID_COLOR) if by_color else raw_id]
        if line.is_void:
            ignored += meaning
        else:
            color = list(line.color or _color(raw_id))
            classes.append({"name": line.name, "color": color, "ids": meaning})
    void = list(VOID_COLOR) if by_color else IGNORE
    named = [raw_id for entry in classes for raw_id in entry["ids"]]
    return {"classes": classes, "ignored": ignored + [void] * (void not in named + ignored)}


def _color(position: int) -> tuple[int, ...]:
    """Returns a colour that differs from those of other positions: hues by the golden ratio."""
    red, green, blue = colorsys.hsv_to_rgb(position * 0.618 % 1, 0.75, 0.9 - 0.3 * (position % 2))
    return round(red * 255), round(green * 255), round(blue * 255)


def _splits(folder: Path) -> dict[str, Any]:
    images = folder / "images"
    if (images / _TRAIN).is_dir():
        names = sorted(path.name for path in images.iterdir() if path.is_dir())
        return {name: _rules(folder, f"{name}/", [0, 1]) for name in names}
    # At least one of a few images; an only one, of which less than half is none, is trained on.
    border = 1 - min(max(_VALIDATION_SHARE, 1 / len(_images_in(images))), 0.49)
    return {_TRAIN: _rules(folder, "", [0, border]), "val": _rules(folder, "", [border, 1])}


def _rules(folder: Path, below: str, part: list[float]) -> list[dict[str, Any]]:
    label_suffixes = _suffixes(folder / "labels" / below)
    return [
        {
            "images": f"images/{below}**/*{suffix}",
            "labels": [f"labels/{below}**/*{label_suffix}" for label_suffix in label_suffixes],
            "part": part,
        }
        for suffix in _suffixes(folder / "images" / below)
    ]


def _suffixes(folder: Path) -> list[str]:
    return sorted({path.suffix for path in _images_in(folder)})


def _first_file(folder: Path) -> Path:
    return folder / min(_images_in(folder))


def _images_in(folder: Path) -> list[Path]:
    """Returns the image files at any depth, relative to the folder; raises if there is none."""
    paths = (Path(match.path) for match in patterns.expand(folder, "**/*"))
    found = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
    if not found:
        endings = ", ".join(sorted(IMAGE_SUFFIXES))
        raise DatasetError(f"{folder}: no image; expected files ending in {endings}")
    return found
