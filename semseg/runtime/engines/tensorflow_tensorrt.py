"""TensorFlow with TensorRT (TF-TRT): NVIDIA GPUs, where TensorFlow was built with it."""

import tensorflow

from semseg.errors import EngineError
from semseg.runtime.engines.tensorflow import TensorFlowEngine, tf1

_MODES = {"float32": "FP32", "float16": "FP16"}


class TensorFlowTensorRtEngine(TensorFlowEngine):
    """Runs a frozen graph in TensorFlow, what TensorRT knows of it in TensorRT.

    TensorRT builds its engine at the first inference, which takes minutes: ``auto`` never
    chooses this engine.
    """

    precisions = tuple(_MODES)

    def _prepared(self, definition, graph, precision):
        outputs = [name for name in graph.outputs if not name.startswith("id_to_")]
        try:
            from tensorflow.python.compiler.tensorrt import trt_convert

            with tf1.Graph().as_default():
                # By position: TensorFlow 2.4 renamed the parameter of the outputs.
                converter = trt_convert.TrtGraphConverter(
                    None,
                    None,
                    None,
                    definition,
                    outputs,
                    precision_mode=_MODES[precision],
                    is_dynamic_op=True,
                )
                return converter.convert()
        except Exception as error:  # Each version says in its own way that it has no TensorRT.
            raise EngineError(
                "TensorFlow %s cannot use TensorRT here (%s: %s); take engine 'tensorflow', or a "
                "TensorFlow that is built with TensorRT, such as NVIDIA's for Jetson"
                % (tensorflow.__version__, type(error).__name__, str(error).split("\n")[0][:200])
            )
