"""Which engine runs a graph: the one that is named, or the first that really does."""

import logging
from typing import Callable, List, NamedTuple, Tuple, TypeVar

from semseg.errors import EngineError, SemsegError, unknown_name
from semseg.runtime.engines import AUTO, ENGINES

Started = TypeVar("Started")

_log = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """An engine that ``auto`` tried before the one it took, and why that one failed."""

    engine: str
    reason: str

    def __str__(self) -> str:
        """Returns it as a part of a sentence."""
        return "not %s: %s" % self


def choose_engine(
    name: str, graph: str, start: Callable[[str], Started]
) -> Tuple[Started, Tuple[Refusal, ...]]:
    """Starts an engine.

    Args:
      name: one of ``ENGINES``, or ``auto``: the first that is installed and starts.
      graph: path of the graph, for errors.
      start: loads it into the engine of that name and, since some fail only then, runs it
        once; frees what it holds if that fails.

    Returns:
      What ``start`` returned, and the engines that ``auto`` tried in vain before.

    Raises:
      EngineError: there is no such engine, or ``auto`` finds none that starts.
      SemsegError: what ``start`` raises for the engine that is named.
    """
    if name == AUTO:
        return _first_that_starts(graph, start)
    if name not in ENGINES:
        raise EngineError(unknown_name("engine", name, [*ENGINES, AUTO]))
    return start(name), ()


def _first_that_starts(graph, start):
    refusals: List[Refusal] = []
    for name in _installed():
        try:
            started = start(name)
        except Exception as error:  # What a broken installation raises may be anything.
            refusals.append(Refusal(name, _reason(error)))
            continue
        level = logging.WARNING if refusals else logging.INFO
        _log.log(level, "engine auto: %s", "; ".join([name, *map(str, refusals)]))
        return started, tuple(refusals)
    raise EngineError("no installed engine runs %s; %s" % (graph, "; ".join(map(str, refusals))))


def _installed():
    automatic = {name: entry for name, entry in ENGINES.items() if entry.automatic}
    found = [name for name, entry in automatic.items() if entry.installed]
    if not found:
        commands = " or: ".join(entry.install for entry in automatic.values())
        raise EngineError("no inference engine is installed; install one with: %s" % commands)
    return found


def _reason(error):
    text = " ".join(str(error).split())
    return text if isinstance(error, SemsegError) else "%s: %s" % (type(error).__name__, text[:300])
