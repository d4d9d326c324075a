"""The ONNX Runtime engine: runs the ``.onnx`` file beside a frozen graph."""

import onnxruntime

from semseg.errors import EngineError, GraphError
from semseg.runtime.companions import checked_companion
from semseg.runtime.engines import Engine

PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
"""What computes, the first that this ONNX Runtime has."""
_ERRORS_ONLY = 3


class OnnxRuntimeEngine(Engine):
    """Runs a graph in ONNX Runtime."""

    def __init__(self, graph, options):
        self.precision = options.precision
        self._path = checked_companion(graph, "onnx")
        session_options = onnxruntime.SessionOptions()
        session_options.log_severity_level = _ERRORS_ONLY
        session_options.intra_op_num_threads = options.threads or 0
        available = onnxruntime.get_available_providers()
        providers = [name for name in PROVIDERS if name in available]
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
