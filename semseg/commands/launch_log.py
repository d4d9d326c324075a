"""What the nodes of a launch that failed said last, read from what roslaunch printed."""

from __future__ import annotations

import re
from glob import escape, glob
from pathlib import Path

_COLOR = re.compile(r"\x1b\[[0-9;]*m|\x1b\][^\x07]*\x07")
_NODE = re.compile(r"^ +(\S+) \(\S+?/(\S+)\)$", re.MULTILINE)
_DIED = re.compile(
    r"\[(?P<name>\S+)-\d+\](?: has died!)?\s+process has died \[pid \d+, exit code (?P<code>-?\d+)"
    r".*?^log file: (?P<log>.*?)\*\.log$",
    re.MULTILINE | re.DOTALL,
)
_DIED_ALONE = re.compile(r"\[(\S+)-\d+\] process has died \[pid")
"""Of a node that is not required: roslaunch goes on without it."""
_WATCHER = "rviz"
"""People close it when they have seen enough, and it may crash then."""
_TRACEBACK = re.compile(
    r"^Traceback \(most recent call last\):\n(?P<calls>(?: .*\n)+)(?P<error>\S.*)$", re.MULTILINE
)
_FATAL = re.compile(r"\[FATAL\] \[[^\]]*\]: (.*)$", re.MULTILINE)
"""On the screen, which does not say whose line it is."""
_CRITICAL = re.compile(r"\[CRITICAL\] \S+ \S+: (.*)$", re.MULTILINE)
"""The same in a node's own log."""


def went_on_alone(text: str) -> bool:
    """Returns whether a node died and roslaunch goes on without it, but for the watching rviz.

    Args:
      text: what roslaunch printed so far.
    """
    return bool(set(_DIED_ALONE.findall(_COLOR.sub("", text))) - {_WATCHER})


def last_words(text: str) -> list[str]:
    """Returns the last line of each node that died, such as ``"evaluator: KeyError: 'x'"``.

    A node that said nothing is named with its exit code. Nodes' own log files are read too, if
    they are there.

    Args:
      text: what roslaunch printed, with the nodes' output on the screen.
    """
    text = _COLOR.sub("", text)
    words = _exceptions(text)
    fatal = [(found.start(), found[1].strip()) for found in _FATAL.finditer(text)]
    for died in _DIED.finditer(text):
        name, log = died["name"], died["log"]
        if name not in words:
            before = [line for at, line in fatal if at < died.start()]
            unclaimed = [line for line in before if line not in words.values()]
            last = _critical(log) or (unclaimed[-1] if unclaimed else _last_output(log))
            words[name] = last or f"exit code {died['code']}"
    unnamed = [line for _, line in fatal if line not in words.values()]
    return [f"{name}: {line}" for name, line in words.items()] + list(dict.fromkeys(unnamed))


def _exceptions(text: str) -> dict[str, str]:
    """Returns the exceptions that ended nodes, by the name of the node."""
    scripts = {script: name for name, script in _NODE.findall(text)}
    errors = {}
    for found in _TRACEBACK.finditer(text):
        names = [name for script, name in scripts.items() if f'/{script}"' in found["calls"]]
        if names:
            errors[names[0]] = found["error"]
    return errors


def _critical(log: str) -> str | None:
    found = _CRITICAL.findall(_content(f"{log}.log"))
    return found[-1].strip() if found else None


def _last_output(log: str) -> str | None:
    """Returns the last line of what a node printed, if that went into a file."""
    printed = "".join(_content(path) for path in sorted(glob(escape(log) + "-std*.log")))
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return lines[-1] if lines else None


def _content(path: str) -> str:
    try:
        return _COLOR.sub("", Path(path).read_text(errors="replace"))
    except OSError:
        return ""
