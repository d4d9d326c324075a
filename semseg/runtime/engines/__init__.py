"""Inference engines: what runs a frozen graph.

An engine is a class with the interface of ``Engine``, in a module of its own that imports
the engine's package; only the module of the chosen engine is imported.
"""

import importlib
import importlib.util
from typing import Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from semseg.errors import EngineError, unknown_name
from semseg.runtime.graph.frozen_graph import FrozenGraph

_COMPATIBLE = "/proc/device-tree/compatible"
_TX2 = b"nvidia,tegra186"


def is_jetson_tx2(compatible: str = _COMPATIBLE) -> bool:
    """Whether this is a Jetson TX2, by the device tree that its kernel shows.

    Args:
      compatible: file of zero-terminated names, the board's first, its chip's after it.
    """
    try:
        with open(compatible, "rb") as file:
            return _TX2 in file.read().split(b"\0")
    except OSError:
        return False


AUTO = "auto"
DEFAULT_PRECISION = "float32"


class EngineOptions(NamedTuple):
    """How an engine is to run a graph.

    Attributes:
      precision: one of the engine's precisions.
      threads: how many threads compute; None leaves it to the engine.
      gpu_memory_fraction: largest share of a GPU's memory, above 0 to 1; None sets no limit.
        Memory is taken as it is needed in any case. For TensorFlow.
      size: (height, width) that it will be fed; None if images decide.
      build: take minutes to build a TensorRT engine and keep it; otherwise only one that was
        built before is used. For ONNX Runtime.
    """

    precision: str = DEFAULT_PRECISION
    threads: Optional[int] = None
    gpu_memory_fraction: Optional[float] = None
    size: Optional[Tuple[int, int]] = None
    build: bool = False

    def checked(self) -> "EngineOptions":
        """Returns the options without ``auto``: as precision it is float32.

        Its labels are those of the training.

        Raises:
          EngineError: there are no such threads, GPU memory or, on this board, precision.
        """
        if self.threads is not None and self.threads < 1:
            raise EngineError("an engine needs at least 1 thread, found %d" % self.threads)
        fraction = self.gpu_memory_fraction
        if fraction is not None and not 0 < fraction <= 1:
            raise EngineError("gpu_memory_fraction is above 0 to 1, found %s" % fraction)
        if self.precision == "int8" and is_jetson_tx2():
            raise EngineError(
                "int8 is refused on a Jetson TX2: its GPU (compute capability 6.2) has no int8 "
                "instructions, so TensorRT cannot run it; take float16"
            )
        is_auto = self.precision == AUTO
        return self._replace(precision=DEFAULT_PRECISION) if is_auto else self


_DEFAULTS = EngineOptions()


class Engine:
    """A frozen graph, loaded and ready to run; used by one thread at a time.

    Attributes:
      precisions: the precisions it can compute in.
      precision: the one it computes in.
    """

    precisions: Tuple[str, ...] = (DEFAULT_PRECISION,)
    precision = DEFAULT_PRECISION

    def __init__(self, graph: FrozenGraph, options: EngineOptions):
        """Loads the graph.

        Args:
          graph: the checked graph.
          options: how it is to run; ``options.precision`` is one of ``precisions``.

        Raises:
          EngineError: the engine cannot load this graph, or lacks a file that it needs.
          GraphError: that file is damaged or of another graph.
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
          GraphError: the graph computes what no op takes.
          EngineError: the engine failed.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Frees what the engine holds; it cannot run any more."""
        raise NotImplementedError


class _Entry(NamedTuple):
    package: str
    engine: str
    distribution: str
    automatic: bool = True

    @property
    def install(self):
        return "pip install " + self.distribution

    @property
    def installed(self):
        return importlib.util.find_spec(self.package) is not None


ENGINES = {
    "openvino": _Entry("openvino", "OpenVinoEngine", "openvino"),
    "litert": _Entry("ai_edge_litert", "LiteRtEngine", "ai-edge-litert"),
    "onnxruntime": _Entry("onnxruntime", "OnnxRuntimeEngine", "onnxruntime"),
    "tensorflow": _Entry("tensorflow", "TensorFlowEngine", "tensorflow"),
    "tensorflow_tensorrt": _Entry(
        "tensorflow", "TensorFlowTensorRtEngine", "tensorflow", automatic=False
    ),
}
"""Name of an engine and of its module here -> its package and class, the fastest first."""


def load_engine(name: str, graph: FrozenGraph, options: EngineOptions = _DEFAULTS) -> Engine:
    """Loads a graph into an engine.

    Args:
      name: one of ``ENGINES``.
      graph: the checked graph.
      options: how it is to run, as ``EngineOptions.checked`` returns them.

    Raises:
      EngineError: the engine is not installed, or cannot run the graph as asked.
      GraphError: the file that the engine reads beside the graph is damaged or of another one.
    """
    entry = ENGINES[name]
    if not entry.installed:
        raise EngineError(
            "engine '%s' is not installed; install it with: %s" % (name, entry.install)
        )
    try:
        module = importlib.import_module("%s.%s" % (__name__, name))
    except ImportError as error:
        raise EngineError("engine '%s' cannot be imported: %s" % (name, error))
    engine = getattr(module, entry.engine)
    if options.precision not in engine.precisions:
        kind = "precision of engine '%s'" % name
        raise EngineError(unknown_name(kind, options.precision, engine.precisions + (AUTO,)))
    return engine(graph, options)
