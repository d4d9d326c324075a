"""Inference engines: what runs a frozen graph.

An engine is a class with the interface of ``Engine``, in a module of its own that imports
the engine's package; only the module of the chosen engine is imported.
"""

import importlib
import importlib.util
import logging
from typing import Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from semseg.errors import EngineError, unknown_name
from semseg.runtime.frozen_graph import FrozenGraph

AUTO = "auto"
DEFAULT_PRECISION = "float32"

_log = logging.getLogger(__name__)


class Engine:
    """A frozen graph, loaded and ready to run; used by one thread at a time.

    Attributes:
      precisions: the precisions it can compute in.
      precision: the one it computes in.
    """

    precisions: Tuple[str, ...] = (DEFAULT_PRECISION,)
    precision = DEFAULT_PRECISION

    def __init__(self, graph: FrozenGraph, precision: str, threads: Optional[int]):
        """Loads the graph.

        Args:
          graph: the checked graph.
          precision: one of ``precisions``.
          threads: how many threads compute; None leaves it to the engine.

        Raises:
          EngineError: the engine cannot load this graph.
        """
        raise NotImplementedError

    def run(self, feeds: Dict[str, np.ndarray], outputs: Sequence[str]) -> Tuple[np.ndarray, ...]:
        """Computes output tensors.

        Args:
          feeds: input name -> contiguous array [N, h, w, channels] of the input's type.
          outputs: names of the output tensors.

        Returns:
          The outputs in that order.

        Raises:
          EngineError: the engine failed.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Frees what the engine holds; it cannot run any more."""
        raise NotImplementedError


class _Entry(NamedTuple):
    package: str
    engine: str

    @property
    def install(self):
        return "pip install " + self.package

    @property
    def installed(self):
        return importlib.util.find_spec(self.package) is not None


ENGINES = {
    "openvino": _Entry("openvino", "OpenVinoEngine"),
    "tensorflow": _Entry("tensorflow", "TensorFlowEngine"),
}
"""Name of an engine and of its module here -> its package and class, the fastest first."""


def load_engine(
    name: str, graph: FrozenGraph, precision: str = AUTO, threads: Optional[int] = None
) -> Tuple[str, Engine]:
    """Loads a graph into an engine.

    Args:
      name: one of ``ENGINES``, or ``auto``.
      graph: the checked graph.
      precision: one of the engine's precisions; ``auto`` is float32, whose labels are those
        of the training.
      threads: how many threads compute; None leaves it to the engine.

    Returns:
      The engine's name, and the engine.

    Raises:
      EngineError: the engine is unknown, not installed, or cannot run the graph as asked.
    """
    if name == AUTO:
        name = _choose()
    if name not in ENGINES:
        raise EngineError(unknown_name("engine", name, list(ENGINES) + [AUTO]))
    entry = ENGINES[name]
    if not entry.installed:
        raise EngineError(
            "engine '%s' is not installed; install it with: %s" % (name, entry.install)
        )
    if threads is not None and threads < 1:
        raise EngineError("engine '%s' needs at least 1 thread, found %d" % (name, threads))
    module = importlib.import_module("%s.%s" % (__name__, name))
    engine = getattr(module, entry.engine)
    precision = DEFAULT_PRECISION if precision == AUTO else precision
    if precision not in engine.precisions:
        choices = engine.precisions + (AUTO,)
        raise EngineError(unknown_name("precision of engine '%s'" % name, precision, choices))
    return name, engine(graph, precision, threads)


def _choose():
    found = [name for name, entry in ENGINES.items() if entry.installed]
    if not found:
        commands = " or: ".join(entry.install for entry in ENGINES.values())
        raise EngineError("no inference engine is installed; install one with: %s" % commands)
    _log.info("engine auto: %s, the fastest of those installed (%s)", found[0], ", ".join(found))
    return found[0]
