"""File patterns: which images a split has, and how the label file of an image is called.

A pattern is a path below the dataset's root with wildcards: ``*`` and ``?`` and ``[0-8]`` (or
``[!0-8]``, for the others) inside one name, ``**`` for any number of folders. A label pattern has
as many wildcards as its image pattern; each of them stands for what the image's matched.
``{jpg,png}`` in an image pattern is either text; it is no wildcard.
"""

import os
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from semseg.errors import DatasetError

_WILDCARD = re.compile(r"\*\*|\*|\?|\[[^\]]+\]")
_CHOICE = re.compile(r"\\\{([^{}]+)\\\}")  # in an escaped text
JUNK = frozenset(("Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir"))
"""Files and folders that systems leave beside images, and that are not hidden."""
_REGEXES = {"**": r"(.*)", "*": r"(.*)", "?": r"(.)"}


class Match(NamedTuple):
    """A file that a pattern found.

    Attributes:
      path: relative to the root, with ``/``.
      captures: what each wildcard stands for, in order.
    """

    path: str
    captures: tuple[str, ...]


def expand(root: str | os.PathLike, pattern: str) -> Iterator[Match]:
    """Finds the files that match a pattern, sorted; hidden files and link loops are passed over.

    Args:
      root: the folder that the pattern is relative to; its own name is no pattern.
      pattern: the pattern.

    Raises:
      DatasetError: a folder on the way cannot be listed.
    """
    yield from _descend(os.fspath(root), "", PurePosixPath(pattern).parts, ())


def substitute(pattern: str, captures: tuple[str, ...]) -> str:
    """Returns the pattern with its wildcards replaced, in order, by ``captures``."""
    remaining = iter(captures)
    return os.path.normpath(_WILDCARD.sub(lambda _: next(remaining), pattern))


def count_wildcards(pattern: str) -> int:
    """Returns the number of wildcards of a pattern."""
    return len(_WILDCARD.findall(pattern))


def fixed_folder(pattern: str) -> str:
    """Returns the folder part of a pattern that is before its first wildcard; '' if none is."""
    return os.path.dirname(_WILDCARD.split(pattern, maxsplit=1)[0])


def is_junk(name: str) -> bool:
    """Says whether a file or folder of this name is hidden, or left there by a system."""
    return name.startswith(".") or name in JUNK


def _descend(
    root: str, folder: str, parts: tuple[str, ...], captures: tuple[str, ...]
) -> Iterator[Match]:
    part, rest = parts[0], parts[1:]
    for path, found in _candidates(root, folder, part):
        full = os.path.join(root, path)
        if rest and os.path.isdir(full):
            yield from _descend(root, path, rest, captures + found)
        elif not rest and os.path.isfile(full):
            yield Match(path, captures + found)


def _candidates(root: str, folder: str, part: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if part == "**":
        for below in _folders_below(os.path.join(root, folder), ()):
            yield os.path.join(folder, below).rstrip("/"), (below,)
    elif _WILDCARD.search(part) or "{" in part:
        regex = _compile(part)
        for name in _listing(os.path.join(root, folder)):
            match = regex.fullmatch(name)
            if match:
                yield os.path.join(folder, name), match.groups()
    else:
        yield os.path.join(folder, part), ()


def _folders_below(folder: str, ancestors: tuple[str, ...], relative: str = "") -> Iterator[str]:
    """Yields '' and every folder below; a link back to a folder above is not followed."""
    real = os.path.realpath(folder)
    if real in ancestors:
        return
    yield relative
    for name in _listing(folder):
        below = os.path.join(folder, name)
        if os.path.isdir(below):
            yield from _folders_below(below, (*ancestors, real), os.path.join(relative, name))


def _listing(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not is_junk(name))
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be listed: {error.strerror}")


def _compile(part: str) -> re.Pattern:
    texts = [
        _CHOICE.sub(lambda found: f"(?:{found[1].replace(',', '|')})", re.escape(text))
        for text in _WILDCARD.split(part)
    ]
    wildcards = [
        _REGEXES.get(found, f"({found.replace('[!', '[^')})") for found in _WILDCARD.findall(part)
    ]
    return re.compile("".join(a + b for a, b in zip(texts, [*wildcards, ""], strict=True)))
