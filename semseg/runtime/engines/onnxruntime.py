"""The ONNX Runtime engine: runs the ``.onnx`` file beside a frozen graph."""

import logging

import onnxruntime

from semseg.errors import EngineError, GraphError
from semseg.runtime.engines import Engine, tensorrt_cache
from semseg.runtime.engines.companions import checked_companion

TENSORRT, CUDA, CPU = (name + "ExecutionProvider" for name in ("Tensorrt", "CUDA", "CPU"))
"""What computes: each takes the parts of a graph that the ones before it leave."""
_ERRORS_ONLY = 3

_log = logging.getLogger(__name__)


class OnnxRuntimeEngine(Engine):
    """Runs a graph in ONNX Runtime: TensorRT if an engine was built, CUDA, the processor."""

    precisions = ("float32", "float16")

    def __init__(self, graph, options):
        self.precision = options.precision
        self._path = checked_companion(graph, "onnx")
        session_options = onnxruntime.SessionOptions()
        session_options.log_severity_level = _ERRORS_ONLY
        session_options.intra_op_num_threads = options.threads or 0
        providers = choose_providers(graph, options, onnxruntime.get_available_providers())
        try:
            self._session = onnxruntime.InferenceSession(self._path, session_options, providers)
        except Exception as error:  # Its exceptions have no base but this.
            raise self._error("cannot load", error)
        self._check_inputs(graph)
        self._run_options = onnxruntime.RunOptions()
        # Else it computes outputs that nobody asked for.
        self._run_options.only_execute_path_to_fetches = True

    def run(self, feeds, outputs):  # noqa: D102 - see Engine
        try:
            return tuple(self._session.run(list(outputs), feeds, self._run_options))
        except Exception as error:
            raise self._error("cannot run", error)

    def close(self):  # noqa: D102 - see Engine
        self._session = None

    def _check_inputs(self, graph):
        found = [tensor.name for tensor in self._session.get_inputs()]
        expected = [tensor.name for tensor in graph.inputs]
        if sorted(found) != sorted(expected):
            raise GraphError(
                "%s has the inputs %s; expected %s"
                % (self._path, ", ".join(found), ", ".join(expected))
            )

    def _error(self, action, error):
        return EngineError(
            "ONNX Runtime %s %s %s: %s"
            % (onnxruntime.__version__, action, self._path, str(error).strip().split("\n")[0][:300])
        )


def choose_providers(graph, options, available):
    """Returns the execution providers, as ``InferenceSession`` takes them.

    Args:
      graph: the checked graph.
      options: the ``EngineOptions``.
      available: the names of the providers that this ONNX Runtime has.

    Raises:
      EngineError: TensorRT is needed, for float16 or to be built, and cannot be used.
    """
    others = [name for name in (CUDA, CPU) if name in available]
    needed = options.build or options.precision == "float16"
    if TENSORRT not in available:
        if needed:
            raise EngineError(
                "this ONNX Runtime has no TensorRT, which float16 needs; it has: %s"
                % ", ".join(available)
            )
        return others
    folder = tensorrt_cache.engine_folder(graph.digest, options.precision, options.size)
    if options.build or tensorrt_cache.is_complete(folder):
        return [(TENSORRT, _tensorrt_options(folder, options.precision))] + others
    command = "scripts/build_engine.py --model %s --precision %s" % (graph.path, options.precision)
    if options.size is not None:
        command += " --size %dx%d" % tuple(options.size)
    if needed:
        raise EngineError("no TensorRT engine was built for %s; run: %s" % (graph.path, command))
    _log.warning("running without TensorRT, whose engine was not built; build it with: %s", command)
    return others


def _tensorrt_options(folder, precision):
    return {
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": folder,
        "trt_fp16_enable": precision == "float16",
    }
