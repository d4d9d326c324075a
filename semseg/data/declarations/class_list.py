"""Class lists of folders without a declaration, in the forms that people and tools write them.

Read are a name on each line; an id or a colour before or behind it; CVAT's ``labelmap.txt``,
Roboflow's ``_classes.csv`` and labelme's ``labels.txt``. What could mean two things is an error
that names the line: a list that is read wrongly shifts all names, and nothing later tells.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from semseg.classes import IGNORE
from semseg.errors import ConfigError

CLASS_LISTS = ("classes.txt", "labelmap.txt", "_classes.csv", "labels.txt", "class_dict.csv")
"""Names of class lists: the package's own, CVAT's, Roboflow's, labelme's and of colour tables."""

_MAX_ID = (1 << 16) - 1
_LABELME_VOID, _LABELME_BACKGROUND = "__ignore__", "_background_"
_VOID_NAMES = ("void", "ignore", "ignored", _LABELME_VOID)
_FORMS = (
    "expected a name, or a name with its id ('road 3', '3 road'), its colour ('road 128 64 128', "
    "'road #804080') or both; a name in quotes may hold anything"
)
_HEADING = re.compile(
    "id|ids|index|value|pixel|class|classes|name|names|label|labels|r|g|b|red|green|blue|color|"
    "colour|rgb|hex|color_rgb|pixel_value|class_name|class_id|label_id|parts|actions"
)
_GAP = r"[\s,;:=|]+"
_TRIPLE = r"(?:rgb)?[(\[]?\s*\d+[\s,;]+\d+[\s,;]+\d+\s*[)\]]?"
_COLOR = rf"(?:#[0-9a-fA-F]{{6}}|{_TRIPLE})"
_LINE = re.compile(
    rf"(?:(?P<id>-?\d+){_GAP})?(?:(?P<color>{_COLOR}){_GAP})?"
    rf"(?P<name>\"[^\"]+\"|'[^']+'|(?!\d+(?:{_GAP}|$))[^\s,;:=|\"'#-].*?)"
    rf"(?:{_GAP}(?P<last_id>-?\d+))?(?:{_GAP}(?P<last_color>{_COLOR}))?[\s,;]*"
)
_CVAT_LINE = re.compile(r"(?P<name>[^:]+):(?P<color>\d+,\d+,\d+)?:[^:]*:[^:]*")
_MAY_BE_ABSENT = re.compile(r"\s*\(may be absent\)\s*$", re.IGNORECASE)
_COMMENT = re.compile(r"\s(?:#(?![0-9a-fA-F]{6}\b)|//).*$")


class ListedClass(NamedTuple):
    """A line of a class list.

    Attributes:
      name: the name.
      raw_id: what stands for it in label files of ids.
      color: RGB, what stands for it in label files of colours; None if the line has none.
      is_void: whether it is no class, and what it stands for is ignored.
      may_be_absent: whether a split may lack it.
      number: of the line, from 1.
    """

    name: str
    raw_id: int
    color: tuple[int, ...] | None
    is_void: bool
    may_be_absent: bool
    number: int


class _Line(NamedTuple):
    number: int
    text: str
    name: str
    leading_id: int | None
    trailing_id: int | None
    color: tuple[int, ...] | None
    may_be_absent: bool


def read_class_list(path: Path) -> list[ListedClass]:
    """Reads a class list.

    Args:
      path: the file, in UTF-8, or in UTF-16 with a byte order mark.

    Returns:
      The lines, at least one; names, ids and (where it is black or given) colours are different.

    Raises:
      ConfigError: no such file, or a line that is none of the forms or could be two.
    """
    lines = list(_parse(path, _text(path)))
    if not lines:
        raise ConfigError(f"{path}: names no class; {_FORMS}")
    listed = [
        ListedClass(
            line.name,
            raw_id,
            line.color,
            line.name.lower() in _VOID_NAMES,
            line.may_be_absent,
            line.number,
        )
        for line, raw_id in zip(lines, _raw_ids(path, lines), strict=True)
    ]
    _check_repeats(path, listed, "id", lambda entry: entry.raw_id)
    classes = [entry for entry in listed if not entry.is_void]
    _check_repeats(path, classes, "name", lambda entry: entry.name)
    return listed


def check_colors(path: Path, listed: Sequence[ListedClass]) -> None:
    """Raises ``ConfigError`` if two classes have one colour, where colours are what is stored."""
    _check_repeats(path, [entry for entry in listed if entry.color], "colour",
                   lambda entry: entry.color)  # fmt: skip


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        is_utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        return data.decode("utf-16" if is_utf16 else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}")


def _parse(path: Path, text: str) -> Iterator[_Line]:
    in_cvat_form, is_first = False, True
    for number, whole in enumerate(text.splitlines(), start=1):
        line = whole.strip()
        if re.match(r"#\s*label\s*:\s*color_rgb", line):
            in_cvat_form = True
        if not line or _is_comment(line):
            continue
        is_heading = is_first and _is_heading(line)
        is_first = False
        if not is_heading:
            yield _parse_line(path, number, line, in_cvat_form)


def _is_comment(line: str) -> bool:
    is_color = re.match(rf"#[0-9a-fA-F]{{6}}{_GAP}\S", line)
    return line.startswith(("#", "//")) and not is_color


def _is_heading(line: str) -> bool:
    words = [word for word in re.split(r"[\s,;:|\"]+", line.lower()) if word]
    return len(words) > 1 and all(map(_HEADING.fullmatch, words))


def _parse_line(path: Path, number: int, line: str, in_cvat_form: bool) -> _Line:
    def refuse(reason: str) -> ConfigError:
        return ConfigError(f"{path}, line {number}: {reason}, found '{line[:80]}'; {_FORMS}")

    match = _CVAT_LINE.fullmatch(line)
    if match or in_cvat_form:
        if not match:
            raise refuse("expected CVAT's 'label:red,green,blue:parts:actions'")
        color = _color(match["color"], refuse)
        return _Line(number, line, match["name"].strip(), None, None, color, False)
    content = re.sub(r'"(-?\d+)"', r"\1", _COMMENT.sub("", line))
    may_be_absent = bool(_MAY_BE_ABSENT.search(content))
    match = _LINE.fullmatch(_MAY_BE_ABSENT.sub("", content))
    if not match:
        raise refuse("no class can be read")
    name = match["name"]
    if name[0] in "\"'":
        name = name[1:-1].strip()
    else:
        problem = _name_problem(name)
        if problem:
            raise refuse(problem)
    found = [match[group] for group in ("id", "last_id") if match[group]]
    colors = [match[group] for group in ("color", "last_color") if match[group]]
    if len(found) > 1 or len(colors) > 1:
        raise refuse("too many numbers")
    ids = [_id(match[group], refuse) for group in ("id", "last_id")]
    color = _color(colors[0], refuse) if colors else None
    return _Line(number, line, name, ids[0], ids[1], color, may_be_absent)


def _name_problem(name: str) -> str | None:
    if any(re.fullmatch(r"[-+]?\d+(\.\d*)?", word) for word in re.split(_GAP, name)):
        return "numbers that are neither an id nor a colour of three integers"
    if re.search(r"[,;\t|]", name):
        return "more than a name between commas"
    if re.search(r"[{}<>\[\]\"\\]", name) or re.search(r":(\s|$)", name):
        return "no class can be read"
    return None


def _id(text: str | None, refuse: Callable[[str], ConfigError]) -> int | None:
    if text is None:
        return None
    if not -1 <= int(text) <= _MAX_ID:
        raise refuse(f"an id is 0..{_MAX_ID} (-1 is {IGNORE})")
    return IGNORE if int(text) == -1 else int(text)


def _color(text: str | None, refuse: Callable[[str], ConfigError]) -> tuple[int, ...] | None:
    if text is None:
        return None
    if text.startswith("#"):
        return tuple(bytes.fromhex(text[1:]))
    color = tuple(map(int, re.findall(r"\d+", text)))
    if max(color) > 255:
        raise refuse("a colour's values are 0..255")
    return color


def _raw_ids(path: Path, lines: Sequence[_Line]) -> list[int]:
    """Returns the id of each line: as it says, else by its place in the list."""

    def refuse(line: _Line, reason: str) -> ConfigError:
        return ConfigError(f"{path}, line {line.number}: {reason}, found '{line.text[:80]}'")

    leading = [line.leading_id is not None for line in lines]
    if any(leading) and not all(leading):
        odd = lines[leading.index(leading.count(True) < leading.count(False))]
        raise refuse(
            odd,
            "expected an id before each name or before none (a name that begins with a number "
            "needs quotes)",
        )
    with_both = [line for line in lines if line.trailing_id is not None and line.color]
    if [line.trailing_id for line in with_both] != [*range(len(with_both))]:
        raise refuse(
            with_both[0],
            "four numbers behind a name may be an id and a colour, or a colour and its opacity; "
            "expected 'ID NAME RED GREEN BLUE'",
        )
    offset = -1 if lines[0].name == _LABELME_VOID else 0
    ids = []
    for position, line in enumerate(lines):
        said = line.leading_id if line.trailing_id is None else line.trailing_id
        by_place = position + offset
        if said is None and line.name == _LABELME_VOID and position:
            raise refuse(line, f"expected labelme's {_LABELME_VOID} first, or with its id")
        if said is None and line.name == _LABELME_BACKGROUND and by_place:
            raise refuse(
                line,
                f"labelme's {_LABELME_BACKGROUND} is 0 in its label files, but this place in the "
                f"list means {by_place}; put it first, or behind {_LABELME_VOID}",
            )
        ids.append(by_place % (IGNORE + 1) if said is None else said)
    return ids


def _check_repeats(
    path: Path,
    entries: Sequence[ListedClass],
    what: str,
    key: Callable[[ListedClass], Any],
) -> None:
    owners: dict[Any, ListedClass] = {}
    for entry in entries:
        owner = owners.setdefault(key(entry), entry)
        if owner is not entry:
            raise ConfigError(
                f"{path}, line {entry.number}: '{entry.name}' has the {what} {key(entry)} of "
                f"'{owner.name}' in line {owner.number}; expected another {what}"
                + (" (a number behind a name is its id; a name with a number needs quotes)"
                   if what != "colour" else "")
            )  # fmt: skip
