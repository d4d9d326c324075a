"""The TensorFlow engine: TensorFlow 1.15 to the newest 2.x, CPU or GPU."""

import os
import warnings

from semseg.errors import EngineError, GraphError
from semseg.runtime.engines import Engine
from semseg.runtime.processor import prefer_onednn

# Only errors, unless the user asked for more; read when TensorFlow is imported. Two lines of
# oneDNN pass all the same: hiding stderr would hide "needs AVX" before an abort, too.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
prefer_onednn()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # 1.15 warns of numpy's plans a dozen times.
    import tensorflow

tf1 = tensorflow.compat.v1
_FAULTS_OF_A_GRAPH = (
    ValueError,
    tensorflow.errors.InvalidArgumentError,
    tensorflow.errors.NotFoundError,
    tensorflow.errors.UnimplementedError,
)


class TensorFlowEngine(Engine):
    """Runs a frozen graph in a TensorFlow session. Takes GPU memory as it needs it."""

    def __init__(self, graph, options):
        self.precision = options.precision
        self._path = graph.path
        self._callables = {}
        imported = tf1.Graph()
        try:
            definition = tf1.GraphDef.FromString(graph.data)
            definition = self._prepared(definition, graph, options.precision)
            with imported.as_default():
                tf1.import_graph_def(definition, name="")
        except EngineError:
            raise
        except Exception as error:  # The protobuf library's own errors have no public base.
            raise GraphError(
                "TensorFlow %s cannot load %s: %s"
                % (tensorflow.__version__, graph.path, _one_line(error))
            )
        self._session = tf1.Session(graph=imported, config=_session_config(options))

    def run(self, feeds, outputs):  # noqa: D102 - see Engine
        try:
            return tuple(self._callable(tuple(feeds), tuple(outputs))(*feeds.values()))
        except (tensorflow.errors.OpError, ValueError) as error:
            # The arrays were checked, so what an op does not take is the graph's fault.
            kind = GraphError if isinstance(error, _FAULTS_OF_A_GRAPH) else EngineError
            raise kind(
                "TensorFlow %s cannot run %s: %s"
                % (tensorflow.__version__, self._path, _one_line(error))
            )

    def close(self):  # noqa: D102 - see Engine
        self._callables.clear()
        self._session.close()

    def _prepared(self, definition, graph, precision):
        """Returns the GraphDef that is imported."""
        return definition

    def _callable(self, inputs, outputs):
        # It skips the checks and look-ups that Session.run repeats at every call.
        if (inputs, outputs) not in self._callables:
            self._callables[inputs, outputs] = self._session.make_callable(
                [name + ":0" for name in outputs], [name + ":0" for name in inputs]
            )
        return self._callables[inputs, outputs]


def _session_config(options):
    config = tf1.ConfigProto(intra_op_parallelism_threads=options.threads or 0)
    config.gpu_options.allow_growth = True  # Else it takes all memory, which a Jetson's CPU shares.
    if options.gpu_memory_fraction is not None:
        config.gpu_options.per_process_gpu_memory_fraction = options.gpu_memory_fraction
    return config


def _one_line(error):
    return str(error).strip().split("\n")[0][:300]
