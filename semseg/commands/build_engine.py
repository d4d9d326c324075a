"""Builds the TensorRT engine of a frozen graph on this machine, for engine onnxruntime."""

import os
from typing import NamedTuple, Optional

from semseg import command_line
from semseg.profiles import model_path
from semseg.runtime.engines import tensorrt_cache
from semseg.runtime.images.geometry import Size
from semseg.runtime.segmenter import Segmenter


class Options(NamedTuple):
    """Which engine is built; see ``build_engine``."""

    model: str
    precision: str
    size: Optional[Size]


def main() -> None:
    """Runs the command line."""
    parser = command_line.parser(
        __doc__, "scripts/build_engine.py --model models/town_full.pb --precision float16"
    )
    add = parser.add_argument
    add("--model", required=True, help="profile or graph with its .onnx beside it")
    add("--precision", default="float32", choices=["float32", "float16"],
        help="what it computes in (default: %(default)s)")  # fmt: skip
    add("--size", type=command_line.size, metavar="HxW", help="size of the network's input")
    options = command_line.options(parser, Options)
    built = build_engine(model_path(options.model), options.precision, options.size)
    print("built %s" % built)


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
