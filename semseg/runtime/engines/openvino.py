"""The OpenVINO engine: Intel and ARM CPUs. Reads the frozen graph itself, without TensorFlow."""

import sys
from functools import lru_cache

from semseg.errors import EngineError
from semseg.runtime.engines import Engine

# Importing openvino imports its model converter, which writes ~/intel and sends what it counts to
# a host on the internet, unless a user has declined. Without this package it does neither.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino  # noqa: E402

_PRECISIONS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


class OpenVinoEngine(Engine):
    """Runs a frozen graph in OpenVINO.

    A set of outputs is compiled when it is first asked for, for the shapes it is fed:
    outputs that nobody wants cost nothing then, and fixed shapes are faster than open ones.
    """

    precisions = tuple(_PRECISIONS)

    def __init__(self, graph, options):
        self.precision = options.precision
        self._path = graph.path
        self._compiled = {}
        self._core = _core()
        # Stated always: the default on a CPU that has bfloat16 is bfloat16.
        self._options = {"INFERENCE_PRECISION_HINT": _PRECISIONS[options.precision]}
        if options.threads is not None:
            self._options["INFERENCE_NUM_THREADS"] = options.threads
        try:
            self._model = self._core.read_model(graph.path)
        except RuntimeError as error:
            raise self._error("cannot load", error)

    def run(self, feeds, outputs):  # noqa: D102 - see Engine
        outputs = tuple(name + ":0" for name in outputs)
        feeds = {name + ":0": array for name, array in feeds.items()}
        shapes = {name: array.shape for name, array in feeds.items()}
        try:
            if self._compiled.get(outputs, (None,))[0] != shapes:
                self._compiled[outputs] = shapes, self._compile(shapes, outputs)
            request = self._compiled[outputs][1]
            request.infer(feeds, share_inputs=True)
            # Copied: the request writes its next result to the same memory.
            return tuple(request.get_tensor(name).data.copy() for name in outputs)
        except RuntimeError as error:
            raise self._error("cannot run", error)

    def close(self):  # noqa: D102 - see Engine
        self._compiled.clear()
        self._model = None

    def _compile(self, shapes, outputs):
        model = self._model.clone()
        made = {name for output in model.outputs for name in output.get_names()}
        for name in outputs:
            if name not in made:  # Only tensors that nothing consumes are outputs from the start.
                model.add_outputs(name)
        model = openvino.Model([model.output(name) for name in outputs], model.get_parameters())
        model.reshape({name: list(shape) for name, shape in shapes.items()})
        return self._core.compile_model(model, "CPU", self._options).create_infer_request()

    def _error(self, action, error):
        lines = [line.strip() for line in str(error).split("\n") if line.strip()]
        return EngineError(
            "OpenVINO %s %s %s: %s"
            % (openvino.__version__.split("-")[0], action, self._path, lines[-1][:300])
        )


@lru_cache(maxsize=None)
def _core():
    """Returns the one core of the process, which is never dropped.

    The CPU plugin of a core puts its own stack for signals in place of the thread's, and the
    former one back at its end. Of two cores that end in the order in which they began, the stack
    that is left is unmapped, and the next SIGINT or SIGTERM is a segmentation fault.
    """
    return openvino.Core()
