"""Which files a bag consists of: one, a folder of them, a pattern, or several."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from semseg.errors import BagError

ROS1_SUFFIX = ".bag"
_SUFFIXES = (ROS1_SUFFIX, ".db3", ".mcap", ".db3.zstd", ".mcap.zstd")
_METADATA = "metadata.yaml"


def bag_files(names: Sequence[str | Path]) -> list[Path]:
    """Returns the files that hold the messages of a bag.

    Args:
      names: files, folders of bags (of ROS 2: with a ``metadata.yaml``, or without), or patterns
        such as ``drive_*.bag``. ``~`` is the user's home.

    Returns:
      The files, those of a folder or a pattern in the order of their numbers; each once.

    Raises:
      BagError: one does not exist, or a folder holds no bag.
    """
    found: dict[Path, None] = {}
    for name in names:
        for path in _matches(name):
            files = _files_of_folder(path) if path.is_dir() else [path]
            found.update(dict.fromkeys(files))
    return list(found)


def _matches(name: str | Path) -> list[Path]:
    path = Path(name).expanduser()
    if path.exists():  # Also where its name has what is special in a pattern.
        return [path]
    paths = sorted(map(Path, glob.glob(str(path))), key=_by_number)
    if not paths:
        raise BagError(f"{name}: no such bag")
    return paths


def _files_of_folder(folder: Path) -> list[Path]:
    metadata = folder / _METADATA
    if metadata.exists():
        return _listed(metadata)
    files = sorted((each for each in folder.iterdir() if _is_bag(each)), key=_by_number)
    if not files:
        raise BagError(f"{folder} holds neither {_METADATA} nor a bag ({', '.join(_SUFFIXES)})")
    return files


def _listed(metadata: Path) -> list[Path]:
    """Returns the files that a ROS 2 bag's ``metadata.yaml`` lists."""
    try:
        content = yaml.safe_load(metadata.read_text())
        names = content["rosbag2_bagfile_information"]["relative_file_paths"]
        files = [metadata.parent / Path(name).name for name in names]
    except (yaml.YAMLError, ValueError, LookupError, TypeError):
        raise BagError(f"{metadata} is no description of a ROS 2 bag; `ros2 bag reindex` makes one")
    for file in files:
        if not file.exists():
            raise BagError(f"{metadata} lists {file.name}, which is not there")
    return files


def _is_bag(path: Path) -> bool:
    return path.name.endswith(_SUFFIXES) and path.is_file()


def _by_number(path: Path) -> list[tuple[int, str]]:
    """Returns a key that puts ``x_2.bag`` before ``x_10.bag``."""
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
