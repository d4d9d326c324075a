"""Builds the TensorRT engine of a graph, so that no node has to."""

import os
from typing import Optional

from semseg.runtime.engines import tensorrt_cache
from semseg.runtime.images.geometry import Size
from semseg.runtime.segmenter import Segmenter


def build_engine(model: str, precision: str = "float32", size: Optional[Size] = None) -> str:
    """Builds a TensorRT engine for ONNX Runtime on this machine; takes minutes.

    Args:
      model: path of the frozen graph; its ``.onnx`` stands beside it.
      precision: ``float32`` or ``float16``.
      size: (height, width) as ``Segmenter.load`` takes it.

    Returns:
      The folder that keeps the engine.

    Raises:
      SemsegError: there is no such graph, ONNX file or TensorRT.
    """
    with Segmenter.load(
        model, engine="onnxruntime", precision=precision, input_size=size, build=True
    ) as segmenter:
        folder = tensorrt_cache.engine_folder(
            segmenter.digest, segmenter.precision, segmenter.input_size
        )
    os.makedirs(folder, exist_ok=True)
    tensorrt_cache.mark_complete(folder)
    return folder
