"""The LiteRT engine: runs the ``.tflite`` file beside a frozen graph, by XNNPACK on processors."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from semseg.errors import EngineError, GraphError
from semseg.runtime.engines import Engine
from semseg.runtime.engines.companions import checked_companion

_FORMATS = {"float32": "tflite", "float16": "tflite-float16", "int8": "tflite-int8"}


class LiteRtEngine(Engine):
    """Runs a graph in LiteRT. Each precision is a file of its own, for one image of one size."""

    precisions = tuple(_FORMATS)

    def __init__(self, graph, options):
        self.precision = options.precision
        self._path = checked_companion(graph, _FORMATS[options.precision])
        try:
            self._interpreter = Interpreter(self._path, num_threads=options.threads)
            self._interpreter.allocate_tensors()
            runner = self._interpreter.get_signature_runner()
        except (ValueError, RuntimeError) as error:
            raise self._error("cannot load", error)
        self._inputs = runner.get_input_details()
        self._outputs = runner.get_output_details()
        expected = {tensor.name for tensor in graph.inputs}
        if set(self._inputs) != expected:
            raise GraphError(
                "%s has the inputs %s; expected %s"
                % (self._path, ", ".join(sorted(self._inputs)), ", ".join(sorted(expected)))
            )

    def run(self, feeds, outputs):  # noqa: D102 - see Engine
        batch = len(next(iter(feeds.values())))
        made = [
            self._run_one(
                {name: array[index : index + 1] for name, array in feeds.items()}, outputs
            )
            for index in range(batch)
        ]
        return tuple(np.concatenate(arrays) for arrays in zip(*made))

    def _run_one(self, feeds, outputs):
        try:
            for name, array in feeds.items():
                self._check_shape(array.shape, tuple(self._inputs[name]["shape"]))
                self._interpreter.set_tensor(self._inputs[name]["index"], array)
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(self._outputs[name]["index"]) for name in outputs]
        except KeyError as error:
            raise GraphError("%s has no output %s" % (self._path, error))
        except (ValueError, RuntimeError) as error:
            raise self._error("cannot run", error)

    def _check_shape(self, found, expected):
        if found != expected:
            raise EngineError(
                "%s runs at %dx%d alone and cannot run at %dx%d; make one with: scripts/freeze.py "
                "--size %dx%d --format tflite" % ((self._path,) + expected[1:3] + found[1:3] * 2)
            )

    def close(self):  # noqa: D102 - see Engine
        self._interpreter = None

    def _error(self, action, error):
        return EngineError(
            "LiteRT %s %s: %s" % (action, self._path, str(error).strip().split("\n")[0][:300])
        )
