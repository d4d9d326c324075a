"""Colour tables: text files that say what the colours of one sequence's labels mean.

Virtual KITTI 1 has one for each drive, where every car has its own colour.
"""

import re
from pathlib import Path

from semseg.data.declarations import patterns
from semseg.data.declarations.specs import pack_color
from semseg.errors import ImageError

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
